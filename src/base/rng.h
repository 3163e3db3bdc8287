/* base/rng.h - the only source of randomness: the kernel's, or a seeded stream for tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(struct rng *rng, void *ret_bytes, size_t size); /* thread-safe */
    _Atomic uint64_t newest_tick; /* time and counter of the newest id: see uuid_new */
};

/* getrandom(2), in blocks per thread; aborts if the kernel has none. One for the whole process. */
struct rng *rng_system(void);

/* xoshiro256** from a seed: the same seed gives the same stream. Not for secrets. */
struct rng_seeded {
    struct rng rng;
    uint64_t state[4];
    _Atomic int lock;
};
void rng_seeded_init(struct rng_seeded *seeded, uint64_t seed);

void rng_fill(struct rng *rng, void *ret_bytes, size_t size);
uint64_t rng_u64(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound); /* uniform in [0, bound), bound > 0 */
