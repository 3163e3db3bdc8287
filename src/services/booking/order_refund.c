/* booking/order_refund.c - gives tickets and their price back.
 *
 * One transaction ends the tickets, returns the stock and writes the refund with the job that
 * sees to its money; only then is payment asked, without any transaction open. So tickets that
 * are dead always have a refund behind them, and a refund that nobody answered for is asked again
 * until somebody does: its id makes that harmless. */
#include "services/booking/order_refund.h"

#include <assert.h>
#include <string.h>

#include "services/booking/order_news.h"
#include "services/booking/order_refund.sql.h"
#include "services/booking/paying.sql.h"
#include "services/booking/price.h"
#include "services/booking/redeem.h"

enum { TICKETS_MAX = 2000, STATUS_COUNT = REFUND_FAILED + 1 };

/* --- Rules: no I/O --- */

enum order_status order_refund_leaves(enum order_status from, int64_t left, int64_t refunded_minor)
{
    assert(from == ORDER_PENDING || from == ORDER_CONFIRMED || from == ORDER_PARTIALLY_REFUNDED);

    if (left > 0)
        return from == ORDER_CONFIRMED && refunded_minor > 0 ? ORDER_PARTIALLY_REFUNDED : from;
    return refunded_minor > 0 ? ORDER_REFUNDED : ORDER_CANCELLED;
}

/* --- Storage --- */

struct ticket_ids { /* the column order_refund.tickets */
    ticket_id *items;
    size_t count;
};
static const struct json_field ticket_row = {.type = JSON_ID, .prefix = TICKET_PREFIX};
static const struct json_field ids_fields[] = {
    JSON_F_SCALARS("items", struct ticket_ids, items, count, &ticket_row, 0, TICKETS_MAX,
                   JSON_REQUIRED),
};
static const struct json_shape ids_shape = JSON_SHAPE(ids_fields, struct ticket_ids);

static str write_ids(struct arena *arena, const struct order_refund_make *in)
{
    struct ticket_ids ids = {
        .items = arena_new_array(arena, ticket_id, in->ticket_count + 1),
        .count = in->ticket_count,
    };

    for (size_t i = 0; i < in->ticket_count; i++)
        ids.items[i] = in->tickets[i].id;
    return json_encode(arena, &ids_shape, &ids);
}

err order_refund_get(struct tx *tx, struct call *call, refund_id id, struct order_refund *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct ticket_ids ids = {0};

    TRY(rows_first(&rows, tx, &SQL_ORDER_REFUND_FIND, ARGS(UUID(id.uuid)), call->arena));
    struct order_refund refund = {
        .id = id,
        .order = {row_uuid(&rows, 0)},
        .amount = {.minor = row_i64(&rows, 1)},
        .status = (int)row_i64(&rows, 3),
        .reason = row_text(&rows, 4),
    };
    if (!currency_parse(row_text(&rows, 2), &refund.amount.currency) || refund.status < 0 ||
        refund.status >= STATUS_COUNT)
        return ERR_INTERNAL;
    const str tickets = row_text(&rows, 5);
    const str lines = row_text(&rows, 6);
    TRY(rows_close(&rows));
    TRY(json_read(call->arena, tickets, &ids_shape, &ids));
    refund.tickets = ids.items;
    refund.ticket_count = ids.count;
    TRY(price_lines_read(call->arena, lines, &refund.lines, &refund.line_count));
    *ret = refund;
    return ERR_OK;
}

err order_refund_of_key(struct tx *tx, struct call *call, struct uuid user, str key,
                        const uint8_t digest[32], refund_id *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_ORDER_REFUND_FIRST, ARGS(UUID(user), TEXT(key)), call->arena));
    const refund_id id = {row_uuid(&rows, 0)};
    const str first = row_blob(&rows, 1);
    TRY(rows_close(&rows));
    if (first.size != 32 || memcmp(first.ptr, digest, 32) != 0)
        return ERR_IDEMPOTENCY_MISMATCH;
    *ret = id;
    return ERR_OK;
}

/* Notes how a refund ended; nothing happens if that is known already. */
static err note_end(struct call *call, struct tx *tx, refund_id id, enum refund_status status)
{
    int64_t ended = 0;

    TRY(db_exec_count(tx, &SQL_ORDER_REFUND_END, ARGS(UUID(id.uuid), I64(status)), &ended));
    if (ended > 0 && status == REFUND_FAILED)
        log_event(call->self->node->log, LOG_ERROR, "refund.failed",
                  LOG_CSTR("refund", id_format(REFUND_PREFIX, id.uuid).text));
    return ERR_OK;
}

