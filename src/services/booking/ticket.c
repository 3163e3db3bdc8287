/* booking/ticket.c - tickets: their rows, their codes, and how they are shown.
 *
 *   valid ──check-in──▶ used
 *     ├──DELETE──▶ cancelled
 *     ├──refund──▶ refunded
 *     └──transfer──▶ transferred
 *
 * A ticket of a held order exists, because its stock is sold, but is nobody's to see: the money is still on its way. */
#include "services/booking/ticket.h"

#include <string.h>

#include "services/booking/catalog.h"
#include "services/booking/cursor.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "services/booking/ticket.sql.h"
#include "services/booking/ticket_code.h"

enum { ATTENDEES_MAX = 1000, LIST_SIZE_MAX = 4 * 1024 * 1024 };

const char *const ticket_status_names[] = {[TICKET_VALID] = "valid",
                                           [TICKET_USED] = "used",
                                           [TICKET_CANCELLED] = "cancelled",
                                           [TICKET_REFUNDED] = "refunded",
                                           [TICKET_TRANSFERRED] = "transferred",
                                           NULL};

/* --- Storage --- */

static err read_row(const struct rows *rows, struct ticket *ret)
{
    *ret = (struct ticket){
        .id = {row_uuid(rows, 12)},
        .order = {row_uuid(rows, 0)},
        .event = {row_uuid(rows, 1)},
        .type = {row_uuid(rows, 2)},
        .user = row_uuid(rows, 3),
        .status = (int)row_i64(rows, 4),
        .generation = row_i64(rows, 5),
        .attendee_name = row_text(rows, 6),
        .price_minor = row_i64(rows, 7),
        .used_at_ms = row_i64_or(rows, 8, JSON_NULL),
        .order_status = (int)row_i64(rows, 9),
        .due_minor = row_i64(rows, 11),
    };
    return currency_parse(row_text(rows, 10), &ret->currency) ? ERR_OK : ERR_INTERNAL;
}

err ticket_get(struct tx *tx, struct call *call, ticket_id id, struct ticket *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct ticket ticket;

    TRY(rows_first(&rows, tx, &SQL_TICKET_GET, ARGS(UUID(id.uuid)), call->arena));
    TRY(read_row(&rows, &ticket));
    TRY(rows_close(&rows));
    if (ticket.order_status == ORDER_HELD)
        return ERR_NOT_FOUND;
    *ret = ticket;
    return ERR_OK;
}

err ticket_list_of_order(struct tx *tx, struct call *call, order_id order, struct ticket **ret,
                         size_t *ret_count)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t capacity = 16;
    size_t count = 0;
    struct ticket *tickets = arena_new_array(call->arena, struct ticket, capacity);

    TRY(rows_open(&rows, tx, &SQL_TICKET_LIST_OF_ORDER, ARGS(UUID(order.uuid)), call->arena));
    while (rows_next(&rows)) {
        if (count == capacity) {
            struct ticket *wider = arena_new_array(call->arena, struct ticket, capacity * 2);

            memcpy(wider, tickets, capacity * sizeof(*wider));
            tickets = wider;
            capacity *= 2;
        }
        TRY(read_row(&rows, &tickets[count++]));
    }
    TRY(rows_close(&rows));
    *ret = tickets;
    *ret_count = count;
    return ERR_OK;
}

/* Of a ticket that cost something else than its price. */
static void note_money(const struct rows *rows, const struct ticket *tickets, size_t count,
                       struct booking_money_line *lines)
{
    const struct uuid id = row_uuid(rows, 0);

    for (size_t i = 0; i < count; i++) {
        if (!uuid_eq(tickets[i].id.uuid, id))
            continue;
        lines[i].discount_minor = row_i64(rows, 1);
        lines[i].buyer_fee_minor = row_i64(rows, 2);
        lines[i].vendor_fee_minor = row_i64(rows, 3);
        lines[i].tax_minor = row_i64(rows, 4);
        lines[i].tax_included_minor = row_i64(rows, 5);
        return;
    }
}

err ticket_money_of(struct tx *tx, struct call *call, order_id order, const struct ticket *tickets,
                    size_t count, struct booking_money_line **ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct booking_money_line *lines =
        arena_new_array(call->arena, struct booking_money_line, count + 1);

    for (size_t i = 0; i < count; i++)
        lines[i] = (struct booking_money_line){.ticket_type = tickets[i].type.uuid,
                                               .quantity = 1,
                                               .face_minor = tickets[i].price_minor};
    TRY(rows_open(&rows, tx, &SQL_TICKET_MONEY_OF_ORDER, ARGS(UUID(order.uuid)), call->arena));
    while (rows_next(&rows))
        note_money(&rows, tickets, count, lines);
    TRY(rows_close(&rows));
    *ret = lines;
    return ERR_OK;
}

