/* fuzz/multipart_fuzz.c - a form that is taken has its parts inside of its body, in its order and free of
 * its boundary; written anew from them it reads the same.
 *
 * The first line is the Content-Type, the rest the body. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "platform/http/multipart.h"

enum { INPUT_MAX = 64 * 1024, RULES = 3, FILE_MAX = 4096, TEXT_MAX = 100 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct part_rule rules[RULES] = {
    {"file", PART_FILE, FILE_MAX, false},
    {"a",    PART_TEXT, TEXT_MAX, true },
    {"b",    PART_TEXT, TEXT_MAX, false},
};

static void check_part(const struct part_rule *rule, const struct part *part, str body)
{
    if (!part->is_there) {
        assert(!rule->is_required);
        return;
    }
    assert(part->value.ptr > body.ptr && part->value.size <= rule->size_max &&
           part->value.ptr + part->value.size < body.ptr + body.size);
    if (rule->kind == PART_TEXT) {
        assert(str_is_utf8(part->value) && part->filename.ptr == NULL);
        return;
    }
    assert(part->filename.size > 0 && part->filename.size <= MULTIPART_FILENAME_MAX);
    assert(memchr(part->filename.ptr, '/', part->filename.size) == NULL);
    assert(memchr(part->filename.ptr, '\\', part->filename.size) == NULL);
    assert(str_is_utf8(part->filename));
}

static const char boundary[] = "a-boundary-that-no-value-has";

static void write_again(struct arena *arena, const struct part parts[RULES])
{
    struct buf body = buf_in(arena, (size_t)INPUT_MAX * 2);
    struct part again[RULES];
    struct form form = {.rules = rules, .count = RULES, .parts = again};

    for (size_t i = 0; i < RULES; i++) {
        if (!parts[i].is_there)
            continue;
        if (memmem(parts[i].value.ptr, parts[i].value.size, boundary, sizeof(boundary) - 1) != NULL)
            return;
        buf_printf(&body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n", boundary,
                   rules[i].name, i == 0 ? "; filename=\"x\"" : "");
        buf_add(&body, parts[i].value);
        buf_add_cstr(&body, "\r\n");
    }
    buf_printf(&body, "--%s--\r\n", boundary);
    const str type = arena_printf(arena, "multipart/form-data; boundary=%s", boundary);
    const err e = multipart_read(arena, type, buf_str(&body), &form);
    assert(e == ERR_OK);
    for (size_t i = 0; i < RULES; i++)
        assert(again[i].is_there == parts[i].is_there && str_eq(again[i].value, parts[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    str body = {(const char *)data, size};
    struct part parts[RULES];
    struct form form = {.rules = rules, .count = RULES, .parts = parts};
    str type;

    if (size > INPUT_MAX || !str_split(&body, '\n', &type) || body.ptr == NULL)
        return 0;
    const err e = multipart_read(arena, type, body, &form);
    assert((e == ERR_OK) == (form.fault.detail == NULL));
    if (e != ERR_OK)
        return 0;
    for (size_t i = 0; i < RULES; i++)
        check_part(&rules[i], &parts[i], body);
    write_again(arena, parts);
    return 0;
}
