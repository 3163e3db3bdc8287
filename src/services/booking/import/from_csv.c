/* services/booking/import/from_csv.c - events from comma-separated values.
 *
 * The first record names the columns, in any order; what stands in an unknown one is not read. A
 * file without the two that every event needs, or with one twice, is refused as a whole: its rows
 * would mean something else than their author thinks. */

#include <string.h>

#include "services/booking/import/csv.h"
#include "services/booking/import/row.h"

/* Which column stands where. */
struct layout {
    size_t count;
    enum import_column columns[CSV_FIELDS_MAX]; /* IMPORT_COLUMNS: an unknown one */
};

static enum import_column column_of(str name)
{
    for (size_t i = 0; i < IMPORT_COLUMNS; i++)
        if (str_eq_nocase(name, str_of(import_column_name((enum import_column)i))))
            return (enum import_column)i;
    return IMPORT_COLUMNS;
}

static bool has_column(const struct layout *layout, enum import_column column)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->columns[i] == column)
            return true;
    return false;
}

static err refuse_file(struct import_run *run, size_t line, const char *why)
{
    import_refuse(run, line, why);
    return ERR_MALFORMED;
}

static err read_header(struct import_run *run, const struct csv_record *record,
                       struct layout *layout)
{
    *layout = (struct layout){0};
    for (size_t i = 0; i < record->count; i++) {
        const str name = str_trim(record->fields[i]);
        const enum import_column column = column_of(name);

        if (column != IMPORT_COLUMNS && has_column(layout, column))
            return refuse_file(run, record->line, "a column is there twice");
        if (column == IMPORT_COLUMNS && name.size > 0 && str_is_utf8(name))
            run->reader->ignored(
                run->reader->arg, record->line,
                arena_printf(run->arena, "unknown column \"%.*s\"", STR_ARG(name)).ptr);
        layout->columns[layout->count++] = column;
    }
    if (!has_column(layout, IMPORT_NAME) || !has_column(layout, IMPORT_STARTS_AT))
        return refuse_file(run, record->line,
                           "the first line must name the columns, separated by commas, "
                           "with name and starts_at among them");
    return ERR_OK;
}

static err read_row(struct import_run *run, const struct layout *layout,
                    const struct csv_record *record)
{
    struct import_draft draft = {.line = record->line};
    bool blank = true;

    for (size_t i = 0; i < record->count; i++)
        blank = blank && str_trim(record->fields[i]).size == 0;
    if (blank) /* as spreadsheets leave them behind */
        return ERR_OK;
    if (record->count > layout->count) {
        import_refuse(run, record->line, "more fields than columns");
        return ERR_OK;
    }
    for (size_t i = 0; i < record->count; i++)
        if (layout->columns[i] != IMPORT_COLUMNS)
            draft.texts[layout->columns[i]] = record->fields[i];
    return import_give(run, &draft);
}

/* The header is the first record that there is. */
static err read_record(struct import_run *run, struct layout *layout,
                       const struct csv_record *record, const char *fault)
{
    if (fault == NULL)
        return layout->count == 0 ? read_header(run, record, layout)
                                  : read_row(run, layout, record);
    if (layout->count == 0)
        return refuse_file(run, record->line, fault);
    import_refuse(run, record->line, fault);
    return ERR_OK;
}

static err read_records(struct import_run *run, struct csv *csv)
{
    struct layout layout = {0};
    struct csv_record record;

    for (;;) {
        const char *fault = NULL;

        arena_reset(run->arena);
        if (csv_next(csv, run->arena, &record, &fault) == CSV_END)
            break;
        if (import_is_full(run, record.line))
            return ERR_OK;
        TRY(read_record(run, &layout, &record, fault));
    }
    return layout.count == 0 ? refuse_file(run, csv->line, "the file is empty") : ERR_OK;
}

err import_read_csv(str text, const struct import_reader *reader)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct import_run run = {.reader = reader, .arena = arena};
    struct csv csv;

    if (text.size > IMPORT_FILE_SIZE_MAX)
        return ERR_TOO_LARGE;
    csv_open(&csv, text);
    TRY(read_records(&run, &csv));
    return import_result(&run);
}
