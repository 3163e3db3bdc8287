/* platform/db/batch_failure_test.c - refusals and failures within a batch, and its seal. */

#include <pthread.h>

#include "platform/db/testdata/works.h"

/* --- Refusals and failures --- */

TEST(a_refusal_is_its_own_and_disturbs_nobody)
{
    CLEANUP(works_done) struct works works;
    struct note notes[4];

    works_start(&works, true, NULL);
    for (int i = 0; i < 4; i++)
        notes[i] = note_of(i);
    notes[1].before = ERR_SOLD_OUT;
    notes[3].number = 2; /* is there already: the constraint refuses */
    run_as_one(&works, notes, 4);
    CHECK_OK(notes[0].write.result);
    CHECK_ERR(ERR_SOLD_OUT, notes[1].write.result);
    CHECK_OK(notes[2].write.result);
    CHECK_ERR(ERR_CONFLICT, notes[3].write.result);
    for (int i = 0; i < 4; i++)
        CHECK_I64(1, notes[i].apply_count);
    check_notes(2, works.shop.db);
}

TEST(a_savepoint_lets_a_write_refuse_after_writing)
{
    CLEANUP(works_done) struct works works;
    struct note notes[3];

    works_start(&works, true, NULL);
    for (int i = 0; i < 3; i++) {
        notes[i] = note_of(i);
        notes[i].write.savepoint = true;
    }
    notes[1].after = ERR_LIMIT_EXCEEDED;
    run_as_one(&works, notes, 3);
    CHECK_OK(notes[0].write.result);
    CHECK_ERR(ERR_LIMIT_EXCEEDED, notes[1].write.result);
    CHECK_OK(notes[2].write.result);
    CHECK_I64(2, works_metric(&works, "boxoffice_db_batch_commits_total"));
    check_notes(2, works.shop.db);
}

TEST(a_failure_has_each_write_run_again_by_itself)
{
    static const err failures[] = {ERR_INTERNAL, ERR_DUPLICATE, ERR_OVERLOADED};

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        CLEANUP(works_done) struct works works;
        struct note notes[4];

        works_start(&works, true, NULL);
        for (int j = 0; j < 4; j++)
            notes[j] = note_of(j);
        notes[1].before = ERR_SOLD_OUT;
        notes[2].after = failures[i];
        notes[2].write.savepoint = i == 1;
        run_as_one(&works, notes, 4);
        CHECK_OK(notes[0].write.result);
        CHECK_ERR(ERR_SOLD_OUT, notes[1].write.result);
        CHECK_ERR(failures[i], notes[2].write.result);
        CHECK_OK(notes[3].write.result);
        CHECK_I64(2, notes[0].apply_count);
        CHECK_I64(2, notes[2].apply_count);
        CHECK_I64(1, notes[3].apply_count); /* was not reached the first time */
        CHECK_I64(1, works_metric(&works, "boxoffice_db_batch_restarts_total"));
        check_notes(2, works.shop.db);
    }
}

TEST(a_lone_write_that_fails_runs_once)
{
    CLEANUP(works_done) struct works works;
    struct note note = note_of(1);

    works_start(&works, true, NULL);
    note.after = ERR_INTERNAL;
    CHECK_ERR(ERR_INTERNAL, batch_run(works.batch, &note.write));
    CHECK_I64(1, note.apply_count);
    check_notes(0, works.shop.db);
}

static int refuse_commit([[maybe_unused]] void *arg)
{
    return 1;
}

TEST_OF_SQLITE(a_commit_that_a_write_spoils_does_not_spoil_the_others)
{
    CLEANUP(works_done) struct works works;
    struct note notes[3];

    works_start(&works, true, NULL);
    for (int i = 0; i < 3; i++)
        notes[i] = note_of(i);
    /* As a constraint does that is checked at the end. */
    (void)sqlite3_commit_hook(shop_sqlite(&works.shop)->writer->handle, refuse_commit, NULL);
    run_as_one(&works, notes, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_ERR(ERR_INTERNAL, notes[i].write.result);
        CHECK_I64(2, notes[i].apply_count);
    }
    (void)sqlite3_commit_hook(shop_sqlite(&works.shop)->writer->handle, NULL, NULL);
    check_notes(0, works.shop.db);
    CHECK_OK(note_put(works.shop.db, 1, STR("x")));
}

