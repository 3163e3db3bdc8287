/* payment/desk_test.c - requests that wait for an attempt: how long, who wakes them, and the
 * end. */
#include "services/payment/desk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "services/payment/state.h"
#include "services/payment/till_fixture.h"
#include "support/test.h"

/* A request on a thread of its own. */
struct client {
    pthread_t thread;
    struct arena *arena;
    struct http_server *server;
    struct ask ask;
    struct answer answer;
};

static void *run_client(void *arg)
{
    struct client *client = arg;

    client->answer = http_ask(client->server, client->arena, &client->ask);
    return NULL;
}

static void client_start(struct client *client, struct office *office, struct ask ask)
{
    *client = (struct client){.arena = arena_open(0), .server = office->server, .ask = ask};
    CHECK(pthread_create(&client->thread, NULL, run_client, client) == 0);
}

static void client_end(struct client *client)
{
    CHECK(pthread_join(client->thread, NULL) == 0);
}

static void client_close(struct client *client)
{
    arena_close(client->arena);
}

static order_id sell(void)
{
    return stand_in_sell(office_user(1), 10000, NULL);
}

TEST(nobody_waits_for_longer_than_two_and_a_half_seconds)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(client_close) struct client client;

    till_open(&office);
    const order_id order = sell();
    stand_in_hold(&booking_confirm_op);
    client_start(&client, &office,
                 till_asking(&office, "customer-1", "a", order, "card", "tok_visa"));
    stand_in_await_held(1);
    office_await_gauge(&office, "boxoffice_http_parked", 1);
    office_advance(&office, ANSWER_MS - 1);
    CHECK_I64(1, office_gauge(&office, "boxoffice_http_parked"));
    office_advance(&office, 1);
    client_end(&client);
    check_status(200, &client.answer);
    CHECK_STR("pending", answer_at(office.arena, &client.answer, "/payment/status"));
    stand_in_let_go();

    /* It went on in the background, and the same request learns how it ended. */
    while (stand_in_order(order).state != STAND_IN_SETTLED)
        office_run_due(&office);
    const struct answer again = till_pay(&office, "customer-1", "a", order, "tok_visa");
    check_status(200, &again);
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
}

TEST(twins_in_flight_wait_for_the_first_and_get_its_answer)
{
    enum { TWINS = 6 };
    CLEANUP(office_close) struct office office;
    struct client clients[TWINS];
    int replayed = 0;

    till_open(&office);
    const order_id order = sell();
    stand_in_hold(&booking_confirm_op);
    for (size_t i = 0; i < TWINS; i++)
        client_start(&clients[i], &office,
                     till_asking(&office, "customer-1", "a", order, "card", "tok_visa"));
    stand_in_await_held(1);
    office_await_gauge(&office, "boxoffice_http_parked", TWINS);
    stand_in_let_go();
    for (size_t i = 0; i < TWINS; i++) {
        client_end(&clients[i]);
        check_status(200, &clients[i].answer);
        CHECK_STR("succeeded", answer_at(office.arena, &clients[i].answer, "/payment/status"));
        replayed += answer_header(&clients[i].answer, "Idempotency-Replayed").ptr != NULL;
        client_close(&clients[i]);
    }
    CHECK_I64(TWINS - 1, replayed);
    CHECK_I64(1, till_charges(&office, order, CHARGE_CAPTURED));
}

/* One who comes just when the first has finished must not wait for a wake that has been. */
struct straggler {
    struct client client;
    int64_t late_ns;
};

static void *run_straggler(void *arg)
{
    struct straggler *straggler = arg;
    const struct timespec late = {.tv_nsec = straggler->late_ns};

    (void)nanosleep(&late, NULL);
    return run_client(&straggler->client);
}

/* Lets the clock move on, and so answers whoever waits, if nobody has for a long time. */
struct watch {
    struct office *office;
    _Atomic bool done;
    _Atomic bool barked;
};

