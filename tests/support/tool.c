/* support/tool.c - a shell and a pipe for tests that ask a second opinion. */

#include "support/tool.h"

#include <stdio.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "support/scratch.h"
#include "support/test.h"

enum { COMMAND_SIZE_MAX = 4096, OUTPUT_SIZE_MAX = 16 * 1024 * 1024 };

static void read_all(FILE *pipe, struct buf *out)
{
    char chunk[4096];
    size_t size = 0;

    while ((size = fread(chunk, 1, sizeof(chunk), pipe)) > 0)
        buf_add(out, (str){chunk, size});
}

str tool_output(struct arena *arena, const char *format, ...)
{
    char command[COMMAND_SIZE_MAX];
    struct buf out = buf_in(arena, OUTPUT_SIZE_MAX);
    va_list args;
    FILE *pipe = NULL;
    int size = 0;
    int status = 0;

    va_start(args, format);
    size = vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    CHECK(size > 0 && (size_t)size < sizeof(command));

    pipe = popen(command, "r"); /* NOLINT(cert-env33-c): the commands are constants of the tests */
    CHECK(pipe != NULL);
    read_all(pipe, &out);
    status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        print_error("%s: wait status %d\n", command, status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!out.overflow);
    return out.size > 0 ? buf_str(&out) : STR("");
}

const char *tool_file(struct arena *arena, str bytes, const char *name)
{
    const str path = arena_printf(arena, "%s/%s", scratch_dir(arena), name);
    FILE *file = fopen(path.ptr, "wbx");

    CHECK(file != NULL);
    CHECK(fwrite(bytes.ptr, 1, bytes.size, file) == bytes.size);
    CHECK(fclose(file) == 0);
    return path.ptr;
}
