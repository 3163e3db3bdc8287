/* booking/company_test.c - several instances on one database: what one of them does the others know in time, and nothing is done twice. */

#include <pthread.h>
#include <string.h>

#include "services/booking/booking.h"
#include "support/booking_node.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

enum { HEARD_MS = 300, HOLD_MS = 600 * 1000 };

struct pair {
    struct booking_node a;
    struct booking_node b;
    struct known_event event;
};

static void pair_close(struct pair *pair)
{
    booking_node_close(&pair->b); /* first: its files are a's */
    booking_node_close(&pair->a);
}

/* An event with `total` tickets, which both know. */
static void pair_open(struct pair *pair, int64_t total)
{
    *pair = (struct pair){0};
    booking_node_open(&pair->a, NULL);
    pair->event = booking_add_simple(&pair->a, total, PRICE);
    booking_node_join(&pair->b, &pair->a, NULL);
}

static str available(struct pair *pair, struct booking_node *node)
{
    return booking_available(node, node->arena, &pair->event);
}

static struct answer book(struct pair *pair, struct booking_node *node, const char *who,
                          const char *key, int64_t quantity)
{
    return booking_book(node, node->arena, who, key, &pair->event, quantity);
}

static void check_replayed(struct pair *pair, struct booking_node *node, const char *who,
                           const char *key, int64_t quantity, const struct answer *first)
{
    const struct answer again = book(pair, node, who, key, quantity);

    CHECK_I64(201, again.status);
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK(str_eq(first->body, again.body));
}

static void check_sold_out(struct pair *pair, struct booking_node *node, const char *who,
                           const char *key, int64_t quantity)
{
    const struct answer answer = book(pair, node, who, key, quantity);

    check_problem(node->arena, &answer, 409, "sold_out");
}

/* --- What remains --- */

TEST(what_one_instance_takes_and_gives_back_is_exact_at_the_others_in_time)
{
    CLEANUP(pair_close) struct pair pair;

    pair_open(&pair, 10);
    CHECK_STR("10", available(&pair, &pair.b));
    CHECK_I64(201, book(&pair, &pair.a, "customer-1", "k1", 3).status);
    CHECK_STR("7", available(&pair, &pair.a));
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("7", available(&pair, &pair.b));
    CHECK_I64(201, book(&pair, &pair.b, "customer-2", "k1", 2).status);
    booking_node_advance(&pair.a, HEARD_MS);
    CHECK_STR("5", available(&pair, &pair.a));

    booking_node_advance(&pair.b, HOLD_MS); /* its chore gives all back */
    CHECK_STR("10", available(&pair, &pair.b));
    booking_node_advance(&pair.a, HOLD_MS);
    CHECK_STR("10", available(&pair, &pair.a));
}

