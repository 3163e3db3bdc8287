/* scenarios/server.c - starts and ends the program under test. */
#include "scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

enum { ARGS_MAX = 32, START_LINE_MAX = 512 };

static char *argument(struct scenario *scenario, str word)
{
    return (char *)(uintptr_t)arena_cstr(scenario->arena, word);
}

static void run_server(struct scenario *scenario, str flags, int out)
{
    static const str standard[] = {
        {"serve",       5 },
        {"--listen",    8 },
        {"127.0.0.1:0", 11},
        {"--data",      6 }
    };
    char *argv[ARGS_MAX] = {argument(scenario, str_of(scenario->binary))};
    size_t count = 1;
    str word;

    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        argv[count++] = argument(scenario, standard[i]);
    argv[count++] = scenario->data_dir;
    while (str_split(&flags, ' ', &word))
        if (word.size > 0 && count + 1 < ARGS_MAX)
            argv[count++] = argument(scenario, word);
    dup2(out, STDOUT_FILENO);
    close(out);
    execv(scenario->binary, argv);
    _exit(127);
}

/* The first line that holds an address: "... http://127.0.0.1:40123" */
static bool read_address(struct scenario *scenario, int in)
{
    char line[START_LINE_MAX];
    size_t size = 0;

    while (size + 1 < sizeof(line) && read(in, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    const char *address = strstr(line, "http://");
    if (address == NULL)
        return false;
    const size_t used = strcspn(address + 7, "/ \r");
    snprintf(scenario->url, sizeof(scenario->url), "%.*s", (int)(7 + used), address);
    return true;
}

bool server_start(struct scenario *scenario, str flags)
{
    int ends[2];

    engine_prepare(scenario);
    if (pipe(ends) != 0)
        return false;
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_server(scenario, flags, ends[1]);
    }
    close(ends[1]);
    scenario->server_pid = pid;
    const bool ready = read_address(scenario, ends[0]);
    close(ends[0]);
    if (!ready) {
        scenario_fail(scenario, "the server printed no address; exit status %d",
                      server_stop(scenario, SIGKILL));
        return false;
    }
    return true;
}

int server_stop(struct scenario *scenario, int signal)
{
    int status = 0;

    if (scenario->server_pid == 0)
        return 0;
    kill(scenario->server_pid, signal);
    waitpid(scenario->server_pid, &status, 0);
    scenario->server_pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