struct attendee {
    str name;
    str email;
};
struct attendees { /* the column order_detail.attendees */
    struct attendee *items;
    size_t count;
};

static err read_attendees(struct call *call, str json, struct attendees *ret)
{
    static const struct json_field attendee_fields[] = {
        JSON_F_TEXT("name", struct attendee, name, 0, 200, JSON_NULLABLE),
        JSON_F_TEXT("email", struct attendee, email, 0, 254, JSON_NULLABLE),
    };
    static const struct json_shape attendee_shape = JSON_SHAPE(attendee_fields, struct attendee);
    static const struct json_field fields[] = {
        JSON_F_LIST("items", struct attendees, items, count, &attendee_shape, 0, ATTENDEES_MAX,
                    JSON_OPTIONAL),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct attendees);

    *ret = (struct attendees){0};
    if (json.size == 0)
        return ERR_OK;
    return json_read(call->arena, arena_printf(call->arena, "{\"items\":%.*s}", STR_ARG(json)),
                     &shape, ret);
}

/* The `index`th of its item. */
static err make_one(struct tx *tx, struct call *call, const struct order *order,
                    const struct order_item *item, int64_t index, str attendee)
{
    const struct booking_money_line money = price_one(&item->money, index);
    const struct uuid id = call_uuid(call);

    TRY(db_exec(tx, &SQL_TICKET_INSERT,
                ARGS(UUID(id), UUID(order->id.uuid), UUID(order->event.uuid), UUID(item->type.uuid),
                     UUID(order->user), TEXT(attendee), I64(item->unit_price_minor))));
    if (price_is_plain(&money))
        return ERR_OK;
    return db_exec(tx, &SQL_TICKET_INSERT_MONEY,
                   ARGS(UUID(id), I64(money.discount_minor), I64(money.buyer_fee_minor),
                        I64(money.vendor_fee_minor), I64(money.tax_minor),
                        I64(money.tax_included_minor)));
}

err ticket_make_all(struct tx *tx, struct call *call, const struct order *order)
{
    struct attendees attendees = {0};
    size_t next = 0;

    TRY(read_attendees(call, order->attendees, &attendees));
    for (size_t i = 0; i < order->item_count; i++)
        for (int64_t n = 0; n < order->items[i].quantity; n++, next++)
            TRY(make_one(tx, call, order, &order->items[i], n,
                         next < attendees.count ? attendees.items[next].name : STR_ABSENT));
    return ERR_OK;
}

err ticket_get_visible(struct call *call, ticket_id id, struct ticket *ret,
                       const struct event **ret_event)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(event_release_at) const struct event *event = NULL;
    const struct caller *caller = &call->caller;
    struct ticket ticket;

    TRY(tx_read(&tx, call_db(call)));
    TRY(ticket_get(&tx, call, id, &ticket));
    event = catalog_find(booking_of(call)->catalog, ticket.event);
    const bool sells =
        event != NULL && caller->role == ROLE_VENDOR && uuid_eq(caller->vendor, event->vendor);
    if (!uuid_eq(caller->user, ticket.user) && !sells && caller->role != ROLE_ADMIN)
        return ERR_NOT_FOUND;
    *ret = ticket;
    *ret_event = event;
    event = NULL; /* the caller's now */
    return ERR_OK;
}

/* --- As people see it --- */

err ticket_code_of(struct call *call, const struct ticket *ticket, const struct event *event,
                   str *ret)
{
    struct keyring *keyring = call->self->node->keyring;
    const struct ticket_code code = {
        .event = ticket->event,
        .ticket = ticket->id,
        .generation = (uint16_t)ticket->generation,
        .key_id = keyring_signing_key_id(keyring),
        .not_before_s = 0,
        .expires_s = event != NULL ? ticket_code_time(event->ends_at_ms + DAY_MS) : UINT32_MAX,
    };

    return ticket_code_make(keyring, &code, call->arena, ret);
}

