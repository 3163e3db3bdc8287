/* payment/method.c - makes, shows, changes and removes vendors' payment methods.
 *
 * Which events take a method, booking knows: it is asked before one goes, and told when one has
 * changed. The configuration may hold account numbers and secrets: it is sealed, bound to its row,
 * and shown to its vendor alone. */
#include "services/payment/method.h"

#include <string.h>

#include "platform/crypto/crypto.h"
#include "services/booking/booking.h"
#include "services/payment/method.sql.h"
#include "services/payment/payment.h"

enum { PAGE = 20, PAGE_MAX = 100, BODY_SIZE_MAX = 8192, NEWS_SIZE_MAX = 16384 };

struct pay_method {
    struct uuid id;
    struct uuid vendor; /* zero: not shown */
    str type;
    str label;
    str config; /* JSON object; absent: none */
};
static const struct json_field fields[] = {
    JSON_F_ID("id", struct pay_method, id, PAYMENT_METHOD_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("vendor_id", struct pay_method, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_TOKEN("type", struct pay_method, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("label", struct pay_method, label, 0, 0, JSON_NULLABLE),
    JSON_F_RAW("config", struct pay_method, config, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct pay_method);

/* --- Rules: no I/O --- */

static bool is_type(str type)
{
    static const char *const known[] = {"card", "visa", "mastercard", "cash_on_arrival",
                                        "bank_transfer"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq(type, str_of(known[i])))
            return true;
    return false;
}

static err check(struct call *call, const struct pay_method *method)
{
    err e = ERR_OK;

    if (!is_type(method->type))
        e = call_invalid(call, "/type",
                         "must be one of card, visa, mastercard, cash_on_arrival, bank_transfer");
    if (method->config.ptr != NULL && !str_starts(method->config, STR("{")))
        e = call_invalid(call, "/config", "must be an object");
    else if (method->config.size > METHOD_CONFIG_MAX)
        e = call_invalid(call, "/config", "must have at most %d bytes", METHOD_CONFIG_MAX);
    return e;
}

/* --- Storage --- */

static str context_of(struct call *call, struct uuid id)
{
    return arena_printf(call->arena, "payment_method.config/%s",
                        id_format(PAYMENT_METHOD_PREFIX, id).text);
}

static str seal(struct call *call, const struct pay_method *method)
{
    return method->config.ptr == NULL
               ? STR_ABSENT
               : keyring_seal(call->self->node->keyring, call->self->node->rng, call->arena,
                              context_of(call, method->id), method->config);
}

static err unseal(struct call *call, struct uuid id, str sealed, str *ret)
{
    if (sealed.ptr == NULL)
        return ERR_OK;
    return keyring_unseal(call->self->node->keyring, call->arena, context_of(call, id), sealed,
                          ret) == ERR_OK
               ? ERR_OK
               : ERR_INTERNAL;
}

static err get(struct call *call, struct uuid id, struct pay_method *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_METHOD_FIND, ARGS(UUID(id)), call->arena));
    struct pay_method method = {.id = id, .vendor = row_uuid(&rows, 0)};
    method.type = row_text(&rows, 1);
    method.label = row_text(&rows, 2);
    TRY(unseal(call, id, row_blob(&rows, 3), &method.config));
    *ret = method;
    return rows_close(&rows);
}

err method_config(struct call *call, struct uuid vendor, struct uuid id, str *ret)
{
    struct pay_method method = {0};

    TRY(get(call, id, &method));
    if (!uuid_eq(method.vendor, vendor))
        return ERR_NOT_FOUND;
    *ret = method.config;
    return ERR_OK;
}

static err insert(struct call *call, const struct pay_method *method)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_METHOD_COUNT, ARGS(UUID(method->vendor)), &count));
    if (count >= METHODS_MAX)
        return call_explain(call, ERR_LIMIT_EXCEEDED, "a vendor has at most %d payment methods",
                            METHODS_MAX);
    TRY(db_exec(&tx, &SQL_METHOD_INSERT,
                ARGS(UUID(method->id), UUID(method->vendor), TEXT(method->type),
                     TEXT(method->label), BLOB(seal(call, method)), I64(call->now_ms))));
    return tx_commit(&tx);
}

