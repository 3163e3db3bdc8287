/* platform/db/db_sqlite_constraint.c - gives SQLite's constraints the names that they have in
 * PostgreSQL.
 *
 * SQLite says which columns were not unique, "UNIQUE constraint failed: seat.event, seat.number";
 * statements name constraints as PostgreSQL does, seat_pkey (tools/sqlgen/README.md). The schema
 * tells which columns belong to which name. It is read once, when the database is opened; then
 * every conflict is checked against it as well, so that a misspelt one ends the start and not a
 * sale. */

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "platform/db/db_sqlite.h"

enum { CONSTRAINTS_MAX = 1024, CONSTRAINT_TEXT_SIZE_MAX = 4096 };

/* Every column of every unique index. An expression has no name. */
static const char indexes_sql[] =
    "SELECT m.name, i.name, i.origin, c.name FROM sqlite_schema m, pragma_index_list(m.name) i,"
    " pragma_index_xinfo(i.name) c WHERE m.type = 'table' AND i.\"unique\" AND c.key"
    " ORDER BY m.name, i.name, c.seqno";

/* INTEGER PRIMARY KEY has no index. */
static const char rowids_sql[] =
    "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = "
    "'table' AND c.pk = 1"
    " AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) i WHERE i.origin = 'pk')";

static const char foreign_keys_sql[] =
    "SELECT m.name, f.id, f.\"from\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f"
    " WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq";

static const char mentions_sql[] = "SELECT count(*) FROM sqlite_schema WHERE instr(sql, ?1) > 0";

/* One constraint while its columns come, a row each. */
struct draft {
    const char *table;
    const char *group; /* the index, or the number of the foreign key */
    const char *origin;
    struct buf columns; /* "seat.event, seat.number" */
    struct buf names;   /* "seat_event_number" */
    bool has_expression;
};

static const char *column_cstr(struct arena *arena, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return text != NULL ? arena_cstr(arena, str_of(text)) : NULL;
}

static bool is_text(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static void add(struct sqlite_db *sdb, const char *columns, const char *name)
{
    assert(sdb->constraint_count < CONSTRAINTS_MAX);
    sdb->constraints[sdb->constraint_count++] = (struct sqlite_constraint){columns, name};
}

static void draft_begin(struct draft *draft, struct arena *arena, const char *table,
                        const char *group, const char *origin)
{
    *draft = (struct draft){.table = table, .group = group, .origin = origin};
    draft->columns = buf_in(arena, CONSTRAINT_TEXT_SIZE_MAX);
    draft->names = buf_in(arena, CONSTRAINT_TEXT_SIZE_MAX);
    buf_add_cstr(&draft->names, table);
}

static void draft_column(struct draft *draft, const char *column)
{
    draft->has_expression = draft->has_expression || column == NULL;
    if (column == NULL)
        return;
    buf_printf(&draft->columns, "%s%s.%s", draft->columns.size > 0 ? ", " : "", draft->table,
               column);
    buf_printf(&draft->names, "_%s", column);
}

/* Names a unique index: PostgreSQL derives those of constraints, an index that was created has its
 * own. */
static void draft_end_index(struct sqlite_db *sdb, const struct draft *draft)
{
    struct arena *arena = sdb->arena;
    str columns = buf_str(&draft->columns);
    str name = str_of(draft->group);

    if (draft->table == NULL)
        return;
    if (draft->has_expression)
        columns = arena_printf(arena, "index '%s'", draft->group);
    if (is_text(draft->origin, "pk"))
        name = arena_printf(arena, "%s_pkey", draft->table);
    else if (is_text(draft->origin, "u"))
        name = arena_printf(arena, "%.*s_key", STR_ARG(buf_str(&draft->names)));
    add(sdb, arena_cstr(arena, columns), arena_cstr(arena, name));
}

static void draft_end_foreign_key(struct sqlite_db *sdb, const struct draft *draft)
{
    if (draft->table == NULL)
        return;
    /* SQLite names no columns: nothing is found by them. */
    add(sdb, "", arena_printf(sdb->arena, "%.*s_fkey", STR_ARG(buf_str(&draft->names))).ptr);
}

/* --- Reading the schema --- */

typedef void (*row_reader)(struct sqlite_db *sdb, sqlite3_stmt *stmt, struct draft *draft);

static void read_index_row(struct sqlite_db *sdb, sqlite3_stmt *stmt, struct draft *draft)
{
    const char *group = column_cstr(sdb->arena, stmt, 1);

    if (draft->table == NULL || !is_text(draft->group, group)) {
        draft_end_index(sdb, draft);
        draft_begin(draft, sdb->arena, column_cstr(sdb->arena, stmt, 0), group,
                    column_cstr(sdb->arena, stmt, 2));
    }
    draft_column(draft, column_cstr(sdb->arena, stmt, 3));
}

static void read_rowid_row(struct sqlite_db *sdb, sqlite3_stmt *stmt,
                           [[maybe_unused]] struct draft *draft)
{
    const char *table = column_cstr(sdb->arena, stmt, 0);

    add(sdb, arena_printf(sdb->arena, "%s.%s", table, column_cstr(sdb->arena, stmt, 1)).ptr,
        arena_printf(sdb->arena, "%s_pkey", table).ptr);
}

static void read_foreign_key_row(struct sqlite_db *sdb, sqlite3_stmt *stmt, struct draft *draft)
{
    const char *table = column_cstr(sdb->arena, stmt, 0);
    const char *group = column_cstr(sdb->arena, stmt, 1);

    if (draft->table == NULL || !is_text(draft->table, table) || !is_text(draft->group, group)) {
        draft_end_foreign_key(sdb, draft);
        draft_begin(draft, sdb->arena, table, group, NULL);
    }
    draft_column(draft, column_cstr(sdb->arena, stmt, 2));
}

static err read_rows(struct sqlite_db *sdb, const char *sql, row_reader read, struct draft *draft)
{
    sqlite3 *handle = sdb->writer->handle;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        return sqlite_failed(sdb, handle, "schema");
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && sdb->constraint_count < CONSTRAINTS_MAX - 1)
        read(sdb, stmt, draft);
    if (sqlite3_finalize(stmt) != SQLITE_OK)
        return sqlite_failed(sdb, handle, "schema");
    return rc == SQLITE_DONE ? ERR_OK : ERR_INVALID;
}

