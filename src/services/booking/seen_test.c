/* booking/seen_test.c - a key that was added is never denied while it counts; others mostly are. */

#include "services/booking/seen.h"

#include "base/arena.h"
#include "support/test.h"

#define NOW_MS  INT64_C(1795392000000)
#define TURN_MS (SEEN_S * INT64_C(1000))

static struct uuid user_of(int n)
{
    return (struct uuid){
        .bytes = {1, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}
    };
}

static void close_seen(struct seen **seen)
{
    seen_free(*seen);
}

TEST(what_was_added_is_seen_and_little_else)
{
    CLEANUP(close_seen) struct seen *seen = seen_new(NOW_MS);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    int false_count = 0;

    for (int i = 0; i < 10000; i++)
        seen_add(seen, user_of(i % 100), arena_printf(arena, "key-%d", i), NOW_MS);
    for (int i = 0; i < 10000; i++)
        CHECK(seen_maybe(seen, user_of(i % 100), arena_printf(arena, "key-%d", i)));
    for (int i = 0; i < 10000; i++)
        false_count += seen_maybe(seen, user_of(i % 100), arena_printf(arena, "other-%d", i));
    CHECK(false_count < 20);
}

TEST(a_key_is_one_users)
{
    CLEANUP(close_seen) struct seen *seen = seen_new(NOW_MS);

    seen_add(seen, user_of(1), STR("key"), NOW_MS);
    CHECK(seen_maybe(seen, user_of(1), STR("key")));
    CHECK(!seen_maybe(seen, user_of(2), STR("key")));
    CHECK(!seen_maybe(seen, user_of(1), STR("")));
}

TEST(a_key_is_remembered_for_a_day_and_forgotten_some_day)
{
    CLEANUP(close_seen) struct seen *seen = seen_new(NOW_MS);

    seen_add(seen, user_of(1), STR("key"), NOW_MS + TURN_MS - 1);
    seen_add(seen, user_of(2), STR("next"), NOW_MS + TURN_MS);
    CHECK(seen_maybe(seen, user_of(1), STR("key")));
    seen_add(seen, user_of(3), STR("last"), NOW_MS + 2 * TURN_MS - 1);
    CHECK(seen_maybe(seen, user_of(1), STR("key")));
    seen_add(seen, user_of(4), STR("later"), NOW_MS + 2 * TURN_MS);
    CHECK(!seen_maybe(seen, user_of(1), STR("key")));
    CHECK(seen_maybe(seen, user_of(2), STR("next")));
    CHECK(seen_maybe(seen, user_of(3), STR("last")));
    CHECK(seen_maybe(seen, user_of(4), STR("later")));
}
