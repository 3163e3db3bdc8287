/* payment/attempt_test.c - the state machine walked, and the row under many hands. */
#include "services/payment/attempt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "services/payment/till_fixture.h"
#include "support/test.h"

enum { HANDS = 16, DUE_COUNT = 40 };

/* --- The machine --- */

static void mark_reachable(enum attempt_state from, bool reached[ATTEMPT_STATES])
{
    bool grown = true;

    reached[from] = true;
    while (grown) {
        grown = false;
        for (int a = 0; a < ATTEMPT_STATES; a++)
            for (int b = 0; reached[a] && b < ATTEMPT_STATES; b++)
                if (attempt_may_become((enum attempt_state)a, (enum attempt_state)b) &&
                    !reached[b]) {
                    reached[b] = true;
                    grown = true;
                }
    }
}

TEST(every_state_can_be_reached_and_has_a_way_to_an_end)
{
    bool from_start[ATTEMPT_STATES] = {0};

    mark_reachable(ATTEMPT_CREATED, from_start);
    for (int i = 0; i < ATTEMPT_STATES; i++) {
        const enum attempt_state from = (enum attempt_state)i;
        bool reached[ATTEMPT_STATES] = {0};

        CHECK(from_start[i]);
        mark_reachable(from, reached);
        CHECK(reached[ATTEMPT_SUCCEEDED] || reached[ATTEMPT_FAILED] || reached[ATTEMPT_VOIDED] ||
              from == ATTEMPT_REFERRED);
        /* An end is an end: nothing else can be reached from it. */
        for (int other = 0; attempt_is_over(from) && other < ATTEMPT_STATES; other++)
            CHECK_I64(other == i, reached[other]);
    }
}

TEST(no_attempt_comes_back_to_where_it_was)
{
    for (int i = 0; i < ATTEMPT_STATES; i++)
        for (int next = 0; next < ATTEMPT_STATES; next++) {
            bool reached[ATTEMPT_STATES] = {0};

            if (!attempt_may_become((enum attempt_state)i, (enum attempt_state)next))
                continue;
            mark_reachable((enum attempt_state)next, reached);
            CHECK(!reached[i]);
        }
}

TEST(money_takes_no_short_cut)
{
    static const struct {
        enum attempt_state from;
        enum attempt_state to;
        bool may;
    } cases[] = {
        {ATTEMPT_CREATED,     ATTEMPT_AUTHORISING, true }, /* booking has begun with it */
        {ATTEMPT_CREATED,     ATTEMPT_AUTHORISED,  false},
        {ATTEMPT_AUTHORISING, ATTEMPT_CAPTURING,   false}, /* not before the tickets exist */
        {ATTEMPT_AUTHORISED,  ATTEMPT_CAPTURED,    false},
        {ATTEMPT_AUTHORISED,  ATTEMPT_ABORTING,    false}, /* an authorisation is given back */
        {ATTEMPT_AUTHORISED,  ATTEMPT_VOIDING,     true },
        {ATTEMPT_CAPTURING,   ATTEMPT_SUCCEEDED,   false},
        {ATTEMPT_CAPTURED,    ATTEMPT_FAILED,      false},
        {ATTEMPT_CAPTURED,    ATTEMPT_VOIDING,     false}, /* what is captured is refunded */
        {ATTEMPT_VOIDING,     ATTEMPT_CAPTURED,    true }, /* unless it had been captured */
        {ATTEMPT_ABORTING,    ATTEMPT_CAPTURED,    false},
        {ATTEMPT_WAITING,     ATTEMPT_SUCCEEDED,   false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].may, attempt_may_become(cases[i].from, cases[i].to));
}

TEST(the_api_knows_four_words)
{
    static const char *const words[ATTEMPT_STATES] = {
        [ATTEMPT_CREATED] = "pending",     [ATTEMPT_AUTHORISING] = "pending",
        [ATTEMPT_AUTHORISED] = "pending",  [ATTEMPT_CONFIRMING] = "pending",
        [ATTEMPT_CAPTURING] = "pending",   [ATTEMPT_CAPTURED] = "pending",
        [ATTEMPT_WAITING] = "pending",     [ATTEMPT_REQUIRES_ACTION] = "requires_action",
        [ATTEMPT_VOIDING] = "failed",      [ATTEMPT_ABORTING] = "failed",
        [ATTEMPT_FAILED] = "failed",       [ATTEMPT_VOIDED] = "failed",
        [ATTEMPT_SUCCEEDED] = "succeeded", [ATTEMPT_REFERRED] = "failed",
    };

    for (int i = 0; i < ATTEMPT_STATES; i++)
        CHECK_STR(words[i], str_of(attempt_status((enum attempt_state)i)));
}

/* --- The row --- */

