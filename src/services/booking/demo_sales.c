/* booking/demo_sales.c - invents what was sold: orders in every state, with the stock, the ledger and the tickets that belong to them.
 *
 * Orders are made by the same steps as real ones (stock_hold, stock_sell, ticket_make_all, order_become), but many in a transaction and without
 * telling the outbox: nobody is to be mailed about sales that never were. The node's clock moves on from order to order, so that ids and times are in order
 * as if it had happened. */
#include "services/booking/booking.h"

#include "base/mem.h"
#include "services/booking/checkin.sql.h"
#include "services/booking/demo_event.h"
#include "services/booking/demo_sales.sql.h"
#include "services/booking/event_store.h"
#include "services/booking/hold.sql.h"
#include "services/booking/order.h"
#include "services/booking/order.sql.h"
#include "services/booking/order_refund.sql.h"
#include "services/booking/paying.sql.h"
#include "services/booking/price.h"
#include "services/booking/stock.h"
#include "services/booking/ticket.h"
#include "services/booking/ticket_end.sql.h"

enum {
    ROWS_EACH = 500,
    TRIES_MAX = 20,
    TRIES_EACH = 2, /* for each ticket: far fewer are needed */
    HELD_LAST = 12, /* of the last orders: still held */
    HOLD_MS = 600000,
};

enum fate {
    BOUGHT,
    BY_CASH,
    BY_TRANSFER,
    PROMISED, /* cash, not paid yet */
    EXPIRED,
    DECLINED, /* and expired then */
    REFUNDED,
    PARTLY_REFUNDED,
    CANCELLED,
    HELD,
};

struct demo {
    struct call *call;
    struct arena *arena;
    const struct booking_demo *in;
    struct event **events;
    struct tx tx;
    size_t tickets; /* made so far */
    size_t orders;
    size_t tries; /* to sell something: bounded, for everything may be sold out */
    size_t next_small;
    struct booking_demo_sale sales[ROWS_EACH];
    size_t sale_count;
};

static size_t chance(const struct demo *demo, size_t count)
{
    return (size_t)rng_below(demo->call->self->node->rng, count);
}

/* --- Events --- */

static err insert_events(struct demo *demo, size_t from, size_t until)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(demo->call)));
    for (size_t i = from; i < until; i++) {
        demo->events[i] = demo_event(demo->call, demo->arena, demo->in, i);
        TRY(event_insert(&tx, demo->call, demo->events[i], STR_ABSENT));
    }
    return tx_commit(&tx);
}

static err make_events(struct demo *demo)
{
    const size_t count = demo->in->events;

    demo->events = arena_new_array(demo->arena, struct event *, count);
    for (size_t from = 0; from < count; from += ROWS_EACH) {
        TRY(insert_events(demo, from, from + ROWS_EACH < count ? from + ROWS_EACH : count));
        call_next(demo->call);
    }
    return ERR_OK;
}

/* --- An order --- */

static enum fate fate_of(const struct demo *demo, const struct event *event)
{
    static const enum fate fates[] = {[0] = EXPIRED, EXPIRED,     EXPIRED,         DECLINED,
                                      REFUNDED,      REFUNDED,    PARTLY_REFUNDED, PARTLY_REFUNDED,
                                      CANCELLED,     BY_CASH,     BY_CASH,         PROMISED,
                                      PROMISED,      BY_TRANSFER, BY_TRANSFER};
    const size_t at = chance(demo, 100);
    const enum fate fate = at < sizeof(fates) / sizeof(fates[0]) ? fates[at] : BOUGHT;
    const bool is_free = event->ticket_types[0].price.minor == 0;
    const size_t methods = event->accepted_count;

    if (is_free)
        return fate == EXPIRED ? EXPIRED : BOUGHT;
    if (((fate == BY_CASH || fate == PROMISED) && methods < 2) ||
        (fate == BY_TRANSFER && methods < 3))
        return BOUGHT;
    return fate;
}

/* One that is on sale at this time and has anything left; the first are the most popular. NULL: none was found. */
static struct event *choose_event(struct demo *demo)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        const size_t bound = chance(demo, demo->in->events) + 1;
        struct event *event = demo->events[chance(demo, bound)];

        if (event->status == EVENT_PUBLISHED && event->starts_at_ms > demo->call->now_ms)
            return event;
    }
    return NULL;
}