/* --- Making one --- */

struct give_back {
    refund_id refund;
};
static const struct json_field give_back_fields[] = {
    JSON_F_ID("refund_id", struct give_back, refund, REFUND_PREFIX, JSON_REQUIRED),
};
static const struct json_shape give_back_shape = JSON_SHAPE(give_back_fields, struct give_back);

static err add_job(struct tx *tx, struct call *call, refund_id id, int64_t due_ms)
{
    const struct give_back job = {id};

    return job_add(tx, call, GIVE_BACK_JOB, str_of(id_format(REFUND_PREFIX, id.uuid).text), due_ms,
                   json_encode(call->arena, &give_back_shape, &job));
}

static err insert(struct tx *tx, struct call *call, const struct order_refund_make *in,
                  const struct order_refund *refund)
{
    const str digest = {(const char *)in->digest, in->digest != NULL ? 32 : 0};

    return db_exec(tx, &SQL_ORDER_REFUND_INSERT,
                   ARGS(UUID(refund->id.uuid), UUID(refund->order.uuid), UUID(in->user),
                        TEXT(in->key), BLOB(digest), I64(refund->amount.minor),
                        TEXT(str_of(refund->amount.currency.code)), I64(refund->status),
                        TEXT(in->reason), TEXT(write_ids(call->arena, in)), I64(call->now_ms),
                        TEXT(price_lines_write(call->arena, refund->lines, refund->line_count))));
}

/* What comes back of a ticket by the best of the terms. */
static struct booking_money_line best_of(const struct order_refund_make *in,
                                         const struct booking_money_line *money)
{
    struct booking_money_line best = *money;

    for (size_t i = 0; i < in->term_count; i++) {
        const struct booking_money_line back = price_back(money, &in->terms[i]);

        if (i == 0 || price_paid(&back) > price_paid(&best))
            best = back;
    }
    return best;
}

/* What the tickets cost, and what of it comes back as the refund's lines. Each is rounded by itself,
 * so that ticket by ticket the same comes back as all at once. */
static err gather(struct tx *tx, struct call *call, const struct order_refund_make *in,
                  struct order_refund *refund, int64_t *ret_cost_minor)
{
    struct booking_money_line *money = NULL;
    int64_t cost_minor = 0;

    TRY(ticket_money_of(tx, call, in->order->id, in->tickets, in->ticket_count, &money));
    refund->lines = arena_new_array(call->arena, struct booking_money_line, in->ticket_count);
    for (size_t i = 0; i < in->ticket_count; i++) {
        const struct booking_money_line back = best_of(in, &money[i]);

        price_gather(refund->lines, &refund->line_count, &back);
        refund->amount.minor += price_paid(&back);
        cost_minor += price_paid(&money[i]);
    }
    *ret_cost_minor = cost_minor;
    return ERR_OK;
}

/* Gives what the order becomes. */
static err move_order(struct tx *tx, const struct order *order, int64_t refunded_minor,
                      enum order_status *ret)
{
    int64_t left = 0;

    TRY(db_get_i64(tx, &SQL_ORDER_REFUND_LEFT, ARGS(UUID(order->id.uuid)), &left));
    const enum order_status from = (enum order_status)order->status;
    const enum order_status to = order_refund_leaves(from, left, refunded_minor);
    if (to != from)
        TRY(order_become(tx, order->id, from, to));
    /* Nobody is to take money for it any more. */
    if (from == ORDER_PENDING && to == ORDER_CANCELLED)
        TRY(db_exec(tx, &SQL_PAYING_ATTEMPT,
                    ARGS(UUID(order->id.uuid), UUID_OR_NIL(order->attempt.uuid),
                         I64(ATTEMPT_ABORTED), I64(order->expires_at_ms))));
    *ret = to;
    return ERR_OK;
}

