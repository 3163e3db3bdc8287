/* analytics/trend.c - counts buyers as booking tells of their orders, and ranks the events.
 *
 * An event's count is one number and the time that it is of, so that another buyer costs one row,
 * however many there were. Orders are kept for as long as they count: they tell a second order of
 * the same buyer, and what to take back when one is cancelled. */
#include "services/analytics/trend.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "services/analytics/trend.sql.h"

struct trends { /* the best, as they were when they were last read */
    pthread_mutex_t lock;
    struct analytics_trend *best; /* by falling score */
    size_t count;
    int64_t read_at_ms; /* JSON_NULL: never */
};

/* --- Rules: no I/O --- */

double trend_weight(int64_t age_ms)
{
    return age_ms <= 0 ? 1.0 : exp2(-(double)age_ms / (double)TREND_HALF_LIFE_MS);
}

struct trend {
    double score; /* as of at_ms */
    int64_t buyers;
    int64_t at_ms;
};

/* Brings the score to that time; one that lies back changes nothing. */
static void move_to(struct trend *trend, int64_t at_ms)
{
    if (at_ms <= trend->at_ms)
        return;
    trend->score *= trend_weight(at_ms - trend->at_ms);
    trend->at_ms = at_ms;
}

static void add_buyer(struct trend *trend, int64_t at_ms)
{
    move_to(trend, at_ms);
    trend->score += trend_weight(trend->at_ms - at_ms);
    trend->buyers++;
}

/* As if he had never bought. */
static void remove_buyer(struct trend *trend, int64_t bought_at_ms)
{
    trend->score = fmax(0, trend->score - trend_weight(trend->at_ms - bought_at_ms));
    trend->buyers -= trend->buyers > 0;
}

static int by_falling_score(const void *a, const void *b)
{
    const struct analytics_trend *left = a;
    const struct analytics_trend *right = b;

    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return uuid_compare(left->event.uuid, right->event.uuid);
}

/* --- Storage --- */

struct order_heard {
    order_id order;
    struct uuid user;
    event_id event;
    bool over; /* with "order.refunded": all of it was */
};
static const struct json_field heard_fields[] = {
    JSON_F_ID("order_id", struct order_heard, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("user_id", struct order_heard, user, "usr", JSON_REQUIRED),
    JSON_F_ID("event_id", struct order_heard, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_BOOL("over", struct order_heard, over, JSON_OPTIONAL),
};
static const struct json_shape heard_shape = JSON_SHAPE(heard_fields, struct order_heard);

static err find_trend(struct tx *tx, struct call *call, event_id event, int64_t at_ms,
                      struct trend *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    *ret = (struct trend){.at_ms = at_ms};
    const err e = rows_first(&rows, tx, &SQL_TREND_FIND, ARGS(UUID(event.uuid)), call->arena);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    *ret = (struct trend){row_real(&rows, 0), row_i64(&rows, 1), row_i64(&rows, 2)};
    return rows_close(&rows);
}

static err put_trend(struct tx *tx, event_id event, const struct trend *trend)
{
    return db_exec(
        tx, &SQL_TREND_PUT,
        ARGS(UUID(event.uuid), REAL(trend->score), I64(trend->buyers), I64(trend->at_ms)));
}

static err count_orders(struct tx *tx, const struct order_heard *order, int64_t *ret)
{
    return db_get_i64(tx, &SQL_PURCHASE_COUNT, ARGS(UUID(order->event.uuid), UUID(order->user)),
                      ret);
}

static err note_bought(struct tx *tx, struct call *call, const struct order_heard *order,
                       int64_t at_ms)
{
    struct trend trend;
    int64_t inserted = 0;
    int64_t orders = 0;

    TRY(db_exec_count(
        tx, &SQL_PURCHASE_INSERT,
        ARGS(UUID(order->order.uuid), UUID(order->event.uuid), UUID(order->user), I64(at_ms)),
        &inserted));
    if (inserted == 0) /* cash: pending first, then confirmed */
        return ERR_OK;
    TRY(count_orders(tx, order, &orders));
    if (orders > 1)
        return ERR_OK;
    TRY(find_trend(tx, call, order->event, at_ms, &trend));
    add_buyer(&trend, at_ms);
    return put_trend(tx, order->event, &trend);
}

static err note_cancelled(struct tx *tx, struct call *call, const struct order_heard *order)
{
    struct trend trend;
    int64_t bought_at_ms = 0;
    int64_t orders = 0;
    CLEANUP(rows_done) struct rows rows = {0};

    const err e =
        rows_first(&rows, tx, &SQL_PURCHASE_FIND, ARGS(UUID(order->order.uuid)), call->arena);
    if (e == ERR_NOT_FOUND) /* never paid, or long forgotten */
        return ERR_OK;
    TRY(e);
    bought_at_ms = row_i64(&rows, 2);
    TRY(rows_close(&rows));
    TRY(db_exec(tx, &SQL_PURCHASE_DELETE, ARGS(UUID(order->order.uuid))));
    TRY(count_orders(tx, order, &orders));
    if (orders > 0)
        return ERR_OK;
    TRY(find_trend(tx, call, order->event, bought_at_ms, &trend));
    remove_buyer(&trend, bought_at_ms);
    return put_trend(tx, order->event, &trend);
}

err trend_follow(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct order_heard order = {0};

    TRY(json_read(call->arena, event->payload, &heard_shape, &order));
    if (str_eq(event->kind, STR("order.confirmed")) || str_eq(event->kind, STR("order.pending")))
        return note_bought(tx, call, &order, event->at_ms);
    if (str_eq(event->kind, STR("order.refunded")) && !order.over)
        return ERR_OK;
    return note_cancelled(tx, call, &order);
}

err trend_forget(struct call *call, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const int64_t before_ms = call->now_ms - TREND_KEPT_MS;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_PURCHASE_FORGET, ARGS(I64(before_ms))));
    TRY(db_exec(&tx, &SQL_TREND_FORGET, ARGS(I64(before_ms))));
    TRY(tx_commit(&tx));
    *ret_next_ms = call->now_ms + DAY_MS;
    return ERR_OK;
}

