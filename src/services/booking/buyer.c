/* booking/buyer.c - the counter row (user, event) behind limits.per_user.
 *
 * Two orders of one user cannot both squeeze under the limit: each passes only through one
 * guarded UPDATE of the same row. Events without the limit have no rows; the first order under a
 * new limit counts what is there. */

#include "services/booking/buyer.h"

#include <assert.h>

#include "services/booking/buyer.sql.h"
#include "services/booking/ticket_status.h"

/* The first order that counts. */
static err insert_row(struct tx *tx, struct uuid user, event_id event, int64_t quantity,
                      int64_t quantity_max)
{
    int64_t before = 0;

    TRY(db_get_i64(tx, &SQL_BUYER_COUNT,
                   ARGS(UUID(user), UUID(event.uuid), I64(TICKET_VALID), I64(TICKET_USED)),
                   &before));
    if (before + quantity > quantity_max)
        return ERR_LIMIT_EXCEEDED;
    return db_exec(tx, &SQL_BUYER_INSERT,
                   ARGS(UUID(user), UUID(event.uuid), I64(before + quantity)));
}

err buyer_take(struct tx *tx, struct uuid user, event_id event, int64_t quantity,
               int64_t quantity_max)
{
    int64_t changed = 0;
    int64_t before = 0;
    err e = ERR_OK;

    assert(quantity > 0 && tx->writes);

    TRY(db_exec_count(tx, &SQL_BUYER_ADD,
                      ARGS(UUID(user), UUID(event.uuid), I64(quantity), I64(quantity_max)),
                      &changed));
    if (changed == 1)
        return ERR_OK;
    e = db_get_i64(tx, &SQL_BUYER_FIND, ARGS(UUID(user), UUID(event.uuid)), &before);
    if (e == ERR_NOT_FOUND)
        return insert_row(tx, user, event, quantity, quantity_max);
    return e == ERR_OK ? ERR_LIMIT_EXCEEDED : e;
}

err buyer_give_back(struct tx *tx, struct uuid user, event_id event, int64_t quantity)
{
    assert(quantity > 0 && tx->writes);

    return db_exec(tx, &SQL_BUYER_SUBTRACT, ARGS(UUID(user), UUID(event.uuid), I64(quantity)));
}
