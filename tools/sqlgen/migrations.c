/* sqlgen/migrations.c - puts the files of a migrations folder in order.
 *
 * A migration has one text for both engines, or a twin for one of them, or a twin for each. Numbers
 * have no gaps, so that two branches which both add number 7 are found out when they are merged. */

#include "sqlgen/migrations.h"

#include <ctype.h>
#include <string.h>

#include "sqlgen/statements.h"

enum { NUMBER_DIGITS = 4 };

enum dialect { DIALECT_BOTH, DIALECT_SQLITE, DIALECT_POSTGRES };

/* What a file's name says. */
struct label {
    int number;
    const char *name;
    enum dialect dialect;
};

/* Takes `end` off the end of `text`. */
static bool cut_end(char *text, const char *end)
{
    const size_t size = strlen(text);
    const size_t end_size = strlen(end);

    if (size < end_size || strcmp(text + size - end_size, end) != 0)
        return false;
    text[size - end_size] = '\0';
    return true;
}

static bool label_read(struct run *run, const char *path, struct label *ret)
{
    const char *base = path_base(path);
    char *stem = run_copy(run, base, strlen(base));
    int number = 0;

    for (int i = 0; i < NUMBER_DIGITS; i++) {
        if (!isdigit((unsigned char)stem[i]))
            return run_fail(run, path, 0, "is not named like 0001_name.sql");
        number = number * 10 + (stem[i] - '0');
    }
    if (stem[NUMBER_DIGITS] != '_' || !cut_end(stem, ".sql"))
        return run_fail(run, path, 0, "is not named like 0001_name.sql");
    ret->dialect = DIALECT_BOTH;
    if (cut_end(stem, ".sqlite"))
        ret->dialect = DIALECT_SQLITE;
    else if (cut_end(stem, ".pg"))
        ret->dialect = DIALECT_POSTGRES;
    ret->number = number;
    ret->name = stem + NUMBER_DIGITS + 1;
    if (number < 1 || number > MIGRATIONS_MAX || !name_is_valid(ret->name))
        return run_fail(run, path, 0, "needs a number from 0001 to %04d and a lower-case name",
                        MIGRATIONS_MAX);
    return true;
}

/* The three texts a migration can have, while files are still coming. */
struct draft {
    const char *name;
    const char *texts[DIALECT_POSTGRES + 1];
};

static bool draft_add(struct run *run, struct draft *drafts, const char *path)
{
    struct label label = {.name = ""};
    struct text text;
    struct draft *draft;

    if (!label_read(run, path, &label) || !file_read(run, path, &text))
        return false;
    if (text.size == 0)
        return run_fail(run, path, 0, "is empty");
    draft = &drafts[label.number];
    if (draft->name != NULL && strcmp(draft->name, label.name) != 0)
        return run_fail(run, path, 0, "has the number of %s", draft->name);
    if (draft->texts[label.dialect] != NULL)
        return run_fail(run, path, 0, "is given twice");
    draft->name = label.name;
    draft->texts[label.dialect] = text.data;
    return true;
}

static bool draft_finish(struct run *run, const struct draft *draft, struct migration *ret)
{
    const char *both = draft->texts[DIALECT_BOTH];
    const char *sqlite = draft->texts[DIALECT_SQLITE];
    const char *postgres = draft->texts[DIALECT_POSTGRES];

    if (both != NULL && sqlite != NULL && postgres != NULL)
        return run_fail(run, draft->name, 0,
                        "has a text for each engine and a third that none uses");
    ret->name = draft->name;
    ret->sqlite = sqlite != NULL ? sqlite : both;
    ret->postgres = postgres != NULL ? postgres : both;
    if (ret->sqlite == NULL || ret->postgres == NULL)
        return run_fail(run, draft->name, 0, "has no text for %s",
                        ret->sqlite == NULL ? "SQLite" : "PostgreSQL");
    return true;
}

bool migrations_read(struct run *run, char *const *paths, size_t path_count, struct migrations *ret)
{
    struct draft *drafts = run_alloc(run, (MIGRATIONS_MAX + 1) * sizeof(*drafts));
    size_t found = 0;

    for (size_t i = 0; i < path_count; i++)
        if (!draft_add(run, drafts, paths[i]))
            return false;
    for (size_t number = 1; number <= MIGRATIONS_MAX; number++)
        found += drafts[number].name != NULL;
    ret->items = run_alloc(run, (found + 1) * sizeof(*ret->items));
    ret->count = found;
    for (size_t number = 1; number <= found; number++) {
        ret->items[number - 1].number = (int)number;
        if (drafts[number].name == NULL)
            return run_fail(run, "migrations", 0, "number %04zu is missing", number);
        if (!draft_finish(run, &drafts[number], &ret->items[number - 1]))
            return false;
    }
    return true;
}
