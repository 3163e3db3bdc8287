/* analytics/trend.h - what sells now: buyers of each event, counted with a half-life.
 *
 * The exponentially weighted count of research on popularity (EWMA): a buyer counts 1 when he buys
 * and half as much after each TREND_HALF_LIFE_MS. It counts people, not tickets, so that no bulk
 * buyer makes a trend; what is cancelled counts as if it had never been. */
#pragma once

#include "base/time.h"
#include "services/analytics/analytics.h"

enum {
    TREND_BUYERS_MIN = 2, /* one alone makes no trend */
    TREND_FRESH_MS = 1000,
};
#define TREND_HALF_LIFE_MS DAY_MS
#define TREND_KEPT_MS      (14 * TREND_HALF_LIFE_MS) /* then a buyer counts less than 1/16,000 */
#define TREND_CHORE        "forget_trends"

struct trends;

struct trends *trends_new(void);
void trends_free(struct trends *trends);

/* Consumer of booking's "order.*". */
err trend_follow(struct call *call, struct tx *tx, const struct feed_event *event);
/* The best now. Reads the database at most once in TREND_FRESH_MS. */
err trend_best(struct call *call, int64_t limit, struct analytics_trended *ret);
/* Chore: forgets who bought, and what does not sell any more. */
err trend_forget(struct call *call, int64_t *ret_next_ms);

/* How much is left of 1 after `age_ms` (below 0: as 0). Pure. */
double trend_weight(int64_t age_ms);
