/* booking/export/write.c - how one value of an export is written, in either format. */
#include "services/booking/export/write.h"

#include <string.h>

#include "base/time.h"
#include "platform/json/json.h"

/* A text that needs neither quotes nor guard, in both formats: ids, numbers, times, words of ours. */
static str plain_text(struct buf *room, const struct export_column *column,
                      const struct value *cell)
{
    buf_clear(room);
    switch (column->kind) {
    case EXPORT_ID:
        buf_add_cstr(room, id_format(column->prefix, cell->uuid).text);
        break;
    case EXPORT_TIME:
        buf_add_cstr(room, time_format(cell->i64).text);
        break;
    case EXPORT_NAME:
        buf_add_cstr(room, column->names[cell->i64]);
        break;
    case EXPORT_BOOL:
        buf_add_cstr(room, cell->i64 != 0 ? "true" : "false");
        break;
    case EXPORT_I64:
        buf_add_i64(room, cell->i64);
        break;
    case EXPORT_REAL:
        buf_printf(room, "%.17g", cell->real);
        break;
    case EXPORT_TEXT:
    case EXPORT_WORD:
        return cell->bytes;
    }
    return buf_str(room);
}

/* --- CSV --- */

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool needs_guard(str text)
{
    return text.size > 0 && is_one_of(text.ptr[0], "=+-@\t\r");
}

static bool needs_quotes(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_one_of(text.ptr[i], "\",\r\n"))
            return true;
    return false;
}

static void add_field(struct buf *out, str text, bool guard)
{
    const bool quotes = needs_quotes(text);

    if (quotes)
        buf_add_char(out, '"');
    if (guard && needs_guard(text))
        buf_add_char(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.ptr[i]);
    }
    if (quotes)
        buf_add_char(out, '"');
}

void export_csv_names(struct buf *out, const struct export_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        buf_add_cstr(out, c > 0 ? "," : "");
        buf_add_cstr(out, table->columns[c].name);
    }
    buf_add_cstr(out, "\r\n");
}

void export_csv_row(struct buf *out, const struct export_table *table, const struct value *cells)
{
    CLEANUP(buf_done) struct buf room = buf_on_heap(64);

    for (size_t c = 0; c < table->column_count; c++) {
        buf_add_cstr(out, c > 0 ? "," : "");
        if (cells[c].type != VALUE_NULL)
            add_field(out, plain_text(&room, &table->columns[c], &cells[c]),
                      table->columns[c].kind == EXPORT_TEXT);
    }
    buf_add_cstr(out, "\r\n");
}

/* --- JSON --- */

static bool is_bare(enum export_kind kind)
{
    return kind == EXPORT_I64 || kind == EXPORT_REAL || kind == EXPORT_BOOL;
}

void export_json_row(struct buf *out, const struct export_table *table, const struct value *cells)
{
    CLEANUP(buf_done) struct buf room = buf_on_heap(64);

    for (size_t c = 0; c < table->column_count; c++) {
        buf_printf(out, "%s\"%s\":", c == 0 ? "{" : ",", table->columns[c].name);
        const str text = cells[c].type != VALUE_NULL
                             ? plain_text(&room, &table->columns[c], &cells[c])
                             : STR_ABSENT;

        if (text.ptr != NULL && is_bare(table->columns[c].kind))
            buf_add(out, text);
        else
            json_write_text(out, text);
    }
    buf_add_char(out, '}');
}
