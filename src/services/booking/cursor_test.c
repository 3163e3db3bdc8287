/* booking/cursor_test.c - a cursor comes back as it went, and nobody else's does. */

#include "services/booking/cursor.h"

#include <string.h>

#include "base/clock.h"
#include "platform/crypto/crypto.h"
#include "platform/node/node.h"
#include "support/test.h"

struct bench {
    struct node node;
    struct instance self;
    struct call call;
};

static void bench_init(struct bench *bench, uint64_t seed)
{
    *bench = (struct bench){0};
    CHECK_OK(keyring_open_memory(seed, &bench->node.keyring));
    bench->self.node = &bench->node;
    bench->call.self = &bench->self;
    bench->call.arena = arena_open(0);
}

static void bench_done(struct bench *bench)
{
    arena_close(bench->call.arena);
    keyring_close(bench->node.keyring);
}

TEST(a_cursor_comes_back_as_it_went)
{
    char longest[CURSOR_POSITION_SIZE_MAX];
    struct bench bench;

    memset(longest, 0xA5, sizeof(longest));
    bench_init(&bench, 1);
    const str positions[] = {
        STR("a"), STR("\0\xff\0"), STR("evt_1"), {longest, sizeof(longest)}
    };
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        const str cursor = cursor_make(&bench.call, "orders", positions[i]);
        str position = STR_ABSENT;

        CHECK_OK(cursor_read(&bench.call, "orders", cursor, &position));
        CHECK(str_eq(positions[i], position));
    }
    bench_done(&bench);
}

TEST(a_cursor_of_another_list_or_key_is_malformed)
{
    struct bench ours;
    struct bench theirs;
    str position = STR("untouched");

    bench_init(&ours, 1);
    bench_init(&theirs, 2);
    const str cursor = cursor_make(&ours.call, "orders", STR("key"));
    CHECK_ERR(ERR_MALFORMED, cursor_read(&ours.call, "events", cursor, &position));
    CHECK_ERR(ERR_MALFORMED, cursor_read(&theirs.call, "orders", cursor, &position));
    CHECK_STR("untouched", position);
    CHECK(ours.call.problem.detail.size > 0);
    bench_done(&theirs);
    bench_done(&ours);
}

TEST(a_forged_cursor_is_malformed)
{
    struct bench bench;
    str position = STR("untouched");

    bench_init(&bench, 1);
    const str cursor = cursor_make(&bench.call, "orders", STR("key"));
    const str forged[] = {
        STR_ABSENT,
        STR(""),
        STR("AAAA"),
        STR("not base64!"),
        str_slice(cursor, 0, cursor.size - 1),
        str_slice(cursor, 1, cursor.size),
        arena_printf(bench.call.arena, "%.*sA", STR_ARG(cursor)),
        arena_printf(bench.call.arena, "%0*d", 4096, 0),
    };
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
        CHECK_ERR(ERR_MALFORMED, cursor_read(&bench.call, "orders", forged[i], &position));
    for (size_t i = 0; i < cursor.size; i++) {
        char *changed = arena_alloc(bench.call.arena, cursor.size);

        memcpy(changed, cursor.ptr, cursor.size);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_ERR(ERR_MALFORMED,
                  cursor_read(&bench.call, "orders", (str){changed, cursor.size}, &position));
    }
    CHECK_STR("untouched", position);
    bench_done(&bench);
}
