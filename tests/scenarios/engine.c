/* scenarios/engine.c - where a scenario keeps its data: in files, or on a PostgreSQL server of its own. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "support/test.h"

/* --- The facade of support/test.h: what support/postgres.c checks must hold for a scenario to go on --- */

void check_true(bool got, const char *expr, const char *file, int line)
{
    if (got)
        return;
    (void)fprintf(stdout, "Bail out! %s:%d: %s\n", file, line, expr);
    exit(125);
}

void check_i64(int64_t want, int64_t got, const char *expr, const char *file, int line)
{
    check_true(want == got, expr, file, line);
}

/* --- The server --- */

void engine_open(struct scenario *scenario)
{
    if (!scenario->on_postgres) {
        (void)unsetenv("BOXOFFICE_DATABASE_URL");
        return;
    }
    postgres_open(&scenario->postgres, false, NULL);
    (void)setenv("BOXOFFICE_DATABASE_URL",
                 postgres_url(&scenario->postgres, scenario->arena, "postgres"), 1);
}

void engine_close(struct scenario *scenario)
{
    postgres_close(&scenario->postgres);
}

void engine_prepare(struct scenario *scenario)
{
    if (!scenario->on_postgres || scenario->prepared)
        return;
    scenario->prepared = true;
    const str command = arena_printf(scenario->arena, "%s migrate --data %s >/dev/null",
                                     scenario->binary, scenario->data_dir);
    const int status = system(command.ptr); /* NOLINT(cert-env33-c): of a test */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        scenario_fail(scenario, "boxoffice migrate failed");
}

void engine_step(struct scenario *scenario, str what)
{
    struct postgres_server *server = &scenario->postgres;

    if (!scenario->on_postgres)
        return;
    if (str_eq(what, STR("stop"))) {
        postgres_stop(server);
    } else if (str_eq(what, STR("start"))) {
        postgres_start(server);
    } else if (str_eq(what, STR("restart"))) {
        postgres_stop(server);
        postgres_start(server);
    } else if (str_eq(what, STR("kill"))) {
        postgres_kill(server);
    } else if (str_eq(what, STR("pause"))) {
        postgres_pause(server);
    } else if (str_eq(what, STR("resume"))) {
        postgres_resume(server);
    } else {
        scenario_fail(scenario, "postgres: %.*s is no step", STR_ARG(what));
    }
}
