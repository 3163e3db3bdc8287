/* payment/points_audit.c - does the ledger of points add up?
 *
 * Entries are replayed account by account: nothing may ever have been below zero, or available
 * beside a debt. Then sums: accounts and lots against entries, reservations against the
 * redemptions that are open, what orders have earned against their entries. */
#include "services/payment/points.h"

#include <inttypes.h>

#include "services/payment/points.sql.h"

struct standing {
    struct uuid user;
    int64_t available;
    int64_t reserved;
    int64_t debt;
};

static err replay(struct tx *tx, struct call *call, str *ret_found)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct standing now = {0};

    TRY(rows_open(&rows, tx, &SQL_POINTS_AUDIT_ENTRIES, NO_ARGS, call->arena));
    while (rows_next(&rows)) {
        const struct uuid user = row_uuid(&rows, 1);

        if (!uuid_eq(user, now.user))
            now = (struct standing){.user = user};
        now.available += row_i64(&rows, 3);
        now.reserved += row_i64(&rows, 4);
        now.debt += row_i64(&rows, 5);
        if (now.available >= 0 && now.reserved >= 0 && now.debt >= 0 &&
            (now.debt == 0 || now.available == 0))
            continue;
        *ret_found = arena_printf(call->arena,
                                  "points_entry row %" PRId64 " leaves %s with %" PRId64
                                  " points, %" PRId64 " reserved, %" PRId64 " owed",
                                  row_i64(&rows, 0), id_format("usr", user).text, now.available,
                                  now.reserved, now.debt);
        return ERR_CONFLICT;
    }
    return rows_close(&rows);
}

static err find(struct tx *tx, struct call *call, const struct sql *sql, const char *prefix,
                const char *what, str *ret_found)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const err e = rows_first(&rows, tx, sql, NO_ARGS, call->arena);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    *ret_found =
        arena_printf(call->arena, "%s: %s", id_format(prefix, row_uuid(&rows, 0)).text, what);
    return ERR_CONFLICT;
}

err points_audit(struct tx *tx, struct call *call, str *ret_found)
{
    TRY(replay(tx, call, ret_found));
    TRY(find(tx, call, &SQL_POINTS_AUDIT_STRAYS, "usr", "has points, but no account", ret_found));
    TRY(find(tx, call, &SQL_POINTS_AUDIT_ACCOUNTS, "usr",
             "points differ from their ledger, lots or reservations", ret_found));
    TRY(find(tx, call, &SQL_POINTS_AUDIT_EARNINGS, ORDER_PREFIX,
             "earned points differ from their ledger", ret_found));
    return find(tx, call, &SQL_POINTS_AUDIT_REDEMPTIONS, ORDER_PREFIX,
                "redeemed points differ from their ledger", ret_found);
}
