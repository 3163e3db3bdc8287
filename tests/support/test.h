/* support/test.h - TEST(name) { ... } registers itself; cmocka runs and reports. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#define TEST(name)                                                        \
    static void test_##name(void **state);                                \
    __attribute__((constructor)) static void test_##name##_register(void) \
    {                                                                     \
        test_register(#name, test_##name);                                \
    }                                                                     \
    static void test_##name([[maybe_unused]] void **state)

#define CHECK_ERR(expected, expr) check_err((expected), (expr), #expr, __FILE__, __LINE__)
#define CHECK_OK(expr)            CHECK_ERR(ERR_OK, (expr))
#define CHECK(condition)          check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_I64(expected, expr) check_i64((expected), (expr), #expr, __FILE__, __LINE__)
#define CHECK_STR(expected, expr) check_str((expected), (expr), #expr, __FILE__, __LINE__)

void test_register(const char *name, CMUnitTestFunction run);
void check_err(err want, err got, const char *expr, const char *file, int line);
void check_true(bool got, const char *expr, const char *file, int line);
void check_i64(int64_t want, int64_t got, const char *expr, const char *file, int line);
void check_str(const char *want, str got, const char *expr, const char *file, int line);
