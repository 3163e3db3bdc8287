/* platform/db/batch_many_test.c - writes that are applied many at a time. */

#include "platform/db/testdata/works.h"

enum { COUNT = 7 };

/* What the batch's batch_many was given, and what it does. */
struct seen {
    struct works works; /* first: the batch's owner */
    int calls;
    size_t counts[8];
    int64_t numbers[32]; /* in the order in which they came */
    size_t number_count;
    err fails;      /* with this, having written */
    int fails_left; /* so many times */
    err refuses;    /* the write of number 3 */
};

static err apply_many(void *owner, struct batch_write *const *writes, size_t count, struct tx *tx)
{
    struct seen *seen = owner;

    seen->counts[seen->calls++] = count;
    for (size_t i = 0; i < count; i++) {
        const struct note *note = (const struct note *)writes[i];

        seen->numbers[seen->number_count++] = note->number;
        writes[i]->result = note->number == 3 ? seen->refuses : ERR_OK;
        if (writes[i]->result == ERR_OK)
            TRY(db_exec(tx, &SQL_NOTE_PUT, ARGS(I64(note->number), TEXT(STR("many")))));
    }
    if (seen->fails_left > 0) {
        seen->fails_left--;
        return seen->fails;
    }
    return ERR_OK;
}

static void start(struct seen *seen, struct note *notes)
{
    *seen = (struct seen){0};
    works_start(&seen->works, true, NULL);
    batch_set_many(seen->works.batch, apply_many);
    for (int i = 0; i < COUNT; i++) {
        notes[i] = note_of(i);
        notes[i].write.many = i != 2; /* 0 1 | 2 | 3 4 5 6 */
    }
}

static void done(struct seen *seen)
{
    works_done(&seen->works);
}

static int64_t restarts_of(struct seen *seen)
{
    return works_metric(&seen->works, "boxoffice_db_batch_restarts_total");
}

TEST(neighbours_are_applied_together_and_others_between_them)
{
    CLEANUP(done) struct seen seen;
    struct note notes[COUNT];

    start(&seen, notes);
    seen.refuses = ERR_SOLD_OUT;
    run_as_one(&seen.works, notes, COUNT);
    CHECK_I64(2, seen.calls);
    CHECK_I64(2, seen.counts[0]);
    CHECK_I64(4, seen.counts[1]);
    for (int i = 0; i < COUNT; i++) {
        CHECK_ERR(i == 3 ? ERR_SOLD_OUT : ERR_OK, notes[i].write.result);
        CHECK_I64(i == 2 ? 1 : 0, notes[i].apply_count);
    }
    CHECK_I64(0, restarts_of(&seen));
    check_notes(COUNT - 1, seen.works.shop.db);
}

TEST(a_lone_one_goes_the_same_way)
{
    CLEANUP(done) struct seen seen;
    struct note notes[COUNT];

    start(&seen, notes);
    CHECK_OK(batch_run(seen.works.batch, &notes[0].write));
    CHECK_OK(batch_run(seen.works.batch, &notes[2].write));
    CHECK_I64(1, seen.calls);
    CHECK_I64(1, notes[2].apply_count);
    check_notes(2, seen.works.shop.db);
}

TEST(what_fails_together_runs_again_one_by_one)
{
    static const err failures[] = {ERR_DUPLICATE, ERR_INTERNAL};

    for (size_t f = 0; f < 2; f++) {
        CLEANUP(done) struct seen seen;
        struct note notes[COUNT];

        start(&seen, notes);
        seen.fails = failures[f];
        seen.fails_left = 1;
        notes[4].before = ERR_SOLD_OUT;
        run_as_one(&seen.works, notes, COUNT);
        CHECK_I64(1, seen.calls); /* and not again */
        for (int i = 0; i < COUNT; i++) {
            CHECK_ERR(i == 4 ? ERR_SOLD_OUT : ERR_OK, notes[i].write.result);
            CHECK_I64(1, notes[i].apply_count);
        }
        CHECK_I64(1, restarts_of(&seen));
        check_notes(COUNT - 1, seen.works.shop.db);
    }
}

TEST(a_deadlock_has_the_batch_run_again_as_it_was)
{
    CLEANUP(done) struct seen seen;
    struct note notes[COUNT];

    start(&seen, notes);
    seen.fails = ERR_CONTENDED;
    seen.fails_left = 2;
    run_as_one(&seen.works, notes, COUNT);
    CHECK_I64(4, seen.calls);
    CHECK_I64(2, restarts_of(&seen));
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(notes[i].write.result);
    check_notes(COUNT, seen.works.shop.db);
}

static err contended(struct batch_write *write, [[maybe_unused]] struct tx *tx)
{
    ((struct note *)write)->apply_count++;
    return ERR_CONTENDED;
}

TEST(deadlocks_without_end_are_an_overload)
{
    CLEANUP(done) struct seen seen;
    struct note notes[COUNT];

    start(&seen, notes);
    notes[2].write.apply = contended;
    CHECK_ERR(ERR_OVERLOADED, batch_run(seen.works.batch, &notes[2].write));
    CHECK(notes[2].apply_count > 2 && notes[2].apply_count < 20);
    CHECK_OK(batch_run(seen.works.batch, &notes[0].write));
}
