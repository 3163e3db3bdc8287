/* platform/db/migrate.c - brings a database to the schema of this program, one migration a
 * transaction.
 *
 * Every step looks again at what has been applied, with the writer's lock held: of two processes
 * that start at once the second finds the work done. A database that has more than this program
 * knows was made by a newer one, and is refused rather than guessed at. */

#include <assert.h>
#include <inttypes.h>

#include "platform/db/db_driver.h"
#include "platform/db/migration.sql.h"
#include "platform/log/log.h"

/* Reads how far `list` has been applied, and compares what has been with what it says. */
static err find_applied(struct tx *tx, const struct migration_list *list, size_t *ret_count,
                        struct arena *arena, str *ret_why)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t count = 0;

    TRY(rows_open(&rows, tx, &SQL_MIGRATION_LIST, ARGS(TEXT(str_of(list->owner))), arena));
    while (rows_next(&rows)) {
        const int64_t number = row_i64(&rows, 0);
        const str name = row_text(&rows, 1);

        if (count == list->count) {
            *ret_why = arena_printf(
                arena, "%s is newer than this program: it has migration %" PRId64 " (%.*s) of %s",
                tx->db->name, number, STR_ARG(name), list->owner);
            return ERR_INVALID;
        }
        if (number != list->items[count].number || !str_eq(name, str_of(list->items[count].name))) {
            *ret_why = arena_printf(
                arena, "%s has migration %" PRId64 " (%.*s) of %s where this program has %d (%s)",
                tx->db->name, number, STR_ARG(name), list->owner, list->items[count].number,
                list->items[count].name);
            return ERR_INVALID;
        }
        count++;
    }
    TRY(rows_close(&rows));
    *ret_count = count;
    return ERR_OK;
}

/* Applies the next migration of `list`; *ret_done if there was none left. */
static err apply_next(struct db *db, const struct migration_list *list, int *applied_count,
                      bool *ret_done, struct arena *arena, str *ret_why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct migration *next;
    size_t applied;

    TRY(tx_begin(&tx, db));
    TRY(find_applied(&tx, list, &applied, arena, ret_why));
    *ret_done = applied == list->count;
    if (*ret_done)
        return ERR_OK;
    next = &list->items[applied];
    TRY(db->driver->script(db, tx.connection, next, arena, ret_why));
    TRY(db_exec(&tx, &SQL_MIGRATION_INSERT,
                ARGS(TEXT(str_of(list->owner)), I64(next->number), TEXT(str_of(next->name)),
                     I64(clock_now_ms(db->clock)))));
    TRY(tx_commit(&tx));
    if (applied_count != NULL)
        (*applied_count)++;
    if (db->log != NULL)
        log_event(db->log, LOG_INFO, "db.migrated", LOG_CSTR("db", db->name),
                  LOG_CSTR("owner", list->owner), LOG_I64("number", next->number),
                  LOG_CSTR("name", next->name));
    return ERR_OK;
}

static err migrate_list(struct db *db, const struct migration_list *list, int *applied_count,
                        struct arena *arena, str *ret_why)
{
    bool done = false;

    while (!done)
        TRY(apply_next(db, list, applied_count, &done, arena, ret_why));
    return ERR_OK;
}

static err check_list(struct db *db, const struct migration_list *list, struct arena *arena,
                      str *ret_why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    size_t applied = 0;

    TRY(tx_begin(&tx, db)); /* readers are not there yet */
    TRY(find_applied(&tx, list, &applied, arena, ret_why));
    if (applied == list->count)
        return ERR_OK;
    *ret_why = arena_printf(arena, "%s lacks migration %d (%s) of %s", db->name,
                            list->items[applied].number, list->items[applied].name, list->owner);
    return ERR_INVALID;
}

err db_migrate(struct db *db, const struct db_options *options, struct arena *arena, str *ret_why)
{
    const struct migration_list *const *lists = options->migrations;

    for (size_t i = 0; lists != NULL && lists[i] != NULL; i++) {
        const err e = options->only_check
                          ? check_list(db, lists[i], arena, ret_why)
                          : migrate_list(db, lists[i], options->applied, arena, ret_why);

        if (e != ERR_OK && ret_why->ptr == NULL)
            *ret_why = arena_printf(arena, "%s: cannot be migrated (%s)", db->name, err_name(e));
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}
