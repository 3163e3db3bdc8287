/* booking/ticket_end.c - ends tickets and gives back what they took.
 *
 * Every way that a ticket can end before its event (a failed capture, DELETE, a refund, a
 * cancelled event) comes through here, so that status, code, stock, the buyer's count and the
 * news of it cannot come apart. The conditional update decides against a scan at the door that
 * happens at the same time. */
#include "services/booking/ticket_end.h"

#include <assert.h>

#include "services/booking/buyer.h"
#include "services/booking/ticket_end.sql.h"

struct ticket_news {
    ticket_id ticket;
    order_id order;
    event_id event;
    struct uuid user;
    int status;
    str reason;
};

static err tell(struct tx *tx, struct call *call, const struct ticket *ticket,
                enum ticket_status to, str reason)
{
    static const struct json_field fields[] = {
        JSON_F_ID("ticket_id", struct ticket_news, ticket, TICKET_PREFIX, JSON_REQUIRED),
        JSON_F_ID("order_id", struct ticket_news, order, ORDER_PREFIX, JSON_REQUIRED),
        JSON_F_ID("event_id", struct ticket_news, event, EVENT_PREFIX, JSON_REQUIRED),
        JSON_F_ID("user_id", struct ticket_news, user, "usr", JSON_REQUIRED),
        JSON_F_ENUM("status", struct ticket_news, status, ticket_status_names, JSON_REQUIRED),
        JSON_F_TOKEN("reason", struct ticket_news, reason, 0, 80, JSON_OPTIONAL),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct ticket_news);
    const struct ticket_news news = {ticket->id,   ticket->order, ticket->event,
                                     ticket->user, (int)to,       reason};

    return outbox_add(tx, call, "ticket.cancelled", json_encode(call->arena, &shape, &news));
}

static err end_one(struct tx *tx, struct call *call, const struct ticket *ticket,
                   const struct tickets_end *in)
{
    int64_t changed = 0;

    TRY(db_exec_count(tx, &SQL_TICKET_END, ARGS(UUID(ticket->id.uuid), I64(in->to)), &changed));
    if (changed == 0)
        return call_explain(call, ERR_CONFLICT, "the ticket was just used or cancelled");
    if (ticket->order_status != ORDER_HELD) /* else it was never shown to anybody */
        TRY(tell(tx, call, ticket, in->to, in->reason));
    /* Whoever the ticket is for now has one less: after a transfer that is not the order's
     * buyer. */
    return buyer_give_back(tx, ticket->user, ticket->event, 1);
}

/* Types in the order of the items, as the holds take them: writes of several types then queue
 * instead of deadlocking. */
static err give_stock_back(struct tx *tx, struct desk_write *write, const struct tickets_end *in)
{
    for (size_t i = 0; i < in->order->item_count; i++) {
        struct stock_change change = {in->order->items[i].type, in->order->id, 0};
        stock_level level = 0;

        for (size_t t = 0; t < in->count; t++)
            change.quantity += in->tickets[t].status == TICKET_VALID &&
                               uuid_eq(in->tickets[t].type.uuid, change.type.uuid);
        if (change.quantity == 0)
            continue;
        TRY(stock_cancel(tx, write->call, &change, &level));
        desk_note(write, change.type, level);
    }
    return ERR_OK;
}

err tickets_end(struct tx *tx, struct desk_write *write, const struct tickets_end *in,
                size_t *ret_count)
{
    size_t ended = 0;

    assert(in->to == TICKET_CANCELLED || in->to == TICKET_REFUNDED);

    TRY(give_stock_back(tx, write, in));
    for (size_t i = 0; i < in->count; i++) {
        const struct ticket *ticket = &in->tickets[i];

        if (ticket->status != TICKET_VALID)
            continue;
        assert(uuid_eq(ticket->order.uuid, in->order->id.uuid));
        TRY(end_one(tx, write->call, ticket, in));
        ended++;
    }
    *ret_count = ended;
    return ERR_OK;
}
