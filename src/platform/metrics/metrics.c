/* platform/metrics/metrics.c - time series by families, counted with atomics.
 *
 * Finding or making a series takes a lock and happens once, at start or on a route's first use.
 * Updates take none. A scrape reads while others count: each number is right, and a histogram's
 * count is the sum of the buckets that were read, so it never contradicts them. */

#include "platform/metrics/metrics.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { REAL_SIZE_MAX = 32 };

const double METRICS_SECONDS[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                  0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
const size_t METRICS_SECONDS_COUNT = sizeof(METRICS_SECONDS) / sizeof(METRICS_SECONDS[0]);
const double METRICS_SIZES[] = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0};
const size_t METRICS_SIZES_COUNT = sizeof(METRICS_SIZES) / sizeof(METRICS_SIZES[0]);

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct metric {
    struct metric *next; /* of the family, in the order they were made */
    const struct family *family;
    char *labels;          /* "" without */
    _Atomic int64_t value; /* counter, gauge */
    _Atomic uint64_t sum;  /* histogram: the bits of a double */
    /* Histogram: each counts what no smaller one took; the last is +Inf. */
    _Atomic int64_t buckets[];
};

struct family {
    struct family *next;
    char *name;
    char *help;
    enum kind kind;
    double *bounds;
    size_t bound_count;
    struct metric *metrics;
};

struct metrics {
    pthread_mutex_t lock; /* of the lists; a series in them never moves and never goes */
    struct family *families;
};

/* --- The registry --- */

struct metrics *metrics_open(void)
{
    struct metrics *metrics = mem_new(struct metrics);
    const int failed = pthread_mutex_init(&metrics->lock, NULL);

    assert(failed == 0);
    return metrics;
}

static void close_family(struct family *family)
{
    while (family->metrics != NULL) {
        struct metric *metric = family->metrics;

        family->metrics = metric->next;
        mem_free(metric->labels);
        mem_free(metric);
    }
    mem_free(family->name);
    mem_free(family->help);
    mem_free(family->bounds);
    mem_free(family);
}

void metrics_close(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    while (metrics->families != NULL) {
        struct family *family = metrics->families;

        metrics->families = family->next;
        close_family(family);
    }
    pthread_mutex_destroy(&metrics->lock);
    mem_free(metrics);
}

static char *copy_of(const char *text)
{
    const size_t size = strlen(text) + 1;

    return memcpy(mem_alloc(size), text, size);
}

static bool is_name_char(char c, bool first, bool colon)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && colon) ||
           (c >= '0' && c <= '9' && !first);
}

static bool is_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!is_name_char(*c, c == name, true))
            return false;
    return *name != '\0';
}

/* Behind one name="value"; NULL if it is none. */
static const char *skip_label(const char *c)
{
    const char *first = c;

    while (is_name_char(*c, c == first, false))
        c++;
    if (c == first || c[0] != '=' || c[1] != '"')
        return NULL;
    for (c += 2; *c != '"'; c++) {
        if (*c == '\\' && (c[1] == '\\' || c[1] == '"' || c[1] == 'n'))
            c++;
        else if (*c == '\\' || *c == '\n' || *c == '\0')
            return NULL;
    }
    return c + 1;
}

static bool are_labels(const char *labels)
{
    const char *c = labels;

    if (*c == '\0')
        return true;
    while ((c = skip_label(c)) != NULL) {
        if (*c == '\0')
            return true;
        if (*c++ != ',')
            return false;
    }
    return false;
}

struct histogram_bounds {
    const double *bounds;
    size_t count;
};

static struct family *make_family(const char *name, const char *help, enum kind kind,
                                  struct histogram_bounds bounds)
{
    struct family *family = mem_new(struct family);

    assert(is_name(name));
    for (size_t i = 1; i < bounds.count; i++)
        assert(bounds.bounds[i - 1] < bounds.bounds[i]);
    family->name = copy_of(name);
    family->help = copy_of(help);
    family->kind = kind;
    family->bound_count = bounds.count;
    if (bounds.count > 0) {
        family->bounds = mem_alloc(bounds.count * sizeof(double));
        memcpy(family->bounds, bounds.bounds, bounds.count * sizeof(double));
    }
    return family;
}

static struct metric *make_metric(const struct family *family, const char *labels)
{
    const size_t bucket_count = family->kind == HISTOGRAM ? family->bound_count + 1 : 0;
    struct metric *metric = mem_alloc(sizeof(*metric) + bucket_count * sizeof(metric->buckets[0]));

    assert(are_labels(labels));
    metric->family = family;
    metric->labels = copy_of(labels);
    return metric;
}

/* Each end of a list is where the next one is hung up, so that a scrape keeps the order of
 * making. */
static struct metric *find_or_make(struct metrics *metrics, const char *name, const char *labels,
                                   const char *help, enum kind kind, struct histogram_bounds bounds)
{
    if (labels == NULL)
        labels = "";
    pthread_mutex_lock(&metrics->lock);
    struct family **family = &metrics->families;
    while (*family != NULL && strcmp((*family)->name, name) != 0)
        family = &(*family)->next;
    if (*family == NULL)
        *family = make_family(name, help, kind, bounds);
    assert((*family)->kind == kind && (*family)->bound_count == bounds.count);

    struct metric **metric = &(*family)->metrics;
    while (*metric != NULL && strcmp((*metric)->labels, labels) != 0)
        metric = &(*metric)->next;
    if (*metric == NULL)
        *metric = make_metric(*family, labels);
    struct metric *found = *metric;
    pthread_mutex_unlock(&metrics->lock);
    return found;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                               const char *help)
{
    return find_or_make(metrics, name, labels, help, COUNTER, (struct histogram_bounds){0});
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels,
                             const char *help)
{
    return find_or_make(metrics, name, labels, help, GAUGE, (struct histogram_bounds){0});
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t bound_count)
{
    const struct histogram_bounds both = {bounds, bound_count};

    return find_or_make(metrics, name, labels, help, HISTOGRAM, both);
}

