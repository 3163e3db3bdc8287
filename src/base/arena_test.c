/* base/arena_test.c */
#include "support/test.h"

#include <string.h>

#include "base/arena.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

TEST(memory_is_zeroed_and_aligned_at_every_size_and_after_each_reset)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(1024);

    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            char *bytes = arena_alloc(arena, size);

            CHECK((uintptr_t)bytes % 16 == 0);
            CHECK(is_zero(bytes, size));
            memset(bytes, 0xa5, size);
        }
        arena_reset(arena);
    }
}

TEST(pieces_do_not_overlap)
{
    enum { COUNT = 500 };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(512);
    unsigned char *pieces[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = arena_alloc(arena, i % 97 + 1);
        memset(pieces[i], (int)(i % 251), i % 97 + 1);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < i % 97 + 1; j++)
            CHECK_I64((int64_t)(i % 251), pieces[i][j]);
}

TEST(empty_pieces_have_addresses_of_their_own)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const void *a = arena_alloc(arena, 0);
    const void *b = arena_alloc(arena, 0);

    CHECK(a != NULL && b != NULL && a != b);
}

TEST(used_counts_what_was_given_out_since_the_reset)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    CHECK_I64(0, (int64_t)arena_used(arena));
    arena_alloc(arena, 10);
    arena_alloc(arena, 100000);
    CHECK_I64(16 + 100000, (int64_t)arena_used(arena));
    arena_reset(arena);
    CHECK_I64(0, (int64_t)arena_used(arena));
}

TEST(a_reset_arena_gives_the_same_memory_again)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const void *before = arena_alloc(arena, 64);

    arena_alloc(arena, 1000000);
    arena_reset(arena);
    CHECK(arena_alloc(arena, 64) == before);
}

struct witness {
    struct arena *arena;
    int *order; /* in the arena: must still be readable */
    int *count;
    int own;
};

static void note(void *ptr)
{
    struct witness *witness = ptr;

    witness->order[(*witness->count)++] = witness->own;
}

static struct witness *keep(struct witness witness)
{
    struct witness *kept = arena_new(witness.arena, struct witness);

    *kept = witness;
    return kept;
}

TEST(callbacks_run_newest_first_and_once_before_memory_goes)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    int order[3] = {0};
    int count = 0;

    for (int i = 1; i <= 3; i++)
        arena_on_reset(arena, note, keep((struct witness){arena, order, &count, i}));
    arena_reset(arena);
    CHECK_I64(3, count);
    CHECK_I64(3, order[0]);
    CHECK_I64(1, order[2]);
    arena_reset(arena);
    CHECK_I64(3, count);
}

static void register_again(void *ptr)
{
    struct witness *witness = ptr;
    struct witness next = *witness;

    next.own++;
    note(witness);
    arena_on_reset(witness->arena, note, keep(next));
}

TEST(a_callback_may_register_another)
{
    struct arena *arena = arena_open(0);
    int order[2] = {0};
    int count = 0;

    arena_on_reset(arena, register_again, keep((struct witness){arena, order, &count, 7}));
    arena_close(arena);
    CHECK_I64(2, count);
    CHECK_I64(8, order[1]);
}

TEST(closing_nothing_is_allowed)
{
    arena_close(NULL);
}

TEST(the_newest_piece_grows_where_it_stands)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(1024);
    char *old = arena_alloc(arena, 10);
    char *piece = arena_alloc(arena, 10);

    CHECK(!arena_extend(arena, old, 10, 64));
    memset(piece, 'x', 10);
    CHECK(arena_extend(arena, piece, 10, 200));
    CHECK(piece[9] == 'x' && is_zero(piece + 10, 190));
    CHECK_I64(16 + 208, (int64_t)arena_used(arena));
    CHECK(!arena_extend(arena, piece, 200, 4096));

    char *alone = arena_alloc(arena, 5000);
    CHECK(!arena_extend(arena, alone, 5000, 5001));
}

TEST(texts_are_copied_with_a_nul_and_stay_absent)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    char text[] = "abc";
    const str copy = arena_str(arena, (str){text, 2});

    text[0] = 'x';
    CHECK_STR("ab", copy);
    CHECK(copy.ptr[2] == '\0');
    CHECK(arena_str(arena, STR_ABSENT).ptr == NULL);
    CHECK(arena_cstr(arena, STR_ABSENT) == NULL);
    CHECK_I64(0, (int64_t)strlen(arena_cstr(arena, STR(""))));
}

TEST(printed_texts_may_be_long)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    CHECK_STR("7 apples", arena_printf(arena, "%d %s", 7, "apples"));
    for (int size = 250; size < 260; size++) {
        const str text = arena_printf(arena, "%0*d", size, 1);
        CHECK_I64(size, (int64_t)text.size);
        CHECK(text.ptr[size - 1] == '1' && text.ptr[size] == '\0');
    }
}

#ifdef __SANITIZE_ADDRESS__
TEST(what_is_not_given_out_is_poisoned)
{
    struct arena *arena = arena_open(0);
    char *piece = arena_alloc(arena, 10);
    char *large = arena_alloc(arena, 10000);

    CHECK(!__asan_address_is_poisoned(piece + 9));
    CHECK(__asan_address_is_poisoned(piece + 10));
    CHECK(!__asan_address_is_poisoned(large + 9999));
    CHECK(__asan_address_is_poisoned(large + 10000));
    arena_reset(arena);
    CHECK(__asan_address_is_poisoned(piece));
    arena_close(arena);
}
#endif
