/* scenarios/scenario.h - the parts of the scenario runner: variables, patterns, a client, the server under test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/str.h"
#include "support/postgres.h"

struct scenario {
    const char *binary; /* the program under test */
    const char *file;
    int line;
    json_t *vars; /* name -> JSON value */
    struct arena *arena;
    char data_dir[64];
    int server_pid; /* 0: not running */
    int redis_pid;  /* 0: not running */
    int redis_port; /* 0: none was started yet */
    char url[64];
    int failed;
    bool on_postgres;
    bool prepared; /* the databases are there */
    struct postgres_server postgres;
};

/* Says what went wrong in the line that runs now; the scenario goes on. */
void scenario_fail(struct scenario *scenario, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* $name replaced: inside quotes by the text, outside by the JSON value; "shell" texts by the bare text everywhere. */
str vars_expand(struct scenario *scenario, str text, bool json);
/* Does `got` contain what `want` says? Objects match by the members given, lists item by item; "$name" takes the value there, or must equal it if it is known;
 * "*" matches whatever is there. *ret_where: the pointer of the first difference. */
bool pattern_matches(struct scenario *scenario, json_t *want, json_t *got, str *ret_where);

struct answer {
    long status;
    str headers; /* raw, CRLF lines */
    str body;
};
/* `token` absent: anonymous. `headers` NULL-terminated "Name: value". */
bool client_send(struct scenario *scenario, str method, str path, str token,
                 const char *const *headers, str body, struct answer *ret);
/* The same, but a connection that fails is no failure of the scenario: false, and status 0. */
bool client_try(struct scenario *scenario, str method, str path, str token,
                const char *const *headers, str body, struct answer *ret);
str answer_header(const struct answer *answer, str name); /* absent: none */

/* Starts the server on a free port in the scenario's data directory and waits for its line; false with a note if it does not come. */
bool server_start(struct scenario *scenario, str flags);
/* Sends the signal and waits for the end; gives the exit status (128 + signal if killed by one). */
int server_stop(struct scenario *scenario, int signal);

/* --- Engines: engine.c --- */

/* Before the first step: on PostgreSQL a server of the scenario's own, which every program that is
 * started from here on finds by its environment. */
void engine_open(struct scenario *scenario);
void engine_close(struct scenario *scenario);
/* Before the program runs for the first time: makes what `boxoffice serve` does not make. */
void engine_prepare(struct scenario *scenario);
/* postgres stop|start|restart|kill|pause|resume: on SQLite nothing happens. */
void engine_step(struct scenario *scenario, str what);

/* --- Redis: redis.c --- */

/* Starts a Redis of the scenario's own, empty, and tells servers that start from then on; and ends it. */
void redis_start(struct scenario *scenario);
void redis_kill(struct scenario *scenario);
