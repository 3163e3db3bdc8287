/* platform/cache/bucket_test.c - buckets empty, fill, do not mind the clock, and settle with each other. */
#include "platform/cache/bucket.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/test.h"

static const struct bucket_limit ten = {.per_s = 10, .burst = 3};
static const struct bucket_limit wide = {.per_s = 10, .burst = 160}; /* a slice is 10 */

static void count_wake(void *arg)
{
    _Atomic int *wakes = arg;

    (*wakes)++;
}

struct table {
    struct buckets *buckets;
    _Atomic int wakes;
};

static void open_table(struct table *table, bool shared)
{
    table->wakes = 0;
    table->buckets = buckets_open(count_wake, &table->wakes);
    buckets_share(table->buckets, shared);
}

static void close_table(struct table *table)
{
    buckets_close(table->buckets);
}

static err take(struct table *table, uint64_t key, const struct bucket_limit *limit, int64_t now_ms)
{
    int wait_s = 0;

    return buckets_take(table->buckets, key, limit, now_ms, false, &wait_s);
}

static int take_all(struct table *table, uint64_t key, const struct bucket_limit *limit,
                    int64_t now_ms)
{
    int taken = 0;

    while (take(table, key, limit, now_ms) == ERR_OK)
        taken++;
    return taken;
}

/* --- Alone --- */

TEST(a_full_bucket_gives_its_burst_and_then_waits)
{
    CLEANUP(close_table) struct table table;
    int wait_s = 0;

    open_table(&table, false);
    for (int i = 0; i < 3; i++)
        CHECK_OK(take(&table, 42, &ten, 1000));
    CHECK_ERR(ERR_RATE_LIMITED, buckets_take(table.buckets, 42, &ten, 1000, false, &wait_s));
    CHECK_I64(1, wait_s);
    CHECK_ERR(ERR_RATE_LIMITED, take(&table, 42, &ten, 1099));
    CHECK_OK(take(&table, 42, &ten, 1100));
    CHECK_ERR(ERR_RATE_LIMITED, take(&table, 42, &ten, 1100));
    CHECK_I64(0, table.wakes);
}

TEST(a_wait_is_told_in_whole_seconds_rounded_up)
{
    static const struct bucket_limit slow = {.per_s = 1, .burst = 1};
    CLEANUP(close_table) struct table table;
    int wait_s = 0;

    open_table(&table, false);
    CHECK_OK(take(&table, 1, &slow, 0));
    CHECK_ERR(ERR_RATE_LIMITED, buckets_take(table.buckets, 1, &slow, 0, false, &wait_s));
    CHECK_I64(1, wait_s);
    CHECK_ERR(ERR_RATE_LIMITED, buckets_take(table.buckets, 1, &slow, 999, false, &wait_s));
    CHECK_I64(1, wait_s);
    CHECK_OK(take(&table, 1, &slow, 1000));
}

TEST(what_flows_in_is_bounded_by_the_burst)
{
    CLEANUP(close_table) struct table table;

    open_table(&table, false);
    CHECK_OK(take(&table, 7, &ten, 0));
    CHECK_I64(3, take_all(&table, 7, &ten, INT64_C(1) << 60));
}

TEST(a_clock_that_stands_back_neither_fills_nor_empties)
{
    CLEANUP(close_table) struct table table;

    open_table(&table, false);
    CHECK_OK(take(&table, 9, &ten, 5000));
    CHECK_I64(2, take_all(&table, 9, &ten, 4000));
    CHECK_I64(0, take_all(&table, 9, &ten, 5000)); /* nothing between 4000 and 5000 counts twice */
    CHECK_I64(1, take_all(&table, 9, &ten, 5100));
}

TEST(a_clock_that_was_set_back_counts_from_there)
{
    CLEANUP(close_table) struct table table;

    open_table(&table, false);
    CHECK_I64(3, take_all(&table, 9, &ten, 1000000));
    CHECK_I64(0, take_all(&table, 9, &ten, 1000));
    CHECK_I64(1, take_all(&table, 9, &ten, 1100));
}

TEST(keys_do_not_share_a_bucket_and_a_newcomer_in_a_slot_finds_it_full)
{
    CLEANUP(close_table) struct table table;

    open_table(&table, false);
    CHECK_I64(3, take_all(&table, 2, &ten, 0));
    CHECK_I64(3, take_all(&table, 3, &ten, 0)); /* differs in its lowest bit only */
    CHECK_I64(0, take_all(&table, 2, &ten, 0));
    CHECK_I64(3, take_all(&table, 2 + BUCKET_SLOTS, &ten, 0));
    CHECK_I64(3, take_all(&table, 2, &ten, 0));
}

/* --- Shared --- */

TEST(a_slice_may_be_taken_unanswered_and_no_more)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debts[4];
    int64_t level = 0;

    open_table(&table, true);
    CHECK_I64(10, take_all(&table, 5, &wide, 1000));
    CHECK_ERR(ERR_WOULD_BLOCK, take(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, debts, 4));
    CHECK_I64(5, (int64_t)debts[0].key);
    CHECK_I64(10, debts[0].taken);
    CHECK_I64(1000, debts[0].at_ms);
    CHECK_ERR(ERR_WOULD_BLOCK, take(&table, 5, &wide, 1000)); /* on its way is not answered */
    level = 150 * BUCKET_MILLI;
    buckets_settle(table.buckets, &debts[0], &level);
    CHECK_I64(10, take_all(&table, 5, &wide, 1000));
}

