/* support/with_postgres.c - runs a command beside a PostgreSQL server that lives as long.
 *
 *     with_postgres [--durable] COMMAND ARGUMENTS...
 *
 * The command finds the server in BOXOFFICE_TEST_DATABASE (support/test_database.h); it is one for a
 * whole `meson test`. If that is set already, the command runs as it is. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/postgres.h"
#include "support/test.h"

/* --- The facade of test.h, for a program that is no test --- */

static void give_up(const char *expr, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expr);
    exit(125);
}

void check_true(bool got, const char *expr, const char *file, int line)
{
    if (!got)
        give_up(expr, file, line);
}

void check_i64(int64_t want, int64_t got, const char *expr, const char *file, int line)
{
    if (want != got)
        give_up(expr, file, line);
}

/* --- The command --- */

static int run(char **command)
{
    const pid_t child = fork();
    int status = 0;

    if (child < 0)
        return 126;
    if (child == 0) {
        (void)execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    (void)signal(SIGINT, SIG_IGN); /* the command's business; we see it end */
    if (waitpid(child, &status, 0) != child)
        return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(postgres_close) struct postgres_server server = {0};
    const bool durable = argc > 1 && strcmp(argv[1], "--durable") == 0;
    char **command = argv + (durable ? 2 : 1);

    if (argc < 2 || *command == NULL) {
        (void)fprintf(stderr, "with_postgres [--durable] COMMAND ARGUMENTS...\n");
        return 2;
    }
    if (getenv("BOXOFFICE_TEST_DATABASE") == NULL) {
        postgres_open(&server, durable, NULL);
        (void)setenv("BOXOFFICE_TEST_DATABASE", postgres_url(&server, arena, "postgres"), 1);
    }
    return run(command);
}
