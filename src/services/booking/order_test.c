/* booking/order_test.c - the states of an order, and who sees which orders. */

#include "services/booking/order.h"

#include <stdio.h>

#include "support/booking_node.h"
#include "support/test.h"

#define PRICE     INT64_C(25000)
#define MINUTE_MS INT64_C(60000)

/* --- The state machine --- */

TEST(an_order_changes_only_as_drawn)
{
    static const struct {
        enum order_status from;
        enum order_status to;
    } arrows[] = {
        {ORDER_HELD,               ORDER_PENDING           },
        {ORDER_HELD,               ORDER_CONFIRMED         },
        {ORDER_HELD,               ORDER_EXPIRED           },
        {ORDER_HELD,               ORDER_CANCELLED         },
        {ORDER_PENDING,            ORDER_CONFIRMED         },
        {ORDER_PENDING,            ORDER_CANCELLED         },
        {ORDER_CONFIRMED,          ORDER_CANCELLED         },
        {ORDER_CONFIRMED,          ORDER_PARTIALLY_REFUNDED},
        {ORDER_CONFIRMED,          ORDER_REFUNDED          },
        {ORDER_EXPIRED,            ORDER_HELD              },
        {ORDER_PARTIALLY_REFUNDED, ORDER_REFUNDED          },
        {ORDER_PARTIALLY_REFUNDED, ORDER_CANCELLED         },
    };
    int allowed = 0;

    for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++)
        CHECK(order_may_become(arrows[i].from, arrows[i].to));
    for (int from = ORDER_HELD; order_status_names[from] != NULL; from++)
        for (int to = ORDER_HELD; order_status_names[to] != NULL; to++)
            allowed += order_may_become((enum order_status)from, (enum order_status)to);
    CHECK_I64((int64_t)(sizeof(arrows) / sizeof(arrows[0])), allowed);
}

TEST(whatever_has_begun_can_end)
{
    bool ends[ORDER_PARTIALLY_REFUNDED + 1] = {[ORDER_CANCELLED] = true, [ORDER_REFUNDED] = true};

    for (int round = 0; round < ORDER_PARTIALLY_REFUNDED; round++)
        for (int from = ORDER_HELD; from <= ORDER_PARTIALLY_REFUNDED; from++)
            for (int to = ORDER_HELD; to <= ORDER_PARTIALLY_REFUNDED; to++)
                ends[from] |=
                    ends[to] && order_may_become((enum order_status)from, (enum order_status)to);
    for (int from = ORDER_HELD; from <= ORDER_PARTIALLY_REFUNDED; from++)
        CHECK(ends[from]);
    for (int to = ORDER_HELD; to <= ORDER_PARTIALLY_REFUNDED; to++) {
        CHECK(!order_may_become(ORDER_CANCELLED, (enum order_status)to));
        CHECK(!order_may_become(ORDER_REFUNDED, (enum order_status)to));
    }
}

