/* base/map_test.c */
#include "support/test.h"

#include <stdio.h>

#include "base/map.h"
#include "base/rng.h"

enum { KEYS = 2000, KEY_SIZE = 24 };

static str key_of(char *to, size_t n)
{
    return (str){to, (size_t)snprintf(to, KEY_SIZE, "key %zu", n)};
}

TEST(a_map_finds_replaces_and_removes)
{
    struct map *map = map_open();
    int a;
    int b;

    CHECK(map_find(map, STR("x")) == NULL);
    CHECK(map_put(map, STR("x"), &a) == NULL);
    CHECK(map_find(map, STR("x")) == &a);
    CHECK(map_put(map, STR("x"), &b) == &a);
    CHECK(map_find(map, STR("x")) == &b);
    CHECK_I64(1, (int64_t)map_count(map));
    CHECK(map_remove(map, STR("x")) == &b);
    CHECK(map_remove(map, STR("x")) == NULL);
    CHECK_I64(0, (int64_t)map_count(map));
    map_close(map);
    map_close(NULL);
}

TEST(keys_are_bytes_and_are_copied)
{
    struct map *map = map_open();
    char key[] = {'a', '\0', 'b'};
    int a;
    int b;

    CHECK(map_put(map, (str){key, 3}, &a) == NULL);
    CHECK(map_put(map, STR(""), &b) == NULL);
    key[0] = 'x';
    CHECK(map_find(map, STR("a\0b")) == &a);
    CHECK(map_find(map, STR("a\0c")) == NULL);
    CHECK(map_find(map, STR("a")) == NULL);
    CHECK(map_find(map, STR("")) == &b);
    map_close(map);
}

/* Against a plain array, through growth and thousands of removals in clusters. */
TEST(a_map_holds_what_a_plain_array_says_it_holds)
{
    static int values[KEYS];
    static bool held[KEYS];
    struct map *map = map_open();
    struct rng_seeded seeded;
    char key[KEY_SIZE];
    size_t count = 0;

    rng_seeded_init(&seeded, 5);
    for (int i = 0; i < 40000; i++) {
        const size_t n = rng_below(&seeded.rng, KEYS);
        /* Phases of growing and shrinking. */
        const bool put = rng_below(&seeded.rng, 10) < (i / 8000 % 2 == 0 ? 8 : 2);

        if (put)
            CHECK(map_put(map, key_of(key, n), &values[n]) == (held[n] ? &values[n] : NULL));
        else
            CHECK(map_remove(map, key_of(key, n)) == (held[n] ? &values[n] : NULL));
        count = count + (put && !held[n]) - (!put && held[n]);
        held[n] = put;
        CHECK(map_count(map) == count);
    }
    for (size_t n = 0; n < KEYS; n++)
        CHECK(map_find(map, key_of(key, n)) == (held[n] ? &values[n] : NULL));
    map_close(map);
}

static void mark(void *arg, str key, void *value)
{
    int *seen = arg;

    CHECK(key.size > 0);
    *(int *)value += 1;
    *seen += 1;
}

TEST(each_visits_every_entry_once)
{
    static int values[KEYS];
    struct map *map = map_open();
    char key[KEY_SIZE];
    int seen = 0;

    for (size_t n = 0; n < KEYS; n++)
        CHECK(map_put(map, key_of(key, n), &values[n]) == NULL);
    map_each(map, mark, &seen);
    CHECK_I64(KEYS, seen);
    for (size_t n = 0; n < KEYS; n++)
        CHECK_I64(1, values[n]);
    map_close(map);
}
