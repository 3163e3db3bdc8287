/* booking/seen.c - a Bloom filter over (user, Idempotency-Key), so that refusals need no
 * database.
 *
 * Who is refused (sold out, limits, off sale) must still get his first answer if this key has
 * one already. To know that no order has the key, no order needs to be read: keys are added
 * before they are queued, and those of the database when the service opens. A false "maybe"
 * costs a visit to the batch, nothing else; so a filter that fills up gets slow, never wrong.
 * Only for a process that is alone with its database: nobody else places holds there. */

#include "services/booking/seen.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "services/booking/hold.sql.h"

enum {
    GENERATIONS = 2, /* the current one takes keys; the other remembers them until the next turn */
    WORDS = 1 << 18, /* 2 MiB: 1.2 % false answers at 1.7 million keys in 25 hours */
    BITS = WORDS * 64,
    PROBES = 5,
    PAGE_ROWS = 1000,
};

struct seen {
    _Atomic uint64_t words[GENERATIONS][WORDS];
    _Atomic int64_t turns_at_ms;
    _Atomic int current;
};

struct probes {
    uint64_t at;
    uint64_t step;
};

/* Double hashing (Kirsch, Mitzenmacher 2006): PROBES positions from two hashes. */
static struct probes probes_of(struct uuid user, str key)
{
    const uint64_t one = str_hash(key) ^ (uuid_hash(user) * UINT64_C(0x9E3779B97F4A7C15));
    const uint64_t two = (one ^ (one >> 29)) * UINT64_C(0xBF58476D1CE4E5B9);

    return (struct probes){.at = one, .step = (two ^ (two >> 32)) | 1};
}

static bool holds(const _Atomic uint64_t *words, struct probes probes)
{
    for (int i = 0; i < PROBES; i++) {
        const uint64_t bit = (probes.at + (uint64_t)i * probes.step) % BITS;

        if ((words[bit / 64] & (UINT64_C(1) << bit % 64)) == 0)
            return false;
    }
    return true;
}

struct seen *seen_new(int64_t now_ms)
{
    struct seen *seen = mem_new(struct seen);

    seen->turns_at_ms = now_ms + SEEN_S * INT64_C(1000);
    return seen;
}

void seen_free(struct seen *seen)
{
    mem_free(seen);
}

/* Empties the older generation and makes it the current one. Whoever adds meanwhile adds to the
 * other. */
static void turn(struct seen *seen, int64_t now_ms)
{
    int64_t due_ms = seen->turns_at_ms;
    const int older = 1 - seen->current;

    if (now_ms < due_ms || !atomic_compare_exchange_strong(&seen->turns_at_ms, &due_ms,
                                                           now_ms + SEEN_S * INT64_C(1000)))
        return;
    for (size_t i = 0; i < WORDS; i++)
        atomic_store_explicit(&seen->words[older][i], 0, memory_order_relaxed);
    seen->current = older;
}

void seen_add(struct seen *seen, struct uuid user, str key, int64_t now_ms)
{
    const struct probes probes = probes_of(user, key);

    if (now_ms >= seen->turns_at_ms)
        turn(seen, now_ms);
    const int current = seen->current; /* once: all bits of a key are in one generation */
    for (int i = 0; i < PROBES; i++) {
        const uint64_t bit = (probes.at + (uint64_t)i * probes.step) % BITS;

        atomic_fetch_or(&seen->words[current][bit / 64], UINT64_C(1) << bit % 64);
    }
}

bool seen_maybe(const struct seen *seen, struct uuid user, str key)
{
    const struct probes probes = probes_of(user, key);

    return holds(seen->words[0], probes) || holds(seen->words[1], probes);
}

/* The least id that could have been given out at `ms` (RFC 9562 5.7: the time comes first). */
static struct uuid least_id(int64_t ms)
{
    const uint64_t since = ms > 0 ? (uint64_t)ms : 0;
    struct uuid id = {0};

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(since >> (40 - 8 * i));
    return id;
}

/* One page of keys; *after becomes the last one's order, *ret_more whether there may be others. */
static err load_page(struct call *call, struct seen *seen, struct arena *arena, struct uuid *after,
                     bool *ret_more)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t count = 0;

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_HOLD_KEYS, ARGS(UUID(*after), I64(PAGE_ROWS)), arena));
    for (; rows_next(&rows); count++) {
        *after = row_uuid(&rows, 0);
        seen_add(seen, row_uuid(&rows, 1), row_text(&rows, 2), call->now_ms);
    }
    *ret_more = count == PAGE_ROWS;
    return rows_close(&rows);
}

err seen_load(struct call *call, struct seen *seen)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct uuid after = least_id(call->now_ms - SEEN_S * INT64_C(1000));
    bool more = true;

    while (more) {
        TRY(load_page(call, seen, arena, &after, &more));
        arena_reset(arena);
    }
    return ERR_OK;
}
