/* booking/event_rank_test.c - the better reason wins, and only what can be bought is shown. */
#include "services/booking/event_rank.h"

#include <string.h>

#include "base/time.h"
#include "support/booking_node.h"
#include "support/test.h"

TEST(a_better_reason_beats_any_measure_of_a_worse_one)
{
    /* Each line scores more than the next. */
    static const struct {
        struct event_merit merit;
        int reason;
    } cases[] = {
        {{.in_city = true, .trend = 50, .sold = 1, .total = 100, .starts_in_ms = DAY_MS},
         RANK_TRENDING                                                                                 },
        {{.in_city = true, .trend = 2, .sold = 1, .total = 100, .starts_in_ms = DAY_MS},
         RANK_TRENDING                                                                                 },
        {{.in_city = true, .trend = 2, .sold = 96, .total = 100, .starts_in_ms = DAY_MS},
         RANK_TRENDING                                                                                 },
        {{.in_city = true, .sold = 1000000, .total = 10000000, .starts_in_ms = DAY_MS},
         RANK_POPULAR                                                                                  },
        {{.in_city = true, .sold = 1, .total = 100, .starts_in_ms = DAY_MS},              RANK_POPULAR },
        {{.in_city = true, .total = 100, .starts_in_ms = 1},                              RANK_SOONEST },
        {{.in_city = true, .total = 100, .starts_in_ms = 1000 * DAY_MS},                  RANK_SOONEST },
        {{.trend = 1e9, .sold = 1, .total = 10000000, .starts_in_ms = DAY_MS},            RANK_TRENDING},
        {{.trend = 1, .sold = 1, .total = 100, .starts_in_ms = DAY_MS},                   RANK_TRENDING},
        {{.sold = 5, .total = 100, .starts_in_ms = DAY_MS},                               RANK_POPULAR },
        {{.total = 100, .starts_in_ms = 5 * DAY_MS},                                      RANK_SOONEST },
        {{.total = 100, .starts_in_ms = 50 * DAY_MS},                                     RANK_SOONEST },
    };
    double last = 1;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const double score = event_rank_score(&cases[i].merit);

        CHECK_I64(cases[i].reason, event_rank_reason(&cases[i].merit));
        CHECK(score < last && score >= 0);
        last = score;
    }
}

static struct booking_event_ranked rank(struct booking_node *node,
                                        const struct booking_event_rank *in)
{
    CLEANUP(call_done) struct call call = {0};
    struct booking_event_ranked ranked = {0};

    booking_node_call(node, &call);
    CHECK_OK(booking_event_rank(&call, in, &ranked));
    for (size_t i = 0; i < ranked.event_count; i++)
        ranked.events[i].event = arena_str(node->arena, ranked.events[i].event);
    struct booking_ranked *events =
        arena_new_array(node->arena, struct booking_ranked, ranked.event_count + 1);
    for (size_t i = 0; i < ranked.event_count; i++)
        events[i] = ranked.events[i];
    ranked.events = events;
    return ranked;
}

static bool is(const struct booking_ranked *ranked, const struct known_event *event, int reason)
{
    const str id = str_of(event->id_text);

    return ranked->reason == reason &&
           memmem(ranked->event.ptr, ranked->event.size, id.ptr, id.size) != NULL;
}

TEST(what_trends_comes_first_then_what_sold_then_what_is_soon)
{
    static const struct given_type type = {.name = "Day", .price_minor = 100, .total = 100};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event events[4];

    booking_node_open(&node, NULL);
    for (int i = 0; i < 4; i++)
        events[i] = booking_add_event(
            &node, &(struct given_event){.status = EVENT_PUBLISHED,
                                         .starts_at_ms = BOOKING_NODE_START_MS + (i + 1) * DAY_MS,
                                         .types = &type,
                                         .type_count = 1});
    check_status(201, &(const struct answer[]){
                          booking_book(&node, node.arena, "customer-1", "a", &events[2], 2)}[0]);
    struct booking_candidate trending = {events[3].id, 2.5};
    struct booking_event_rank ask = {.limit = 10, .candidates = &trending, .candidate_count = 1};
    struct booking_event_ranked ranked = rank(&node, &ask);

    CHECK_I64(4, (int64_t)ranked.event_count);
    CHECK(is(&ranked.events[0], &events[3], RANK_TRENDING));
    CHECK(is(&ranked.events[1], &events[2], RANK_POPULAR));
    CHECK(is(&ranked.events[2], &events[0], RANK_SOONEST));
    CHECK(is(&ranked.events[3], &events[1], RANK_SOONEST));
    ask.limit = 1;
    CHECK_I64(1, (int64_t)rank(&node, &ask).event_count);
    booking_node_advance(&node, 2 * DAY_MS + 1); /* two have begun; the hold has expired */
    ask.limit = 10;
    ranked = rank(&node, &ask);
    CHECK_I64(2, (int64_t)ranked.event_count);
    CHECK(is(&ranked.events[1], &events[2], RANK_SOONEST));
}

TEST(what_nobody_can_buy_is_not_shown)
{
    static const struct given_type type = {.name = "Day", .price_minor = 100, .total = 2};
    static const struct given_type later = {.name = "Day",
                                            .price_minor = 100,
                                            .total = 2,
                                            .sales_start_ms = BOOKING_NODE_START_MS + DAY_MS};
    CLEANUP(booking_node_close) struct booking_node node;
    const struct booking_event_rank ask = {.limit = 10};

    booking_node_open(&node, NULL);
    booking_add_event(
        &node, &(struct given_event){.status = EVENT_DRAFT, .types = &type, .type_count = 1});
    booking_add_event(
        &node, &(struct given_event){.status = EVENT_CANCELLED, .types = &type, .type_count = 1});
    booking_add_event(
        &node, &(struct given_event){.status = EVENT_PUBLISHED, .types = &later, .type_count = 1});
    const struct known_event event = booking_add_event(
        &node, &(struct given_event){.status = EVENT_PUBLISHED, .types = &type, .type_count = 1});
    const struct booking_event_ranked ranked = rank(&node, &ask);
    CHECK_I64(1, (int64_t)ranked.event_count);
    CHECK(is(&ranked.events[0], &event, RANK_SOONEST));
    const struct answer held = booking_book(&node, node.arena, "customer-1", "a", &event, 2);
    check_status(201, &held);
    CHECK_I64(0, (int64_t)rank(&node, &ask).event_count); /* sold out */
}
