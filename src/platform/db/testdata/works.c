/* platform/db/testdata/works.c - a shop with a batch, and writes that do as they are told. */

#include "platform/db/testdata/works.h"

enum { SEAL_NUMBER = 1000000 };

/* --- The works --- */

err works_seal(void *owner, struct tx *tx)
{
    struct works *works = owner;

    works->seal_count++;
    TRY(db_exec(tx, &SQL_NOTE_PUT, ARGS(I64(SEAL_NUMBER + works->seal_count), TEXT(STR("seal")))));
    return works->seal_result;
}

void works_start(struct works *works, bool in_memory, batch_seal seal)
{
    *works = (struct works){0};
    shop_start(&works->shop, in_memory);
    CHECK_OK(batch_open(works->shop.db, "notes", seal, works, works->shop.metrics, &works->batch));
}

void works_finish(struct works *works)
{
    batch_close(works->batch);
    works->batch = NULL;
}

void works_done(struct works *works)
{
    works_finish(works);
    shop_done(&works->shop);
}

int64_t works_metric(struct works *works, const char *name)
{
    return metric_value(metrics_counter(works->shop.metrics, name, "batch=\"notes\"", ""));
}

/* --- Notes --- */

static err apply_note(struct batch_write *write, struct tx *tx)
{
    struct note *note = (struct note *)write;

    note->apply_count++;
    if (note->order != NULL)
        note->place = (*note->order)++;
    TRY(note->before);
    TRY(db_exec(tx, &SQL_NOTE_INSERT, ARGS(I64(note->number), NIL, TEXT(STR("batch")))));
    return note->after;
}

static void note_done(struct batch_write *write)
{
    ((struct note *)write)->done_count++;
}

struct note note_of(int64_t number)
{
    struct note note = {.number = number};

    note.write.apply = apply_note;
    note.write.done = note_done;
    return note;
}

void run_as_one(struct works *works, struct note *notes, size_t count)
{
    struct blocker blocker;

    blocker_submit(&blocker, works->batch);
    blocker_await(&blocker);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(batch_submit(works->batch, &notes[i].write));
    blocker_release(&blocker);
    works_finish(works);
    for (size_t i = 0; i < count; i++)
        CHECK_I64(1, notes[i].done_count);
}

/* --- Blockers --- */

static err apply_blocker(struct batch_write *write, [[maybe_unused]] struct tx *tx)
{
    struct blocker *blocker = (struct blocker *)write;

    (void)sem_post(&blocker->entered);
    (void)sem_wait(&blocker->leave);
    return ERR_OK;
}

static void blocker_done([[maybe_unused]] struct batch_write *write)
{
}

void blocker_submit(struct blocker *blocker, struct batch *batch)
{
    *blocker = (struct blocker){0};
    blocker->write.apply = apply_blocker;
    blocker->write.done = blocker_done;
    CHECK(sem_init(&blocker->entered, 0, 0) == 0);
    CHECK(sem_init(&blocker->leave, 0, 0) == 0);
    CHECK_OK(batch_submit(batch, &blocker->write));
}

void blocker_await(struct blocker *blocker)
{
    CHECK(sem_wait(&blocker->entered) == 0);
}

void blocker_release(struct blocker *blocker)
{
    CHECK(sem_post(&blocker->leave) == 0);
}
