/* analytics/trend_test.c - buyers make trends, time unmakes them, and what is cancelled never was. */
#include "services/analytics/trend.h"

#include <math.h>

#include "support/office.h"
#include "support/test.h"

static const struct migration_list booking_migrations = {.owner = "booking"};
static const struct service booking = {.name = "booking", .migrations = &booking_migrations};
static const struct service *const services[] = {&booking, &analytics_service, NULL};

static void open_office(struct office *office)
{
    office_open(office, &(struct office_options){.services = services});
}

static event_id event_number(int number)
{
    return (event_id){office_user(5000 + number)};
}

/* As booking writes it. */
static void write_more(struct office *office, const char *kind, int order, int event, int user,
                       const char *more)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};

    office_call(office, "booking", &call);
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    CHECK_OK(outbox_add(
        &tx, &call, kind,
        arena_printf(call.arena, "{\"order_id\":\"%s\",\"user_id\":\"%s\",\"event_id\":\"%s\"%s}",
                     id_format(ORDER_PREFIX, office_user(7000 + order)).text,
                     id_format("usr", office_user(user)).text,
                     id_format(EVENT_PREFIX, event_number(event).uuid).text, more)));
    CHECK_OK(tx_commit(&tx));
    outbox_wake(call.self);
}

static void write_news(struct office *office, const char *kind, int order, int event, int user)
{
    write_more(office, kind, order, event, user, "");
}

static void tell(struct office *office, const char *kind, int order, int event, int user)
{
    write_news(office, kind, order, event, user);
    office_run_due(office);
}

/* What the op says, a moment later: "2:1.50 1:1.00". */
static str trends(struct office *office, int64_t limit)
{
    CLEANUP(call_done) struct call call = {0};
    struct analytics_trended trended = {0};
    struct buf text = buf_in(office->arena, 4096);

    office_advance(office, TREND_FRESH_MS);
    office_call(office, "booking", &call);
    CHECK_OK(analytics_trending(&call, &(struct analytics_trending){limit}, &trended));
    for (size_t i = 0; i < trended.trend_count; i++) {
        int number = 0;

        while (!uuid_eq(event_number(number).uuid, trended.trends[i].event.uuid))
            CHECK(++number < 100);
        buf_printf(&text, "%s%d:%.2f", i > 0 ? " " : "", number, trended.trends[i].score);
    }
    return text.size > 0 ? buf_str(&text) : STR("");
}

TEST(a_buyer_counts_half_as_much_after_each_half_life)
{
    static const struct {
        int64_t age_ms;
        double weight;
    } cases[] = {
        {-1,                     1.0                   },
        {0,                      1.0                   },
        {TREND_HALF_LIFE_MS,     0.5                   },
        {2 * TREND_HALF_LIFE_MS, 0.25                  },
        {TREND_HALF_LIFE_MS / 2, 0.70710678118654752440},
        {INT64_MAX,              0.0                   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(fabs(trend_weight(cases[i].age_ms) - cases[i].weight) < 1e-12);
}

TEST(what_more_people_bought_later_is_in_front)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    CHECK_STR("", trends(&office, 10));
    for (int i = 0; i < 3; i++)
        tell(&office, "order.confirmed", i, 1, i);
    office_advance(&office, TREND_HALF_LIFE_MS);
    CHECK_STR("1:1.50", trends(&office, 10));
    tell(&office, "order.confirmed", 10, 2, 1);
    CHECK_STR("1:1.50", trends(&office, 10)); /* one alone makes no trend */
    tell(&office, "order.confirmed", 11, 2, 2);
    CHECK_STR("2:2.00 1:1.50", trends(&office, 10));
    CHECK_STR("2:2.00", trends(&office, 1));
    office_advance(&office, TREND_KEPT_MS);
    CHECK_STR("", trends(&office, 10));
}

TEST(people_are_counted_and_not_orders)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (int i = 0; i < 5; i++)
        tell(&office, "order.confirmed", i, 1, 1);
    CHECK_STR("", trends(&office, 10));
    tell(&office, "order.pending", 5, 1, 2); /* cash on arrival: pending, then confirmed */
    tell(&office, "order.confirmed", 5, 1, 2);
    CHECK_STR("1:2.00", trends(&office, 10));
}