static void *run_watch(void *arg)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    struct watch *watch = arg;
    int waited_ms = 0;

    while (!watch->done && waited_ms++ < 20000)
        (void)nanosleep(&moment, NULL);
    while (!watch->done) {
        watch->barked = true;
        office_advance(watch->office, ANSWER_MS);
    }
    return NULL;
}

TEST(twins_that_come_at_any_moment_are_answered_without_the_clock)
{
    enum { STRAGGLERS = 16, ROUNDS = 60 };
    static const char *const tokens[] = {"tok_visa", "tok_slow"};
    CLEANUP(office_close) struct office office;
    struct watch watch = {.office = &office};
    pthread_t watcher;

    till_open(&office);
    CHECK(pthread_create(&watcher, NULL, run_watch, &watch) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct straggler stragglers[STRAGGLERS];
        const order_id order = sell();
        const str key = arena_printf(office.arena, "%d", round);
        const struct ask ask =
            till_asking(&office, "customer-1", key.ptr, order, "card", tokens[round % 2]);

        for (size_t i = 0; i < STRAGGLERS; i++) {
            stragglers[i] = (struct straggler){
                .client = {.arena = arena_open(0), .server = office.server, .ask = ask},
                .late_ns = (int64_t)i * (50000 + 10000 * round),
            };
            CHECK(pthread_create(&stragglers[i].client.thread, NULL, run_straggler,
                                 &stragglers[i]) == 0);
        }
        for (size_t i = 0; i < STRAGGLERS; i++) {
            client_end(&stragglers[i].client);
            check_status(200, &stragglers[i].client.answer);
            client_close(&stragglers[i].client);
        }
    }
    watch.done = true;
    CHECK(pthread_join(watcher, NULL) == 0);
    CHECK(!watch.barked);
}

TEST(another_request_for_the_order_gets_the_attempt_that_is_under_way)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(client_close) struct client first;
    CLEANUP(client_close) struct client second;

    till_open(&office);
    const order_id order = sell();
    stand_in_hold(&booking_confirm_op);
    client_start(&first, &office,
                 till_asking(&office, "customer-1", "a", order, "card", "tok_visa"));
    stand_in_await_held(1);
    client_start(&second, &office,
                 till_asking(&office, "customer-1", "b", order, "card", "tok_mastercard"));
    office_await_gauge(&office, "boxoffice_http_parked", 2);
    stand_in_let_go();
    client_end(&first);
    client_end(&second);
    check_status(200, &first.answer);
    check_status(200, &second.answer);
    CHECK_STR(answer_at(office.arena, &first.answer, "/payment/id").ptr,
              answer_at(office.arena, &second.answer, "/payment/id"));
    CHECK_STR(NULL, answer_header(&second.answer, "Idempotency-Replayed"));
    CHECK_I64(1, till_i64(&office, "SELECT count(*) FROM payment_attempt WHERE state = %d",
                          (int)ATTEMPT_REFERRED));
    CHECK_I64(1, till_i64(&office, "SELECT count(*) FROM sandbox_charge"));

    /* The second key answers with it from now on, a third learns that there is nothing to pay. */
    const struct answer again = till_pay(&office, "customer-1", "b", order, "tok_mastercard");
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK_STR(arena_cstr(office.arena, second.answer.body), again.body);
    const struct answer third = till_pay(&office, "customer-1", "c", order, "tok_mastercard");
    check_problem(office.arena, &third, 409, "already_paid");
}

