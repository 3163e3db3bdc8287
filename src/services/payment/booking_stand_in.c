/* payment/booking_stand_in.c - see booking_stand_in.h: the order's side of a payment in one
 * table. */
#include "services/payment/booking_stand_in.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "support/test.h"

enum { ORDERS_MAX = 1024 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stand_in_order orders[ORDERS_MAX];
    const char *brands[ORDERS_MAX];
    int count;
    const struct op *fault_op;
    enum stand_in_fault fault;
    int fault_first;
    int fault_count;
    int calls; /* that fault_op matches */
    const struct op *held_op;
    int held;
} stand_in = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void lock(void)
{
    (void)pthread_mutex_lock(&stand_in.lock);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&stand_in.lock);
}

/* --- The orders; under the lock --- */

static struct stand_in_order *find(order_id id)
{
    for (int i = 0; i < stand_in.count; i++)
        if (uuid_eq(stand_in.orders[i].id.uuid, id.uuid))
            return &stand_in.orders[i];
    return NULL;
}

static struct stand_in_order *get(order_id id)
{
    struct stand_in_order *order = find(id);

    assert(order != NULL);
    return order;
}

static bool is_of(const struct stand_in_order *order, attempt_id attempt)
{
    return uuid_eq(order->attempt.uuid, attempt.uuid);
}

/* One ticket of a type that has the order's id. */
static struct booking_money_line *line_of(struct arena *arena, const struct stand_in_order *order)
{
    struct booking_money_line *line = arena_new(arena, struct booking_money_line);

    line->ticket_type = order->id.uuid;
    line->quantity = 1;
    line->face_minor = order->total_minor;
    return line;
}

static err begin(struct call *call, const struct booking_payment_begin *in,
                 struct booking_payment_begun *ret)
{
    struct stand_in_order *order = find(in->order);

    if (order == NULL || !uuid_eq(order->user, call->caller.user))
        return ERR_NOT_FOUND;
    if (order->state == STAND_IN_SETTLED || order->is_pending)
        return ERR_ALREADY_PAID;
    if ((order->state == STAND_IN_LIVE || order->state == STAND_IN_CONFIRMED) &&
        !is_of(order, in->attempt)) {
        call_member(call, "live_attempt",
                    arena_printf(call->arena, "\"%s\"",
                                 id_format(PAYMENT_PREFIX, order->attempt.uuid).text));
        return call_explain(call, ERR_CONFLICT, "a payment of this order is under way");
    }
    if (order->is_gone)
        return ERR_ORDER_EXPIRED;
    order->attempt = in->attempt;
    order->state = STAND_IN_LIVE;

    const char *brand = stand_in.brands[order - stand_in.orders];
    const char *const types[] = {brand != NULL ? brand : "card", "cash_on_arrival",
                                 "bank_transfer"};
    *ret = (struct booking_payment_begun){
        .order = order->id,
        .event = {order->id.uuid      },
        .user = order->user,
        .total = { .minor = order->total_minor, .currency = {"EGP"}},
        .accepted = arena_new_array(call->arena, struct booking_accepted, 3),
        .accepted_count = 3,
        .lines = line_of(call->arena, order),
        .line_count = 1,
    };
    for (size_t i = 0; i < ret->accepted_count; i++)
        ret->accepted[i].type = str_of(types[i]);
    return ERR_OK;
}

static void view(struct call *call, const struct stand_in_order *order, struct booking_view *ret)
{
    static const char *const statuses[] = {
        [STAND_IN_NONE] = "held",      [STAND_IN_LIVE] = "held",
        [STAND_IN_CONFIRMED] = "held", [STAND_IN_SETTLED] = "confirmed",
        [STAND_IN_ABORTED] = "held",
    };

    ret->order = arena_printf(call->arena, "{\"id\":\"%s\",\"status\":\"%s\"}",
                              id_format(ORDER_PREFIX, order->id.uuid).text,
                              order->is_gone      ? "cancelled"
                              : order->is_pending ? "pending"
                                                  : statuses[order->state]);
    ret->tickets = order->state == STAND_IN_SETTLED ? STR("[{}]") : STR("[]");
}

static err confirm(struct stand_in_order *order, const struct booking_confirm *in)
{
    const bool done = order->state == STAND_IN_CONFIRMED || order->state == STAND_IN_SETTLED;

    if (done)
        return is_of(order, in->attempt) ? ERR_OK : ERR_ALREADY_PAID;
    if (order->is_gone)
        return ERR_ORDER_EXPIRED;
    if (!is_of(order, in->attempt) || order->state != STAND_IN_LIVE)
        return ERR_CONFLICT;
    order->state = STAND_IN_CONFIRMED;
    order->is_pending = in->confirm_as == BOOKING_CASH || in->confirm_as == BOOKING_TRANSFER;
    order->tickets = in->confirm_as == BOOKING_TRANSFER ? 0 : 1;
    return ERR_OK;
}