TEST(a_hold_is_shown_as_expired_when_its_time_is_over)
{
    static const struct {
        int status;
        int attempt_state;
        int64_t left_ms;
        enum order_status shown;
    } cases[] = {
        {ORDER_HELD,      ATTEMPT_NONE,      1, ORDER_HELD     },
        {ORDER_HELD,      ATTEMPT_NONE,      0, ORDER_EXPIRED  },
        {ORDER_HELD,      ATTEMPT_ABORTED,   0, ORDER_EXPIRED  },
        {ORDER_HELD,      ATTEMPT_LIVE,      0, ORDER_HELD     },
        {ORDER_HELD,      ATTEMPT_CONFIRMED, 0, ORDER_HELD     },
        {ORDER_PENDING,   ATTEMPT_CONFIRMED, 0, ORDER_PENDING  },
        {ORDER_CONFIRMED, ATTEMPT_SETTLED,   0, ORDER_CONFIRMED},
        {ORDER_EXPIRED,   ATTEMPT_NONE,      1, ORDER_EXPIRED  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct order order = {.status = cases[i].status,
                                    .attempt_state = cases[i].attempt_state,
                                    .expires_at_ms = 1000 + cases[i].left_ms};

        CHECK_I64(cases[i].shown, order_shown_status(&order, 1000));
    }
}

/* --- Over HTTP --- */

static struct answer get(struct booking_node *node, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct answer get(struct booking_node *node, const char *who, const char *format, ...)
{
    char path[512];
    va_list args;

    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was started right above */
    CHECK(vsnprintf(path, sizeof(path), format, args) < (int)sizeof(path));
    va_end(args);
    const struct ask ask = {.who = who, .method = "GET", .path = path};

    return booking_ask(node, node->arena, &ask);
}

static const char *book(struct booking_node *node, const char *who, const char *key,
                        const struct known_event *event)
{
    const struct answer answer = booking_book(node, node->arena, who, key, event, 1);

    CHECK_I64(201, answer.status);
    return arena_cstr(node->arena, answer_at(node->arena, &answer, "/order/id"));
}

TEST(an_order_changes_its_status_from_the_one_it_has)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct known_event event;
    order_id id = {0};

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    CHECK(id_parse(ORDER_PREFIX, str_of(book(&node, "customer-1", "a", &event)), &id.uuid));
    CHECK_OK(tx_begin(&tx, node.booking->db));
    CHECK_OK(order_become(&tx, id, ORDER_HELD, ORDER_PENDING));
    CHECK_ERR(ERR_CONFLICT, order_become(&tx, id, ORDER_HELD, ORDER_CONFIRMED));
    CHECK_OK(order_become(&tx, id, ORDER_PENDING, ORDER_CONFIRMED));
    CHECK_ERR(ERR_CONFLICT,
              order_become(&tx, (order_id){booking_user(1)}, ORDER_HELD, ORDER_EXPIRED));
}

TEST(an_order_is_for_its_buyer_its_vendor_and_admins)
{
    static const struct {
        const char *who;
        int status;
    } cases[] = {
        {"customer-1", 200},
        {"customer-2", 404},
        {"vendor-1",   200},
        {"vendor-2",   404},
        {"admin-1",    200},
        {NULL,         401},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *id = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    id = book(&node, "customer-1", "a", &event);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer = get(&node, cases[i].who, "/orders/%s", id);
        CHECK_I64(cases[i].status, answer.status);
        if (answer.status == 200)
            CHECK_STR(id, answer_at(node.arena, &answer, "/id"));
    }
    CHECK_I64(404, get(&node, "customer-1", "/orders/ord_01h455vb4pex5vsknk084sn02q").status);
    CHECK_I64(404, get(&node, "customer-1", "/orders/%s", event.id_text).status);
    CHECK_I64(404, get(&node, "customer-1", "/orders/1").status);
}

TEST(an_order_shows_how_far_it_is)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *id = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    id = book(&node, "customer-1", "a", &event);
    answer = get(&node, "customer-1", "/orders/%s", id);
    CHECK_STR("held", answer_at(node.arena, &answer, "/status"));
    CHECK_STR("null", answer_at(node.arena, &answer, "/payment"));
    CHECK_STR("[]", answer_at(node.arena, &answer, "/tickets"));
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/total/amount"));
    CHECK_STR("Event 1", answer_at(node.arena, &answer, "/event_name"));

    clock_manual_advance(&node.clock, 10 * MINUTE_MS); /* the chore has not run */
    answer = get(&node, "customer-1", "/orders/%s", id);
    CHECK_STR("expired", answer_at(node.arena, &answer, "/status"));
    CHECK_STR("2026-11-23T00:10:00Z", answer_at(node.arena, &answer, "/expires_at"));

    /* Tickets are there, the money is not: then it is, then some of it is gone again. */
    booking_exec(
        &node,
        "UPDATE order_state SET attempt_state = 2, attempt_id = id;"
        "INSERT INTO order_detail (order_id, payment_method) SELECT id, 'card' FROM order_state;"
        "INSERT INTO ticket (id, order_id, event_id, ticket_type_id, user_id, status, generation,"
        " price_minor) SELECT s.id, s.id, s.event_id, i.ticket_type_id, s.user_id, 0, 1, 25000"
        " FROM order_state s JOIN order_item i ON i.order_id = s.id;");
    answer = get(&node, "customer-1", "/orders/%s", id);
    CHECK_STR("held", answer_at(node.arena, &answer, "/status"));
    CHECK_STR("pending", answer_at(node.arena, &answer, "/payment/status"));
    CHECK_STR("card", answer_at(node.arena, &answer, "/payment/method"));
    CHECK_STR("[]", answer_at(node.arena, &answer, "/tickets"));

    booking_exec(&node,
                 "UPDATE order_state SET attempt_state = 3, status = 6;"
                 "UPDATE order_detail SET refunded_minor = 5000, confirmed_at_ms = 1795392001000");
    answer = get(&node, "customer-1", "/orders/%s", id);
    CHECK_STR("partially_refunded", answer_at(node.arena, &answer, "/status"));
    CHECK_STR("succeeded", answer_at(node.arena, &answer, "/payment/status"));
    CHECK_I64(5000, answer_i64(node.arena, &answer, "/refunded/amount"));
    CHECK_STR("2026-11-23T00:00:01Z", answer_at(node.arena, &answer, "/confirmed_at"));
    CHECK(str_starts(answer_at(node.arena, &answer, "/tickets/0"), STR("tkt_")));
    CHECK(answer_at(node.arena, &answer, "/expires_at").ptr == NULL);
}