TEST(what_is_cancelled_never_was)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (int i = 0; i < 3; i++)
        tell(&office, "order.confirmed", i, 1, i);
    tell(&office, "order.confirmed", 3, 1, 2); /* his second */
    office_advance(&office, TREND_HALF_LIFE_MS);
    tell(&office, "order.confirmed", 4, 1, 4);
    CHECK_STR("1:2.50", trends(&office, 10));
    tell(&office, "order.cancelled", 0, 1, 0);
    CHECK_STR("1:2.00", trends(&office, 10));
    tell(&office, "order.cancelled", 0, 1, 0);  /* again */
    tell(&office, "order.cancelled", 99, 1, 9); /* never paid */
    CHECK_STR("1:2.00", trends(&office, 10));
    tell(&office, "order.cancelled", 2, 1, 2); /* he still has the other */
    CHECK_STR("1:2.00", trends(&office, 10));
    tell(&office, "order.cancelled", 3, 1, 2);
    CHECK_STR("1:1.50", trends(&office, 10));
    tell(&office, "order.cancelled", 1, 1, 1);
    tell(&office, "order.cancelled", 4, 1, 4);
    CHECK_STR("", trends(&office, 10));
}

TEST(what_is_given_back_or_never_paid_counts_no_more)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (int i = 0; i < 4; i++)
        tell(&office, i == 0 ? "order.pending" : "order.confirmed", i, 1, i);
    tell(&office, "order.refunded", 1, 1, 1); /* a part of it */
    CHECK_STR("1:4.00", trends(&office, 10));
    write_more(&office, "order.refunded", 1, 1, 1, ",\"over\":true");
    tell(&office, "order.expired", 0, 1, 0);
    CHECK_STR("1:2.00", trends(&office, 10));
}

TEST(news_that_come_late_count_as_what_they_are)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    write_news(&office, "order.confirmed", 1, 1, 1); /* analytics is away for a day */
    clock_manual_advance(&office.clock, TREND_HALF_LIFE_MS);
    tell(&office, "order.confirmed", 2, 1, 2);
    CHECK_STR("1:1.50", trends(&office, 10));
}

TEST(a_trend_outlives_the_process_and_old_ones_are_forgotten)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    tell(&office, "order.confirmed", 1, 1, 1);
    tell(&office, "order.confirmed", 2, 1, 2);
    office_restart(&office);
    CHECK_STR("1:2.00", trends(&office, 10));
    CHECK_I64(2, office_i64(&office, "analytics", "SELECT count(*) FROM purchase"));
    office_advance(&office, TREND_KEPT_MS + TREND_HALF_LIFE_MS);
    CHECK_I64(0, office_i64(&office, "analytics", "SELECT count(*) FROM purchase"));
    CHECK_I64(0, office_i64(&office, "analytics", "SELECT count(*) FROM trend"));
}

TEST(the_database_is_asked_once_a_second_at_most)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct analytics_trended trended = {0};
    const struct analytics_trending ask = {10};

    open_office(&office);
    CHECK_STR("", trends(&office, 10));
    tell(&office, "order.confirmed", 1, 1, 1);
    tell(&office, "order.confirmed", 2, 1, 2);
    office_call(&office, "booking", &call);
    CHECK_OK(analytics_trending(&call, &ask, &trended));
    CHECK_I64(0, (int64_t)trended.trend_count);
    office_advance(&office, TREND_FRESH_MS);
    call_next(&call);
    CHECK_OK(analytics_trending(&call, &ask, &trended));
    CHECK_I64(1, (int64_t)trended.trend_count);
}
