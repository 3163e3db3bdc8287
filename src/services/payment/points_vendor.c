/* payment/points_vendor.c - a vendor's own rules for loyalty points.
 *
 * They count for orders from then on: what an order earns is fixed when it is confirmed. */
#include "services/payment/points_vendor.h"

#include <stdio.h>

#include "services/payment/points_vendor.sql.h"

enum { BODY_SIZE_MAX = 16384 };

static const char *const earn_names[] = {"confirmed", "checkin", NULL};

static const struct json_field boost_fields[] = {
    JSON_F_ID("event_id", struct points_boost, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TIME("from", struct points_boost, from_ms, JSON_OPTIONAL),
    JSON_F_TIME("until", struct points_boost, until_ms, JSON_OPTIONAL),
    JSON_F_I64("percent", struct points_boost, percent, 101, POINTS_PERCENT_MAX, JSON_REQUIRED),
};
static const struct json_shape boost_shape = JSON_SHAPE(boost_fields, struct points_boost);
static const struct json_field fields[] = {
    JSON_F_ENUM("earn", struct points_vendor, earn, earn_names, JSON_OPTIONAL),
    JSON_F_BOOL("redeem", struct points_vendor, redeem, JSON_OPTIONAL),
    JSON_F_LIST("boosts", struct points_vendor, boosts, boost_count, &boost_shape, 0,
                POINTS_BOOSTS_MAX, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct points_vendor);

/* The column `boosts`. */
struct boosts {
    struct points_boost *items;
    size_t count;
};
static const struct json_field boosts_fields[] = {
    JSON_F_LIST("items", struct boosts, items, count, &boost_shape, 0, POINTS_BOOSTS_MAX,
                JSON_REQUIRED),
};
static const struct json_shape boosts_shape = JSON_SHAPE(boosts_fields, struct boosts);

/* --- Rules: no I/O --- */

int64_t points_boost_at(const struct points_vendor *vendor, event_id event, int64_t at_ms)
{
    int64_t most = 100;

    for (size_t i = 0; i < vendor->boost_count; i++) {
        const struct points_boost *boost = &vendor->boosts[i];
        const bool is_of =
            uuid_is_zero(boost->event.uuid) || uuid_eq(boost->event.uuid, event.uuid);
        const bool is_then = (boost->from_ms == JSON_NULL || at_ms >= boost->from_ms) &&
                             (boost->until_ms == JSON_NULL || at_ms < boost->until_ms);

        if (is_of && is_then && boost->percent > most)
            most = boost->percent;
    }
    return most;
}

static err check(struct call *call, const struct points_vendor *vendor)
{
    char pointer[40];
    err e = ERR_OK;

    for (size_t i = 0; i < vendor->boost_count; i++) {
        const struct points_boost *boost = &vendor->boosts[i];

        if (boost->from_ms == JSON_NULL || boost->until_ms == JSON_NULL ||
            boost->until_ms > boost->from_ms)
            continue;
        (void)snprintf(pointer, sizeof(pointer), "/boosts/%zu/until", i);
        e = call_invalid(call, pointer, "must be after from");
    }
    return e;
}

/* --- Storage --- */

err points_vendor_get(struct tx *tx, struct call *call, struct uuid vendor,
                      struct points_vendor *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct boosts boosts = {0};
    const err e = rows_first(&rows, tx, &SQL_POINTS_VENDOR_FIND, ARGS(UUID(vendor)), call->arena);

    *ret = (struct points_vendor){.earn = POINTS_EARN_CONFIRMED,
                                  .redeem = true,
                                  .boosts = arena_new(call->arena, struct points_boost)};
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    const int earn = (int)row_i64(&rows, 0);
    const bool redeem = row_i64(&rows, 1) != 0;
    const str json = row_text(&rows, 2);
    TRY(rows_close(&rows));
    TRY(json_read(call->arena, json, &boosts_shape, &boosts));
    *ret = (struct points_vendor){earn, redeem, boosts.items, boosts.count};
    return ERR_OK;
}

static err put(struct call *call, struct uuid vendor, const struct points_vendor *rules)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct boosts boosts = {rules->boosts, rules->boost_count};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_POINTS_VENDOR_PUT,
                ARGS(UUID(vendor), I64(rules->earn), I64(rules->redeem),
                     TEXT(json_encode(call->arena, &boosts_shape, &boosts)))));
    return tx_commit(&tx);
}

/* --- Handlers --- */

static err find_own(struct req *req, struct uuid *ret_vendor, struct points_vendor *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct caller *caller = &req->call.caller;

    TRY(req_param_id(req, "vendor", "vnd", ret_vendor));
    if (caller->role != ROLE_ADMIN && !uuid_eq(caller->vendor, *ret_vendor))
        return ERR_NOT_FOUND;
    TRY(tx_read(&tx, call_db(&req->call)));
    return points_vendor_get(&tx, &req->call, *ret_vendor, ret);
}

static err get_loyalty(struct req *req)
{
    struct points_vendor rules = {0};
    struct uuid vendor = {0};

    TRY(find_own(req, &vendor, &rules));
    return reply_json(req, 200, &shape, &rules);
}

static err put_loyalty(struct req *req)
{
    struct points_vendor rules = {0};
    struct uuid vendor = {0};

    TRY(find_own(req, &vendor, &rules));
    TRY(req_body(req, &shape, &rules));
    TRY(check(&req->call, &rules));
    TRY(put(&req->call, vendor, &rules));
    return reply_json(req, 200, &shape, &rules);
}

static const struct route routes[] = {
    {METHOD_GET, "/vendors/{vendor}/loyalty", get_loyalty, AUTH_VENDOR, NO_BODY,             UNKEYED,
     ON_WORKER                                                                                                 },
    {METHOD_PUT, "/vendors/{vendor}/loyalty", put_loyalty, AUTH_VENDOR, BODY(BODY_SIZE_MAX),
     UNKEYED,                                                                                         ON_WORKER},
};
const struct route_table points_vendor_routes = ROUTE_TABLE(routes);