TEST(many_news_of_an_event_are_read_at_once)
{
    enum { ORDERS = 250 }; /* more than a feed reads at once */
    CLEANUP(pair_close) struct pair pair;

    pair_open(&pair, 1000);
    for (int i = 0; i < ORDERS; i++) {
        const str key = arena_printf(pair.a.arena, "k%d", i);

        CHECK_I64(201, book(&pair, &pair.a, "customer-1", key.ptr, 2).status);
    }
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("500", available(&pair, &pair.b));
    CHECK_I64(201, book(&pair, &pair.a, "customer-1", "last", 1).status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("499", available(&pair, &pair.b));
}

/* --- Events --- */

static struct answer send(struct booking_node *node, const char *who, const char *method,
                          const char *path, const char *body)
{
    const struct ask ask = {
        .who = who, .method = method, .path = path, .headers = "If-Match: \"1\"\r\n", .body = body};

    return booking_ask(node, node->arena, &ask);
}

/* The first that is listed; absent: none is. */
static str first_name(struct booking_node *node, const char *query)
{
    const str path = arena_printf(node->arena, "/events?%s", query);
    const struct answer answer = send(node, NULL, "GET", path.ptr, NULL);

    CHECK_I64(200, answer.status);
    return answer_at(node->arena, &answer, "/data/0/name");
}

TEST(what_one_instance_offers_is_listed_and_found_at_the_others_in_time)
{
    static const char event[] =
        "{\"name\":\"Jazz\",\"type\":\"concert\",\"starts_at\":\"2027-06-05T20:00:00\","
        "\"ends_at\":\"2027-06-05T23:00:00\",\"timezone\":\"UTC\",\"online\":true,"
        "\"currency\":\"EUR\",\"ticket_types\":[{\"name\":\"Entry\",\"price\":100,"
        "\"quantity\":2}],\"status\":\"published\"}";
    CLEANUP(pair_close) struct pair pair;
    struct known_event known = {0};

    pair_open(&pair, 0);
    CHECK(first_name(&pair.b, "search=jazz").ptr == NULL);
    const struct answer made = send(&pair.a, "vendor-1", "POST", "/events", event);
    CHECK_I64(201, made.status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("Jazz", first_name(&pair.b, "search=jazz"));
    CHECK_STR("Jazz", first_name(&pair.b, "date_from=2027-06-01&available=true"));

    const str id = answer_at(pair.a.arena, &made, "/id");
    const str type = answer_at(pair.a.arena, &made, "/ticket_types/0/id");
    const str path = arena_printf(pair.a.arena, "/events/%.*s", STR_ARG(id));
    CHECK_I64(200, send(&pair.a, "vendor-1", "PUT", path.ptr, "{\"name\":\"Blues\"}").status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("Blues", first_name(&pair.b, "search=blues"));
    CHECK(first_name(&pair.b, "search=jazz").ptr == NULL);

    memcpy(known.id_text, id.ptr, id.size);
    memcpy(known.type_texts[0], type.ptr, type.size);
    CHECK_I64(201, booking_book(&pair.a, pair.a.arena, "customer-1", "k", &known, 2).status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK(first_name(&pair.b, "date_from=2027-06-01&available=true").ptr == NULL);
    CHECK_STR("Blues", first_name(&pair.b, "date_from=2027-06-01"));
    CHECK_I64(202, send(&pair.a, "vendor-1", "DELETE", path.ptr, NULL).status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK(first_name(&pair.b, "date_from=2027-06-01").ptr == NULL);
}

/* --- Keys --- */

TEST(a_key_is_replayed_wherever_it_is_sent_again)
{
    CLEANUP(pair_close) struct pair pair;
    struct answer first;
    struct answer answer;

    pair_open(&pair, 2);
    first = book(&pair, &pair.a, "customer-1", "k1", 2);
    CHECK_I64(201, first.status);
    check_replayed(&pair, &pair.b, "customer-1", "k1", 2, &first); /* it has not heard of it */
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("0", available(&pair, &pair.b));
    check_replayed(&pair, &pair.b, "customer-1", "k1", 2, &first);
    check_sold_out(&pair, &pair.b, "customer-1", "k2", 2);
    check_sold_out(&pair, &pair.b, "customer-2", "k1", 2);
    answer = book(&pair, &pair.b, "customer-1", "k1", 1);
    check_problem(pair.b.arena, &answer, 422, "idempotency_mismatch");
    answer = book(&pair, &pair.b, "customer-1", "k1", 11); /* which a rule would refuse */
    check_problem(pair.b.arena, &answer, 422, "idempotency_mismatch");
    CHECK_I64(1, booking_i64(&pair.a, "SELECT count(*) FROM order_state"));
}

/* What it has heard last may be that all is sold, though meanwhile some came back and were sold to him who asks again. */
TEST(an_old_hint_hides_no_order)
{
    CLEANUP(pair_close) struct pair pair;
    struct answer first;

    pair_open(&pair, 2);
    CHECK_I64(201, book(&pair, &pair.a, "customer-1", "k1", 2).status);
    booking_node_advance(&pair.b, HEARD_MS);
    CHECK_STR("0", available(&pair, &pair.b));
    booking_node_advance(&pair.a, HOLD_MS);
    first = book(&pair, &pair.a, "customer-2", "k1", 2);
    CHECK_I64(201, first.status);
    CHECK_STR("0", available(&pair, &pair.b));
    check_replayed(&pair, &pair.b, "customer-2", "k1", 2, &first);
}

/* --- Races --- */

enum { BUYERS = 60 };

struct buyer {
    struct pair *pair;
    pthread_barrier_t *start;
    pthread_t thread;
    int number;
    bool same; /* all are one buyer with one key */
    int status;
    char order[ID_TEXT_SIZE_MAX + 1];
};

static void *buy(void *arg)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buyer *buyer = arg;
    const struct booking_node *node = buyer->number % 2 == 0 ? &buyer->pair->a : &buyer->pair->b;
    const str who = arena_printf(arena, "customer-%d", buyer->same ? 1 : buyer->number);

    (void)pthread_barrier_wait(buyer->start);
    const struct answer answer =
        booking_book(node, arena, arena_cstr(arena, who), "the-key", &buyer->pair->event, 1);
    buyer->status = answer.status;
    if (answer.status == 201) {
        const str id = answer_at(arena, &answer, "/order/id");

        CHECK(id.size <= ID_TEXT_SIZE_MAX);
        memcpy(buyer->order, id.ptr, id.size);
    }
    return NULL;
}

/* Half of them at each instance; gives how many got an order. */
static int race(struct pair *pair, struct buyer *buyers, bool same)
{
    pthread_barrier_t start;
    int won = 0;

    CHECK(pthread_barrier_init(&start, NULL, BUYERS) == 0);
    for (int i = 0; i < BUYERS; i++) {
        buyers[i] = (struct buyer){.pair = pair, .start = &start, .number = i + 1, .same = same};
        CHECK(pthread_create(&buyers[i].thread, NULL, buy, &buyers[i]) == 0);
    }
    for (int i = 0; i < BUYERS; i++) {
        CHECK(pthread_join(buyers[i].thread, NULL) == 0);
        CHECK(buyers[i].status == 201 || buyers[i].status == 409);
        won += buyers[i].status == 201;
    }
    CHECK(pthread_barrier_destroy(&start) == 0);
    return won;
}

TEST(the_last_tickets_go_to_as_many_wherever_they_ask)
{
    CLEANUP(pair_close) struct pair pair;
    struct buyer buyers[BUYERS];

    pair_open(&pair, 7);
    CHECK_I64(7, race(&pair, buyers, false));
    CHECK_I64(7, booking_i64(&pair.a, "SELECT count(*) FROM order_state"));
    CHECK_I64(0, booking_i64(&pair.a, "SELECT remaining FROM ticket_type_stock"));
}

TEST(duplicates_in_flight_at_two_instances_are_one_order)
{
    CLEANUP(pair_close) struct pair pair;
    struct buyer buyers[BUYERS];

    pair_open(&pair, 1);
    CHECK_I64(BUYERS, race(&pair, buyers, true));
    for (int i = 0; i < BUYERS; i++)
        CHECK_STR(buyers[0].order, str_of(buyers[i].order));
    CHECK_I64(1, booking_i64(&pair.a, "SELECT count(*) FROM order_state"));
}

/* --- Chores --- */

static void *run_due(void *arg)
{
    booking_node_advance(arg, HOLD_MS);
    return NULL;
}

static void run_both(struct pair *pair)
{
    pthread_t other;

    CHECK(pthread_create(&other, NULL, run_due, &pair->b) == 0);
    (void)run_due(&pair->a);
    CHECK(pthread_join(other, NULL) == 0);
}

TEST(holds_that_two_instances_end_are_ended_once)
{
    enum { ORDERS = 150 }; /* more than a chunk */
    CLEANUP(pair_close) struct pair pair;
    CLEANUP(call_done) struct call call = {0};
    str finding = STR_ABSENT;

    pair_open(&pair, 1000);
    for (int i = 0; i < ORDERS; i++) {
        const str key = arena_printf(pair.a.arena, "k%d", i);

        CHECK_I64(201,
                  book(&pair, i % 2 == 0 ? &pair.a : &pair.b, "customer-1", key.ptr, 2).status);
    }
    run_both(&pair);
    run_both(&pair); /* whoever came second looks again */
    CHECK_I64(1000, booking_i64(&pair.a, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(ORDERS, booking_i64(&pair.a, "SELECT count(*) FROM stock_ledger WHERE kind = 2"));
    CHECK_I64(ORDERS,
              booking_i64(&pair.a, "SELECT count(*) FROM outbox WHERE kind = 'order.expired'"));
    CHECK_STR("1000", available(&pair, &pair.a));
    CHECK_STR("1000", available(&pair, &pair.b));
    booking_node_call(&pair.a, &call);
    CHECK_OK(booking_audit(&call, &finding));
}