static err remove_row(struct call *call, struct uuid id)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_METHOD_DELETE, ARGS(UUID(id))));
    return tx_commit(&tx);
}

/* Events show the label: booking is told. */
static err update(struct call *call, const struct pay_method *method)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct buf news = buf_in(call->arena, NEWS_SIZE_MAX);

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_METHOD_UPDATE,
                ARGS(UUID(method->id), TEXT(method->label), BLOB(seal(call, method)))));
    buf_printf(&news, "{\"payment_method_id\":\"%s\",\"type\":\"%.*s\"",
               id_format(PAYMENT_METHOD_PREFIX, method->id).text, STR_ARG(method->type));
    if (method->label.ptr != NULL) {
        buf_add_cstr(&news, ",\"label\":");
        json_write_text(&news, method->label);
    }
    buf_add_char(&news, '}');
    TRY(outbox_add(&tx, call, "payment_method.changed", buf_str(&news)));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

/* --- The op --- */

static err payment_method_find_run(struct call *call, const struct payment_method_find *in,
                                   struct payment_method_found *ret)
{
    struct pay_method method = {0};

    TRY(get(call, in->method, &method));
    if (!uuid_eq(method.vendor, in->vendor))
        return ERR_NOT_FOUND;
    *ret = (struct payment_method_found){method.type, method.label};
    return ERR_OK;
}

static const struct json_field find_fields[] = {
    JSON_F_ID("vendor", struct payment_method_find, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_ID("method", struct payment_method_find, method, PAYMENT_METHOD_PREFIX, JSON_REQUIRED),
};
static const struct json_shape find_shape = JSON_SHAPE(find_fields, struct payment_method_find);
static const struct json_field found_fields[] = {
    JSON_F_TOKEN("type", struct payment_method_found, type, 1, 40, JSON_REQUIRED),
    JSON_F_TEXT("label", struct payment_method_found, label, 0, METHOD_LABEL_MAX, JSON_OPTIONAL),
};
static const struct json_shape found_shape = JSON_SHAPE(found_fields, struct payment_method_found);
OP_DEFINE("payment", payment_method_find, struct payment_method_find, struct payment_method_found,
          &find_shape, &found_shape);

static const struct json_field of_fields[] = {
    JSON_F_ID("vendor", struct payment_methods_find, vendor, "vnd", JSON_REQUIRED),
};
static const struct json_shape of_shape = JSON_SHAPE(of_fields, struct payment_methods_find);
static const struct json_field plain_fields[] = {
    JSON_F_TOKEN("type", struct booking_accepted, type, 1, 40, JSON_REQUIRED),
    JSON_F_TEXT("label", struct booking_accepted, label, 0, METHOD_LABEL_MAX, JSON_OPTIONAL),
    JSON_F_ID("payment_method_id", struct booking_accepted, payment_method, PAYMENT_METHOD_PREFIX,
              JSON_REQUIRED),
};
static const struct json_shape plain_shape = JSON_SHAPE(plain_fields, struct booking_accepted);
static const struct json_field all_fields[] = {
    JSON_F_LIST("methods", struct payment_methods_found, methods, method_count, &plain_shape, 0,
                METHODS_MAX, JSON_REQUIRED),
};
static const struct json_shape all_shape = JSON_SHAPE(all_fields, struct payment_methods_found);

static err payment_methods_find_run(struct call *call, const struct payment_methods_find *in,
                                    struct payment_methods_found *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct booking_accepted *methods =
        arena_new_array(call->arena, struct booking_accepted, METHODS_MAX);
    const struct uuid first = {0};
    size_t count = 0;

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_METHOD_LIST,
                  ARGS(UUID(in->vendor), UUID(first), I64(METHODS_MAX)), call->arena));
    while (count < METHODS_MAX && rows_next(&rows))
        methods[count++] =
            (struct booking_accepted){row_text(&rows, 2), row_text(&rows, 3), row_uuid(&rows, 0)};
    *ret = (struct payment_methods_found){methods, count};
    return rows_close(&rows);
}
OP_DEFINE("payment", payment_methods_find, struct payment_methods_find,
          struct payment_methods_found, &of_shape, &all_shape);

/* --- Lists --- */

