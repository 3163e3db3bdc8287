/* base/id_test.c */
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

enum { THREADS = 4, IDS_PER_THREAD = 20000, IDS = THREADS * IDS_PER_THREAD };
#define NOW_MS INT64_C(1795382533000)

/* From the TypeID specification's valid.json. */
static const struct {
    struct uuid uuid;
    const char *text;
} vectors[] = {
    {{{0}},         "prefix_00000000000000000000000000"},
    {{{[15] = 1}},  "prefix_00000000000000000000000001"},
    {{{[15] = 10}}, "prefix_0000000000000000000000000a"},
    {{{[15] = 16}}, "prefix_0000000000000000000000000g"},
    {{{[15] = 32}}, "prefix_00000000000000000000000010"},
    {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff}},
     "prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz"               },
    {{{0x01, 0x10, 0xc8, 0x53, 0x1d, 0x09, 0x52, 0xd8, 0xd7, 0x3e, 0x11, 0x94, 0xe9, 0x5b, 0x5f,
       0x19}},
     "prefix_0123456789abcdefghjkmnpqrs"               },
    {{{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80,
       0x57}},
     "prefix_01h455vb4pex5vsknk084sn02q"               },
};

TEST(the_specifications_ids_are_written_and_read)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct uuid id;

        CHECK_STR(vectors[i].text, str_of(id_format("prefix", vectors[i].uuid).text));
        CHECK(id_parse("prefix", str_of(vectors[i].text), &id));
        CHECK(uuid_eq(vectors[i].uuid, id));
    }
}

TEST(what_is_no_id_is_refused)
{
    static const char *const texts[] = {
        "",
        "evt",
        "evt_",
        "_01h455vb4pex5vsknk084sn02q",
        "01h455vb4pex5vsknk084sn02q",
        "evt01h455vb4pex5vsknk084sn02q",
        "evt-01h455vb4pex5vsknk084sn02q",
        "ord_01h455vb4pex5vsknk084sn02q",
        "EVT_01h455vb4pex5vsknk084sn02q",
        "evt_01h455vb4pex5vsknk084sn02",
        "evt_01h455vb4pex5vsknk084sn02qq",
        "evt_01H455VB4PEX5VSKNK084SN02Q",
        "evt_01h455vb4pex5vsknk084sn02i",
        "evt_01h455vb4pex5vsknk084sn02l",
        "evt_01h455vb4pex5vsknk084sn02o",
        "evt_01h455vb4pex5vsknk084sn02u",
        "evt_01h455vb4pex5vsknk084sn0-q",
        "evt_01h455vb4pex5vsknk084sn0 q",
        "evt_81h455vb4pex5vsknk084sn02q",
        "evt_z1h455vb4pex5vsknk084sn02q",
        "evt_01h455vb4pex5vsknk084sn0\xc3\xa4",
    };
    const struct uuid before = {{1}};
    struct uuid id = before;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(!id_parse("evt", str_of(texts[i]), &id));
        CHECK(uuid_eq(before, id));
    }
    CHECK(!id_parse("evt", STR_ABSENT, &id));
    CHECK(!id_parse("evt", STR("evt_01h455vb4pex5vsknk084sn0\0q"), &id));
}

TEST(a_new_id_carries_version_variant_and_time)
{
    struct rng_seeded seeded;
    rng_seeded_init(&seeded, 1);
    const struct uuid id = uuid_new(&seeded.rng, NOW_MS);
    int64_t ms = 0;

    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | id.bytes[i];
    CHECK_I64(NOW_MS, ms);
    CHECK_I64(7, id.bytes[6] >> 4);
    CHECK_I64(2, id.bytes[8] >> 6);
    CHECK(!uuid_is_zero(id));
}

TEST(ids_rise_while_the_clock_stands_still_or_steps_back)
{
    struct rng_seeded seeded;
    rng_seeded_init(&seeded, 1);
    struct uuid last = uuid_new(&seeded.rng, NOW_MS + 100000);

    for (int i = 0; i < 10000; i++) { /* more than the counter holds */
        const struct uuid id = uuid_new(&seeded.rng, NOW_MS + 100000 - i % 50);
        CHECK(uuid_compare(last, id) < 0);
        last = id;
    }
}

TEST(the_counter_moves_by_one_and_starts_at_zero_each_millisecond)
{
    struct rng_seeded seeded;
    rng_seeded_init(&seeded, 1);

    for (int ms = 0; ms < 2; ms++)
        for (int i = 0; i < 300; i++) {
            const struct uuid id = uuid_new(&seeded.rng, NOW_MS + ms);
            CHECK_I64(i, (id.bytes[6] & 0x0f) << 8 | id.bytes[7]);
        }
}

TEST(the_same_seed_gives_the_same_ids)
{
    struct rng_seeded streams[2];

    rng_seeded_init(&streams[0], 1);
    rng_seeded_init(&streams[1], 1);
    for (int i = 0; i < 10; i++)
        CHECK(uuid_eq(uuid_new(&streams[0].rng, NOW_MS), uuid_new(&streams[1].rng, NOW_MS)));
}

TEST(a_clock_that_is_set_back_far_begins_anew)
{
    struct rng_seeded seeded;
    rng_seeded_init(&seeded, 1);
    const struct uuid late = uuid_new(&seeded.rng, NOW_MS + 7200000);
    const struct uuid early = uuid_new(&seeded.rng, NOW_MS + 3600000);

    CHECK(uuid_compare(early, late) < 0);
}

static void *make_ids(void *arg)
{
    struct uuid *ids = arg;

    for (size_t i = 0; i < IDS_PER_THREAD; i++)
        ids[i] = uuid_new(rng_system(), NOW_MS + 9000000);
    return NULL;
}

/* Without the random half: the ticks alone must differ. */
static int compare_ticks(const void *a, const void *b)
{
    return memcmp(((const struct uuid *)a)->bytes, ((const struct uuid *)b)->bytes, 8);
}

TEST(ids_of_all_threads_have_ticks_of_their_own)
{
    static struct uuid ids[THREADS][IDS_PER_THREAD];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, make_ids, ids[i]));
    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_join(threads[i], NULL));
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 1; j < IDS_PER_THREAD; j++)
            CHECK(uuid_compare(ids[i][j - 1], ids[i][j]) < 0);

    struct uuid *all = &ids[0][0];
    qsort(all, IDS, sizeof(all[0]), compare_ticks);
    for (size_t i = 1; i < IDS; i++)
        CHECK(compare_ticks(&all[i - 1], &all[i]) != 0);
}

TEST(ids_compare_and_hash_by_their_bytes)
{
    const struct uuid a = {{[15] = 1}};
    const struct uuid b = {{[0] = 1}};

    CHECK(uuid_compare(a, b) < 0 && uuid_compare(b, a) > 0 && uuid_compare(a, a) == 0);
    CHECK(uuid_eq(a, a) && !uuid_eq(a, b));
    CHECK(uuid_hash(a) != uuid_hash(b));
    CHECK(uuid_is_zero((struct uuid){0}) && !uuid_is_zero(a));
}

TEST(text_order_is_id_order)
{
    struct rng_seeded seeded;
    rng_seeded_init(&seeded, 3);

    for (int i = 0; i < 1000; i++) {
        struct uuid ids[2];
        rng_fill(&seeded.rng, ids, sizeof(ids));
        const int by_text = strcmp(id_format("x", ids[0]).text, id_format("x", ids[1]).text);
        CHECK((by_text < 0) == (uuid_compare(ids[0], ids[1]) < 0));
    }
}