TEST(a_move_writes_everything_that_is_new)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt read = {0};

    till_open(&office);
    struct attempt attempt = till_attempt(&office, "a");
    till_call(&office, &call);
    attempt.event = office_vendor(3);
    attempt.vendor = office_vendor(4);
    attempt.brand = STR("visa");
    attempt.redirect_url = STR("/there");
    attempt.amount = (struct money){1250, {"KWD"}};
    attempt.failure = STR("card_declined");
    CHECK_OK(attempt_move(&call, &attempt, ATTEMPT_AUTHORISING));
    CHECK_I64(ATTEMPT_AUTHORISING, attempt.state);
    CHECK_OK(attempt_find(&call, attempt.id, &read));
    CHECK_I64(ATTEMPT_AUTHORISING, read.state);
    CHECK(uuid_eq(read.event, attempt.event) && uuid_eq(read.vendor, attempt.vendor));
    CHECK(uuid_eq(read.order.uuid, attempt.order.uuid) && uuid_eq(read.user, office_user(1)));
    CHECK_STR("visa", read.brand);
    CHECK_STR("/there", read.redirect_url);
    CHECK_STR("card_declined", read.failure);
    CHECK_STR("sandbox", read.provider);
    CHECK_STR("card", read.method);
    CHECK_I64(1250, read.amount.minor);
    CHECK_STR("KWD", str_of(read.amount.currency.code));
    CHECK_I64(OFFICE_START_MS, read.created_at_ms);
}

TEST(of_two_who_saw_the_same_state_one_moves_it)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    struct attempt first = till_attempt(&office, "a");
    struct attempt second = first;
    till_call(&office, &call);
    CHECK_OK(attempt_move(&call, &first, ATTEMPT_AUTHORISING));
    second.failure = STR("unavailable");
    CHECK_ERR(ERR_CONFLICT, attempt_move(&call, &second, ATTEMPT_ABORTING));
    CHECK_I64(ATTEMPT_CREATED, second.state);
    CHECK_I64(ATTEMPT_AUTHORISING, till_state(&office, first.id));
    CHECK_OK(attempt_find(&call, first.id, &second));
    CHECK_STR(NULL, second.failure);
}

struct hand {
    pthread_t thread;
    struct office *office;
    struct attempt attempt;
    _Atomic int *won;
    int taken[DUE_COUNT];
    int taken_count;
};

static void *move_it(void *arg)
{
    CLEANUP(call_done) struct call call = {0};
    struct hand *hand = arg;

    till_call(hand->office, &call);
    const err e = attempt_move(&call, &hand->attempt, ATTEMPT_AUTHORISING);
    if (e == ERR_OK)
        (*hand->won)++;
    else
        CHECK_ERR(ERR_CONFLICT, e);
    return NULL;
}

TEST(of_many_at_once_one_moves_it)
{
    CLEANUP(office_close) struct office office;
    struct hand hands[HANDS] = {0};
    _Atomic int won = 0;

    till_open(&office);
    const struct attempt attempt = till_attempt(&office, "a");
    for (size_t i = 0; i < HANDS; i++) {
        hands[i] = (struct hand){.office = &office, .attempt = attempt, .won = &won};
        CHECK(pthread_create(&hands[i].thread, NULL, move_it, &hands[i]) == 0);
    }
    for (size_t i = 0; i < HANDS; i++)
        CHECK(pthread_join(hands[i].thread, NULL) == 0);
    CHECK_I64(1, won);
}

TEST(a_key_belongs_to_one_attempt_of_an_account)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt found = {0};

    till_open(&office);
    const struct attempt attempt = till_attempt(&office, "a");
    struct attempt other = attempt;
    till_call(&office, &call);
    other.id.uuid = call_uuid(&call);
    CHECK_ERR(ERR_DUPLICATE, attempt_insert(&call, &other));
    CHECK_OK(attempt_find_key(&call, office_user(1), STR("a"), &found));
    CHECK(uuid_eq(found.id.uuid, attempt.id.uuid));
    CHECK_ERR(ERR_NOT_FOUND, attempt_find_key(&call, office_user(2), STR("a"), &found));
    other.user = office_user(2);
    CHECK_OK(attempt_insert(&call, &other));

    CHECK_OK(attempt_forget_key(&call, attempt.id));
    CHECK_ERR(ERR_NOT_FOUND, attempt_find_key(&call, office_user(1), STR("a"), &found));
    other.id.uuid = call_uuid(&call);
    other.user = office_user(1);
    CHECK_OK(attempt_insert(&call, &other));
}

TEST(the_first_answer_is_the_one_that_counts)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    struct attempt attempt = till_attempt(&office, "a");
    struct attempt twin = attempt;
    till_call(&office, &call);
    CHECK_OK(attempt_answered(&call, &attempt, 200));
    CHECK_OK(attempt_answered(&call, &twin, 402));
    CHECK_I64(200, attempt.answer_status);
    CHECK_I64(200, twin.answer_status);
    CHECK_OK(attempt_forget_key(&call, attempt.id)); /* too late: it has been answered */
    CHECK_OK(attempt_find_key(&call, office_user(1), STR("a"), &attempt));
}

TEST(only_what_booking_has_not_begun_can_be_removed)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    struct attempt attempt = till_attempt(&office, "a");
    till_call(&office, &call);
    CHECK_OK(attempt_move(&call, &attempt, ATTEMPT_AUTHORISING));
    CHECK_OK(attempt_remove(&call, attempt.id));
    CHECK_I64(ATTEMPT_AUTHORISING, till_state(&office, attempt.id));
    const struct attempt fresh = till_attempt(&office, "b");
    CHECK_OK(attempt_remove(&call, fresh.id));
    CHECK_ERR(ERR_NOT_FOUND, attempt_find(&call, fresh.id, &attempt));
}