struct list_query {
    struct uuid event;
    int64_t limit;
    str cursor; /* the id that was shown last */
};
static const struct json_field query_fields[] = {
    JSON_F_ID("event_id", struct list_query, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_I64("limit", struct list_query, limit, 1, PAGE_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct list_query, cursor, 1, 1024, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct list_query);

struct page {
    struct pay_method *items;
    size_t count;
    str next;
};
static const struct json_field page_fields[] = {
    JSON_F_LIST("data", struct page, items, count, &shape, 0, 0, JSON_OPTIONAL),
    JSON_F_TOKEN("next_cursor", struct page, next, 0, 0, JSON_NULLABLE),
};
static const struct json_shape page_shape = JSON_SHAPE(page_fields, struct page);

/* What an event takes, as anybody may see it: without a configuration. */
static err list_of_event(struct call *call, const struct list_query *query, struct page *ret)
{
    const struct booking_event_accepts in = {{query->event}};
    struct booking_event_accepted found = {0};

    TRY(booking_event_accepts(call, &in, &found));
    ret->items = arena_new_array(call->arena, struct pay_method, found.accepted_count + 1);
    ret->count = found.accepted_count;
    for (size_t i = 0; i < found.accepted_count; i++)
        ret->items[i] = (struct pay_method){
            .id = found.accepted[i].payment_method,
            .type = found.accepted[i].type,
            .label = found.accepted[i].label,
        };
    return ERR_OK;
}

static err list_own(struct call *call, struct uuid after, int64_t limit, struct page *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct page page = {.items = arena_new_array(call->arena, struct pay_method, PAGE_MAX + 1)};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_METHOD_LIST,
                  ARGS(UUID(call->caller.vendor), UUID(after), I64(limit + 1)), call->arena));
    while (page.count <= (size_t)limit && rows_next(&rows)) {
        struct pay_method *method = &page.items[page.count++];

        method->id = row_uuid(&rows, 0);
        method->vendor = row_uuid(&rows, 1);
        method->type = row_text(&rows, 2);
        method->label = row_text(&rows, 3);
        TRY(unseal(call, method->id, row_blob(&rows, 4), &method->config));
    }
    if (page.count > (size_t)limit) {
        page.count = (size_t)limit;
        page.next =
            arena_str(call->arena,
                      str_of(id_format(PAYMENT_METHOD_PREFIX, page.items[page.count - 1].id).text));
    }
    *ret = page;
    return rows_close(&rows);
}

static err get_methods(struct req *req)
{
    struct call *call = &req->call;
    struct list_query query = {.limit = PAGE};
    struct uuid after = {0};
    struct page page = {0};

    TRY(req_query(req, &query_shape, &query));
    if (query.cursor.ptr != NULL && !id_parse(PAYMENT_METHOD_PREFIX, query.cursor, &after))
        return call_explain(call, ERR_MALFORMED, "The cursor was not given out by this list.");
    if (!uuid_is_zero(query.event))
        TRY(list_of_event(call, &query, &page));
    else if (uuid_is_zero(call->caller.vendor))
        return call_invalid(call, "event_id",
                            "is required: only vendors have methods of their own");
    else
        TRY(list_own(call, after, query.limit, &page));
    return reply_json(req, 200, &page_shape, &page);
}

/* --- Handlers --- */

static const struct json_field input_fields[] = {
    JSON_F_TOKEN("type", struct pay_method, type, 1, 40, JSON_REQUIRED),
    JSON_F_TEXT("label", struct pay_method, label, 1, METHOD_LABEL_MAX, JSON_NULLABLE),
    JSON_F_RAW("config", struct pay_method, config, JSON_NULLABLE),
};
static const struct json_shape input_shape = JSON_SHAPE(input_fields, struct pay_method);
static const struct json_field change_fields[] = {
    JSON_F_TOKEN("type", struct pay_method, type, 1, 40, JSON_OPTIONAL),
    JSON_F_TEXT("label", struct pay_method, label, 1, METHOD_LABEL_MAX, JSON_NULLABLE),
    JSON_F_RAW("config", struct pay_method, config, JSON_NULLABLE),
};
static const struct json_shape change_shape = JSON_SHAPE(change_fields, struct pay_method);