TEST(an_answer_lowers_the_level_and_never_raises_it)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;
    int64_t level = 2 * BUCKET_MILLI;

    open_table(&table, true);
    CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    CHECK_OK(take(&table, 5, &wide, 1000)); /* not in the answer yet */
    buckets_settle(table.buckets, &debt, &level);
    CHECK_I64(1, take_all(&table, 5, &wide, 1000));
    CHECK_ERR(ERR_RATE_LIMITED, take(&table, 5, &wide, 1000));

    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    CHECK_I64(2, debt.taken);
    level = 100 * BUCKET_MILLI;
    buckets_settle(table.buckets, &debt, &level);
    CHECK_ERR(ERR_RATE_LIMITED, take(&table, 5, &wide, 1000));
}

TEST(what_flowed_in_since_the_question_counts)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;
    int64_t level = 0;

    open_table(&table, true);
    CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    CHECK_OK(take(&table, 5, &wide, 1300)); /* 3 have come, 1 is taken */
    buckets_settle(table.buckets, &debt, &level);
    CHECK_I64(2, take_all(&table, 5, &wide, 1300));
}

TEST(a_debt_of_others_makes_one_wait_longer)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;
    int64_t level = -20 * BUCKET_MILLI;
    int wait_s = 0;

    open_table(&table, true);
    CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    buckets_settle(table.buckets, &debt, &level);
    CHECK_ERR(ERR_RATE_LIMITED, buckets_take(table.buckets, 5, &wide, 1000, true, &wait_s));
    CHECK_I64(3, wait_s); /* 21 tokens at 10 a second */
    CHECK_ERR(ERR_RATE_LIMITED, take(&table, 5, &wide, 3099));
    CHECK_OK(take(&table, 5, &wide, 3100));
}

TEST(a_debt_that_nobody_answers_for_is_void)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;

    open_table(&table, true);
    CHECK_I64(10, take_all(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    buckets_settle(table.buckets, &debt, NULL);
    CHECK_I64(10, take_all(&table, 5, &wide, 1000));
}

TEST(what_has_flowed_in_again_is_not_owed)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;

    open_table(&table, true);
    CHECK_I64(10, take_all(&table, 5, &wide, 1000));
    CHECK_ERR(ERR_WOULD_BLOCK, take(&table, 5, &wide, 1600)); /* fills 6 of them */
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    CHECK_I64(4, debt.taken);
}

TEST(the_first_debt_wakes_and_so_does_half_a_slice)
{
    CLEANUP(close_table) struct table table;
    bool urgent = true;

    open_table(&table, true);
    CHECK(!buckets_owe(table.buckets, &urgent) && !urgent);
    CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(1, table.wakes);
    CHECK_OK(take(&table, 6, &wide, 1000));
    CHECK_I64(1, table.wakes);
    CHECK(buckets_owe(table.buckets, &urgent) && !urgent);
    for (int i = 0; i < 4; i++)
        CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(2, table.wakes);
    CHECK(buckets_owe(table.buckets, &urgent) && urgent);
}

TEST(an_answer_for_a_slot_that_is_anothers_now_concerns_nobody)
{
    CLEANUP(close_table) struct table table;
    struct bucket_debt debt;
    const int64_t level = 0;

    open_table(&table, true);
    CHECK_OK(take(&table, 5, &wide, 1000));
    CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
    CHECK_OK(take(&table, 5 + BUCKET_SLOTS, &wide, 1000));
    buckets_settle(table.buckets, &debt, &level);
    CHECK_I64(9, take_all(&table, 5 + BUCKET_SLOTS, &wide, 1000));
}

struct waiter {
    pthread_t thread;
    struct table *table;
    err e;
    _Atomic bool is_done;
};

static void *take_blocking(void *arg)
{
    struct waiter *waiter = arg;
    int wait_s = 0;

    waiter->e = buckets_take(waiter->table->buckets, 5, &wide, 1000, true, &wait_s);
    waiter->is_done = true;
    return NULL;
}

TEST(who_may_block_waits_for_the_answer_or_for_the_end_of_sharing)
{
    for (int round = 0; round < 2; round++) {
        CLEANUP(close_table) struct table table;
        struct waiter waiter = {.table = &table};
        struct bucket_debt debt;
        const int64_t level = 100 * BUCKET_MILLI;

        open_table(&table, true);
        CHECK_I64(10, take_all(&table, 5, &wide, 1000));
        CHECK_I64(1, buckets_collect(table.buckets, &debt, 1));
        CHECK(pthread_create(&waiter.thread, NULL, take_blocking, &waiter) == 0);
        CHECK(!waiter.is_done);
        if (round == 0)
            buckets_settle(table.buckets, &debt, &level);
        else
            buckets_share(table.buckets, false);
        CHECK(pthread_join(waiter.thread, NULL) == 0);
        CHECK_OK(waiter.e);
    }
}