/* Fills items with what is left. False: nothing is. */
static err choose_items(struct demo *demo, const struct event *event, struct order *order,
                        bool *ret_any)
{
    struct arena *arena = demo->call->arena;

    order->items = arena_new_array(arena, struct order_item, 2);
    const size_t first = chance(demo, event->ticket_type_count);
    const size_t types = event->ticket_type_count > 1 && chance(demo, 6) == 0 ? 2 : 1;

    for (size_t i = 0; i < types; i++) {
        const struct ticket_type *type =
            &event->ticket_types[(first + i) % event->ticket_type_count];
        const struct stock_change change = {type->id, order->id,
                                            1 + (int64_t)chance(demo, types == 2 ? 2 : 4)};
        const err e = stock_check(&demo->tx, demo->call, &change);

        if (e == ERR_SOLD_OUT)
            continue;
        TRY(e);
        order->items[order->item_count++] = (struct order_item){
            .type = type->id,
            .quantity = change.quantity,
            .unit_price_minor = type->price.minor,
            .money = {.ticket_type = type->id.uuid,
                      .quantity = change.quantity,
                      .face_minor = change.quantity * type->price.minor}
        };
        order->total.minor += change.quantity * type->price.minor;
    }
    *ret_any = order->item_count > 0;
    return ERR_OK;
}

static err hold(struct demo *demo, struct order *order)
{
    struct call *call = demo->call;
    const str key = arena_printf(call->arena, "demo-%zu", demo->orders);
    static const char digest[32];

    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change change = {order->items[i].type, order->id,
                                            order->items[i].quantity};
        stock_level level = 0;

        TRY(stock_hold(&demo->tx, call, &change, &level));
    }
    TRY(db_exec(&demo->tx, &SQL_HOLD_INSERT,
                ARGS(UUID(order->id.uuid), UUID(order->user), UUID(order->event.uuid),
                     I64(order->expires_at_ms), I64(HOLD_MS), I64(order->total.minor),
                     TEXT(str_of(order->total.currency.code)), TEXT(key),
                     BLOB(((str){digest, sizeof(digest)})), I64(call->now_ms),
                     I64(order->event_version))));
    for (size_t i = 0; i < order->item_count; i++)
        TRY(db_exec(&demo->tx, &SQL_HOLD_INSERT_ITEM,
                    ARGS(UUID(order->id.uuid), UUID(order->items[i].type.uuid),
                         I64(order->items[i].quantity), I64(order->items[i].unit_price_minor))));
    return ERR_OK;
}

static err let_go(struct demo *demo, const struct order *order)
{
    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change change = {order->items[i].type, order->id,
                                            order->items[i].quantity};
        stock_level level = 0;

        TRY(stock_release(&demo->tx, demo->call, &change, &level));
    }
    return order_become(&demo->tx, order->id, ORDER_HELD, ORDER_EXPIRED);
}

/* Tickets are made; the order is paid, or `promised`. */
static err sell(struct demo *demo, const struct order *order, attempt_id attempt,
                const char *method, bool promised)
{
    struct tx *tx = &demo->tx;
    const struct value id = UUID(order->id.uuid);

    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change change = {order->items[i].type, order->id,
                                            order->items[i].quantity};

        TRY(stock_sell(tx, demo->call, &change));
        demo->tickets += (size_t)change.quantity;
    }
    TRY(ticket_make_all(tx, demo->call, order));
    TRY(db_exec(tx, &SQL_PAYING_ATTEMPT,
                ARGS(id, UUID(attempt.uuid), I64(promised ? ATTEMPT_CONFIRMED : ATTEMPT_SETTLED),
                     I64(order->expires_at_ms))));
    TRY(db_exec(tx, &SQL_PAYING_DETAIL,
                ARGS(id, promised ? NIL : I64(demo->call->now_ms), TEXT(str_of(method)))));
    if (promised) {
        TRY(db_exec(tx, &SQL_PAYING_DUE, ARGS(id, I64(order->total.minor))));
        return order_become(tx, order->id, ORDER_HELD, ORDER_PENDING);
    }
    TRY(db_exec(tx, &SQL_PAYING_PAID, ARGS(id, I64(order->total.minor), NIL)));
    return order_become(tx, order->id, ORDER_HELD, ORDER_CONFIRMED);
}

/* --- What comes after a sale --- */

/* Whoever has bought for what is over has come, most of them. */
static err check_in(struct demo *demo, const struct event *event, const struct ticket *tickets,
                    size_t count)
{
    int64_t changed = 0;

    if (event->starts_at_ms > demo->in->now_ms)
        return ERR_OK;
    for (size_t i = 0; i < count; i++)
        if (tickets[i].status == TICKET_VALID && chance(demo, 10) > 0)
            TRY(db_exec_count(&demo->tx, &SQL_CHECKIN_USE,
                              ARGS(UUID(tickets[i].id.uuid),
                                   I64(event->starts_at_ms - (int64_t)chance(demo, 3600) * 1000),
                                   TEXT(STR("gate-1")), I64(tickets[i].generation)),
                              &changed));
    return ERR_OK;
}

