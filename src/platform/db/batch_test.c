/* platform/db/batch_test.c - many writes, one commit; how many, in which order, who else. */

#include "platform/db/batch.h"

#include <pthread.h>

#include "platform/db/testdata/works.h"

enum { THREADS = 128, WRITES_EACH = 10 };

/* --- One commit --- */

TEST(writes_are_applied_in_order_of_arrival_in_one_commit)
{
    enum { COUNT = 20 };
    CLEANUP(works_done) struct works works;
    struct note notes[COUNT];
    int order = 0;

    works_start(&works, true, NULL);
    for (int i = 0; i < COUNT; i++) {
        notes[i] = note_of(COUNT - i);
        notes[i].order = &order;
    }
    run_as_one(&works, notes, COUNT);
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(notes[i].write.result);
        CHECK_I64(1, notes[i].apply_count);
        CHECK_I64(i, notes[i].place);
    }
    CHECK_I64(2, works_metric(&works,
                              "boxoffice_db_batch_commits_total")); /* the blocker's, and theirs */
    CHECK_I64(0, works_metric(&works, "boxoffice_db_batch_restarts_total"));
    check_notes(COUNT, works.shop.db);
}

TEST(a_batch_is_at_most_so_large)
{
    enum { COUNT = 2 * BATCH_SIZE_MAX + 1 };
    CLEANUP(works_done) struct works works;
    static struct note notes[COUNT];

    works_start(&works, true, NULL);
    for (int i = 0; i < COUNT; i++)
        notes[i] = note_of(i);
    run_as_one(&works, notes, COUNT);
    CHECK_I64(4, works_metric(&works, "boxoffice_db_batch_commits_total"));
    check_notes(COUNT, works.shop.db);
}

/* One of many buyers, who waits for each of its writes. */
struct buyer {
    pthread_t thread;
    pthread_barrier_t *start; /* all begin at once */
    struct batch *batch;
    int64_t first_number;
    int failed_count;
};

static void *buyer_run(void *arg)
{
    struct buyer *buyer = arg;

    (void)pthread_barrier_wait(buyer->start);
    for (int i = 0; i < WRITES_EACH; i++) {
        struct note note = note_of(buyer->first_number + i);

        if (batch_run(buyer->batch, &note.write) != ERR_OK || note.apply_count != 1)
            buyer->failed_count++;
    }
    return NULL;
}

TEST(many_threads_fill_the_batches)
{
    CLEANUP(works_done) struct works works;
    struct buyer buyers[THREADS];
    pthread_barrier_t start;
    int64_t commits;

    works_start(&works, false, NULL);
    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) {
        buyers[i] = (struct buyer){.start = &start, .batch = works.batch};
        buyers[i].first_number = (int64_t)i * WRITES_EACH;
        CHECK(pthread_create(&buyers[i].thread, NULL, buyer_run, &buyers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(buyers[i].thread, NULL) == 0);
        CHECK_I64(0, buyers[i].failed_count);
    }
    commits = works_metric(&works, "boxoffice_db_batch_commits_total");
    check_notes((int64_t)THREADS * WRITES_EACH, works.shop.db);
    CHECK(commits > 0 && commits < THREADS * WRITES_EACH / 2); /* two and more each, on average */
    CHECK_I64(commits, metric_value(metrics_histogram(works.shop.metrics, "boxoffice_db_batch_size",
                                                      "batch=\"notes\"", "", METRICS_SIZES,
                                                      METRICS_SIZES_COUNT)));
}

/* Writes as everybody may, while batches run. */
TEST(who_writes_without_the_batch_gets_a_turn)
{
    enum { BUYERS = 8, OWN_WRITES = 20 };
    CLEANUP(works_done) struct works works;
    struct buyer buyers[BUYERS];
    pthread_barrier_t start;

    works_start(&works, false, NULL);
    CHECK(pthread_barrier_init(&start, NULL, BUYERS + 1) == 0);
    for (int i = 0; i < BUYERS; i++) {
        buyers[i] = (struct buyer){.start = &start, .batch = works.batch};
        buyers[i].first_number = (int64_t)i * WRITES_EACH;
        CHECK(pthread_create(&buyers[i].thread, NULL, buyer_run, &buyers[i]) == 0);
    }
    (void)pthread_barrier_wait(&start);
    for (int i = 0; i < OWN_WRITES; i++)
        CHECK_OK(note_put(works.shop.db, 5000 + i, STR("own")));
    for (int i = 0; i < BUYERS; i++) {
        CHECK(pthread_join(buyers[i].thread, NULL) == 0);
        CHECK_I64(0, buyers[i].failed_count);
    }
    check_notes(BUYERS * WRITES_EACH + OWN_WRITES, works.shop.db);
}

/* --- Overload and end --- */

TEST(so_many_may_wait_and_no_more)
{
    CLEANUP(works_done) struct works works;
    static struct note notes[BATCH_WAITING_MAX];
    struct note late = note_of(-1);
    struct blocker blocker;

    works_start(&works, true, NULL);
    blocker_submit(&blocker, works.batch);
    blocker_await(&blocker);
    for (int i = 0; i < BATCH_WAITING_MAX; i++) {
        notes[i] = note_of(i);
        CHECK_OK(batch_submit(works.batch, &notes[i].write));
    }
    CHECK_ERR(ERR_OVERLOADED, batch_submit(works.batch, &late.write));
    CHECK_ERR(ERR_OVERLOADED, batch_run(works.batch, &late.write));
    blocker_release(&blocker);
    works_finish(&works); /* finishes what waits */
    CHECK_I64(0, late.apply_count);
    CHECK_I64(0, late.done_count);
    check_notes(BATCH_WAITING_MAX, works.shop.db);
    CHECK_I64(BATCH_WAITING_MAX / BATCH_SIZE_MAX + 1,
              works_metric(&works, "boxoffice_db_batch_commits_total"));
}

/* A write whose completion submits another one. */
struct chain {
    struct batch_write write; /* first */
    struct works *works;
    struct note follower;
    err follower_result;
};

static err apply_chain([[maybe_unused]] struct batch_write *write, [[maybe_unused]] struct tx *tx)
{
    return ERR_OK;
}

static void chain_done(struct batch_write *write)
{
    struct chain *chain = (struct chain *)write;

    chain->follower_result = batch_submit(chain->works->batch, &chain->follower.write);
}

TEST(a_completion_may_submit_the_next_write)
{
    CLEANUP(works_done) struct works works;
    struct note last = note_of(2);
    struct chain chain = {
        .write = {.apply = apply_chain, .done = chain_done},
        .works = &works,
        .follower = note_of(1),
        .follower_result = ERR_INTERNAL
    };

    works_start(&works, true, NULL);
    CHECK_OK(batch_submit(works.batch, &chain.write));
    CHECK_OK(batch_run(works.batch, &last.write)); /* behind it, so that it has been completed */
    works_finish(&works);
    CHECK_OK(chain.follower_result);
    CHECK_I64(1, chain.follower.done_count);
    check_notes(2, works.shop.db);
}