static err tell(struct tx *tx, struct call *call, const struct order_refund_make *in,
                const struct order_refund *refund, enum order_status now)
{
    const bool paid = refund->amount.minor > 0;
    const bool gives_back = paid || in->order->points > 0;
    struct order_said said = {
        .reason = in->event_cancelled ? STR("event_cancelled") : STR_ABSENT,
        .refund = gives_back ? refund->id : (refund_id){0},
        .amount = paid ? refund->amount : (struct money){0},
        .refunded_minor = in->order->refunded_minor + refund->amount.minor,
        .over = now == ORDER_REFUNDED || now == ORDER_CANCELLED,
    };

    TRY(redeem_kept(tx, call, in->order, &said.points_kept));
    if (gives_back)
        TRY(order_tell(tx, call, "order.refunded", in->order, &said));
    return in->event_cancelled || now == ORDER_CANCELLED
               ? order_tell(tx, call, "order.cancelled", in->order, &said)
               : ERR_OK;
}

err order_refund_make(struct tx *tx, struct desk_write *write, const struct order_refund_make *in,
                      refund_id *ret)
{
    const struct order *order = in->order;
    struct call *call = write->call;
    struct order_refund refund = {
        .id = {call_uuid(call)                   },
        .order = order->id,
        .amount = { .minor = 0, .currency = order->total.currency},
    };
    enum order_status now = ORDER_CANCELLED;
    int64_t unpaid_minor = 0;
    int64_t cost_minor = 0;
    int64_t counted = 0;
    size_t ended = 0;

    assert(in->ticket_count > 0 && in->ticket_count <= TICKETS_MAX);

    const struct tickets_end end = {
        .order = order,
        .tickets = in->tickets,
        .count = in->ticket_count,
        .to = in->to,
        .reason = in->event_cancelled ? STR("event_cancelled") : STR_ABSENT,
    };
    TRY(tickets_end(tx, write, &end, &ended));
    TRY(gather(tx, call, in, &refund, &cost_minor));
    if (order->status == ORDER_PENDING) { /* never paid: less is due */
        unpaid_minor = cost_minor;
        refund.amount.minor = 0;
        refund.line_count = 0;
    }
    const int64_t paid_minor = refund.amount.minor;
    const int64_t refunded_minor = order->refunded_minor + paid_minor;
    if (ended != in->ticket_count || refunded_minor > order->total.minor)
        return ERR_INTERNAL;
    refund.status = paid_minor > 0 ? REFUND_PENDING : REFUND_SUCCEEDED;
    TRY(insert(tx, call, in, &refund));
    TRY(db_exec_count(tx, &SQL_ORDER_REFUND_COUNT, ARGS(UUID(order->id.uuid), I64(paid_minor)),
                      &counted));
    if (counted != 1)
        return ERR_INTERNAL;
    if (unpaid_minor > 0)
        TRY(db_exec(tx, &SQL_ORDER_REFUND_UNPAID, ARGS(UUID(order->id.uuid), I64(unpaid_minor))));
    TRY(move_order(tx, order, refunded_minor, &now));
    TRY(tell(tx, call, in, &refund, now));
    if (paid_minor > 0)
        TRY(add_job(tx, call, refund.id, in->give_back_at_ms));
    *ret = refund.id;
    return ERR_OK;
}

/* --- Its money --- */

static err find(struct call *call, refund_id id, struct order_refund *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    return order_refund_get(&tx, call, id, ret);
}

err order_refund_pay(struct call *call, refund_id id)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct order_refund refund = {0};
    struct payment_refunded answer = {0};

    TRY(find(call, id, &refund));
    if (refund.status != REFUND_PENDING)
        return ERR_OK;
    const struct payment_refund in = {id,           refund.order,     refund.amount, refund.reason,
                                      refund.lines, refund.line_count};
    TRY(payment_refund(call, &in, &answer));
    if (answer.status == REFUND_PENDING)
        return ERR_OK; /* payment sees to it now, and says so when it is done */
    TRY(tx_begin(&tx, call_db(call)));
    TRY(note_end(call, &tx, id, (enum refund_status)answer.status));
    return tx_commit(&tx);
}

err order_refund_run(struct call *call, str payload)
{
    struct give_back job = {0};

    TRY(json_read(call->arena, payload, &give_back_shape, &job));
    return order_refund_pay(call, job.refund);
}

err order_refund_follow(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct give_back news = {0};

    TRY(json_read(call->arena, event->payload, &give_back_shape, &news));
    return note_end(call, tx, news.refund,
                    str_eq(event->kind, STR("refund.succeeded")) ? REFUND_SUCCEEDED
                                                                 : REFUND_FAILED);
}