/* Ends the first `count` tickets and gives their price back. */
static err give_back(struct demo *demo, const struct order *order, struct ticket *tickets,
                     size_t count, enum fate fate, struct booking_demo_sale *sale)
{
    struct call *call = demo->call;
    const enum ticket_status to = fate == CANCELLED ? TICKET_CANCELLED : TICKET_REFUNDED;
    struct buf ids = buf_in(call->arena, 1 << 16);
    struct booking_money_line *money = NULL;
    struct booking_money_line *lines =
        arena_new_array(call->arena, struct booking_money_line, count + 1);
    size_t line_count = 0;
    int64_t amount = 0;

    TRY(ticket_money_of(&demo->tx, call, order->id, tickets, count, &money));
    for (size_t i = 0; i < count; i++) {
        const struct stock_change change = {tickets[i].type, order->id, 1};
        stock_level level = 0;
        int64_t changed = 0;

        TRY(db_exec_count(&demo->tx, &SQL_TICKET_END, ARGS(UUID(tickets[i].id.uuid), I64(to)),
                          &changed));
        TRY(stock_cancel(&demo->tx, call, &change, &level));
        tickets[i].status = to;
        amount += price_paid(&money[i]);
        price_gather(lines, &line_count, &money[i]);
        buf_printf(&ids, "%s\"%s\"", i > 0 ? "," : "",
                   id_format(TICKET_PREFIX, tickets[i].id.uuid).text);
    }
    sale->refund.uuid = call_uuid(call);
    sale->refunded_minor = amount;
    sale->refund_lines = lines;
    sale->refund_line_count = line_count;
    TRY(db_exec(&demo->tx, &SQL_ORDER_REFUND_INSERT,
                ARGS(UUID(sale->refund.uuid), UUID(order->id.uuid), UUID(order->user), NIL, NIL,
                     I64(amount), TEXT(str_of(order->total.currency.code)), I64(1),
                     TEXT(STR("Cannot come.")),
                     TEXT(arena_printf(call->arena, "{\"items\":[%.*s]}", STR_ARG(buf_str(&ids)))),
                     I64(call->now_ms), TEXT(price_lines_write(call->arena, lines, line_count)))));
    TRY(db_exec(&demo->tx, &SQL_ORDER_REFUND_COUNT, ARGS(UUID(order->id.uuid), I64(amount))));
    return order_become(&demo->tx, order->id, ORDER_CONFIRMED,
                        fate == CANCELLED  ? ORDER_CANCELLED
                        : fate == REFUNDED ? ORDER_REFUNDED
                                           : ORDER_PARTIALLY_REFUNDED);
}

static err after(struct demo *demo, const struct event *event, const struct order *order,
                 enum fate fate, struct booking_demo_sale *sale)
{
    struct ticket *tickets = NULL;
    size_t count = 0;

    TRY(ticket_list_of_order(&demo->tx, demo->call, order->id, &tickets, &count));
    sale->timezone = event->timezone;
    sale->lines = order_lines(demo->call->arena, order);
    sale->line_count = order->item_count;
    if (fate == PARTLY_REFUNDED && count > 1)
        TRY(give_back(demo, order, tickets, 1, fate, sale));
    else if (fate == REFUNDED || fate == CANCELLED)
        TRY(give_back(demo, order, tickets, count, fate, sale));
    return fate == PROMISED ? ERR_OK : check_in(demo, event, tickets, count);
}

static err end_order(struct demo *demo, const struct event *event, const struct order *order,
                     enum fate fate)
{
    struct booking_demo_sale sale = {
        .order = order->id,
        .attempt = {call_uuid(demo->call)},
        .user = order->user,
        .event = event->id,
        .vendor = event->vendor,
        .method = order->total.minor == 0               ? "free"
                  : fate == BY_TRANSFER                 ? "bank_transfer"
                  : fate == BY_CASH || fate == PROMISED ? "cash_on_arrival"
                                                        : "card",
        .brand = chance(demo, 3) == 0 ? "mastercard" : "visa",
        .paid = fate == DECLINED   ? DEMO_DECLINED
                : fate == PROMISED ? DEMO_WAITING
                                   : DEMO_PAID,
        .amount = order->total,
        .at_ms = demo->call->now_ms,
    };

    if (fate == HELD)
        return ERR_OK;
    if (fate == EXPIRED)
        return let_go(demo, order);
    if (fate == DECLINED) {
        TRY(db_exec(&demo->tx, &SQL_PAYING_ATTEMPT,
                    ARGS(UUID(order->id.uuid), UUID(sale.attempt.uuid), I64(ATTEMPT_ABORTED),
                         I64(order->expires_at_ms))));
        TRY(let_go(demo, order));
    } else {
        TRY(sell(demo, order, sale.attempt, sale.method, fate == PROMISED));
        TRY(after(demo, event, order, fate, &sale));
    }
    demo->sales[demo->sale_count++] = sale;
    return ERR_OK;
}

