/* booking/hold_replay_test.c - many want the same, and some ask twice: races and Idempotency-
 * Keys over HTTP. */

#include <pthread.h>
#include <string.h>

#include "support/booking_node.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

static struct answer ask_book(struct booking_node *node, const char *who, const char *key,
                              const char *body)
{
    const struct ask ask = {
        .who = who, .method = "POST", .path = "/tickets/book", .key = key, .body = body};

    return booking_ask(node, node->arena, &ask);
}

/* --- The race --- */

enum { BUYERS = 200 };

struct buyer {
    const struct booking_node *node;
    const struct known_event *event;
    pthread_barrier_t *start;
    pthread_t thread;
    int number;
    int status;
    bool same; /* all are one buyer with one key */
    bool replayed;
    char order[ID_TEXT_SIZE_MAX + 1];
};

static void *buy(void *arg)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buyer *buyer = arg;
    const str who = arena_printf(arena, "customer-%d", buyer->same ? 1 : buyer->number);
    struct answer answer;

    (void)pthread_barrier_wait(buyer->start);
    answer = booking_book(buyer->node, arena, arena_cstr(arena, who), "the-key", buyer->event, 1);
    buyer->status = answer.status;
    buyer->replayed = answer_header(&answer, "Idempotency-Replayed").ptr != NULL;
    if (answer.status == 201) {
        const str id = answer_at(arena, &answer, "/order/id");

        CHECK(id.size <= ID_TEXT_SIZE_MAX);
        memcpy(buyer->order, id.ptr, id.size);
    }
    return NULL;
}

static void race(const struct booking_node *node, const struct known_event *event,
                 struct buyer *buyers, bool same)
{
    pthread_barrier_t start;

    CHECK(pthread_barrier_init(&start, NULL, BUYERS) == 0);
    for (int i = 0; i < BUYERS; i++) {
        buyers[i] = (struct buyer){
            .node = node, .event = event, .start = &start, .number = i + 1, .same = same};
        CHECK(pthread_create(&buyers[i].thread, NULL, buy, &buyers[i]) == 0);
    }
    for (int i = 0; i < BUYERS; i++)
        CHECK(pthread_join(buyers[i].thread, NULL) == 0);
    CHECK(pthread_barrier_destroy(&start) == 0);
}

TEST(the_last_ticket_goes_to_exactly_one_of_two_hundred)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct buyer buyers[BUYERS];
    struct known_event event;
    int won = 0;
    int lost = 0;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 1, PRICE);
    race(&node, &event, buyers, false);
    for (int i = 0; i < BUYERS; i++) {
        won += buyers[i].status == 201;
        lost += buyers[i].status == 409;
    }
    CHECK_I64(1, won);
    CHECK_I64(BUYERS - 1, lost);
    CHECK_STR("0", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state"));
    CHECK_I64(0, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
}

TEST(duplicates_in_flight_are_one_order)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct buyer buyers[BUYERS];
    struct known_event event;
    int first = 0;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 1, PRICE);
    race(&node, &event, buyers, true);
    for (int i = 0; i < BUYERS; i++) {
        CHECK_I64(201, buyers[i].status);
        CHECK_STR(buyers[0].order, str_of(buyers[i].order));
        first += !buyers[i].replayed;
    }
    CHECK_I64(1, first);
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state"));
}

/* --- Idempotency --- */

TEST(the_same_key_and_body_give_the_first_answer_again)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer first;
    struct answer again;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 2, PRICE);
    first = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    CHECK_I64(201, first.status);
    CHECK(answer_header(&first, "Idempotency-Replayed").ptr == NULL);

    /* Sold out by now: a new key is refused, the old one is not. */
    again = booking_book(&node, node.arena, "customer-1", "k2", &event, 2);
    check_problem(node.arena, &again, 409, "sold_out");
    again = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    CHECK_I64(201, again.status);
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK(str_eq(first.body, again.body));

    booking_node_restart(&node);
    booking_node_advance(&node, INT64_C(3600000)); /* and expired: the first answer all the same */
    again = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    CHECK_I64(201, again.status);
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK(str_eq(first.body, again.body));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state"));
}

TEST(bodies_compare_as_parsed_json)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *body = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    body = arena_cstr(node.arena,
                      arena_printf(node.arena,
                                   "{ \"items\" : [ {\"quantity\": 2, \"ticket_type_id\":\"%s\"} ],"
                                   "\n\"event_id\":\"%s\" }",
                                   event.type_texts[0], event.id_text));
    answer = ask_book(&node, "customer-1", "k1", body);
    CHECK_I64(201, answer.status);
    CHECK_STR("true", answer_header(&answer, "Idempotency-Replayed"));
}

TEST(the_same_key_with_another_body_is_a_mismatch)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 3);
    check_problem(node.arena, &answer, 422, "idempotency_mismatch");
    /* Also where the other body would be refused for what it asks. */
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 11);
    check_problem(node.arena, &answer, 422, "idempotency_mismatch");
    CHECK_STR("7", booking_available(&node, node.arena, &event));
}

TEST(keys_belong_to_the_account_and_refusals_do_not_use_them_up)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 3, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k", &event, 2).status);
    answer = booking_book(&node, node.arena, "customer-2", "k", &event, 2);
    check_problem(node.arena, &answer, 409, "sold_out");
    answer = booking_book(&node, node.arena, "customer-2", "k", &event, 1);
    CHECK_I64(201, answer.status);
    CHECK(answer_header(&answer, "Idempotency-Replayed").ptr == NULL);
    CHECK_I64(2, booking_i64(&node, "SELECT count(*) FROM order_state"));
}

TEST(the_first_answer_goes_before_rules_that_came_later)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    booking_exec(&node, "UPDATE event_key SET status = 2, version = version + 1");
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "k2", &event, 2).status);
    /* By now the catalog knows that the event is cancelled. */
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    booking_node_restart(&node);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "k2", &event, 2).status);
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state"));
}