TEST(a_twin_of_what_is_refused_takes_its_turn)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(client_close) struct client first;
    CLEANUP(client_close) struct client second;

    till_open(&office);
    const order_id order = sell();
    stand_in_hold(&booking_payment_begin_op);
    client_start(&first, &office, till_asking(&office, "customer-1", "a", order, "free", NULL));
    stand_in_await_held(1);
    client_start(&second, &office, till_asking(&office, "customer-1", "a", order, "free", NULL));
    office_await_gauge(&office, "boxoffice_http_parked", 1);
    stand_in_let_go();
    client_end(&first);
    client_end(&second);
    check_problem(office.arena, &first.answer, 422, "method_not_accepted");
    check_problem(office.arena, &second.answer, 422, "method_not_accepted");
    CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM payment_attempt"));
    CHECK_I64(STAND_IN_ABORTED, stand_in_order(order).state);
}

/* --- Too many --- */

TEST(what_does_not_fit_is_made_void_and_charges_nothing)
{
    CLEANUP(office_close) struct office office;
    struct client clients[DESK_THREADS + 1];

    till_open(&office);
    stand_in_hold(&booking_confirm_op);
    for (size_t i = 0; i < DESK_THREADS; i++) {
        const str key = arena_printf(office.arena, "%zu", i);

        client_start(&clients[i], &office,
                     till_asking(&office, "customer-1", key.ptr, sell(), "card", "tok_visa"));
    }
    stand_in_await_held(DESK_THREADS);
    struct desk *desk = ((struct payment *)node_find(office.node, "payment")->state)->desk;
    const struct attempt nobody = {.id = {office_user(99)}};
    for (int i = 0; i < DESK_WAITING_MAX; i++)
        CHECK_OK(desk_submit(desk, &nobody, STR_ABSENT));
    CHECK_ERR(ERR_OVERLOADED, desk_submit(desk, &nobody, STR_ABSENT));

    const order_id order = sell();
    client_start(&clients[DESK_THREADS], &office,
                 till_asking(&office, "customer-1", "late", order, "card", "tok_visa"));
    office_await_gauge(&office, "boxoffice_http_parked", DESK_THREADS + 1);
    while (office_gauge(&office, "boxoffice_http_parked") > DESK_THREADS)
        office_run_due(&office);
    client_end(&clients[DESK_THREADS]);
    check_problem(office.arena, &clients[DESK_THREADS].answer, 503, "provider_unavailable");
    CHECK_I64(0, till_charges(&office, order, CHARGE_AUTHORISED));
    CHECK_I64(STAND_IN_ABORTED, stand_in_order(order).state);

    stand_in_let_go();
    for (size_t i = 0; i <= DESK_THREADS; i++) {
        if (i < DESK_THREADS) {
            client_end(&clients[i]);
            check_status(200, &clients[i].answer);
        }
        client_close(&clients[i]);
    }
    const struct answer again = till_pay(&office, "customer-1", "late", order, "tok_visa");
    check_status(200, &again); /* its key is free, and the desk as well */
    CHECK_STR("succeeded", answer_at(office.arena, &again, "/payment/status"));
}

/* --- The reconciler --- */

static void *run_due(void *arg)
{
    office_run_due(arg);
    return NULL;
}

TEST(the_reconciler_drives_several_at_once_and_not_too_many)
{
    CLEANUP(office_close) struct office office;
    pthread_t thread;

    till_open(&office);
    for (int i = 0; i < 3 * DESK_RECONCILERS; i++)
        (void)till_attempt(&office, NULL);
    clock_manual_advance(&office.clock, ATTEMPT_LEASE_MS);
    stand_in_hold(&booking_payment_abort_op); /* what CREATED attempts come to */
    CHECK(pthread_create(&thread, NULL, run_due, &office) == 0);
    stand_in_await_held(DESK_RECONCILERS);
    CHECK_I64(DESK_RECONCILERS,
              till_i64(&office, "SELECT count(*) FROM payment_attempt WHERE state = %d",
                       (int)ATTEMPT_ABORTING));
    stand_in_let_go();
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_I64(3 * DESK_RECONCILERS,
              till_i64(&office, "SELECT count(*) FROM payment_attempt WHERE state = %d",
                       (int)ATTEMPT_FAILED));
}