struct ticket_event_view {
    event_id id;
    str name;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    str timezone;
    str place;
};
static const struct json_field event_fields[] = {
    JSON_F_ID("id", struct ticket_event_view, id, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct ticket_event_view, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TIME("starts_at", struct ticket_event_view, starts_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("ends_at", struct ticket_event_view, ends_at_ms, JSON_OPTIONAL),
    JSON_F_TEXT("timezone", struct ticket_event_view, timezone, 0, 64, JSON_OPTIONAL),
    JSON_F_TEXT("place", struct ticket_event_view, place, 0, 2048, JSON_OPTIONAL),
};
static const struct json_shape event_view_shape =
    JSON_SHAPE(event_fields, struct ticket_event_view);

struct ticket_type_view {
    ticket_type_id id;
    str name;
};
static const struct json_field type_fields[] = {
    JSON_F_ID("id", struct ticket_type_view, id, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct ticket_type_view, name, 0, 200, JSON_OPTIONAL),
};
static const struct json_shape type_view_shape = JSON_SHAPE(type_fields, struct ticket_type_view);

struct ticket_view {
    ticket_id id;
    order_id order;
    event_id event_id;
    const struct ticket_event_view *event;
    const struct ticket_type_view *type;
    int status;
    str attendee;
    struct money price;
    str code;
    str qr_svg;
    str qr_png;
    str pdf;
    int64_t used_at_ms;
};
static const struct json_field ticket_fields[] = {
    JSON_F_ID("id", struct ticket_view, id, TICKET_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("order_id", struct ticket_view, order, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("event_id", struct ticket_view, event_id, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_OBJECT("event", struct ticket_view, event, &event_view_shape, JSON_OPTIONAL),
    JSON_F_OBJECT("ticket_type", struct ticket_view, type, &type_view_shape, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct ticket_view, status, ticket_status_names, JSON_OPTIONAL),
    JSON_F_TEXT("attendee", struct ticket_view, attendee, 0, 200, JSON_NULLABLE),
    JSON_F_MONEY("price", struct ticket_view, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("code", struct ticket_view, code, 0, 200, JSON_OPTIONAL),
    JSON_F_TOKEN("qr_svg", struct ticket_view, qr_svg, 0, 100, JSON_OPTIONAL),
    JSON_F_TOKEN("qr_png", struct ticket_view, qr_png, 0, 100, JSON_OPTIONAL),
    JSON_F_TOKEN("pdf", struct ticket_view, pdf, 0, 100, JSON_OPTIONAL),
    JSON_F_TIME("used_at", struct ticket_view, used_at_ms, JSON_NULLABLE),
};
static const struct json_shape ticket_shape = JSON_SHAPE(ticket_fields, struct ticket_view);

str ticket_json(struct call *call, const struct ticket *ticket, const struct event *event,
                bool with_code)
{
    struct arena *arena = call->arena;
    const struct id_text id = id_format(TICKET_PREFIX, ticket->id.uuid);
    const struct ticket_type *type = event != NULL ? event_ticket_type(event, ticket->type) : NULL;
    const struct ticket_type_view type_view = {ticket->type,
                                               type != NULL ? type->name : STR_ABSENT};
    struct ticket_event_view event_view = {.id = ticket->event};
    struct ticket_view view = {
        .id = ticket->id,
        .order = ticket->order,
        .event_id = ticket->event,
        .type = &type_view,
        .status = ticket->status,
        .attendee = ticket->attendee_name,
        .price = {ticket->price_minor, ticket->currency},
        .used_at_ms = ticket->used_at_ms,
    };

    if (event != NULL) {
        event_view = (struct ticket_event_view){ticket->event,       event->name,
                                                event->starts_at_ms, event->ends_at_ms,
                                                event->timezone,     event_place(arena, event)};
        view.event = &event_view;
    }
    if (with_code && ticket_code_of(call, ticket, event, &view.code) == ERR_OK) {
        view.qr_svg = arena_printf(arena, "/tickets/%s/qr.svg", id.text);
        view.qr_png = arena_printf(arena, "/tickets/%s/qr.png", id.text);
        view.pdf = arena_printf(arena, "/tickets/%s/ticket.pdf", id.text);
    }
    return json_encode(arena, &ticket_shape, &view);
}

static bool admits(const struct ticket *ticket)
{
    return ticket->status == TICKET_VALID || ticket->status == TICKET_USED;
}

err ticket_list_json(struct call *call, order_id order, str *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct buf out = buf_in(call->arena, LIST_SIZE_MAX);
    struct ticket *tickets = NULL;
    size_t count = 0;

    TRY(tx_read(&tx, call_db(call)));
    TRY(ticket_list_of_order(&tx, call, order, &tickets, &count));
    tx_rollback(&tx);
    if (count > 0)
        event = catalog_find(booking_of(call)->catalog, tickets[0].event);
    buf_add_char(&out, '[');
    for (size_t i = 0; i < count && tickets[i].order_status != ORDER_HELD; i++) {
        if (i > 0)
            buf_add_char(&out, ',');
        buf_add(&out, ticket_json(call, &tickets[i], event, admits(&tickets[i])));
    }
    buf_add_char(&out, ']');
    *ret = buf_str(&out);
    return out.overflow ? ERR_INTERNAL : ERR_OK;
}

/* --- Handlers --- */

static err get_ticket(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct call *call = &req->call;
    struct ticket ticket;
    ticket_id id;

    TRY(req_param_id(req, "ticket", TICKET_PREFIX, &id.uuid));
    TRY(ticket_get_visible(call, id, &ticket, &event));
    reply_header(req, "ticket-status", str_of(ticket_status_names[ticket.status]));
    const bool holder = uuid_eq(call->caller.user, ticket.user) || call->caller.role == ROLE_ADMIN;
    return reply_text(req, 200, STR("application/json"),
                      ticket_json(call, &ticket, event, holder && admits(&ticket)));
}

struct ticket_query {
    event_id event;
    str cursor;
    int64_t limit;
};
static const struct json_field query_fields[] = {
    JSON_F_ID("event_id", struct ticket_query, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct ticket_query, cursor, 1, 1024, JSON_OPTIONAL),
    JSON_F_I64("limit", struct ticket_query, limit, 1, 100, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct ticket_query);

static err read_query(struct req *req, struct ticket_query *ret, struct uuid *ret_before)
{
    str position = STR_ABSENT;

    *ret = (struct ticket_query){.limit = 20};
    memset(ret_before, 0xFF, sizeof(*ret_before));
    TRY(req_query(req, &query_shape, ret));
    if (ret->cursor.ptr == NULL)
        return ERR_OK;
    TRY(cursor_read(&req->call, "tickets", ret->cursor, &position));
    if (position.size != sizeof(ret_before->bytes))
        return ERR_MALFORMED;
    memcpy(ret_before->bytes, position.ptr, position.size);
    return ERR_OK;
}

static err find_page(struct req *req, struct ticket *tickets, size_t *ret_count, int64_t *ret_limit)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct ticket_query query;
    struct uuid before;

    TRY(read_query(req, &query, &before));
    TRY(tx_read(&tx, call_db(&req->call)));
    TRY(rows_open(&rows, &tx, &SQL_TICKET_LIST_OF_USER,
                  ARGS(UUID(req->call.caller.user), UUID(before), I64(query.limit + 1),
                       UUID_OR_NIL(query.event.uuid)),
                  req->call.arena));
    *ret_count = 0;
    *ret_limit = query.limit;
    while (rows_next(&rows))
        TRY(read_row(&rows, &tickets[(*ret_count)++]));
    return rows_close(&rows);
}

static err get_tickets(struct req *req)
{
    struct call *call = &req->call;
    struct buf out = buf_in(call->arena, LIST_SIZE_MAX);
    struct ticket *tickets = arena_new_array(call->arena, struct ticket, 101);
    str next = STR_ABSENT;
    size_t count = 0;
    int64_t limit = 0;

    TRY(find_page(req, tickets, &count, &limit));
    if (count > (size_t)limit) {
        count = (size_t)limit;
        next =
            cursor_make(call, "tickets",
                        (str){(const char *)tickets[count - 1].id.uuid.bytes, sizeof(struct uuid)});
    }
    buf_add_cstr(&out, "{\"data\":[");
    for (size_t i = 0; i < count; i++) {
        CLEANUP(event_release_at)
        const struct event *event = catalog_find(booking_of(call)->catalog, tickets[i].event);

        buf_add_cstr(&out, i > 0 ? "," : "");
        buf_add(&out, ticket_json(call, &tickets[i], event, admits(&tickets[i])));
    }
    buf_add_cstr(&out, "],\"next_cursor\":");
    json_write_text(&out, next);
    buf_add_char(&out, '}');
    if (out.overflow)
        return ERR_INTERNAL;
    return reply_text(req, 200, STR("application/json"), buf_str(&out));
}

static const struct route routes[] = {
    {METHOD_GET, "/tickets",          get_tickets, AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/tickets/{ticket}", get_ticket,  AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table ticket_routes = ROUTE_TABLE(routes);
