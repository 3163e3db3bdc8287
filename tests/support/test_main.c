/* support/test_main.c - runs every TEST linked into this binary; argv[1] is a name filter. */
#include "support/test.h"

#include <inttypes.h>

enum { TESTS_MAX = 512 };

static struct CMUnitTest tests[TESTS_MAX];
static size_t test_count;

void test_register(const char *name, CMUnitTestFunction run)
{
    assert_true(test_count < TESTS_MAX);
    tests[test_count++] = (struct CMUnitTest){.name = name, .test_func = run};
}

void check_err(err want, err got, const char *expr, const char *file, int line)
{
    if (want == got)
        return;
    print_error("%s: want %s, got %s\n", expr, err_name(want), err_name(got));
    _fail(file, line);
}

void check_true(bool got, const char *expr, const char *file, int line)
{
    if (got)
        return;
    print_error("%s: want true\n", expr);
    _fail(file, line);
}

void check_i64(int64_t want, int64_t got, const char *expr, const char *file, int line)
{
    if (want == got)
        return;
    print_error("%s: want %" PRId64 ", got %" PRId64 "\n", expr, want, got);
    _fail(file, line);
}

void check_str(const char *want, str got, const char *expr, const char *file, int line)
{
    if (str_eq(str_of(want), got))
        return;
    print_error("%s: want \"%s\", got \"%.*s\"\n", expr, want != NULL ? want : "(absent)",
                STR_ARG(got));
    _fail(file, line);
}

int main(int argc, char **argv)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("tests", tests, test_count, NULL, NULL);
}