TEST(orders_are_listed_newest_first_page_by_page)
{
    enum { ORDERS = 7 };
    CLEANUP(booking_node_close) struct booking_node node;
    const char *ids[ORDERS];
    struct known_event event;
    struct answer answer;
    str cursor = STR_ABSENT;
    int at = ORDERS;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, PRICE);
    for (int i = 0; i < ORDERS; i++) {
        const str key = arena_printf(node.arena, "key-%d", i);

        ids[i] = book(&node, "customer-1", arena_cstr(node.arena, key), &event);
        (void)book(&node, "customer-2", arena_cstr(node.arena, key), &event);
        clock_manual_advance(&node.clock, 1000);
    }
    for (int page = 0; page < 3; page++) {
        answer = page == 0
                     ? get(&node, "customer-1", "/orders?limit=3")
                     : get(&node, "customer-1", "/orders?limit=3&cursor=%.*s", STR_ARG(cursor));
        CHECK_I64(200, answer.status);
        for (int i = 0; i < 3 && at > 0; i++) {
            const str pointer = arena_printf(node.arena, "/data/%d/id", i);

            CHECK_STR(ids[--at], answer_at(node.arena, &answer, arena_cstr(node.arena, pointer)));
        }
        cursor = answer_at(node.arena, &answer, "/next_cursor");
    }
    CHECK_I64(0, at);
    CHECK_STR("null", cursor);
    CHECK(answer_at(node.arena, &answer, "/data/1").ptr == NULL);
}

TEST(a_bad_list_query_is_refused)
{
    static const struct {
        const char *query;
        int status;
    } cases[] = {
        {"limit=0",                     422},
        {"limit=101",                   422},
        {"limit=x",                     422},
        {"cursor=AAAAAAAAAAAAAAAAAAAA", 400},
        {"event_id=1",                  422},
        {"offset=5",                    400},
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, get(&node, "customer-1", "/orders?%s", cases[i].query).status);
    CHECK_I64(200, get(&node, "customer-1", "/orders").status);
}

static int64_t count_data(struct booking_node *node, const struct answer *answer)
{
    int64_t count = 0;

    while (answer_at(node->arena, answer,
                     arena_cstr(node->arena, arena_printf(node->arena, "/data/%d", (int)count)))
               .ptr != NULL)
        count++;
    return count;
}

TEST(a_vendor_sees_the_orders_of_its_events)
{
    static const struct {
        const char *who;
        int event;
        int64_t count;
    } cases[] = {
        {"vendor-1",   0, 2},
        {"vendor-1",   1, 1},
        {"vendor-2",   0, 0},
        {"admin-1",    0, 2},
        {"customer-1", 0, 1},
        {"customer-2", 1, 0},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event events[2];

    booking_node_open(&node, NULL);
    events[0] = booking_add_simple(&node, 9, PRICE);
    events[1] = booking_add_simple(&node, 9, PRICE);
    (void)book(&node, "customer-1", "a", &events[0]);
    (void)book(&node, "customer-1", "b", &events[1]);
    (void)book(&node, "customer-2", "a", &events[0]);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            get(&node, cases[i].who, "/orders?event_id=%s", events[cases[i].event].id_text);

        CHECK_I64(200, answer.status);
        CHECK_I64(cases[i].count, count_data(&node, &answer));
    }
}
