/* sqlgen/emit.h - writes what was read as C. */
#pragma once

#include "sqlgen/migrations.h"
#include "sqlgen/statements.h"

/* `source` is the name of the .sql file, `list` that of the sql_list ("hold_sql"), `header` what
 * the .c includes. */
struct text emit_statements_header(struct run *run, const char *source, const char *list,
                                   const struct statements *statements);
struct text emit_statements_source(struct run *run, const char *source, const char *list,
                                   const char *header, const struct statements *statements);

struct text emit_migrations_header(struct run *run, const char *owner);
struct text emit_migrations_source(struct run *run, const char *owner, const char *header,
                                   const struct migrations *migrations);