/* --- Counting --- */

void metric_add(struct metric *metric, int64_t by)
{
    assert(metric->family->kind != HISTOGRAM);
    assert(by >= 0 || metric->family->kind == GAUGE);
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    assert(metric->family->kind == GAUGE);
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static double double_of(uint64_t bits)
{
    double n;

    memcpy(&n, &bits, sizeof(n));
    return n;
}

static uint64_t bits_of(double n)
{
    uint64_t bits;

    memcpy(&bits, &n, sizeof(bits));
    return bits;
}

void metric_observe(struct metric *metric, double value)
{
    const struct family *family = metric->family;
    size_t i = 0;

    assert(family->kind == HISTOGRAM && !isnan(value));
    while (i < family->bound_count && value > family->bounds[i])
        i++;
    atomic_fetch_add_explicit(&metric->buckets[i], 1, memory_order_relaxed);

    uint64_t sum = atomic_load_explicit(&metric->sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->sum, &sum,
                                                  bits_of(double_of(sum) + value),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

int64_t metric_value(const struct metric *metric)
{
    int64_t count = 0;

    if (metric->family->kind != HISTOGRAM)
        return atomic_load_explicit(&metric->value, memory_order_relaxed);
    for (size_t i = 0; i <= metric->family->bound_count; i++)
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return count;
}

/* --- Text --- */

void metrics_label(struct buf *labels, const char *name, str value)
{
    if (labels->size > 0)
        buf_add_char(labels, ',');
    buf_add_cstr(labels, name);
    buf_add(labels, STR("=\""));
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.ptr[i];

        if (c == '\\' || c == '"')
            buf_add_char(labels, '\\');
        if (c == '\n')
            buf_add(labels, STR("\\n"));
        else if (c != '\0')
            buf_add_char(labels, c);
    }
    buf_add_char(labels, '"');
}

/* In a help text quotes stand for themselves. */
static void add_help(struct buf *buf, const char *help)
{
    for (const char *c = help; *c != '\0'; c++) {
        if (*c == '\\')
            buf_add(buf, STR("\\\\"));
        else if (*c == '\n')
            buf_add(buf, STR("\\n"));
        else
            buf_add_char(buf, *c);
    }
}

/* The shortest digits that read back as the same number, without regard to the locale. */
static void add_real(struct buf *buf, double n)
{
    char text[REAL_SIZE_MAX];

    for (int precision = 6; precision <= 17; precision++) {
        const int size = snprintf(text, sizeof(text), "%.*g", precision, n);
        double again;

        assert(size > 0 && (size_t)size < sizeof(text));
        if (sscanf(text, "%lf", &again) == 1 && again == n) /* NOLINT(cert-err34-c): we wrote it */
            break;
    }
    char *comma = strchr(text, ',');
    if (comma != NULL)
        *comma = '.';
    buf_add_cstr(buf, text);
}

static void begin_sample(struct buf *buf, const struct metric *metric, const char *suffix)
{
    buf_add_cstr(buf, metric->family->name);
    buf_add_cstr(buf, suffix);
    if (metric->labels[0] == '\0')
        return;
    buf_add_char(buf, '{');
    buf_add_cstr(buf, metric->labels);
    buf_add_char(buf, '}');
}

static void end_sample(struct buf *buf, int64_t value)
{
    buf_add_char(buf, ' ');
    buf_add_i64(buf, value);
    buf_add_char(buf, '\n');
}

static void write_histogram(struct buf *buf, const struct metric *metric)
{
    const struct family *family = metric->family;
    int64_t count = 0;

    for (size_t i = 0; i <= family->bound_count; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        buf_add_cstr(buf, family->name);
        buf_add(buf, STR("_bucket{"));
        buf_add_cstr(buf, metric->labels);
        buf_add(buf, metric->labels[0] != '\0' ? STR(",le=\"") : STR("le=\""));
        if (i < family->bound_count)
            add_real(buf, family->bounds[i]);
        else
            buf_add(buf, STR("+Inf"));
        buf_add(buf, STR("\"}"));
        end_sample(buf, count);
    }
    begin_sample(buf, metric, "_sum");
    buf_add_char(buf, ' ');
    add_real(buf, double_of(atomic_load_explicit(&metric->sum, memory_order_relaxed)));
    buf_add_char(buf, '\n');
    begin_sample(buf, metric, "_count");
    end_sample(buf, count);
}

static void write_family(struct buf *buf, const struct family *family)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    buf_add(buf, STR("# HELP "));
    buf_add_cstr(buf, family->name);
    buf_add_char(buf, ' ');
    add_help(buf, family->help);
    buf_add(buf, STR("\n# TYPE "));
    buf_add_cstr(buf, family->name);
    buf_add_char(buf, ' ');
    buf_add_cstr(buf, kinds[family->kind]);
    buf_add_char(buf, '\n');
    for (const struct metric *metric = family->metrics; metric != NULL; metric = metric->next) {
        if (family->kind == HISTOGRAM) {
            write_histogram(buf, metric);
        } else {
            begin_sample(buf, metric, "");
            end_sample(buf, metric_value(metric));
        }
    }
}

void metrics_write(struct metrics *metrics, struct buf *buf)
{
    pthread_mutex_lock(&metrics->lock);
    for (const struct family *family = metrics->families; family != NULL; family = family->next)
        write_family(buf, family);
    pthread_mutex_unlock(&metrics->lock);
}
