/* sqlgen/migrations.h - puts the files of a migrations folder in order. */
#pragma once

#include "sqlgen/run.h"

enum { MIGRATIONS_MAX = 999 };

struct migration {
    int number;
    const char *name;
    const char *sqlite;
    const char *postgres;
};

struct migrations {
    struct migration *items; /* numbered 1, 2, 3 ... without a gap */
    size_t count;
};

/* `paths` are DIR/0001_name.sql, and DIR/0001_name.sqlite.sql or .pg.sql where an engine has its
 * own text. */
bool migrations_read(struct run *run, char *const *paths, size_t path_count,
                     struct migrations *ret);
