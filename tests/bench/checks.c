/* bench/checks.c - CHECK of support/test.h for programs that measure: no test framework, the first failure ends it. */
#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

static void give_up(const char *expr, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expr);
    exit(2); /* NOLINT(concurrency-mt-unsafe): the process is of no use any more */
}

void check_err(err want, err got, const char *expr, const char *file, int line)
{
    if (want != got)
        give_up(expr, file, line);
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

void check_str(const char *want, str got, const char *expr, const char *file, int line)
{
    if (!str_eq(str_of(want), got))
        give_up(expr, file, line);
}