static err read_new(struct req *req, struct pay_method *ret)
{
    struct pay_method method = {0};

    TRY(req_body(req, &input_shape, &method));
    method.id = call_uuid(&req->call);
    method.vendor = req->call.caller.vendor;
    TRY(check(&req->call, &method));
    *ret = method;
    return ERR_OK;
}

static err post_method(struct req *req)
{
    struct pay_method method = {0};

    if (uuid_is_zero(req->call.caller.vendor)) /* an admin sells nothing himself */
        return call_explain(&req->call, ERR_FORBIDDEN, "payment methods belong to vendors");
    TRY(read_new(req, &method));
    TRY(insert(&req->call, &method));
    return reply_json(req, 201, &shape, &method);
}

/* Made first and attached then: what booking refuses is taken back. */
static err post_event_method(struct req *req)
{
    struct call *call = &req->call;
    struct pay_method method = {0};
    struct booking_method_attach attach = {0};
    struct booking_method_done done = {0};
    struct booking_event_accepted accepted = {0};

    TRY(req_param_id(req, "event", EVENT_PREFIX, &attach.event.uuid));
    const struct booking_event_accepts mine = {attach.event};
    TRY(booking_event_accepts(call, &mine, &accepted));
    if (!accepted.is_own)
        return ERR_NOT_FOUND;
    if (uuid_is_zero(call->caller.vendor))
        return call_explain(call, ERR_FORBIDDEN, "payment methods belong to vendors");
    TRY(read_new(req, &method));
    TRY(insert(call, &method));
    attach.method = (struct booking_accepted){method.type, method.label, method.id};
    const err e = booking_method_attach(call, &attach, &done);
    if (e != ERR_OK && err_status(e) < 500)
        TRY(remove_row(call, method.id));
    TRY(e);
    return reply_json(req, 201, &shape, &method);
}

static err find_own(struct req *req, struct pay_method *ret)
{
    struct uuid id = {0};

    TRY(req_param_id(req, "method", PAYMENT_METHOD_PREFIX, &id));
    TRY(get(&req->call, id, ret));
    return req->call.caller.role == ROLE_ADMIN || uuid_eq(ret->vendor, req->call.caller.vendor)
               ? ERR_OK
               : ERR_NOT_FOUND;
}

static err put_method(struct req *req)
{
    struct pay_method method = {0};

    TRY(find_own(req, &method));
    const str type = method.type;
    TRY(req_body(req, &change_shape, &method));
    if (!str_eq(method.type, type))
        return call_invalid(&req->call, "/type", "must stay as it is");
    TRY(check(&req->call, &method));
    TRY(update(&req->call, &method));
    return reply_json(req, 200, &shape, &method);
}

static err delete_method(struct req *req)
{
    struct pay_method method = {0};
    struct booking_method_done done = {0};

    TRY(find_own(req, &method));
    const struct booking_method_detach detach = {method.vendor, method.id};
    TRY(booking_method_detach(&req->call, &detach, &done));
    TRY(remove_row(&req->call, method.id));
    return reply_empty(req, 204);
}

static const struct route routes[] = {
    {METHOD_GET,    "/vendors/payment-methods",          get_methods,       AUTH_USER,   NO_BODY,             UNKEYED, ON_WORKER},
    {METHOD_POST,   "/vendors/payment-methods",          post_method,       AUTH_VENDOR, BODY(BODY_SIZE_MAX),
     UNKEYED,                                                                                                          ON_WORKER},
    {METHOD_PUT,    "/vendors/payment-methods/{method}", put_method,        AUTH_VENDOR, BODY(BODY_SIZE_MAX),
     UNKEYED,                                                                                                          ON_WORKER},
    {METHOD_DELETE, "/vendors/payment-methods/{method}", delete_method,     AUTH_VENDOR, NO_BODY,
     UNKEYED,                                                                                                          ON_WORKER},
    {METHOD_POST,   "/events/{event}/payment-methods",   post_event_method, AUTH_VENDOR,
     BODY(BODY_SIZE_MAX),                                                                                     UNKEYED, ON_WORKER},
};
const struct route_table method_routes = ROUTE_TABLE(routes);