static err read_schema(struct sqlite_db *sdb)
{
    struct draft draft = {0};

    TRY(read_rows(sdb, indexes_sql, read_index_row, &draft));
    draft_end_index(sdb, &draft);
    TRY(read_rows(sdb, rowids_sql, read_rowid_row, &draft));
    draft = (struct draft){0};
    TRY(read_rows(sdb, foreign_keys_sql, read_foreign_key_row, &draft));
    draft_end_foreign_key(sdb, &draft);
    return ERR_OK;
}

/* --- Checking what statements name --- */

/* Constraints that are not unique indexes: SQLite keeps the text of a CHECK, and nothing else of
 * it. */
static err is_mentioned(struct sqlite_db *sdb, const char *name, bool *ret)
{
    sqlite3 *handle = sdb->writer->handle;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(handle, mentions_sql, -1, &stmt, NULL) != SQLITE_OK)
        return sqlite_failed(sdb, handle, "schema");
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    *ret = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0;
    return sqlite3_finalize(stmt) == SQLITE_OK ? ERR_OK : sqlite_failed(sdb, handle, "schema");
}

static err exists(struct sqlite_db *sdb, const char *name, bool *ret)
{
    for (size_t i = 0; i < sdb->constraint_count; i++) {
        if (strcmp(sdb->constraints[i].name, name) == 0) {
            *ret = true;
            return ERR_OK;
        }
    }
    return is_mentioned(sdb, name, ret);
}

static err check_statement(struct sqlite_db *sdb, const struct sql *sql, struct arena *arena,
                           str *ret_why)
{
    for (size_t i = 0; i < SQL_CONFLICTS_MAX && sql->conflicts[i].constraint != NULL; i++) {
        bool there = false;

        TRY(exists(sdb, sql->conflicts[i].constraint, &there));
        if (!there) {
            *ret_why = arena_printf(arena, "%s: statement %s: there is no constraint %s",
                                    sdb->db.name, sql->name, sql->conflicts[i].constraint);
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

err sqlite_constraints_read(struct sqlite_db *sdb, struct arena *arena, str *ret_why)
{
    err e;

    sdb->constraints = arena_new_array(sdb->arena, struct sqlite_constraint, CONSTRAINTS_MAX);
    e = read_schema(sdb);
    if (e != ERR_OK) {
        *ret_why = arena_printf(arena, "%s: cannot read its schema, or it has over %d constraints",
                                sdb->db.name, CONSTRAINTS_MAX);
        return e;
    }
    for (size_t i = 0; i < sdb->db.statements.count; i++)
        TRY(check_statement(sdb, sdb->db.statements.items[i], arena, ret_why));
    return ERR_OK;
}

/* --- A violation --- */

/* Is `name` the constraint that SQLite describes as `text`? */
static bool is_constraint(const struct sqlite_db *sdb, const char *name, str text)
{
    for (size_t i = 0; i < sdb->constraint_count; i++)
        if (strcmp(sdb->constraints[i].name, name) == 0 &&
            str_eq(str_of(sdb->constraints[i].columns), text))
            return true;
    return false;
}

static bool is_violated(const struct sqlite_db *sdb, int code, str text, const char *name)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return is_constraint(sdb, name, text);
    case SQLITE_CONSTRAINT_CHECK:
        return str_eq(str_of(name), text);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return str_ends(str_of(name), STR("_fkey"));
    default:
        return false;
    }
}

err sqlite_conflict(struct sqlite_db *sdb, sqlite3 *handle, const struct sql *sql)
{
    const int code = sqlite3_extended_errcode(handle);
    const char *message = sqlite3_errmsg(handle);
    const char *colon = strstr(message, ": ");
    const str text = str_of(colon != NULL ? colon + 2 : "");

    for (size_t i = 0; i < SQL_CONFLICTS_MAX && sql->conflicts[i].constraint != NULL; i++)
        if (is_violated(sdb, code, text, sql->conflicts[i].constraint))
            return sql->conflicts[i].e;
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID)
        return ERR_DUPLICATE;
    db_complain(&sdb->db, ERR_INTERNAL, sql->name, code, message);
    return ERR_INTERNAL;
}