/* --- Who is due --- */

TEST(what_is_due_is_leased_and_the_first_comes_first)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt taken = {0};
    int64_t next_ms = 0;

    till_open(&office);
    till_call(&office, &call);
    CHECK_ERR(ERR_NOT_FOUND, attempt_take_due(&call, &taken, &next_ms));
    CHECK_I64(CLOCK_NEVER_MS, next_ms);
    const struct attempt late = till_attempt(&office, "late");
    const struct attempt early = till_attempt(&office, "early");
    CHECK_ERR(ERR_NOT_FOUND, attempt_take_due(&call, &taken, &next_ms));
    CHECK_I64(OFFICE_START_MS + ATTEMPT_LEASE_MS, next_ms);
    CHECK_OK(attempt_look_again(&call, &late, OFFICE_START_MS + 2000));
    CHECK_OK(attempt_look_again(&call, &early, OFFICE_START_MS + 1000));

    call.now_ms = OFFICE_START_MS + 2000;
    CHECK_OK(attempt_take_due(&call, &taken, &next_ms));
    CHECK(uuid_eq(taken.id.uuid, early.id.uuid));
    CHECK_I64(1, taken.tries);
    CHECK_OK(attempt_take_due(&call, &taken, &next_ms));
    CHECK(uuid_eq(taken.id.uuid, late.id.uuid));
    CHECK_ERR(ERR_NOT_FOUND, attempt_take_due(&call, &taken, &next_ms));
    CHECK_I64(OFFICE_START_MS + 2000 + ATTEMPT_LEASE_MS, next_ms);

    CHECK_OK(attempt_all_due(&call));
    CHECK_OK(attempt_take_due(&call, &taken, &next_ms));
    CHECK_I64(2, taken.tries);
}

TEST(who_has_lost_his_lease_changes_no_schedule)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt taken = {0};
    int64_t next_ms = 0;

    till_open(&office);
    till_call(&office, &call);
    const struct attempt slow = till_attempt(&office, "a");
    call.now_ms += ATTEMPT_LEASE_MS;
    CHECK_OK(attempt_take_due(&call, &taken, &next_ms)); /* by another process */
    CHECK_OK(attempt_look_again(&call, &slow, call.now_ms));
    CHECK_I64(taken.lease_ms, till_i64(&office, "SELECT next_ms FROM payment_attempt"));
    CHECK_OK(attempt_look_again(&call, &taken, call.now_ms));
    CHECK_I64(call.now_ms, till_i64(&office, "SELECT next_ms FROM payment_attempt"));
}

TEST(what_waits_for_staff_and_what_is_over_is_never_due)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct attempt taken = {0};
    int64_t next_ms = 0;

    till_open(&office);
    till_call(&office, &call);
    for (int i = ATTEMPT_WAITING; i < ATTEMPT_STATES; i++) {
        const struct attempt attempt = till_attempt(&office, NULL);
        char sql[200];

        (void)snprintf(sql, sizeof(sql), "UPDATE payment_attempt SET state = %d WHERE id = %s", i,
                       till_sql_id(&office, attempt.id.uuid));
        office_exec(&office, "payment", sql);
    }
    CHECK_OK(attempt_all_due(&call));
    CHECK_ERR(ERR_NOT_FOUND, attempt_take_due(&call, &taken, &next_ms));
    CHECK_I64(CLOCK_NEVER_MS, next_ms);
}

static void *take_all(void *arg)
{
    CLEANUP(call_done) struct call call = {0};
    struct hand *hand = arg;
    struct attempt taken = {0};
    int64_t next_ms = 0;

    till_call(hand->office, &call);
    while (attempt_take_due(&call, &taken, &next_ms) == ERR_OK) {
        CHECK(hand->taken_count < DUE_COUNT);
        hand->taken[hand->taken_count++] = taken.tries;
    }
    return NULL;
}

TEST(of_many_who_look_each_due_one_has_one_taker)
{
    CLEANUP(office_close) struct office office;
    struct hand hands[HANDS] = {0};
    int total = 0;

    till_open(&office);
    for (int i = 0; i < DUE_COUNT; i++)
        (void)till_attempt(&office, NULL);
    clock_manual_advance(&office.clock, ATTEMPT_LEASE_MS);
    for (size_t i = 0; i < HANDS; i++) {
        hands[i].office = &office;
        CHECK(pthread_create(&hands[i].thread, NULL, take_all, &hands[i]) == 0);
    }
    for (size_t i = 0; i < HANDS; i++) {
        CHECK(pthread_join(hands[i].thread, NULL) == 0);
        total += hands[i].taken_count;
    }
    CHECK_I64(DUE_COUNT, total);
    CHECK_I64(DUE_COUNT, till_i64(&office, "SELECT sum(tries) FROM payment_attempt"));
}
