/* sqlgen/emit.c - writes statements and migrations as C that db.h understands. */

#include "sqlgen/emit.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* --- Literals --- */

static void add_char(struct text *text, char c)
{
    if (c == '"' || c == '\\')
        text_printf(text, "\\%c", c);
    else if (c == '\t')
        text_printf(text, "\\t");
    else if ((unsigned char)c < 0x20 || c == 0x7f)
        text_printf(text, "\\%03o", (unsigned)(unsigned char)c);
    else
        text_char(text, c); /* UTF-8 stays as it is */
}

/* One C literal for each line of `sql`, each on a line of its own behind `indent`. */
static void add_literal(struct text *text, const char *indent, const char *sql)
{
    text_printf(text, "\n%s\"", indent);
    for (const char *c = sql; *c != '\0'; c++) {
        if (*c != '\n')
            add_char(text, *c);
        else if (c[1] != '\0')
            text_printf(text, "\\n\"\n%s\"", indent);
    }
    text_char(text, '"');
}

static void add_upper(struct text *text, const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        text_char(text, (char)toupper((unsigned char)*c));
}

/* --- Statements --- */

struct text emit_statements_header(struct run *run, const char *source, const char *list,
                                   const struct statements *statements)
{
    struct text text = {.run = run};

    text_printf(&text, "/* Written by sqlgen from %s. */\n#pragma once\n\n", source);
    text_printf(&text, "#include \"platform/db/db.h\"\n\n");
    for (size_t i = 0; i < statements->count; i++) {
        text_printf(&text, "extern const struct sql SQL_");
        add_upper(&text, statements->items[i].name);
        text_printf(&text, ";\n");
    }
    text_printf(&text, "\nextern const struct sql_list %s;\n", list);
    return text;
}

static void add_statement(struct text *text, const struct statement *statement)
{
    text_printf(text, "const struct sql SQL_");
    add_upper(text, statement->name);
    text_printf(text, " = {\n    .name = \"%s\",\n", statement->name);
    if (statement->sqlite != NULL) {
        text_printf(text, "    .sqlite =");
        add_literal(text, "        ", statement->sqlite);
        text_printf(text, ",\n");
    }
    text_printf(text, "    .postgres =");
    add_literal(text, "        ", statement->postgres);
    text_printf(text, ",\n    .param_count = %d,\n", statement->param_count);
    for (size_t i = 0; i < statement->conflict_count; i++)
        text_printf(text, "    .conflicts[%zu] = {\"%s\", ERR_%s},\n", i,
                    statement->conflicts[i].constraint, statement->conflicts[i].err);
    text_printf(text, "};\n\n");
}

struct text emit_statements_source(struct run *run, const char *source, const char *list,
                                   const char *header, const struct statements *statements)
{
    struct text text = {.run = run};

    text_printf(&text, "/* Written by sqlgen from %s. */\n\n#include \"%s\"\n\n", source, header);
    for (size_t i = 0; i < statements->count; i++)
        add_statement(&text, &statements->items[i]);
    text_printf(&text, "static const struct sql *const items[] = {\n");
    for (size_t i = 0; i < statements->count; i++) {
        text_printf(&text, "    &SQL_");
        add_upper(&text, statements->items[i].name);
        text_printf(&text, ",\n");
    }
    text_printf(&text,
                "};\n\nconst struct sql_list %s = {items, sizeof(items) / sizeof(items[0])};\n",
                list);
    return text;
}

/* --- Migrations --- */

struct text emit_migrations_header(struct run *run, const char *owner)
{
    struct text text = {.run = run};

    text_printf(&text, "/* Written by sqlgen from the migrations of %s. */\n#pragma once\n\n",
                owner);
    text_printf(
        &text,
        "#include \"platform/db/db.h\"\n\nextern const struct migration_list %s_migrations;\n",
        owner);
    return text;
}

struct text emit_migrations_source(struct run *run, const char *owner, const char *header,
                                   const struct migrations *migrations)
{
    struct text text = {.run = run};

    text_printf(&text, "/* Written by sqlgen from the migrations of %s. */\n\n#include \"%s\"\n\n",
                owner, header);
    text_printf(&text, "static const struct migration items[] = {\n");
    for (size_t i = 0; i < migrations->count; i++) {
        const struct migration *item = &migrations->items[i];

        text_printf(&text,
                    "    {\n        .number = %d,\n        .name = \"%s\",\n        .sqlite =",
                    item->number, item->name);
        add_literal(&text, "            ", item->sqlite);
        text_printf(&text, ",\n        .postgres =");
        add_literal(&text, "            ", item->postgres);
        text_printf(&text, ",\n    },\n");
    }
    text_printf(&text, "};\n\nconst struct migration_list %s_migrations = {\n", owner);
    text_printf(
        &text, "    .owner = \"%s\", .items = items, .count = sizeof(items) / sizeof(items[0])};\n",
        owner);
    return text;
}
