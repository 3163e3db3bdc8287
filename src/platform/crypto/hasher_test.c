/* platform/crypto/hasher_test.c - passwords: what matches, what is outdated, and a pool that
 * refuses instead of growing. Little memory per hash keeps it quick; one test runs at full cost. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <argon2.h>

#include "platform/crypto/crypto.h"
#include "support/test.h"

enum { CHEAP_KIB = 256 };

struct fixture {
    struct arena *arena;
    struct keyring *keyring;
    struct hasher *hasher;
};

static struct fixture fixture_open(const struct hasher_options *options)
{
    struct fixture fixture = {.arena = arena_open(0)};

    CHECK_OK(keyring_open_memory(1, &fixture.keyring));
    fixture.hasher = hasher_open(options, fixture.keyring);
    CHECK(fixture.hasher != NULL);
    return fixture;
}

static void fixture_close(struct fixture *fixture)
{
    hasher_close(fixture->hasher);
    keyring_close(fixture->keyring);
    arena_close(fixture->arena);
}

static str hash_of(const struct fixture *fixture, str password)
{
    str phc = STR_ABSENT;

    CHECK_OK(hasher_hash(fixture->hasher, rng_system(), fixture->arena, password, &phc));
    return phc;
}

TEST(a_password_matches_its_own_hash_and_no_other)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = CHEAP_KIB});
    const str phc = hash_of(&fixture, STR("correct horse"));
    bool outdated = true;

    CHECK(str_starts(phc, STR("$argon2id$v=19$m=256,t=2,p=1$")));
    CHECK(!str_eq(phc, hash_of(&fixture, STR("correct horse"))));
    CHECK_OK(hasher_verify(fixture.hasher, phc, STR("correct horse"), &outdated));
    CHECK(!outdated);

    static const char *const wrong[] = {"", "correct hors", "correct horse ", "Correct horse"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_ERR(ERR_INVALID_CREDENTIALS,
                  hasher_verify(fixture.hasher, phc, str_of(wrong[i]), &outdated));
    CHECK_ERR(ERR_INVALID_CREDENTIALS,
              hasher_verify(fixture.hasher, phc, (str){"correct horse\0", 14}, &outdated));
    CHECK_OK(hasher_verify(fixture.hasher, hash_of(&fixture, STR("")), STR(""), &outdated));
}

TEST(the_cost_is_what_owasp_asks_for)
{
    CLEANUP(fixture_close) struct fixture fixture = fixture_open(&(struct hasher_options){0});
    const str phc = hash_of(&fixture, STR("x"));
    bool outdated = true;

    CHECK(str_starts(phc, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    CHECK_OK(hasher_verify(fixture.hasher, phc, STR("x"), &outdated));
    CHECK(!outdated);
}

TEST(the_tag_is_argon2id_of_the_peppered_password)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = CHEAP_KIB});
    const str phc = hash_of(&fixture, STR("secret"));
    uint8_t peppered[SHA256_SIZE];

    keyring_mac(fixture.keyring, "password_pepper", STR("secret"), peppered);
    CHECK_I64(ARGON2_OK, argon2id_verify(phc.ptr, peppered, sizeof(peppered)));
    CHECK_I64(ARGON2_VERIFY_MISMATCH, argon2id_verify(phc.ptr, "secret", 6));
}

TEST(another_keyring_knows_no_passwords)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = CHEAP_KIB});
    const str phc = hash_of(&fixture, STR("secret"));
    struct keyring *other = NULL;
    bool outdated = false;

    CHECK_OK(keyring_open_memory(2, &other));
    struct hasher *hasher = hasher_open(&(struct hasher_options){.memory_kib = CHEAP_KIB}, other);
    CHECK_ERR(ERR_INVALID_CREDENTIALS, hasher_verify(hasher, phc, STR("secret"), &outdated));
    hasher_close(hasher);
    keyring_close(other);
}

/* A string of other parameters, as an earlier version would have left it. */
static str foreign_hash(const struct fixture *fixture, uint32_t passes, uint32_t memory_kib,
                        size_t salt_size, size_t tag_size)
{
    static const uint8_t salt[64];
    char phc[256];
    uint8_t peppered[SHA256_SIZE];

    keyring_mac(fixture->keyring, "password_pepper", STR("secret"), peppered);
    CHECK_I64(ARGON2_OK, argon2id_hash_encoded(passes, memory_kib, 1, peppered, sizeof(peppered),
                                               salt, salt_size, tag_size, phc, sizeof(phc)));
    return arena_str(fixture->arena, str_of(phc));
}

TEST(other_parameters_still_match_and_are_outdated)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = CHEAP_KIB});
    static const struct {
        uint32_t passes;
        uint32_t memory_kib;
        size_t salt_size;
        size_t tag_size;
        bool outdated;
    } cases[] = {
        {2, CHEAP_KIB,     16, 32, false},
        {3, CHEAP_KIB,     16, 32, true },
        {1, CHEAP_KIB,     16, 32, true },
        {2, CHEAP_KIB * 2, 16, 32, true },
        {2, CHEAP_KIB / 2, 16, 32, true },
        {2, CHEAP_KIB,     8,  32, true },
        {2, CHEAP_KIB,     16, 16, true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str phc = foreign_hash(&fixture, cases[i].passes, cases[i].memory_kib,
                                     cases[i].salt_size, cases[i].tag_size);
        bool outdated = !cases[i].outdated;

        CHECK_OK(hasher_verify(fixture.hasher, phc, STR("secret"), &outdated));
        CHECK(outdated == cases[i].outdated);
    }
}

