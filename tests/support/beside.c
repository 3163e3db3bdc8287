/* support/beside.c - starts and ends a program, and reads what it says of itself. */

#include "support/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

enum { ARGS_MAX = 32 };

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

static void read_greeting(struct arena *arena, int output, struct beside *beside)
{
    char line[1024];
    bool ready = false;
    FILE *file = fdopen(output, "r");

    CHECK(file != NULL);
    while (!ready && fgets(line, sizeof(line), file) != NULL) {
        str value = str_trim(str_of(line));
        str name = STR_ABSENT;

        ready = str_eq(value, STR("ready"));
        if (ready || !str_split(&value, '=', &name) || value.ptr == NULL)
            continue;
        CHECK(beside->value_count < BESIDE_VALUES_MAX);
        beside->values[beside->value_count].name = arena_str(arena, name);
        beside->values[beside->value_count++].value = arena_str(arena, value);
    }
    CHECK(fclose(file) == 0);
    CHECK(ready);
}

struct beside beside_open(struct arena *arena, const char *const *args)
{
    struct beside beside = {0};
    struct pipes pipes;
    char *copies[ARGS_MAX];
    size_t count = 0;

    for (; *args != NULL; args++) {
        CHECK(count + 1 < ARGS_MAX);
        copies[count++] = strdup(*args);
    }
    copies[count] = NULL;
    beside.pid = spawn(copies, &pipes);
    while (count > 0)
        free(copies[--count]);
    beside.input = pipes.input;
    read_greeting(arena, pipes.output, &beside);
    return beside;
}

void beside_close(struct beside *beside)
{
    int status = 0;

    if (beside->pid == 0)
        return;
    (void)close(beside->input);
    while (waitpid(beside->pid, &status, 0) < 0)
        CHECK_I64(EINTR, errno);
    beside->pid = 0;
    CHECK_I64(0, status);
}

str beside_value(const struct beside *beside, str name)
{
    for (size_t i = 0; i < beside->value_count; i++)
        if (str_eq(beside->values[i].name, name))
            return beside->values[i].value;
    return STR_ABSENT;
}

int64_t beside_port(const struct beside *beside)
{
    int64_t port = 0;

    CHECK(str_to_i64(beside_value(beside, STR("port")), &port) && port > 0);
    return port;
}
