/* payment/unresolved.c - shows what needs somebody, to admins and to the audit, and lets refunds be
 * tried again. */
#include "services/payment/unresolved.h"

#include <string.h>

#include "services/payment/refund.h"
#include "services/payment/unresolved.sql.h"

enum { PAGE = 20, PAGE_MAX = 100, REPORT_SIZE_MAX = 64 * 1024 };

struct unresolved {
    int kind;
    str id; /* TypeID */
    order_id order;
    struct money amount;
    str status;
    str failure;
    int64_t tries;
    int64_t since_ms;
};
static const char *const kind_names[] = {"refund", "payment", "dispute", NULL};
static const struct json_field fields[] = {
    JSON_F_ENUM("kind", struct unresolved, kind, kind_names, JSON_OPTIONAL),
    JSON_F_TOKEN("id", struct unresolved, id, 0, 0, JSON_OPTIONAL),
    JSON_F_ID("order_id", struct unresolved, order, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct unresolved, amount, 0, 0, JSON_OPTIONAL),
    JSON_F_TOKEN("status", struct unresolved, status, 0, 0, JSON_OPTIONAL),
    JSON_F_TOKEN("failure", struct unresolved, failure, 0, 0, JSON_NULLABLE),
    JSON_F_I64("tries", struct unresolved, tries, 0, 0, JSON_OPTIONAL),
    JSON_F_TIME("since", struct unresolved, since_ms, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct unresolved);

struct page {
    struct unresolved *items;
    size_t count;
    str next;
};
static const struct json_field page_fields[] = {
    JSON_F_LIST("data", struct page, items, count, &shape, 0, 0, JSON_OPTIONAL),
    JSON_F_TOKEN("next_cursor", struct page, next, 0, 0, JSON_NULLABLE),
};
static const struct json_shape page_shape = JSON_SHAPE(page_fields, struct page);

/* --- Storage --- */

static const char *prefix_of(int kind)
{
    switch (kind) {
    case UNRESOLVED_REFUND:
        return REFUND_PREFIX;
    case UNRESOLVED_PAYMENT:
        return PAYMENT_PREFIX;
    default:
        return DISPUTE_PREFIX;
    }
}

/* Those behind `after`, oldest first, `limit` at most and whether there are more. */
static err list(struct call *call, struct uuid after, int64_t limit, struct page *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct page page = {.items = arena_new_array(call->arena, struct unresolved, PAGE_MAX + 1)};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_UNRESOLVED_LIST,
                  ARGS(I64(REFUND_TRIES_MAX), UUID(after), I64(limit + 1)), call->arena));
    while (rows_next(&rows) && page.count <= (size_t)limit) {
        struct unresolved *item = &page.items[page.count++];

        item->kind = (int)row_i64(&rows, 0);
        item->id = arena_str(call->arena,
                             str_of(id_format(prefix_of(item->kind), row_uuid(&rows, 1)).text));
        item->order.uuid = row_uuid(&rows, 2);
        item->amount.minor = row_i64(&rows, 3);
        (void)currency_parse(row_text(&rows, 4), &item->amount.currency);
        item->status = row_i64(&rows, 5) != 0 ? STR("failed") : STR("pending");
        item->tries = row_i64(&rows, 6);
        item->failure = row_text(&rows, 7);
        item->since_ms = row_i64(&rows, 8);
    }
    if (page.count > (size_t)limit) {
        page.count = (size_t)limit;
        page.next = page.items[page.count - 1].id;
    }
    *ret = page;
    return rows_close(&rows);
}

err payment_unresolved(struct call *call, str *ret_report)
{
    struct buf report = buf_in(call->arena, REPORT_SIZE_MAX);
    struct page page = {0};

    TRY(list(call, (struct uuid){0}, PAGE_MAX, &page));
    for (size_t i = 0; i < page.count; i++) {
        const struct unresolved *item = &page.items[i];

        buf_printf(&report, "unresolved money: %.*s, %s, %.*s, %lld tries%s%.*s\n",
                   STR_ARG(item->id), money_format(item->amount).text, STR_ARG(item->status),
                   (long long)item->tries, item->failure.size > 0 ? ", " : "",
                   STR_ARG(item->failure));
    }
    if (page.next.ptr != NULL)
        buf_add_cstr(&report, "unresolved money: and more\n");
    *ret_report = buf_str(&report);
    return ERR_OK;
}

/* --- Handlers --- */

struct list_query {
    int64_t limit;
    str cursor; /* the id that was shown last */
};
static const struct json_field query_fields[] = {
    JSON_F_I64("limit", struct list_query, limit, 1, PAGE_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct list_query, cursor, 1, 1024, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct list_query);

static err get_unresolved(struct req *req)
{
    struct list_query query = {.limit = PAGE};
    struct uuid after = {0};
    struct page page = {0};

    TRY(req_query(req, &query_shape, &query));
    if (query.cursor.ptr != NULL && !id_parse(REFUND_PREFIX, query.cursor, &after) &&
        !id_parse(PAYMENT_PREFIX, query.cursor, &after) &&
        !id_parse(DISPUTE_PREFIX, query.cursor, &after))
        return call_explain(&req->call, ERR_MALFORMED,
                            "The cursor was not given out by this list.");
    TRY(list(&req->call, after, query.limit, &page));
    return reply_json(req, 200, &page_shape, &page);
}

struct tried {
    refund_id id;
    int status;
};
static const struct json_field tried_fields[] = {
    JSON_F_ID("id", struct tried, id, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct tried, status, refund_status_names, JSON_OPTIONAL),
};
static const struct json_shape tried_shape = JSON_SHAPE(tried_fields, struct tried);

static err post_try(struct req *req)
{
    struct tried tried = {0};

    TRY(req_param_id(req, "refund", REFUND_PREFIX, &tried.id.uuid));
    TRY(refund_try_again(&req->call, tried.id, &tried.status));
    return reply_json(req, 200, &tried_shape, &tried);
}

static const struct route routes[] = {
    {METHOD_GET,  "/admin/unresolved-money",       get_unresolved, AUTH_ADMIN, NO_BODY, UNKEYED,
     ON_WORKER},
    {METHOD_POST, "/admin/refunds/{refund}/retry", post_try,       AUTH_ADMIN, NO_BODY, UNKEYED,
     ON_WORKER},
};
const struct route_table unresolved_routes = ROUTE_TABLE(routes);
