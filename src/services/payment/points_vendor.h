/* payment/points_vendor.h - what a vendor has changed of the rules for points: when they are
 * earned, whether they are taken, and what earns more for a while.
 *
 * GET and PUT /vendors/{vendor}/loyalty. */
#pragma once

#include "platform/http/http.h"
#include "services/payment/points_rules.h"

enum points_earn { POINTS_EARN_CONFIRMED, POINTS_EARN_CHECKIN };
enum { POINTS_BOOSTS_MAX = 50 };

struct points_boost {
    event_id event;   /* zero: all of the vendor's */
    int64_t from_ms;  /* JSON_NULL: from ever */
    int64_t until_ms; /* JSON_NULL: for ever */
    int64_t percent;
};
struct points_vendor {
    int earn; /* enum points_earn */
    bool redeem;
    struct points_boost *boosts;
    size_t boost_count;
};

/* In any transaction; of whoever has changed nothing, what holds for all. */
err points_vendor_get(struct tx *tx, struct call *call, struct uuid vendor,
                      struct points_vendor *ret);
/* The most that any boost gives to an order of that time; 100: none does. Pure. */
int64_t points_boost_at(const struct points_vendor *vendor, event_id event, int64_t at_ms);

extern const struct route_table points_vendor_routes;
