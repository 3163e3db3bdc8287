/* booking/export/people.c - orders and attendees: whoever has bought, by name.
 *
 * Names come from identity, after the transaction, and only those of whoever has bought: who merely held
 * tickets is none of the vendor's business. */
#include "services/booking/export/reading.h"

#include "services/booking/order.h"
#include "services/identity/identity.h"

/* --- Orders, with who has bought --- */

enum { ORDER_STATUS = 2, ORDER_CONFIRMED_AT = 4, ORDER_USER = 11, ORDER_NAME, ORDER_EMAIL };

const struct export_column export_order_columns[EXPORT_ORDER_COLUMNS] = {
    C_ID("id", ORDER_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_NAME("status", order_status_names),
    C_TIME("created_at"),
    C_TIME("confirmed_at"),
    C_WORD("payment_method"),
    C_I64("total"),
    C_WORD("currency"),
    C_I64("due"),
    C_I64("paid"),
    C_I64("refunded"),
    C_ID("buyer_id", USER_PREFIX),
    C_TEXT("buyer_name"),
    C_TEXT("buyer_email"),
};

static bool has_bought(const struct value *cells)
{
    const int64_t status = cells[ORDER_STATUS].i64;

    return status == ORDER_PENDING || status == ORDER_CONFIRMED || status == ORDER_REFUNDED ||
           status == ORDER_PARTIALLY_REFUNDED ||
           (status == ORDER_CANCELLED && cells[ORDER_CONFIRMED_AT].type != VALUE_NULL);
}

static err name_buyers(struct call *call, const struct export_table *table,
                       struct export_page *page)
{
    struct identity_users_find find = {
        .users = arena_new_array(call->arena, user_id, page->row_count + 1)};
    struct identity_users_found found = {0};
    size_t next = 0;

    for (size_t i = 0; i < page->row_count; i++) {
        const struct value *cells = page->cells + i * table->column_count;

        if (has_bought(cells))
            find.users[find.user_count++].uuid = cells[ORDER_USER].uuid;
    }
    if (find.user_count == 0)
        return ERR_OK;
    TRY(identity_users_find(call, &find, &found));
    for (size_t i = 0; i < page->row_count && next < found.person_count; i++) {
        struct value *cells = page->cells + i * table->column_count;

        if (!has_bought(cells))
            continue;
        cells[ORDER_NAME] = TEXT(found.persons[next].name);
        cells[ORDER_EMAIL] = TEXT(found.persons[next].email);
        page->text_size += found.persons[next].name.size + found.persons[next].email.size;
        next++;
    }
    return ERR_OK;
}

err export_orders(struct call *call, const struct export_table *table,
                  const struct export_query *query, struct export_page *ret)
{
    /* Of the columns the last two are not in the statement. */
    struct export_table rows = *table;
    struct export_page page = {0};

    rows.column_count = ORDER_NAME;
    TRY(export_of_events(call, &rows, query, &page));
    export_page_open(call, table, query, ret);
    for (size_t i = 0; i < page.row_count; i++)
        for (size_t c = 0; c < table->column_count; c++)
            ret->cells[i * table->column_count + c] =
                c < rows.column_count ? page.cells[i * rows.column_count + c] : NIL;
    ret->row_count = page.row_count;
    ret->text_size = page.text_size;
    ret->more = page.more;
    ret->end = page.end;
    return name_buyers(call, table, ret);
}

/* --- Attendees: an order has a list of them --- */

const struct export_column export_attendee_columns[EXPORT_ATTENDEE_COLUMNS] = {
    C_ID("order_id", ORDER_PREFIX),
    C_I64("position"),
    C_TEXT("name"),
    C_TEXT("email"),
};
static const struct export_column attendees_columns[] = {
    C_ID("order_id", ORDER_PREFIX),
    C_TEXT("attendees"),
};

struct attendee {
    str name;
    str email;
};
struct attendees { /* {"list": what the column holds} */
    struct attendee *list;
    size_t count;
};
static const struct json_field named_fields[] = {
    JSON_F_TEXT("name", struct attendee, name, 0, INT64_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct attendee, email, 0, INT64_MAX, JSON_NULLABLE),
};
static const struct json_shape named_shape = JSON_SHAPE(named_fields, struct attendee);
static const struct json_field list_fields[] = {
    JSON_F_LIST("list", struct attendees, list, count, &named_shape, 0, INT64_MAX, JSON_OPTIONAL),
};
static const struct json_shape list_shape = JSON_SHAPE(list_fields, struct attendees);

static err parse_attendees(struct call *call, str column, struct attendees *ret)
{
    return json_read(call->arena, arena_printf(call->arena, "{\"list\":%.*s}", STR_ARG(column)),
                     &list_shape, ret);
}

err export_attendees(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret)
{
    struct export_table rows = *table;
    struct export_page page = {0};
    size_t count = 0;

    rows.columns = attendees_columns;
    rows.column_count = sizeof(attendees_columns) / sizeof(attendees_columns[0]);
    TRY(export_of_events(call, &rows, query, &page));
    struct attendees *orders = arena_new_array(call->arena, struct attendees, page.row_count + 1);
    for (size_t i = 0; i < page.row_count; i++) {
        TRY(parse_attendees(call, page.cells[2 * i + 1].bytes, &orders[i]));
        count += orders[i].count;
    }
    *ret = page;
    ret->cells = arena_new_array(call->arena, struct value, count * table->column_count + 1);
    ret->row_count = 0;
    for (size_t i = 0; i < page.row_count; i++)
        for (size_t a = 0; a < orders[i].count; a++) {
            struct value *cells = export_page_next(table, ret);

            cells[0] = page.cells[2 * i];
            cells[1] = I64((int64_t)a);
            cells[2] = TEXT(orders[i].list[a].name);
            cells[3] = TEXT(orders[i].list[a].email);
            ret->row_count++;
        }
    return ERR_OK;
}
