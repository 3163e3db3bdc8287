/* booking/export/events.c - events, whole: as columns, and as the API shows them. */
#include "services/booking/export/reading.h"

#include <assert.h>

#include "services/booking/event_store.h"

const struct export_column export_event_columns[EXPORT_EVENT_COLUMNS] = {
    C_ID("id", EVENT_PREFIX),
    C_WORD("slug"),
    C_TEXT("name"),
    C_NAME("type", event_type_names),
    C_NAME("status", event_status_names),
    C_TEXT("description"),
    C_TEXT("url"),
    C_TIME("starts_at"),
    C_TIME("ends_at"),
    C_WORD("timezone"),
    C_BOOL("whole_day"),
    C_BOOL("online"),
    C_ID("venue_id", VENUE_PREFIX),
    C_WORD("currency"),
    C_TEXT("payment_methods"),
    C_BOOL("refundable"),
    C_TIME("refund_until"),
    C_I64("refund_hours_before"),
    C_I64("refund_percent"),
    C_BOOL("refund_fees"),
    C_NAME("fee_bearer", event_bearer_names),
    C_TEXT("tax_name"),
    C_I64("tax_rate_ppm"),
    C_BOOL("tax_on_top"),
    C_I64("per_order"),
    C_I64("per_user"),
    C_BOOL("one_active_hold"),
    C_TIME("checkin_opens_at"),
    C_I64("version"),
    C_TIME("created_at"),
};

static str method_words(struct call *call, const struct event *event)
{
    struct buf words = buf_in(call->arena, 4096);

    for (size_t i = 0; i < event->accepted_count; i++) {
        buf_add_cstr(&words, i > 0 ? ";" : "");
        buf_add(&words, event->accepted[i].type);
    }
    return words.size > 0 ? buf_str(&words) : STR_ABSENT;
}

static void fill_event(struct call *call, const struct event *event, struct value *cells)
{
    const struct event_tax *tax = event->policies.tax;
    const struct value values[] = {
        UUID(event->id.uuid),
        TEXT(event->slug),
        TEXT(event->name),
        I64(event->type),
        I64(event->status),
        TEXT(event->description),
        TEXT(event->url),
        I64(event->starts_at_ms),
        I64(event->ends_at_ms),
        TEXT(event->timezone),
        I64(event->whole_day),
        I64(event->online),
        event->venue != NULL ? UUID(event->venue->id.uuid) : NIL,
        TEXT(arena_str(call->arena, str_of(event->currency.code))),
        TEXT(method_words(call, event)),
        I64(event->policies.refundable),
        I64_OR_NIL(event->policies.refund_until_ms),
        I64_OR_NIL(event->policies.refund_hours),
        I64(event->policies.refund_percent),
        I64(event->policies.refund_fees),
        event->policies.fee_bearer >= 0 ? I64(event->policies.fee_bearer) : NIL,
        tax != NULL ? TEXT(tax->name) : NIL,
        tax != NULL ? I64(tax->rate_ppm) : NIL,
        tax != NULL ? I64(tax->on_top) : NIL,
        I64(event->limits.per_order),
        I64_OR_NIL(event->limits.per_user),
        I64(event->limits.one_active_hold),
        I64_OR_NIL(event->checkin_opens_at_ms),
        I64(event->version),
        I64(event->created_at_ms),
    };

    static_assert(sizeof(values) / sizeof(values[0]) ==
                      sizeof(export_event_columns) / sizeof(export_event_columns[0]),
                  "a value for each column");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        cells[i] = values[i];
}

err export_events(struct call *call, const struct export_table *table,
                  const struct export_query *query, struct export_page *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct event event = {0};

    export_page_open(call, table, query, ret);
    ret->documents = arena_new_array(call->arena, str, query->limit);
    TRY(tx_read(&tx, call_db(call)));
    while (!export_page_is_full(query, ret)) {
        const err e = export_next_event(call, &tx, query, &ret->end);
        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(e);
        TRY(event_read(&tx, call, (event_id){ret->end.event}, &event));
        fill_event(call, &event, export_page_next(table, ret));
        ret->documents[ret->row_count] = event_render_counted(call->arena, &event);
        ret->text_size += ret->documents[ret->row_count].size;
        ret->row_count++;
    }
    ret->more = true;
    return ERR_OK;
}
