/* support/smtp_sink.c - starts and ends the sink, and reads what it kept.
 *
 * SUPPORT_DIR is the path of this directory; the test's meson.build defines it. */

#include "support/smtp_sink.h"

#include <stdio.h>

#include "base/buf.h"
#include "support/test.h"

static const char script[] = SUPPORT_DIR "/smtp_sink.py";

enum { ARGS_MAX = 24, FILE_SIZE_MAX = 64 << 20 };

struct smtp_sink smtp_sink_open(struct arena *arena, const char *dir, const char *const *options)
{
    const char *args[ARGS_MAX] = {"/usr/bin/python3", script, "--until-eof", "--dir", dir};
    size_t count = 5;

    for (; *options != NULL; options++) {
        CHECK(count + 1 < ARGS_MAX);
        args[count++] = *options;
    }
    struct smtp_sink sink = {.beside = beside_open(arena, args), .dir = dir};
    const str ca = beside_value(&sink.beside, STR("ca"));
    sink.ca = ca.ptr != NULL ? arena_cstr(arena, ca) : NULL;
    sink.port = beside_port(&sink.beside);
    return sink;
}

void smtp_sink_close(struct smtp_sink *sink)
{
    beside_close(&sink->beside);
}

static str read_file(struct arena *arena, const char *path)
{
    struct buf content = buf_in(arena, FILE_SIZE_MAX);
    char chunk[4096];
    size_t size = 0;
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return STR_ABSENT;
    while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_add(&content, (str){chunk, size});
    CHECK(ferror(file) == 0 && fclose(file) == 0 && !content.overflow);
    return buf_str(&content);
}

str smtp_sink_message(struct arena *arena, const struct smtp_sink *sink, int number)
{
    /* The .json comes last: without it the .eml may not be whole. */
    if (smtp_sink_envelope(arena, sink, number).ptr == NULL)
        return STR_ABSENT;
    return read_file(arena, arena_printf(arena, "%s/%04d.eml", sink->dir, number).ptr);
}

str smtp_sink_envelope(struct arena *arena, const struct smtp_sink *sink, int number)
{
    return read_file(arena, arena_printf(arena, "%s/%04d.json", sink->dir, number).ptr);
}
