/* platform/cache/memory_test.c - what is kept, what goes, and how much it takes. */
#include "platform/cache/memory.h"

#include <string.h>

#include "platform/cache/cache.h"
#include "support/test.h"

struct kept {
    struct memory *memory;
    struct arena *arena;
};

static void open_kept(struct kept *kept)
{
    *kept = (struct kept){memory_open(CACHE_MEMORY_SIZE_MIN), arena_open(0)};
}

static void close_kept(struct kept *kept)
{
    memory_close(kept->memory);
    arena_close(kept->arena);
}

static str number(struct kept *kept, int n)
{
    return arena_printf(kept->arena, "key %d", n);
}

static bool has(struct kept *kept, str key, int64_t now_ms)
{
    str value = STR_ABSENT;

    return memory_get(kept->memory, key, now_ms, kept->arena, &value);
}

TEST(memory_is_bounded_and_the_oldest_goes_first)
{
    enum { VALUES = 100, SIZE = CACHE_VALUE_SIZE_MAX };
    CLEANUP(close_kept) struct kept kept;
    open_kept(&kept);
    char *bytes = arena_alloc(kept.arena, SIZE);
    int left = 0;

    for (int i = 0; i < VALUES; i++) {
        CHECK(memory_put(kept.memory, number(&kept, i), 1, (str){bytes, SIZE}, 1000));
        CHECK(has(&kept, number(&kept, i), 0)); /* the newest never goes */
        CHECK(memory_size(kept.memory) <= CACHE_MEMORY_SIZE_MIN);
    }
    for (int i = 0; i < VALUES; i++)
        left += has(&kept, number(&kept, i), 0);
    CHECK(left > 0 && left <= CACHE_MEMORY_SIZE_MIN / SIZE);
    CHECK(memory_size(kept.memory) >= (size_t)left * SIZE);
}

TEST(what_is_used_stays)
{
    CLEANUP(close_kept) struct kept kept;
    char bytes[1024] = {0};

    open_kept(&kept);
    CHECK(memory_put(kept.memory, STR("used"), 1, STR("x"), 1000));
    CHECK(memory_put(kept.memory, STR("idle"), 1, STR("x"), 1000));
    for (int i = 0; i < 20000; i++) {
        CHECK(memory_put(kept.memory, number(&kept, i), 1, (str){bytes, sizeof(bytes)}, 1000));
        CHECK(has(&kept, STR("used"), 0));
    }
    CHECK(!has(&kept, STR("idle"), 0));
}

TEST(clearing_leaves_nothing_and_takes_nothing)
{
    CLEANUP(close_kept) struct kept kept;

    open_kept(&kept);
    for (int i = 0; i < 100; i++)
        CHECK(memory_put(kept.memory, number(&kept, i), 5, STR("x"), 1000));
    memory_clear(kept.memory);
    CHECK_I64(0, memory_size(kept.memory));
    CHECK(!has(&kept, number(&kept, 1), 0));
    CHECK(memory_put(kept.memory, number(&kept, 1), 1, STR("x"), 1000)); /* versions, too */
    CHECK(has(&kept, number(&kept, 1), 0));
}