TEST_OF_SQLITE(a_database_that_cannot_begin_refuses_all_at_once)
{
    enum { COUNT = 20, SHORT_MS = 100 };
    CLEANUP(works_done) struct works works;
    struct note notes[COUNT];
    struct tx tx = {0};

    works_start(&works, true, NULL);
    works.shop.db->writer_wait_ms = SHORT_MS;
    CHECK_OK(tx_begin(&tx, works.shop.db));
    for (int i = 0; i < COUNT; i++) {
        notes[i] = note_of(i);
        CHECK_OK(batch_submit(works.batch, &notes[i].write));
    }
    works_finish(&works);
    tx_rollback(&tx);
    for (int i = 0; i < COUNT; i++) {
        CHECK_ERR(ERR_UNAVAILABLE, notes[i].write.result);
        CHECK_I64(0, notes[i].apply_count);
        CHECK_I64(1, notes[i].done_count);
    }
}

/* Keeps the batch's thread busy until somebody else stands behind it for the writer, then fails. */
static err apply_until_wanted([[maybe_unused]] struct batch_write *write, struct tx *tx)
{
    struct gate *gate = &((struct sqlite_db *)tx->db)->writer_gate;
    bool wanted = false;

    while (!wanted) {
        (void)pthread_mutex_lock(&gate->mutex);
        wanted = gate->first != NULL;
        (void)pthread_mutex_unlock(&gate->mutex);
    }
    return ERR_INTERNAL;
}

TEST_OF_SQLITE(a_database_that_is_lost_between_two_tries_is_waited_for_once)
{
    enum { COUNT = 20, SHORT_MS = 200 };
    CLEANUP(works_done) struct works works;
    struct note notes[COUNT];
    struct blocker first;
    struct blocker second; /* says that the batch of the notes has begun */
    struct tx tx = {0};
    const struct metric *waits;
    int64_t wait_count;

    works_start(&works, true, NULL);
    works.shop.db->writer_wait_ms = SHORT_MS;
    waits = works.shop.db->metrics.writer_wait_seconds;
    blocker_submit(&first, works.batch);
    blocker_await(&first);
    blocker_submit(&second, works.batch);
    for (int i = 0; i < COUNT; i++) {
        notes[i] = note_of(i);
        CHECK_OK(batch_submit(works.batch, &notes[i].write));
    }
    notes[COUNT - 1].write.apply = apply_until_wanted;
    blocker_release(&first);
    blocker_release(&second);
    blocker_await(&second);
    CHECK_OK(tx_begin(&tx, works.shop.db)); /* as soon as they are rolled back */
    wait_count = metric_value(waits);
    works_finish(&works);
    CHECK_I64(wait_count + 1, metric_value(waits)); /* not one for each */
    tx_rollback(&tx);
    for (int i = 0; i < COUNT; i++) {
        CHECK_ERR(ERR_UNAVAILABLE, notes[i].write.result);
        CHECK_I64(i < COUNT - 1 ? 1 : 0, notes[i].apply_count);
        CHECK_I64(1, notes[i].done_count);
    }
    check_notes(0, works.shop.db);
}

static void refuse_after_writing(void)
{
    struct works works;
    struct note note = note_of(1);

    works_start(&works, true, NULL);
    note.after = ERR_SOLD_OUT;
    CHECK_ERR(ERR_SOLD_OUT, batch_run(works.batch, &note.write));
}

TEST(a_refusal_after_writing_without_a_savepoint_is_a_bug)
{
    CHECK(dies_of_assertion(refuse_after_writing));
}

/* --- Seals --- */

TEST(a_seal_is_the_last_of_every_transaction)
{
    CLEANUP(works_done) struct works works;
    struct note notes[5];

    works_start(&works, true, works_seal);
    for (int i = 0; i < 5; i++)
        notes[i] = note_of(i);
    run_as_one(&works, notes, 5);
    CHECK_I64(2, works.seal_count); /* the blocker's too */
    check_notes(5 + 2, works.shop.db);
}

TEST(a_failure_seals_each_write_by_itself)
{
    CLEANUP(works_done) struct works works;
    struct note notes[3];

    works_start(&works, true, works_seal);
    for (int i = 0; i < 3; i++)
        notes[i] = note_of(i);
    notes[2].before = ERR_INTERNAL;
    run_as_one(&works, notes, 3);
    CHECK_I64(1 + 2, works.seal_count);
    check_notes(2 + 1 + 2, works.shop.db);
}

TEST(a_seal_that_fails_takes_its_transaction_with_it)
{
    CLEANUP(works_done) struct works works;
    struct note note = note_of(1);

    works_start(&works, true, works_seal);
    works.seal_result = ERR_UNAVAILABLE;
    CHECK_ERR(ERR_UNAVAILABLE, batch_run(works.batch, &note.write));
    works.seal_result = ERR_NOT_FOUND; /* is no answer to a write */
    CHECK_ERR(ERR_INTERNAL, batch_run(works.batch, &note.write));
    check_notes(0, works.shop.db);
    works.seal_result = ERR_OK;
    CHECK_OK(batch_run(works.batch, &note.write));
    check_notes(2, works.shop.db);
}
