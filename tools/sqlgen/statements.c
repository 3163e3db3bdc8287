/* sqlgen/statements.c - reads a file of named statements and writes each for both engines.
 *
 * A statement is copied without its comments and with white space run together; literals and
 * quoted names are copied untouched. What reads it is a scanner, not a parser: whether the SQL is
 * right, the engines say when they prepare it. */

#include "sqlgen/statements.h"

#include <ctype.h>
#include <string.h>

/* One reading of one file. */
struct scan {
    struct run *run;
    const char *file;
    const char *at;
    int line;
    bool is_override; /* a .pg.sql file: no conflicts, and ? is an operator */
    struct statements *into;
    struct statement *open; /* has its header, not yet its text */
};

/* The text of one statement while it grows. */
struct draft {
    struct text sqlite;
    struct text postgres;
    bool used[STATEMENT_PARAMS_MAX + 1];
    int param_max;
    bool space;   /* white space or a comment came since the last character */
    bool newline; /* ... with a line end in it */
};

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool name_is_valid(const char *name)
{
    const size_t size = strlen(name);

    if (size == 0 || size > SQL_NAME_SIZE_MAX || !islower((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

static bool err_is_valid(const char *err)
{
    if (!isupper((unsigned char)err[0]))
        return false;
    for (const char *c = err; *c != '\0'; c++)
        if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
            return false;
    return true;
}

static struct statement *statement_find(const struct statements *statements, const char *name)
{
    for (size_t i = 0; i < statements->count; i++)
        if (strcmp(statements->items[i].name, name) == 0)
            return &statements->items[i];
    return NULL;
}

static struct statement *statement_add(struct run *run, struct statements *statements)
{
    if (statements->count == statements->capacity) {
        const size_t capacity = statements->capacity > 0 ? statements->capacity * 2 : 16;
        struct statement *items = run_alloc(run, capacity * sizeof(*items));

        if (statements->count > 0)
            memcpy(items, statements->items, statements->count * sizeof(*items));
        statements->items = items;
        statements->capacity = capacity;
    }
    return &statements->items[statements->count++];
}

/* --- Headers: "-- name: hold_insert   conflict: hold_pkey -> SEAT_TAKEN, ..." --- */

static void skip_blanks(struct scan *scan)
{
    while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')
        scan->at++;
}

static bool at_line_end(struct scan *scan)
{
    skip_blanks(scan);
    return *scan->at == '\n' || *scan->at == '\0';
}

static bool take_word(struct scan *scan, const char *word)
{
    const size_t size = strlen(word);

    skip_blanks(scan);
    if (strncmp(scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}

static const char *take_name(struct scan *scan)
{
    const char *from;

    skip_blanks(scan);
    from = scan->at;
    while (is_name_char(*scan->at))
        scan->at++;
    return run_copy(scan->run, from, (size_t)(scan->at - from));
}

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);
    const size_t end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool conflict_add(struct scan *scan, const char *constraint, const char *err)
{
    struct statement *open = scan->open;

    if (open->conflict_count == STATEMENT_CONFLICTS_MAX)
        return run_fail(scan->run, scan->file, scan->line, "%s has more than %d conflicts",
                        open->name, STATEMENT_CONFLICTS_MAX);
    for (size_t i = 0; i < open->conflict_count; i++) {
        const char *other = open->conflicts[i].constraint;

        if (strcmp(other, constraint) == 0)
            return run_fail(scan->run, scan->file, scan->line, "%s names %s twice", open->name,
                            constraint);
        if (ends_with(other, "_fkey") && ends_with(constraint, "_fkey"))
            return run_fail(scan->run, scan->file, scan->line,
                            "%s names two foreign keys, which SQLite cannot tell apart",
                            open->name);
    }
    open->conflicts[open->conflict_count++] = (struct conflict){constraint, err};
    return true;
}

/* Behind "conflict:". */
static bool read_conflicts(struct scan *scan)
{
    do {
        const char *constraint = take_name(scan);
        const char *err;

        if (!name_is_valid(constraint))
            return run_fail(scan->run, scan->file, scan->line,
                            "expected the lower-case name of a constraint behind conflict:");
        if (!take_word(scan, "->"))
            return run_fail(scan->run, scan->file, scan->line, "expected -> behind %s", constraint);
        err = take_name(scan);
        if (!err_is_valid(err) || strncmp(err, "ERR_", 4) == 0)
            return run_fail(scan->run, scan->file, scan->line,
                            "expected an error such as EMAIL_TAKEN (without ERR_), got \"%s\"",
                            err);
        if (!conflict_add(scan, constraint, err))
            return false;
    } while (take_word(scan, ","));
    return true;
}

/* Behind "-- name:", or "-- only:" in a .pg.sql file: a statement that SQLite does not have. */
static bool read_name(struct scan *scan, bool is_only)
{
    const char *name = take_name(scan);
    const struct statement *twin;

    if (scan->open != NULL)
        return run_fail(scan->run, scan->file, scan->line, "%s (line %d) has no statement",
                        scan->open->name, scan->open->line);
    if (!name_is_valid(name))
        return run_fail(
            scan->run, scan->file, scan->line,
            "expected a lower-case name of at most %d characters behind name:", SQL_NAME_SIZE_MAX);
    twin = statement_find(scan->into, name);
    if (twin != NULL)
        return run_fail(scan->run, scan->file, scan->line, "%s is there already, in line %d", name,
                        twin->line);
    scan->open = statement_add(scan->run, scan->into);
    scan->open->name = name;
    scan->open->line = scan->line;
    scan->open->is_only = is_only;
    return true;
}

/* Behind "--", outside of a statement: a header, or a comment that is skipped. */
static bool read_comment(struct scan *scan)
{
    const bool is_only = take_word(scan, "only:");
    const bool is_header = is_only || take_word(scan, "name:");

    if (is_only && !scan->is_override)
        return run_fail(scan->run, scan->file, scan->line,
                        "only: belongs into a .pg.sql file: a statement that SQLite does not have");
    if (is_header && !read_name(scan, is_only))
        return false;
    if (take_word(scan, "conflict:")) {
        if (scan->open == NULL)
            return run_fail(scan->run, scan->file, scan->line,
                            "conflict: without a name: before it");
        if (scan->is_override && !scan->open->is_only)
            return run_fail(scan->run, scan->file, scan->line,
                            "conflict: belongs into the file that is overridden");
        if (!read_conflicts(scan))
            return false;
    } else if (!is_header) {
        scan->at += strcspn(scan->at, "\n");
    }
    if (!at_line_end(scan))
        return run_fail(scan->run, scan->file, scan->line, "cannot read \"%.*s\"",
                        (int)strcspn(scan->at, "\r\n"), scan->at);
    return true;
}

/* --- Statements --- */

static void draft_add(struct draft *draft, const char *bytes, size_t size)
{
    if (draft->space && draft->sqlite.size > 0) {
        text_char(&draft->sqlite, draft->newline ? '\n' : ' ');
        text_char(&draft->postgres, draft->newline ? '\n' : ' ');
    }
    draft->space = false;
    draft->newline = false;
    text_add(&draft->sqlite, bytes, size);
    text_add(&draft->postgres, bytes, size);
}

static void draft_space(struct draft *draft, char c)
{
    draft->space = true;
    draft->newline = draft->newline || c == '\n';
}

/* A literal or quoted name with both its quotes. '' in it reads as two literals side by side. */
static bool read_quoted(struct scan *scan, struct draft *draft)
{
    const char *from = scan->at;
    const char quote = *scan->at++;
    const int line = scan->line;

    while (*scan->at != quote) {
        if (*scan->at == '\0')
            return run_fail(scan->run, scan->file, line, "%c is never closed", quote);
        if (*scan->at == '\n')
            scan->line++;
        scan->at++;
    }
    scan->at++;
    draft_add(draft, from, (size_t)(scan->at - from));
    return true;
}

static bool skip_block_comment(struct scan *scan)
{
    const int line = scan->line;

    scan->at += 2;
    while (strncmp(scan->at, "*/", 2) != 0) {
        if (*scan->at == '\0')
            return run_fail(scan->run, scan->file, line, "/* is never closed");
        if (strncmp(scan->at, "/*", 2) == 0)
            return run_fail(scan->run, scan->file, scan->line,
                            "/* in a comment: only PostgreSQL nests them");
        if (*scan->at == '\n')
            scan->line++;
        scan->at++;
    }
    scan->at += 2;
    return true;
}

/* A comment within a statement. */
static bool skip_line_comment(struct scan *scan)
{
    scan->at += 2;
    if (take_word(scan, "name:"))
        return run_fail(scan->run, scan->file, scan->line, "%s (line %d) does not end with ;",
                        scan->open->name, scan->open->line);
    scan->at += strcspn(scan->at, "\n");
    return true;
}

static bool read_param(struct scan *scan, struct draft *draft)
{
    const bool in_name = draft->sqlite.size > 0 && !draft->space && is_name_char(scan->at[-1]);
    int number = 0;

    scan->at++;
    if (in_name || !isdigit((unsigned char)*scan->at))
        return run_fail(scan->run, scan->file, scan->line, "$ that is no parameter ($1, $2, ...)");
    while (isdigit((unsigned char)*scan->at) && number <= STATEMENT_PARAMS_MAX)
        number = number * 10 + (*scan->at++ - '0');
    if (number < 1 || number > STATEMENT_PARAMS_MAX)
        return run_fail(scan->run, scan->file, scan->line, "parameters go from $1 to $%d",
                        STATEMENT_PARAMS_MAX);
    draft->used[number] = true;
    if (number > draft->param_max)
        draft->param_max = number;
    draft_add(draft, "", 0);
    text_printf(&draft->sqlite, "?%d", number);
    text_printf(&draft->postgres, "$%d", number);
    return true;
}

/* One character or token of a statement. */
static bool read_token(struct scan *scan, struct draft *draft)
{
    const char c = *scan->at;

    if (c == '\'' || c == '"')
        return read_quoted(scan, draft);
    if (c == '$')
        return read_param(scan, draft);
    if (strncmp(scan->at, "--", 2) == 0) {
        draft_space(draft, ' ');
        return skip_line_comment(scan);
    }
    if (strncmp(scan->at, "/*", 2) == 0) {
        draft_space(draft, ' ');
        return skip_block_comment(scan);
    }
    if (c == '?' && !scan->is_override)
        return run_fail(scan->run, scan->file, scan->line,
                        "? outside of a literal: parameters are $1, $2, ...");
    if (c == '\n')
        scan->line++;
    if (isspace((unsigned char)c))
        draft_space(draft, c);
    else
        draft_add(draft, scan->at, 1);
    scan->at++;
    return true;
}

static bool read_statement(struct scan *scan)
{
    struct draft draft = {.sqlite = {.run = scan->run}, .postgres = {.run = scan->run}};

    if (scan->open == NULL)
        return run_fail(scan->run, scan->file, scan->line,
                        "a statement without a \"-- name:\" line before it");
    while (*scan->at != ';') {
        if (*scan->at == '\0')
            return run_fail(scan->run, scan->file, scan->open->line, "%s does not end with ;",
                            scan->open->name);
        if (!read_token(scan, &draft))
            return false;
    }
    scan->at++;
    if (draft.sqlite.size == 0)
        return run_fail(scan->run, scan->file, scan->line, "%s is empty", scan->open->name);
    for (int i = 1; i <= draft.param_max; i++)
        if (!draft.used[i])
            return run_fail(scan->run, scan->file, scan->open->line, "%s uses $%d, but not $%d",
                            scan->open->name, draft.param_max, i);
    scan->open->sqlite = draft.sqlite.data;
    scan->open->postgres = draft.postgres.data;
    scan->open->param_count = draft.param_max;
    scan->open = NULL;
    return true;
}

static bool read_all(struct scan *scan)
{
    bool ok = true;

    while (ok && *scan->at != '\0') {
        if (*scan->at == '\n')
            scan->line++;
        if (isspace((unsigned char)*scan->at)) {
            scan->at++;
        } else if (strncmp(scan->at, "--", 2) == 0) {
            scan->at += 2;
            ok = read_comment(scan);
        } else if (strncmp(scan->at, "/*", 2) == 0) {
            ok = skip_block_comment(scan);
        } else {
            ok = read_statement(scan);
        }
    }
    if (ok && scan->open != NULL)
        return run_fail(scan->run, scan->file, scan->open->line, "%s has no statement",
                        scan->open->name);
    if (ok && scan->into->count == 0)
        return run_fail(scan->run, scan->file, 0, "has no statement in it");
    return ok;
}

bool statements_read(struct run *run, const char *file, const char *text, struct statements *ret)
{
    struct scan scan = {.run = run, .file = file, .at = text, .line = 1, .into = ret};

    *ret = (struct statements){0};
    return read_all(&scan);
}

bool statements_override(struct run *run, const char *file, const char *text,
                         struct statements *statements)
{
    struct statements own = {0};
    struct scan scan = {
        .run = run, .file = file, .at = text, .line = 1, .is_override = true, .into = &own};

    if (!read_all(&scan))
        return false;
    for (size_t i = 0; i < own.count; i++) {
        const struct statement *item = &own.items[i];
        struct statement *base = statement_find(statements, item->name);

        if (item->is_only && base != NULL)
            return run_fail(run, file, item->line, "%s is of SQLite too (line %d)", item->name,
                            base->line);
        if (item->is_only) {
            base = statement_add(run, statements);
            *base = *item;
            base->sqlite = NULL;
            continue;
        }
        if (base == NULL)
            return run_fail(run, file, item->line, "%s overrides nothing", item->name);
        if (base->param_count != item->param_count)
            return run_fail(run, file, item->line,
                            "%s has %d parameters, but overrides one with %d", item->name,
                            item->param_count, base->param_count);
        base->postgres = item->postgres;
    }
    return true;
}
