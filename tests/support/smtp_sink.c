/* support/smtp_sink.c - starts and ends the sink, and reads what it kept.
 *
 * SUPPORT_DIR is the path of this directory; the test's meson.build defines it. */

#include "support/smtp_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "support/test.h"

static const char script[] = SUPPORT_DIR "/smtp_sink.py";

enum { ARGS_MAX = 24, FILE_SIZE_MAX = 64 << 20 };

/* Our ends of its standard input and output. */
struct pipes {
    int input;
    int output;
};

static pid_t spawn(char *const *args, struct pipes *ret)
{
    posix_spawn_file_actions_t actions;
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    pid_t pid = 0;

    CHECK(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO) == 0);
    CHECK(posix_spawnp(&pid, args[0], &actions, NULL, args, environ) == 0);
    CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
    CHECK(close(input[0]) == 0 && close(output[1]) == 0);
    *ret = (struct pipes){.input = input[1], .output = output[0]};
    return pid;
}

/* "port=N", perhaps "ca=FILE", "ready". */
static void read_greeting(struct arena *arena, int output, struct smtp_sink *sink)
{
    char line[1024];
    bool ready = false;
    FILE *file = fdopen(output, "r");

    CHECK(file != NULL);
    while (!ready && fgets(line, sizeof(line), file) != NULL) {
        const str text = str_trim(str_of(line));

        if (str_starts(text, STR("port=")))
            CHECK(str_to_i64(str_slice(text, 5, text.size), &sink->port));
        else if (str_starts(text, STR("ca=")))
            sink->ca = arena_cstr(arena, str_slice(text, 3, text.size));
        ready = str_eq(text, STR("ready"));
    }
    CHECK(fclose(file) == 0);
    CHECK(ready && sink->port > 0);
}

struct smtp_sink smtp_sink_open(struct arena *arena, const char *dir, const char *const *options)
{
    struct smtp_sink sink = {.dir = dir};
    struct pipes pipes;
    char *args[ARGS_MAX];
    size_t count = 0;
    const char *const head[] = {"/usr/bin/python3", script, "--until-eof", "--dir", dir};

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        args[count++] = strdup(head[i]);
    for (; *options != NULL; options++) {
        CHECK(count + 1 < ARGS_MAX);
        args[count++] = strdup(*options);
    }
    args[count] = NULL;
    sink.pid = spawn(args, &pipes);
    while (count > 0)
        free(args[--count]);
    sink.input = pipes.input;
    read_greeting(arena, pipes.output, &sink);
    return sink;
}

void smtp_sink_close(struct smtp_sink *sink)
{
    int status = 0;

    if (sink->pid == 0)
        return;
    (void)close(sink->input);
    while (waitpid(sink->pid, &status, 0) < 0)
        CHECK_I64(EINTR, errno);
    sink->pid = 0;
    CHECK_I64(0, status);
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
