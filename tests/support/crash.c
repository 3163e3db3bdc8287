/* support/crash.c - counts commits, and lets nothing through once the armed one has come. */

#include "support/crash.h"

#include <stdatomic.h>

#include "platform/db/db.h"

/* The linker binds these to the real functions, and the real names to ours; it chose their
 * names. */
/* NOLINTBEGIN(readability-identifier-naming) */
err __real_tx_begin(struct tx *tx, struct db *db);
err __real_tx_read(struct tx *tx, struct db *db);
err __real_tx_commit(struct tx *tx);
err __wrap_tx_begin(struct tx *tx, struct db *db);
err __wrap_tx_read(struct tx *tx, struct db *db);
err __wrap_tx_commit(struct tx *tx);
/* NOLINTEND(readability-identifier-naming) */

static _Atomic int left; /* commits until the armed one; 0: none is armed */
static _Atomic int at;   /* enum crash_point */
static _Atomic bool dead;

void crash_arm(int commit, enum crash_point point)
{
    dead = false;
    at = (int)point;
    left = commit;
}

bool crash_has_happened(void)
{
    return dead;
}

void crash_recover(void)
{
    left = 0;
    dead = false;
}

static bool is_the_one(void)
{
    int before = left;

    while (before > 0 && !atomic_compare_exchange_weak(&left, &before, before - 1))
        ;
    return before == 1;
}

err __wrap_tx_begin(struct tx *tx, struct db *db)
{
    return dead ? ERR_CRASHED : __real_tx_begin(tx, db);
}

err __wrap_tx_read(struct tx *tx, struct db *db)
{
    return dead ? ERR_CRASHED : __real_tx_read(tx, db);
}

err __wrap_tx_commit(struct tx *tx)
{
    if (dead)
        return ERR_CRASHED;
    if (!is_the_one())
        return __real_tx_commit(tx);
    if (at == CRASH_AFTER)
        (void)!__real_tx_commit(tx);
    dead = true;
    return ERR_CRASHED;
}