/* --- The best --- */

static err read_best(struct call *call, struct analytics_trend **ret, size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct analytics_trend *all = NULL;
    size_t count = 0;
    size_t room = 0;
    err e = ERR_OK;

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_TREND_LIST,
                  ARGS(I64(call->now_ms - TREND_KEPT_MS), I64(TREND_BUYERS_MIN)), call->arena));
    while (rows_next(&rows)) {
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            all = mem_resize(all, room * sizeof(*all));
        }
        all[count].event.uuid = row_uuid(&rows, 0);
        all[count].score = row_real(&rows, 1) * trend_weight(call->now_ms - row_i64(&rows, 2));
        count += all[count].score > 0;
    }
    e = rows_close(&rows);
    if (e != ERR_OK) {
        mem_free(all);
        return e;
    }
    if (count > 0)
        qsort(all, count, sizeof(*all), by_falling_score);
    *ret = all;
    *ret_count = count < ANALYTICS_TRENDS_MAX ? count : ANALYTICS_TRENDS_MAX;
    return ERR_OK;
}

static bool is_fresh(const struct trends *trends, int64_t now_ms)
{
    return trends->read_at_ms != JSON_NULL && now_ms >= trends->read_at_ms &&
           now_ms - trends->read_at_ms < TREND_FRESH_MS;
}

/* Under the lock: who comes while somebody reads waits for it, instead of reading too. */
static err freshen(struct call *call, struct trends *trends)
{
    struct analytics_trend *best = NULL;
    size_t count = 0;

    if (is_fresh(trends, call->now_ms))
        return ERR_OK;
    TRY(read_best(call, &best, &count));
    mem_free(trends->best);
    trends->best = best;
    trends->count = count;
    trends->read_at_ms = call->now_ms;
    return ERR_OK;
}

err trend_best(struct call *call, int64_t limit, struct analytics_trended *ret)
{
    struct trends *trends = call->self->state;

    (void)pthread_mutex_lock(&trends->lock);
    const err e = freshen(call, trends);
    if (e == ERR_OK) {
        ret->trend_count = trends->count < (size_t)limit ? trends->count : (size_t)limit;
        ret->trends = arena_new_array(call->arena, struct analytics_trend, ret->trend_count + 1);
        for (size_t i = 0; i < ret->trend_count; i++)
            ret->trends[i] = trends->best[i];
    }
    (void)pthread_mutex_unlock(&trends->lock);
    return e;
}

struct trends *trends_new(void)
{
    struct trends *trends = mem_new(struct trends);

    (void)pthread_mutex_init(&trends->lock, NULL);
    trends->read_at_ms = JSON_NULL;
    return trends;
}

void trends_free(struct trends *trends)
{
    (void)pthread_mutex_destroy(&trends->lock);
    mem_free(trends->best);
    mem_free(trends);
}
