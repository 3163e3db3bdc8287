/* analytics/analytics.c - the analytics service: what it hears, and the ops that answer from it. */
#include "services/analytics/analytics.h"

#include "services/analytics/migrations.h"
#include "services/analytics/trend.h"
#include "services/analytics/trend.sql.h"

static const struct json_field trending_fields[] = {
    JSON_F_I64("limit", struct analytics_trending, limit, 1, ANALYTICS_TRENDS_MAX, JSON_REQUIRED),
};
static const struct json_shape trending_shape =
    JSON_SHAPE(trending_fields, struct analytics_trending);
static const struct json_field trend_fields[] = {
    JSON_F_ID("event", struct analytics_trend, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_REAL("score", struct analytics_trend, score, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
};
static const struct json_shape trend_shape = JSON_SHAPE(trend_fields, struct analytics_trend);
static const struct json_field trended_fields[] = {
    JSON_F_LIST("trends", struct analytics_trended, trends, trend_count, &trend_shape, 0,
                ANALYTICS_TRENDS_MAX, JSON_OPTIONAL),
};
static const struct json_shape trended_shape = JSON_SHAPE(trended_fields, struct analytics_trended);

static err analytics_trending_run(struct call *call, const struct analytics_trending *in,
                                  struct analytics_trended *ret)
{
    return trend_best(call, in->limit, ret);
}
OP_DEFINE("analytics", analytics_trending, struct analytics_trending, struct analytics_trended,
          &trending_shape, &trended_shape);

static err open_analytics(struct instance *self, [[maybe_unused]] struct call *call)
{
    self->state = trends_new();
    return ERR_OK;
}

static void close_analytics(struct instance *self)
{
    trends_free(self->state);
    self->state = NULL;
}

static const struct op *const ops[] = {&analytics_trending_op, NULL};
static const struct sql_list *const statements[] = {&trend_sql, NULL};
static const struct chore chores[] = {
    {TREND_CHORE, trend_forget},
    {NULL,        NULL        },
};
static const struct consumer consumers[] = {
    {"booking", "order.confirmed order.pending order.cancelled order.expired order.refunded",
     CONSUMER_DURABLE,                                                                                          trend_follow},
    {NULL,      NULL,                                                                         CONSUMER_DURABLE, NULL        },
};

const struct service analytics_service = {
    .name = "analytics",
    .ops = ops,
    .statements = statements,
    .migrations = &analytics_migrations,
    .chores = chores,
    .consumers = consumers,
    .open = open_analytics,
    .close = close_analytics,
};
