/* platform/config/config.h - settings: rows with type, bounds, default and one sentence.
 *
 * Later wins: default, INI file, BOXOFFICE_<SECTION>_<KEY> in the environment (upper case, dots
 * become underscores), flags. An unknown or bad setting stops the start. The file: [section],
 * key = value, lines of comment after # or ; and nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum setting_type {
    SETTING_SECONDS,
    SETTING_MS,
    SETTING_COUNT,
    SETTING_BYTES,
    SETTING_SWITCH,
    SETTING_TEXT,
    SETTING_CHOICE
};

struct setting {
    /* "booking.hold_ttl_s": section, then key, which may hold dots ("payment.stripe.api_base"). */
    const char *name;
    enum setting_type type;
    int64_t min;
    int64_t max;
    int64_t standard;          /* of numbers and switches (0 off, 1 on) */
    const char *standard_text; /* of texts and choices */
    const char *choices;       /* "sandbox stripe" */
    const char *help;          /* one sentence */
};
#define RANGE(lo, hi) (lo), (hi)
#define SETTING_NUMBER(name, type, range, standard, help) \
    {                                                     \
        name, type, range, standard, NULL, NULL, help     \
    }
#define SETTING_ON_OFF(name, standard, help)                   \
    {                                                          \
        name, SETTING_SWITCH, 0, 1, standard, NULL, NULL, help \
    }
#define SETTING_STRING(name, standard, help)              \
    {                                                     \
        name, SETTING_TEXT, 0, 0, 0, standard, NULL, help \
    }
#define SETTING_ONE_OF(name, choices, standard, help)          \
    {                                                          \
        name, SETTING_CHOICE, 0, 0, 0, standard, choices, help \
    }

struct settings { /* one table */
    const struct setting *rows;
    size_t count;
};
#define SETTINGS(rows)                           \
    {                                            \
        (rows), sizeof(rows) / sizeof((rows)[0]) \
    }

struct config; /* immutable once loaded: read from any thread */

/* `tables` (NULL-terminated) must outlive the config. */
struct config *config_open(const struct settings *const *tables);
void config_close(struct config *config);
/* Each: ERR_INVALID with one line in *ret_why (config's memory). */
err config_load_file(struct config *config, const char *path, str *ret_why);
/* `variables` as in environ(7); only BOXOFFICE_* are looked at. */
err config_load_environment(struct config *config, const char *const *variables, str *ret_why);
err config_set(struct config *config, str name, str value, str *ret_why); /* a flag, a test */

/* Is it in a table? */
bool config_knows(const struct config *config, const char *name);
/* `name` must be in a table: asserted. */
int64_t config_i64(const struct config *config, const char *name);
bool config_on(const struct config *config, const char *name);
str config_text(const struct config *config, const char *name); /* absent if empty */
