/* platform/metrics/metrics.h - counters, gauges and histograms in the Prometheus text format
 * 0.0.4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct metrics; /* thread-safe registry */
struct metric;  /* one time series; updated without locks */

struct metrics *metrics_open(void);
void metrics_close(struct metrics *metrics);

/* Finds or makes. `name` as Prometheus wants it ("boxoffice_http_requests_total"); `labels` like
 * `route="/events",method="GET"` or NULL; both are copied. Ask once and keep the pointer: it
 * lives as long as the registry. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels,
                             const char *help);
/* `bounds` ascending, in the unit of what is observed (seconds for *_seconds). */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t bound_count);

/* Adds name="value" to a list of labels, escaped, with a comma where one is needed: for values
 * that are not literals. */
void metrics_label(struct buf *labels, const char *name, str value);

void metric_add(struct metric *metric, int64_t by);       /* counter, gauge */
void metric_set(struct metric *metric, int64_t value);    /* gauge */
void metric_observe(struct metric *metric, double value); /* histogram */
int64_t metric_value(const struct metric *metric);        /* counter, gauge; a histogram's count */

extern const double METRICS_SECONDS[]; /* 0.5 ms to 10 s */
extern const size_t METRICS_SECONDS_COUNT;
extern const double METRICS_SIZES[]; /* 1, 2, 4 ... 512 */
extern const size_t METRICS_SIZES_COUNT;

void metrics_write(struct metrics *metrics, struct buf *buf);
