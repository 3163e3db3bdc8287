/* base/rng.c - random bytes from the kernel, in blocks per thread, or from a seed.
 *
 * A system call for each id would be most of its cost, so a thread takes 256 bytes at a time.
 * What was given out is wiped from the block, and a child of fork throws its copy of the block
 * away, so no byte is ever given out twice. */

#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BLOCK_SIZE = 256 }; /* getrandom gives up to this much in one piece */

/* --- The kernel's --- */

struct block {
    uint8_t bytes[BLOCK_SIZE];
    size_t left; /* the last so many bytes are fresh */
};

static _Thread_local struct block block;

static void ask_kernel(uint8_t *ret_bytes, size_t size)
{
    while (size > 0) {
        const ssize_t got = getrandom(ret_bytes, size, 0);

        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        ret_bytes += got;
        size -= (size_t)got;
    }
}

static void system_fill([[maybe_unused]] struct rng *rng, void *ret_bytes, size_t size)
{
    if (size > BLOCK_SIZE / 2) {
        ask_kernel(ret_bytes, size);
        return;
    }
    if (size > block.left) {
        ask_kernel(block.bytes, sizeof(block.bytes));
        block.left = sizeof(block.bytes);
    }
    uint8_t *fresh = block.bytes + sizeof(block.bytes) - block.left;
    memcpy(ret_bytes, fresh, size);
    explicit_bzero(fresh, size);
    block.left -= size;
}

/* Runs in the one thread that the child has: its block is the only one left. */
static void forget_block(void)
{
    explicit_bzero(&block, sizeof(block));
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forget_block) != 0)
        abort();
}

struct rng *rng_system(void)
{
    static struct rng system = {.fill = system_fill};
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    const int failed = pthread_once(&once, watch_forks);
    assert(failed == 0);
    return &system;
}

/* --- From a seed: xoshiro256** 1.0 (Blackman and Vigna, 2018), its state from splitmix64 --- */

static uint64_t rotate_left(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

static uint64_t next_of(uint64_t state[4])
{
    const uint64_t ret = rotate_left(state[1] * 5, 7) * 9;
    const uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return ret;
}

static void seeded_fill(struct rng *rng, void *ret_bytes, size_t size)
{
    struct rng_seeded *seeded = (struct rng_seeded *)rng;
    uint8_t *to = ret_bytes;

    /* Held for nanoseconds, and only tests share one among threads. */
    while (atomic_exchange_explicit(&seeded->lock, 1, memory_order_acquire) != 0)
        ;
    while (size > 0) {
        const uint64_t word = next_of(seeded->state);
        const size_t part = size < sizeof(word) ? size : sizeof(word);

        memcpy(to, &word, part);
        to += part;
        size -= part;
    }
    atomic_store_explicit(&seeded->lock, 0, memory_order_release);
}

void rng_seeded_init(struct rng_seeded *seeded, uint64_t seed)
{
    *seeded = (struct rng_seeded){.rng = {.fill = seeded_fill}};
    for (size_t i = 0; i < sizeof(seeded->state) / sizeof(seeded->state[0]); i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        seeded->state[i] = z ^ (z >> 31);
    }
}

/* --- Whichever it is --- */

void rng_fill(struct rng *rng, void *ret_bytes, size_t size)
{
    rng->fill(rng, ret_bytes, size);
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t ret;

    rng_fill(rng, &ret, sizeof(ret));
    return ret;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 mod bound values at the bottom would come up once too often. */
    const uint64_t excess = -bound % bound;
    uint64_t n;

    do
        n = rng_u64(rng);
    while (n < excess);
    return n % bound;
}
