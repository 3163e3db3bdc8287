/* support/beside.h - runs a program beside a test: a server that the test talks to.
 *
 * The program prints lines of "name=value" and then "ready"; it ends when its standard input does,
 * so that it never outlives a test. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

enum { BESIDE_VALUES_MAX = 8 };

struct beside {
    pid_t pid;
    int input;
    struct {
        str name;
        str value;
    } values[BESIDE_VALUES_MAX];
    size_t value_count;
};

/* Looks `args[0]` up in PATH; NULL-terminated. Returns when the program is ready; the test fails if it
 * does not get so far. */
struct beside beside_open(struct arena *arena, const char *const *args);
/* The test fails unless the program then ends with exit status 0. */
void beside_close(struct beside *beside);                /* for CLEANUP too */
str beside_value(const struct beside *beside, str name); /* absent: it did not say */
int64_t beside_port(const struct beside *beside);        /* "port"; the test fails without */