static err make_order(struct demo *demo, struct event *event, enum fate fate)
{
    struct call *call = demo->call;
    struct order order = {
        .id = {call_uuid(call)},
        .user = demo->in->users[chance(demo, demo->in->user_count)],
        .event = event->id,
        .event_version = event->version,
        .total = {.currency = event->currency},
        .expires_at_ms = call->now_ms + HOLD_MS,
    };
    bool any = false;

    TRY(choose_items(demo, event, &order, &any));
    demo->orders++;
    if (!any)
        return ERR_OK;
    TRY(hold(demo, &order));
    return end_order(demo, event, &order, fate);
}

/* --- All of them --- */

static err commit(struct demo *demo, booking_demo_hear *hear, void *arg)
{
    TRY(tx_commit(&demo->tx));
    TRY(hear(arg, demo->sales, demo->sale_count));
    demo->sale_count = 0;
    return ERR_OK;
}

/* Time passes with the tickets that are sold. */
static void pass_time(struct demo *demo, int64_t from_ms)
{
    const double share =
        demo->tickets >= demo->in->tickets ? 1 : (double)demo->tickets / (double)demo->in->tickets;
    const int64_t until_ms = demo->in->now_ms - HOLD_MS;

    demo->in->clock->now_ms = from_ms + (int64_t)((double)(until_ms - from_ms) * share);
    call_next(demo->call);
}

/* Small events are filled up first: there are sold-out ones, and some with one or two left. */
static err fill_up(struct demo *demo, const struct event *event)
{
    while (demo->sale_count < ROWS_EACH) {
        const size_t before = demo->tickets;

        TRY(make_order(demo, mem_unconst(event), BOUGHT));
        if (demo->tickets == before)
            return ERR_OK;
    }
    return ERR_OK;
}

static err make_some(struct demo *demo)
{
    for (int i = 0; i < ROWS_EACH / 2 && demo->tickets < demo->in->tickets; i++) {
        struct event *event = choose_event(demo);

        demo->tries++;
        if (event != NULL)
            TRY(make_order(demo, event, fate_of(demo, event)));
    }
    return ERR_OK;
}

static err fill_next(struct demo *demo)
{
    for (; demo->next_small < demo->in->events; demo->next_small++) {
        const struct event *event = demo->events[demo->next_small];

        if (demo->next_small % 24 != 5 || event->status != EVENT_PUBLISHED ||
            event->starts_at_ms <= demo->call->now_ms)
            continue;
        demo->next_small++;
        return fill_up(demo, event);
    }
    return ERR_OK;
}

static err make_orders(struct demo *demo, booking_demo_hear *hear, void *arg)
{
    const int64_t from_ms = clock_now_ms(&demo->in->clock->clock);

    while (demo->tickets < demo->in->tickets && demo->tries < TRIES_EACH * demo->in->tickets) {
        pass_time(demo, from_ms);
        TRY(tx_begin(&demo->tx, call_db(demo->call)));
        TRY(make_some(demo));
        TRY(fill_next(demo));
        TRY(commit(demo, hear, arg));
    }
    return ERR_OK;
}

/* Somebody is paying right now. */
static err hold_some(struct demo *demo, booking_demo_hear *hear, void *arg)
{
    demo->in->clock->now_ms = demo->in->now_ms;
    call_next(demo->call);
    TRY(tx_begin(&demo->tx, call_db(demo->call)));
    for (int i = 0; i < HELD_LAST; i++) {
        struct event *event = choose_event(demo);

        if (event != NULL)
            TRY(make_order(demo, event, HELD));
    }
    return commit(demo, hear, arg);
}

static err check_empty(struct call *call)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t any = 0;

    TRY(tx_read(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_DEMO_SALES_ANY_EVENT, NO_ARGS, &any));
    return any == 0 ? ERR_OK
                    : call_explain(call, ERR_CONFLICT,
                                   "there are events already: demo data wants an empty place");
}

err booking_demo_make(struct call *call, struct arena *arena, const struct booking_demo *in,
                      booking_demo_hear *hear, void *arg)
{
    struct demo *demo = arena_new(arena, struct demo);
    err e = ERR_OK;

    *demo = (struct demo){.call = call, .arena = arena, .in = in};
    TRY(check_empty(call));
    e = make_events(demo);
    if (e == ERR_OK)
        e = make_orders(demo, hear, arg);
    if (e == ERR_OK)
        e = hold_some(demo, hear, arg);
    tx_rollback(&demo->tx);
    return e;
}
