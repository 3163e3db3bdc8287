/* support/ask.h - one request to a server of this process, over a connection of its own, and what it answers.
 *
 * From any thread, each with an arena of its own. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct ask {
    const char *who; /* the bearer token; NULL: nobody */
    const char *method;
    const char *path;
    const char *key;     /* Idempotency-Key; NULL: none */
    const char *headers; /* more: "If-Match: \"1\"\r\n"; NULL: none */
    const char *body;    /* JSON; NULL: none */
};
struct answer {
    int status; /* 0: the server closed without one */
    str headers;
    str body;
};

/* The test fails if there is no server. */
struct answer ask_server(int port, struct arena *arena, const struct ask *ask);
/* All at once, each on a thread. */
void ask_together(int port, struct arena *arena, const struct ask *asks, size_t count,
                  struct answer *ret);

str answer_header(const struct answer *answer, const char *name); /* absent: none */
/* The value at an RFC 6901 pointer of the JSON body: text as it is, anything else as JSON; absent if there is none. */
str answer_at(struct arena *arena, const struct answer *answer, const char *pointer);
/* The answer has this status; shows its body if it has not. */
void check_status(int status, const struct answer *answer);
/* The answer is a problem document with this status and code. */
void check_problem(struct arena *arena, const struct answer *answer, int status, const char *code);
