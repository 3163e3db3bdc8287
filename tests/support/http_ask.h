/* support/http_ask.h - for tests: one request to a server of this process, over a connection of its
 * own. Any thread, each with an arena of its own. */
#pragma once

#include "platform/http/http.h"

struct ask {
    const char *who; /* NULL: nobody */
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
struct answer http_ask(const struct http_server *server, struct arena *arena,
                       const struct ask *ask);
str answer_header(const struct answer *answer, const char *name); /* absent: none */
/* The value at an RFC 6901 pointer of the JSON body: text as it is, anything else as JSON; absent
 * if there is none. */
str answer_at(struct arena *arena, const struct answer *answer, const char *pointer);
int64_t answer_i64(struct arena *arena, const struct answer *answer, const char *pointer);
/* The answer has this status; shows its body if it has not. */
void check_status(int status, const struct answer *answer);
/* The answer is a problem document with this status and code. */
void check_problem(struct arena *arena, const struct answer *answer, int status, const char *code);