static err settle(struct arena *arena, struct stand_in_order *order,
                  const struct booking_settle *in, struct booking_settled *ret)
{
    if (!is_of(order, in->attempt) || order->is_gone)
        return ERR_CONFLICT;
    *ret = (struct booking_settled){
        .paid = {order->total_minor, {"EGP"}},
        .lines = line_of(arena, order),
        .line_count = 1,
    };
    if (order->state == STAND_IN_SETTLED)
        return ERR_OK;
    if (order->state != STAND_IN_CONFIRMED)
        return ERR_CONFLICT;
    order->state = STAND_IN_SETTLED;
    order->is_pending = false;
    order->tickets = 1;
    order->settled++;
    return ERR_OK;
}

static err abort_payment(struct stand_in_order *order, const struct booking_payment_abort *in)
{
    if (!is_of(order, in->attempt) || order->state == STAND_IN_ABORTED)
        return ERR_OK;
    if (order->state == STAND_IN_SETTLED)
        return ERR_ALREADY_PAID;
    if (order->state == STAND_IN_CONFIRMED)
        order->is_gone = true;
    order->state = STAND_IN_ABORTED;
    order->tickets = 0;
    return ERR_OK;
}

static err act(struct call *call, const struct op *op, const void *in, void *ret)
{
    /* Each of these begins with the order's id. */
    struct stand_in_order *order = find(*(const order_id *)in);
    err e = ERR_OK;

    if (op == &booking_payment_begin_op)
        return begin(call, in, ret);
    if (order == NULL)
        return ERR_NOT_FOUND;
    if (op == &booking_confirm_op)
        e = confirm(order, in);
    else if (op == &booking_settle_op)
        return settle(call->arena, order, in, ret);
    else if (op == &booking_payment_abort_op)
        e = abort_payment(order, in);
    else if (op == &booking_order_lines_op) {
        *(struct booking_order_lines_found *)ret = (struct booking_order_lines_found){
            .timezone = STR("UTC"), .lines = line_of(call->arena, order), .line_count = 1};
        return ERR_OK;
    } else
        CHECK(op == &booking_order_view_op);
    view(call, order, ret);
    return e;
}

/* --- The seam --- */

static enum stand_in_fault next_fault(const struct op *op)
{
    if (stand_in.fault_op != NULL && stand_in.fault_op != op)
        return FAULT_NONE;
    stand_in.calls++;
    const bool hit = stand_in.calls >= stand_in.fault_first &&
                     stand_in.calls - stand_in.fault_first < stand_in.fault_count;
    return hit ? stand_in.fault : FAULT_NONE;
}

err stand_in_forward(struct call *call, const struct op *op, const void *in, void *ret)
{
    err e = ERR_OK;

    CHECK(strcmp(op->service, "booking") == 0);
    lock();
    if (stand_in.held_op == op) {
        stand_in.held++;
        (void)pthread_cond_broadcast(&stand_in.changed);
        while (stand_in.held_op == op)
            (void)pthread_cond_wait(&stand_in.changed, &stand_in.lock);
        stand_in.held--;
    }
    const enum stand_in_fault fault = next_fault(op);
    if (fault != FAULT_DOWN)
        e = act(call, op, in, ret);
    unlock();
    return fault == FAULT_NONE ? e : call_explain(call, ERR_UNAVAILABLE, "booking is away");
}

/* --- For tests --- */

void stand_in_reset(void)
{
    lock();
    CHECK(stand_in.held == 0);
    stand_in.count = 0;
    stand_in.fault = FAULT_NONE;
    stand_in.fault_op = NULL;
    stand_in.fault_count = 0;
    stand_in.calls = 0;
    stand_in.held_op = NULL;
    unlock();
}

order_id stand_in_sell(struct uuid user, int64_t total_minor, const char *brand)
{
    lock();
    CHECK(stand_in.count < ORDERS_MAX);
    const int at = stand_in.count++;
    const order_id id = {{.bytes = {0x01, 0x91, 0, 0, 0, 0, 0x70, 0,
                                    0x80, [14] = (uint8_t)(at >> 8), [15] = (uint8_t)at}}};
    stand_in.orders[at] =
        (struct stand_in_order){.id = id, .user = user, .total_minor = total_minor};
    stand_in.brands[at] = brand;
    unlock();
    return id;
}

struct stand_in_order stand_in_order(order_id id)
{
    lock();
    const struct stand_in_order copy = *get(id);
    unlock();
    return copy;
}

void stand_in_take_away(order_id id)
{
    lock();
    struct stand_in_order *order = get(id);
    order->is_gone = true;
    order->tickets = 0;
    unlock();
}

void stand_in_fail(const struct op *op, enum stand_in_fault fault, int first, int count)
{
    lock();
    stand_in.fault_op = op;
    stand_in.fault = fault;
    stand_in.fault_first = first;
    stand_in.fault_count = count;
    stand_in.calls = 0;
    unlock();
}

int stand_in_call_count(void)
{
    lock();
    const int calls = stand_in.calls;
    unlock();
    return calls;
}

void stand_in_hold(const struct op *op)
{
    lock();
    stand_in.held_op = op;
    unlock();
}

void stand_in_await_held(int count)
{
    lock();
    while (stand_in.held != count)
        (void)pthread_cond_wait(&stand_in.changed, &stand_in.lock);
    unlock();
}

void stand_in_let_go(void)
{
    lock();
    stand_in.held_op = NULL;
    (void)pthread_cond_broadcast(&stand_in.changed);
    while (stand_in.held > 0) {
        unlock();
        (void)sched_yield();
        lock();
    }
    unlock();
}
