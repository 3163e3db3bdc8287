/* analytics/analytics.h - what people do, and what follows from it: the contract of the analytics
 * service. */
#pragma once

#include "platform/node/node.h"
#include "services/booking/booking.h"

enum { ANALYTICS_TRENDS_MAX = 500 };

/* What sells now, the best first: at most ANALYTICS_TRENDS_MAX events, at most a second old. Whether
 * they can still be bought, booking knows. */
struct analytics_trending {
    int64_t limit; /* 1 to ANALYTICS_TRENDS_MAX */
};
struct analytics_trend {
    event_id event;
    double score; /* > 0: distinct buyers, those of a day ago half as much, and so on */
};
struct analytics_trended {
    struct analytics_trend *trends;
    size_t trend_count;
};
OP_DECLARE(analytics_trending, struct analytics_trending, struct analytics_trended);

extern const struct service analytics_service;
