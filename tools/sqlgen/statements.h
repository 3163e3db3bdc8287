/* sqlgen/statements.h - reads a file of named statements (README.md has the format). */
#pragma once

#include "sqlgen/run.h"

enum { STATEMENT_PARAMS_MAX = 32, STATEMENT_CONFLICTS_MAX = 4, SQL_NAME_SIZE_MAX = 63 };

struct conflict {
    const char *constraint;
    const char *err; /* without ERR_ */
};

struct statement {
    const char *name;
    int line;
    bool is_only;       /* PostgreSQL has it alone */
    const char *sqlite; /* NULL then */
    const char *postgres;
    int param_count;
    size_t conflict_count;
    struct conflict conflicts[STATEMENT_CONFLICTS_MAX];
};

struct statements {
    struct statement *items;
    size_t count;
    size_t capacity;
};

/* A lower-case identifier of at most SQL_NAME_SIZE_MAX characters. */
bool name_is_valid(const char *name);

/* Reads the statements of a file for both engines. `text` ends with a NUL. */
bool statements_read(struct run *run, const char *file, const char *text, struct statements *ret);
/* Reads a .pg.sql file and puts its statements in the place of those of the same name. */
bool statements_override(struct run *run, const char *file, const char *text,
                         struct statements *statements);