TEST(what_has_waited_beyond_its_lease_is_left_to_whoever_has_it_now)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt taken = {0};
    int64_t next_ms = 0;

    till_open(&office);
    till_call(&office, &call);
    const struct attempt waiting = till_attempt(&office, "a");
    call.now_ms += ATTEMPT_LEASE_MS;
    CHECK_OK(attempt_take_due(&call, &taken, &next_ms));
    struct desk *desk = ((struct payment *)node_find(office.node, "payment")->state)->desk;
    desk_reconcile(desk, &waiting);
    desk_reconciled(desk);
    CHECK_I64(ATTEMPT_CREATED, till_state(&office, waiting.id));
    desk_reconcile(desk, &taken);
    desk_reconciled(desk);
    CHECK_I64(ATTEMPT_FAILED, till_state(&office, waiting.id));
}

/* --- The end --- */

static void *close_office(void *arg)
{
    office_close(arg);
    return NULL;
}

TEST(a_server_that_stops_waits_for_the_answers)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(client_close) struct client client;
    pthread_t shutter;

    till_open(&office);
    const order_id order = sell();
    stand_in_hold(&booking_confirm_op);
    client_start(&client, &office,
                 till_asking(&office, "customer-1", "a", order, "card", "tok_visa"));
    stand_in_await_held(1);
    office_await_gauge(&office, "boxoffice_http_parked", 1);
    CHECK(pthread_create(&shutter, NULL, close_office, &office) == 0);
    stand_in_let_go();
    client_end(&client);
    check_status(200, &client.answer);
    CHECK(pthread_join(shutter, NULL) == 0);
}

/* What a process that died has left: an attempt that nobody drives, with the key of this
 * request. */
static void leave_attempt(struct office *office, const struct ask *ask, order_id order)
{
    CLEANUP(call_done) struct call call = {0};
    struct json_doc *doc = NULL;
    uint8_t digest[32];
    str detail = STR_ABSENT;

    till_call(office, &call);
    CHECK_OK(json_parse(call.arena, str_of(ask->body), &doc, &detail));
    json_digest(doc, digest);
    struct attempt attempt = {
        .id = {call_uuid(&call)},
        .order = order,
        .user = office_user(1),
        .method = STR("card"),
        .provider = STR("sandbox"),
        .amount = { 10000,         {"EGP"}},
        .idem_key = str_of(ask->key),
        .idem_digest = { (const char *)digest,  sizeof(digest)},
        .created_at_ms = call.now_ms,
    };
    CHECK_OK(attempt_insert(&call, &attempt));
    CHECK_OK(attempt_move(&call, &attempt, ATTEMPT_AUTHORISING));
}

TEST(a_server_that_cannot_wait_leaves_the_attempt_to_the_next_start)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(client_close) struct client driven;
    CLEANUP(client_close) struct client idle;

    till_open(&office);
    const order_id order = sell();
    const order_id other = sell();
    stand_in_hold(&booking_confirm_op);
    client_start(&driven, &office,
                 till_asking(&office, "customer-1", "a", order, "card", "tok_visa"));
    stand_in_await_held(1);
    const struct ask ask = till_asking(&office, "customer-1", "b", other, "card", "tok_visa");
    leave_attempt(&office, &ask, other);
    client_start(&idle, &office, ask);
    office_await_gauge(&office, "boxoffice_http_parked", 2);

    http_close(office.server, 0); /* both are orphans now */
    office.server = NULL;
    client_end(&driven);
    client_end(&idle);
    CHECK_I64(0, driven.answer.status);
    CHECK_I64(0, idle.answer.status);
    stand_in_let_go();
    office_restart(&office);
    till_settle_down(&office);
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
    CHECK_I64(0, till_charges(&office, other, CHARGE_AUTHORISED));
    till_check_audit(&office);
    const struct answer again = office_ask(&office, &ask); /* and its key is free */
    check_status(200, &again);
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(other).state);
}
