/* payment/sales_get.c - GET /vendors/{vendor}/sales, as JSON or CSV. */
#include "services/payment/sales.h"

#include <inttypes.h>

#include "services/booking/booking.h"
#include "services/identity/identity.h"
#include "services/payment/payment.h"

enum { CSV_SIZE_MAX = 64 * 1024 * 1024 };

/* --- Handlers --- */

static const char *const grouping_names[] = {"day", "event", "ticket_type", NULL};

struct asked {
    str from;
    str to;
    struct uuid event;
    int group_by;
    str currency;
};
static const struct json_field asked_fields[] = {
    JSON_F_TOKEN("from", struct asked, from, 1, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("to", struct asked, to, 1, 40, JSON_OPTIONAL),
    JSON_F_ID("event_id", struct asked, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("group_by", struct asked, group_by, grouping_names, JSON_OPTIONAL),
    JSON_F_TOKEN("currency", struct asked, currency, 1, 3, JSON_OPTIONAL),
};
static const struct json_shape asked_shape = JSON_SHAPE(asked_fields, struct asked);

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a member */
#define FIGURES(s, m)                                                       \
    JSON_F_MONEY("gross", s, m.gross, 0, 0, JSON_OPTIONAL),                 \
        JSON_F_MONEY("fees", s, m.fees, 0, 0, JSON_OPTIONAL),               \
        JSON_F_MONEY("refunds", s, m.refunds, 0, 0, JSON_OPTIONAL),         \
        JSON_F_MONEY("net", s, m.net, 0, 0, JSON_OPTIONAL),                 \
        JSON_F_I64("tickets_sold", s, m.tickets_sold, 0, 0, JSON_OPTIONAL), \
        JSON_F_I64("tickets_refunded", s, m.tickets_refunded, 0, 0, JSON_OPTIONAL)

/* NOLINTEND(bugprone-macro-parentheses) */
static const struct json_field by_day_fields[] = {
    JSON_F_TOKEN("day", struct sales_group, date, 0, 0, JSON_OPTIONAL),
    FIGURES(struct sales_group, figures),
};
static const struct json_field by_event_fields[] = {
    JSON_F_ID("event_id", struct sales_group, event, EVENT_PREFIX, JSON_OPTIONAL),
    FIGURES(struct sales_group, figures),
};
static const struct json_field by_type_fields[] = {
    JSON_F_ID("event_id", struct sales_group, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("ticket_type_id", struct sales_group, ticket_type, TICKET_TYPE_PREFIX, JSON_NULLABLE),
    FIGURES(struct sales_group, figures),
};
static const struct json_shape group_shapes[] = {
    [SALES_BY_DAY] = JSON_SHAPE(by_day_fields, struct sales_group),
    [SALES_BY_EVENT] = JSON_SHAPE(by_event_fields, struct sales_group),
    [SALES_BY_TICKET_TYPE] = JSON_SHAPE(by_type_fields, struct sales_group),
};
static const struct json_field totals_fields[] = {FIGURES(struct sales_report, totals)};
static const struct json_shape totals_shape = JSON_SHAPE(totals_fields, struct sales_report);

struct shown {
    str currency;
    str *currencies;
    size_t currency_count;
    struct sales_report *totals;
    struct sales_group *series;
    size_t series_count;
    struct sales_group *events;
    size_t event_count;
};
static const struct json_field currency_field = {.type = JSON_TOKEN, .min = 0, .max = 0};
#define SHOWN(by)                                                                              \
    {                                                                                          \
        JSON_F_TOKEN("currency", struct shown, currency, 0, 0, JSON_OPTIONAL),                 \
            JSON_F_SCALARS("currencies", struct shown, currencies, currency_count,             \
                           &currency_field, 0, 0, JSON_OPTIONAL),                              \
            JSON_F_OBJECT("totals", struct shown, totals, &totals_shape, JSON_OPTIONAL),       \
            JSON_F_LIST("series", struct shown, series, series_count, &group_shapes[by], 0, 0, \
                        JSON_OPTIONAL),                                                        \
            JSON_F_LIST("events", struct shown, events, event_count,                           \
                        &group_shapes[SALES_BY_EVENT], 0, 0, JSON_OPTIONAL),                   \
    }
static const struct json_field shown_by_day[] = SHOWN(SALES_BY_DAY);
static const struct json_field shown_by_event[] = SHOWN(SALES_BY_EVENT);
static const struct json_field shown_by_type[] = SHOWN(SALES_BY_TICKET_TYPE);
static const struct json_shape shown_shapes[] = {
    [SALES_BY_DAY] = JSON_SHAPE(shown_by_day, struct shown),
    [SALES_BY_EVENT] = JSON_SHAPE(shown_by_event, struct shown),
    [SALES_BY_TICKET_TYPE] = JSON_SHAPE(shown_by_type, struct shown),
};

/* His own, or anybody's for an admin. */
static err find_vendor(struct req *req, struct uuid *ret)
{
    struct identity_vendor_find find = {0};
    struct identity_vendor_found found = {0};

    TRY(req_param_id(req, "vendor", VENDOR_PREFIX, &find.vendor.uuid));
    *ret = find.vendor.uuid;
    if (req->call.caller.role == ROLE_ADMIN)
        return identity_vendor_find(&req->call, &find, &found);
    return uuid_eq(*ret, req->call.caller.vendor) ? ERR_OK : ERR_NOT_FOUND;
}

/* "2026-12-31", or the date in a time. */
static err read_day(struct call *call, const char *pointer, str text, int64_t *ret)
{
    struct civil date = {0};
    int64_t ms = 0;

    if (text.ptr == NULL)
        return ERR_OK;
    if (time_parse(text, &ms))
        text.size = sizeof("2026-12-31") - 1;
    if (!date_parse(text, &date))
        return call_invalid(call, pointer, "must be a date such as 2026-12-31");
    *ret = ledger_day(date);
    return ERR_OK;
}

static err read_query(struct req *req, struct sales_query *query, struct shown *shown)
{
    struct call *call = &req->call;
    struct asked asked = {.group_by = SALES_BY_DAY};

    TRY(req_query(req, &asked_shape, &asked));
    query->event = asked.event;
    query->group_by = asked.group_by;
    TRY(read_day(call, "from", asked.from, &query->from_day));
    TRY(read_day(call, "to", asked.to, &query->to_day));
    if (query->to_day < query->from_day)
        return call_invalid(call, "to", "must not be before from");
    if (asked.currency.ptr != NULL && !currency_parse(asked.currency, &query->currency))
        return call_invalid(call, "currency", "must be an active ISO 4217 code");
    shown->currencies = arena_new_array(call->arena, str, SALES_CURRENCIES_MAX);
    TRY(sales_currencies(call, query->vendor, shown->currencies, &shown->currency_count));
    if (asked.currency.ptr == NULL && shown->currency_count > 0)
        (void)currency_parse(shown->currencies[0], &query->currency);
    return ERR_OK;
}

/* Of text/csv and application/json, which does Accept name first? JSON if neither. */
static bool wants_csv(str accept)
{
    str item = STR_ABSENT;
    str name = STR_ABSENT;

    while (str_split(&accept, ',', &item)) {
        (void)str_split(&item, ';', &name);
        name = str_trim(name);
        if (str_eq_nocase(name, STR("text/csv")))
            return true;
        if (str_eq_nocase(name, STR("application/json")))
            return false;
    }
    return false;
}

static void write_figures(struct buf *out, const struct sales_figures *figures)
{
    buf_printf(out,
               ",%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\r\n",
               figures->gross.currency.code, figures->gross.minor, figures->fees.minor,
               figures->refunds.minor, figures->net.minor, figures->tickets_sold,
               figures->tickets_refunded);
}

/* RFC 4180; amounts in minor units, as in JSON. */
static err reply_csv(struct req *req, const struct sales_report *report, int group_by)
{
    static const char *const keys[] = {"day", "event_id", "event_id,ticket_type_id"};
    struct buf out = buf_in(req->call.arena, CSV_SIZE_MAX);

    buf_printf(&out, "%s,currency,gross,fees,refunds,net,tickets_sold,tickets_refunded\r\n",
               keys[group_by]);
    for (size_t i = 0; i < report->series_count; i++) {
        const struct sales_group *group = &report->series[i];

        if (group_by == SALES_BY_DAY)
            buf_add(&out, group->date);
        else
            buf_add_cstr(&out, id_format(EVENT_PREFIX, group->event).text);
        if (group_by == SALES_BY_TICKET_TYPE)
            buf_printf(&out, ",%s",
                       uuid_is_zero(group->ticket_type)
                           ? ""
                           : id_format(TICKET_TYPE_PREFIX, group->ticket_type).text);
        write_figures(&out, &group->figures);
    }
    if (out.overflow)
        return ERR_INTERNAL;
    return reply_text(req, 200, STR("text/csv; charset=utf-8"), buf_str(&out));
}

static err get_sales(struct req *req)
{
    struct sales_query query = {.to_day = SALES_LAST_DAY, .currency = {"USD"}};
    struct sales_report report = {0};
    struct shown shown = {.totals = &report};

    TRY(find_vendor(req, &query.vendor));
    TRY(read_query(req, &query, &shown));
    TRY(sales_read(&req->call, &query, &report));
    reply_header(req, "cache-control", STR("no-store"));
    reply_header(req, "vary", STR("Accept"));
    if (wants_csv(req_header(req, STR("accept"))))
        return reply_csv(req, &report, query.group_by);
    shown.currency = str_of(query.currency.code);
    shown.series = report.series;
    shown.series_count = report.series_count;
    shown.events = report.events;
    shown.event_count = report.event_count;
    return reply_json(req, 200, &shown_shapes[query.group_by], &shown);
}

static const struct route routes[] = {
    {METHOD_GET, "/vendors/{vendor}/sales", get_sales, AUTH_VENDOR, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table sales_routes = ROUTE_TABLE(routes);
