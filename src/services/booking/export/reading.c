/* booking/export/reading.c - a page of a table: by key from where the last one ended, so that it costs the
 * same wherever it is and what it holds in memory is bounded. */
#include "services/booking/export/reading.h"

#include <assert.h>

#include "services/booking/export/export.sql.h"

enum { EVENTS_EACH = 500 }; /* that a page looks into: most of them may be empty */

const struct uuid export_all_orders = {
    {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
     0xFF}
};

static struct value cell_of(const struct rows *rows, int at, enum export_kind kind)
{
    if (row_is_null(rows, at))
        return NIL;
    switch (kind) {
    case EXPORT_ID:
        return UUID(row_uuid(rows, at));
    case EXPORT_TEXT:
    case EXPORT_WORD:
        return TEXT(row_text(rows, at));
    case EXPORT_REAL:
        return REAL(row_real(rows, at));
    case EXPORT_I64:
    case EXPORT_BOOL:
    case EXPORT_TIME:
    case EXPORT_NAME:
        return I64(row_i64(rows, at));
    }
    return NIL;
}

struct value *export_page_next(const struct export_table *table, const struct export_page *page)
{
    return page->cells + page->row_count * table->column_count;
}

bool export_page_is_full(const struct export_query *query, const struct export_page *page)
{
    return page->row_count >= query->limit || page->text_size >= EXPORT_PAGE_TEXT_MAX;
}

void export_page_open(struct call *call, const struct export_table *table,
                      const struct export_query *query, struct export_page *page)
{
    *page = (struct export_page){
        .cells = arena_new_array(call->arena, struct value, query->limit * table->column_count + 1),
        .end = query->from,
    };
}

/* Rows of one event, or of the vendor, up to what the page takes. */
static err read_rows(struct call *call, struct tx *tx, const struct export_table *table,
                     const struct export_query *query, struct uuid scope, struct export_page *page)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const struct value values[] = {
        UUID(scope),
        UUID(page->end.first),
        I64((int64_t)(query->limit - page->row_count)),
        UUID(query->last_order),
        table->pairs ? UUID(page->end.second) : I64(call->now_ms),
    };

    assert(table->sql->param_count <= 5);
    TRY(rows_open(&rows, tx, table->sql, (struct args){values, (size_t)table->sql->param_count},
                  call->arena));
    while (!export_page_is_full(query, page) && rows_next(&rows)) {
        struct value *cells = export_page_next(table, page);

        for (size_t c = 0; c < table->column_count; c++) {
            cells[c] = cell_of(&rows, (int)c, table->columns[c].kind);
            page->text_size += cells[c].bytes.size;
        }
        page->end.first = cells[0].uuid;
        if (table->pairs)
            page->end.second = cells[1].uuid;
        page->row_count++;
    }
    return rows_close(&rows);
}

err export_of_vendor(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    export_page_open(call, table, query, ret);
    TRY(tx_read(&tx, call_db(call)));
    TRY(read_rows(call, &tx, table, query, query->vendor, ret));
    ret->more = export_page_is_full(query, ret);
    return ERR_OK;
}

err export_next_event(struct call *call, struct tx *tx, const struct export_query *query,
                      struct export_position *at)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_EXPORT_NEXT_EVENT, ARGS(UUID(query->vendor), UUID(at->event)),
                   call->arena));
    *at = (struct export_position){.event = row_uuid(&rows, 0)};
    return rows_close(&rows);
}

/* What hangs on events. A cursor names an event of the vendor: it was made by next_event. */
err export_of_events(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    export_page_open(call, table, query, ret);
    TRY(tx_read(&tx, call_db(call)));
    for (int events = 0; events < EVENTS_EACH && !export_page_is_full(query, ret); events++) {
        if (!uuid_is_zero(ret->end.event))
            TRY(read_rows(call, &tx, table, query, ret->end.event, ret));
        if (export_page_is_full(query, ret))
            break;
        const err e = export_next_event(call, &tx, query, &ret->end);
        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(e);
    }
    ret->more = true;
    return ERR_OK;
}
