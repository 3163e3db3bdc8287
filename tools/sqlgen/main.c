/* sqlgen/main.c - turns .sql files into C (README.md).
 *
 *     sqlgen --statements OUT.h OUT.c DEPFILE IN.sql
 *     sqlgen --migrations OWNER OUT.h OUT.c 0001_name.sql...
 *
 * SQL stays in files of its own, where editors and people know it; a mistake of form ends the build
 * with file and line, one of meaning the start of the program, which prepares every statement. */

#include <stdio.h>
#include <string.h>

#include "sqlgen/emit.h"

static const char usage[] = "usage: sqlgen --statements OUT.h OUT.c DEPFILE IN.sql\n"
                            "       sqlgen --migrations OWNER OUT.h OUT.c FILES...\n";

/* "src/booking/hold.sql" with ".pg.sql" gives "src/booking/hold.pg.sql". NULL: `path` is no .sql
 * file. */
static char *path_with_end(struct run *run, const char *path, const char *end)
{
    const size_t size = strlen(path);
    struct text text = {.run = run};

    if (size < 4 || strcmp(path + size - 4, ".sql") != 0)
        return NULL;
    text_printf(&text, "%.*s%s", (int)(size - 4), path, end);
    return text.data;
}

/* --- Statements --- */

/* For the build: the files that were read, and their folder, where an override may appear. */
static bool write_depfile(struct run *run, char *const *paths, const char *in, const char *override)
{
    const int dir_size = (int)(path_base(in) - in);
    struct text text = {.run = run};

    text_printf(&text, "%s: %s", paths[0], in);
    if (file_exists(override))
        text_printf(&text, " %s", override);
    text_printf(&text, " %.*s\n", dir_size > 0 ? dir_size : 1, dir_size > 0 ? in : ".");
    return file_write(run, paths[2], &text);
}

/* `paths`: header, source, depfile, input. */
static bool generate_statements(struct run *run, char *const *paths)
{
    const char *in = paths[3];
    const char *override = path_with_end(run, in, ".pg.sql");
    const char *list;
    struct statements statements;
    struct text text;

    if (override == NULL)
        return run_fail(run, in, 0, "is no .sql file");
    list = path_base(path_with_end(run, in, "_sql"));
    if (!name_is_valid(list))
        return run_fail(run, in, 0, "needs a lower-case name, as C names are made of it");
    if (!file_read(run, in, &text) || !statements_read(run, in, text.data, &statements))
        return false;
    if (file_exists(override) && (!file_read(run, override, &text) ||
                                  !statements_override(run, override, text.data, &statements)))
        return false;

    text = emit_statements_header(run, path_base(in), list, &statements);
    if (!file_write(run, paths[0], &text))
        return false;
    text = emit_statements_source(run, path_base(in), list, path_base(paths[0]), &statements);
    return file_write(run, paths[1], &text) && write_depfile(run, paths, in, override);
}

/* --- Migrations --- */

/* `args`: owner, header, source, inputs. */
static bool generate_migrations(struct run *run, char *const *args, size_t arg_count)
{
    const char *owner = args[0];
    struct migrations migrations;
    struct text text;

    if (!name_is_valid(owner))
        return run_fail(run, "sqlgen", 0, "\"%s\" is no owner", owner);
    if (!migrations_read(run, args + 3, arg_count - 3, &migrations))
        return false;
    text = emit_migrations_header(run, owner);
    if (!file_write(run, args[1], &text))
        return false;
    text = emit_migrations_source(run, owner, path_base(args[1]), &migrations);
    return file_write(run, args[2], &text);
}

int main(int argc, char **argv)
{
    struct run run = {0};
    bool ok;

    if (argc == 6 && strcmp(argv[1], "--statements") == 0) {
        ok = generate_statements(&run, argv + 2);
    } else if (argc >= 6 && strcmp(argv[1], "--migrations") == 0) {
        ok = generate_migrations(&run, argv + 2, (size_t)argc - 2);
    } else {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (!ok)
        (void)fprintf(stderr, "%s\n", run.error);
    run_done(&run);
    return ok ? 0 : 1;
}