TEST(a_damaged_or_greedy_hash_matches_nothing)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = CHEAP_KIB});
    static const char tail[] = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    static const char *const heads[] = {
        "$argon2id$v=19$m=4294967295,t=2,p=1$",
        "$argon2id$v=19$m=1048577,t=2,p=1$",
        "$argon2id$v=19$m=256,t=100000,p=1$",
        "$argon2id$v=19$m=256,t=2,p=5$",
        "$argon2id$v=19$m=256,t=2$",
        "$argon2id$v=19$m=256,t=2,p=1,x=1$",
        "$argon2id$v=19$m=-1,t=2,p=1$",
        "$argon2id$v=16$m=256,t=2,p=1$",
        "$argon2i$v=19$m=256,t=2,p=1$",
        "$argon2id$v=19$m=256,t=2,p=1$$",
        "$argon2id$v=19$m=256,t=2,p=1$***$",
        "$2y$10$",
    };
    bool outdated = false;

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        CHECK_ERR(ERR_INVALID_CREDENTIALS,
                  hasher_verify(fixture.hasher, arena_printf(fixture.arena, "%s%s", heads[i], tail),
                                STR("secret"), &outdated));
    CHECK_ERR(ERR_INVALID_CREDENTIALS,
              hasher_verify(fixture.hasher, STR(""), STR("secret"), &outdated));

    const str phc = hash_of(&fixture, STR("secret"));
    for (size_t size = 0; size < phc.size; size++) /* a short tag is a tag of less bits: no match */
        CHECK_ERR(ERR_INVALID_CREDENTIALS,
                  hasher_verify(fixture.hasher, str_slice(phc, 0, size), STR("secret"), &outdated));
}

static int64_t process_cpu_ns(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t cost_ns(const struct fixture *fixture, str phc)
{
    const int64_t before = process_cpu_ns();
    bool outdated = false;

    CHECK_ERR(ERR_INVALID_CREDENTIALS,
              hasher_verify(fixture->hasher, phc, STR("wrong"), &outdated));
    return process_cpu_ns() - before;
}

TEST(an_unknown_account_costs_as_much_as_a_known_one)
{
    enum { KNOWN, UNKNOWN, DAMAGED, COUNT, ROUNDS = 8 };
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(&(struct hasher_options){.memory_kib = 8192});
    const str phcs[COUNT] = {hash_of(&fixture, STR("secret")), STR_ABSENT,
                             STR("$argon2id$v=19$m=8192,t=2,p=1$*$*")};
    int64_t least[COUNT] = {INT64_MAX, INT64_MAX, INT64_MAX};

    /* Turn by turn, the least of each: what else the machine does then counts for all three. */
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < COUNT; i++) {
            const int64_t cost = cost_ns(&fixture, phcs[i]);

            least[i] = cost < least[i] ? cost : least[i];
        }
    /* Not to hash at all would cost a thousandth. */
    for (int i = UNKNOWN; i < COUNT; i++)
        CHECK(least[i] > least[KNOWN] / 3 && least[i] < least[KNOWN] * 3);
}

struct crowd {
    const struct fixture *fixture;
    pthread_barrier_t start;
    _Atomic int served;
    _Atomic int refused;
};

static void *ask_once(void *arg)
{
    struct crowd *crowd = arg;
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    str phc = STR_ABSENT;

    (void)pthread_barrier_wait(&crowd->start);
    switch ((int)hasher_hash(crowd->fixture->hasher, rng_system(), arena, STR("x"), &phc)) {
    case ERR_OK:
        crowd->served++;
        break;
    case ERR_OVERLOADED:
        crowd->refused++;
        break;
    default:
        break;
    }
    return NULL;
}

/* So many callers at once. */
static void run_crowd(struct crowd *crowd, unsigned size)
{
    pthread_t threads[16];

    CHECK(size <= 16);
    CHECK(pthread_barrier_init(&crowd->start, NULL, size) == 0);
    for (unsigned i = 0; i < size; i++)
        CHECK(pthread_create(&threads[i], NULL, ask_once, crowd) == 0);
    for (unsigned i = 0; i < size; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(pthread_barrier_destroy(&crowd->start) == 0);
}

TEST(a_crowd_is_refused_once_the_queue_is_full)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(
        &(struct hasher_options){.thread_count = 1, .waiting_max = 1, .memory_kib = 65536});
    struct crowd crowd = {.fixture = &fixture};

    run_crowd(&crowd, 12);
    CHECK_I64(12, crowd.served + crowd.refused);
    CHECK(crowd.served >= 2); /* one at work, one waiting */
    CHECK(crowd.refused >= 1);
    CHECK(hash_of(&fixture, STR("x")).size > 0); /* and then there is room again */
}

TEST(a_crowd_that_fits_is_served)
{
    CLEANUP(fixture_close)
    struct fixture fixture = fixture_open(
        &(struct hasher_options){.thread_count = 2, .waiting_max = 14, .memory_kib = CHEAP_KIB});
    struct crowd crowd = {.fixture = &fixture};

    run_crowd(&crowd, 16);
    CHECK_I64(16, crowd.served);
}

TEST(an_idle_pool_ends)
{
    for (int i = 0; i < 20; i++) {
        struct fixture fixture =
            fixture_open(&(struct hasher_options){.thread_count = 4, .memory_kib = CHEAP_KIB});

        fixture_close(&fixture);
    }
}
