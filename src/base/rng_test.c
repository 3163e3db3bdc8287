/* base/rng_test.c */
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"

/* The reference implementation's first numbers from the state 1, 2, 3, 4. */
TEST(a_seeded_stream_is_xoshiro256_starstar)
{
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    struct rng_seeded seeded;

    rng_seeded_init(&seeded, 0);
    for (uint64_t i = 0; i < 4; i++)
        seeded.state[i] = i + 1;
    for (size_t i = 0; i < 4; i++)
        CHECK(rng_u64(&seeded.rng) == expected[i]);
}

TEST(a_seed_is_spread_by_splitmix64)
{
    struct rng_seeded seeded;

    rng_seeded_init(&seeded, 0);
    CHECK(seeded.state[0] == UINT64_C(0xe220a8397b1dcdaf));
    CHECK(seeded.state[1] == UINT64_C(0x6e789e6aa1b965f4));
}

TEST(the_same_seed_gives_the_same_stream_and_another_seed_another)
{
    struct rng_seeded streams[3];
    uint8_t bytes[3][100];

    for (size_t i = 0; i < 3; i++) {
        rng_seeded_init(&streams[i], i < 2 ? 7 : 8);
        rng_fill(&streams[i].rng, bytes[i], sizeof(bytes[i]));
    }
    CHECK(memcmp(bytes[0], bytes[1], sizeof(bytes[0])) == 0);
    CHECK(memcmp(bytes[0], bytes[2], sizeof(bytes[0])) != 0);
}

TEST(numbers_below_a_bound_are_uniform)
{
    enum { BOUND = 10, DRAWS = 100000 };
    struct rng_seeded seeded;
    int counts[BOUND] = {0};

    rng_seeded_init(&seeded, 1);
    for (int i = 0; i < DRAWS; i++) {
        const uint64_t n = rng_below(&seeded.rng, BOUND);
        CHECK(n < BOUND);
        counts[n]++;
    }
    for (int i = 0; i < BOUND; i++)
        CHECK(counts[i] > DRAWS / BOUND * 95 / 100 && counts[i] < DRAWS / BOUND * 105 / 100);
}

/* With modulo alone the lower half of this range would come up twice as often. */
TEST(a_bound_of_more_than_half_the_range_is_uniform_too)
{
    const uint64_t bound = UINT64_C(3) << 62;
    struct rng_seeded seeded;
    int low = 0;

    rng_seeded_init(&seeded, 2);
    for (int i = 0; i < 30000; i++)
        low += rng_below(&seeded.rng, bound) < bound / 3;
    CHECK(low > 9500 && low < 10500);
    CHECK(rng_below(&seeded.rng, 1) == 0);
}

TEST(the_kernels_bytes_differ_at_every_size)
{
    struct rng *rng = rng_system();
    uint8_t a[600];
    uint8_t b[600];

    for (size_t size = 16; size <= sizeof(a); size += 61) {
        rng_fill(rng, a, size);
        rng_fill(rng, b, size);
        CHECK(memcmp(a, b, size) != 0);
        CHECK(memcmp(a + size - 8, b + size - 8, 8) != 0);
    }
}

TEST(a_child_of_fork_does_not_repeat_its_parents_bytes)
{
    struct rng *rng = rng_system();
    uint64_t of_child = 0;
    int ends[2];
    int status;

    rng_u64(rng); /* the block now holds bytes that a naive child would give out too */
    CHECK_I64(0, pipe(ends));
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        const uint64_t n = rng_u64(rng);
        _exit(write(ends[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
    }
    CHECK_I64(sizeof(of_child), read(ends[0], &of_child, sizeof(of_child)));
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(of_child != rng_u64(rng));
    close(ends[0]);
    close(ends[1]);
}

static void *draw(void *arg)
{
    *(uint64_t *)arg = rng_u64(rng_system());
    return NULL;
}

TEST(threads_have_blocks_of_their_own)
{
    uint64_t drawn[2] = {0};
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, draw, &drawn[i]));
    for (size_t i = 0; i < 2; i++)
        CHECK_I64(0, pthread_join(threads[i], NULL));
    CHECK(drawn[0] != drawn[1]);
}
