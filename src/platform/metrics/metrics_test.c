/* platform/metrics/metrics_test.c */
#include "support/test.h"

#include <pthread.h>
#include <string.h>

#include "platform/metrics/metrics.h"

enum { TEXT_SIZE_MAX = 64 * 1024 };

TEST(series_are_written_by_families_in_the_order_they_were_made)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(TEXT_SIZE_MAX);
    struct metrics *metrics = metrics_open();
    struct metric *get =
        metrics_counter(metrics, "requests_total", "method=\"GET\"", "Requests answered.");
    struct metric *depth = metrics_gauge(metrics, "depth", NULL, "Waiting\nnow \\ \"here\".");
    struct metric *post = metrics_counter(metrics, "requests_total", "method=\"POST\"", "Other.");

    metric_add(get, 2);
    metric_add(get, 1);
    metric_add(post, 5);
    metric_set(depth, 7);
    metric_add(depth, -9);
    metrics_write(metrics, &buf);
    CHECK_STR("# HELP requests_total Requests answered.\n"
              "# TYPE requests_total counter\n"
              "requests_total{method=\"GET\"} 3\n"
              "requests_total{method=\"POST\"} 5\n"
              "# HELP depth Waiting\\nnow \\\\ \"here\".\n"
              "# TYPE depth gauge\n"
              "depth -2\n",
              buf_str(&buf));
    CHECK_I64(3, metric_value(get));
    CHECK_I64(-2, metric_value(depth));
    metrics_close(metrics);
}

TEST(names_hold_letters_digits_underscores_and_colons)
{
    struct metrics *metrics = metrics_open();

    metric_add(metrics_counter(metrics, "aZ_:09", "b_0Y=\"\",c=\",=\"", "A."), 1);
    metric_add(metrics_counter(metrics, ":a", NULL, "A."), 1);
    metrics_close(metrics);
}

TEST(a_series_is_made_once)
{
    struct metrics *metrics = metrics_open();
    const double bounds[] = {1, 2};

    CHECK(metrics_counter(metrics, "a", "x=\"1\"", "A.") ==
          metrics_counter(metrics, "a", "x=\"1\"", "A."));
    CHECK(metrics_counter(metrics, "a", "x=\"1\"", "A.") !=
          metrics_counter(metrics, "a", "x=\"2\"", "A."));
    CHECK(metrics_counter(metrics, "a", NULL, "A.") == metrics_counter(metrics, "a", "", "A."));
    CHECK(metrics_histogram(metrics, "h", NULL, "H.", bounds, 2) ==
          metrics_histogram(metrics, "h", NULL, "H.", bounds, 2));
    metrics_close(metrics);
    metrics_close(NULL);
}

TEST(a_histogram_counts_cumulatively_with_bounds_inclusive)
{
    static const double bounds[] = {0.005, 0.1, 2.5};
    static const double observed[] = {0, 0.005, 0.0051, 0.1, 2.5, 2.6, 1000};
    CLEANUP(buf_done) struct buf buf = buf_on_heap(TEXT_SIZE_MAX);
    struct metrics *metrics = metrics_open();
    struct metric *plain = metrics_histogram(metrics, "took_seconds", NULL, "Took.", bounds, 3);
    struct metric *labelled =
        metrics_histogram(metrics, "took_seconds", "op=\"x\"", "Took.", bounds, 3);

    for (size_t i = 0; i < sizeof(observed) / sizeof(observed[0]); i++)
        metric_observe(plain, observed[i]);
    metric_observe(labelled, 0.25);
    metrics_write(metrics, &buf);
    CHECK_STR("# HELP took_seconds Took.\n"
              "# TYPE took_seconds histogram\n"
              "took_seconds_bucket{le=\"0.005\"} 2\n"
              "took_seconds_bucket{le=\"0.1\"} 4\n"
              "took_seconds_bucket{le=\"2.5\"} 5\n"
              "took_seconds_bucket{le=\"+Inf\"} 7\n"
              "took_seconds_sum 1005.2101\n"
              "took_seconds_count 7\n"
              "took_seconds_bucket{op=\"x\",le=\"0.005\"} 0\n"
              "took_seconds_bucket{op=\"x\",le=\"0.1\"} 0\n"
              "took_seconds_bucket{op=\"x\",le=\"2.5\"} 1\n"
              "took_seconds_bucket{op=\"x\",le=\"+Inf\"} 1\n"
              "took_seconds_sum{op=\"x\"} 0.25\n"
              "took_seconds_count{op=\"x\"} 1\n",
              buf_str(&buf));
    CHECK_I64(7, metric_value(plain));
    metrics_close(metrics);
}

TEST(the_common_bounds_are_ascending_and_print_short)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(TEXT_SIZE_MAX);
    struct metrics *metrics = metrics_open();

    metrics_histogram(metrics, "s", NULL, "S.", METRICS_SECONDS, METRICS_SECONDS_COUNT);
    metrics_histogram(metrics, "n", NULL, "N.", METRICS_SIZES, METRICS_SIZES_COUNT);
    metrics_write(metrics, &buf);
    const str text = buf_str(&buf);
    CHECK(memmem(text.ptr, text.size, "s_bucket{le=\"0.0005\"} 0\n", 24) != NULL);
    CHECK(memmem(text.ptr, text.size, "s_bucket{le=\"10\"} 0\n", 20) != NULL);
    CHECK(memmem(text.ptr, text.size, "n_bucket{le=\"512\"} 0\n", 21) != NULL);
    metrics_close(metrics);
}

TEST(label_values_are_escaped)
{
    CLEANUP(buf_done) struct buf labels = buf_on_heap(200);
    CLEANUP(buf_done) struct buf text = buf_on_heap(TEXT_SIZE_MAX);
    struct metrics *metrics = metrics_open();

    metrics_label(&labels, "route", STR("/events/{event}"));
    metrics_label(&labels, "odd", STR("a\"b\\c\nd\xc3\xa4"));
    CHECK_STR("route=\"/events/{event}\",odd=\"a\\\"b\\\\c\\nd\xc3\xa4\"", buf_str(&labels));
    metric_add(metrics_counter(metrics, "a", labels.data, "A."), 1);
    metrics_write(metrics, &text);
    CHECK_STR("# HELP a A.\n# TYPE a counter\n"
              "a{route=\"/events/{event}\",odd=\"a\\\"b\\\\c\\nd\xc3\xa4\"} 1\n",
              buf_str(&text));
    metrics_close(metrics);
}

enum { THREADS = 4, ROUNDS = 5000, TOTAL = THREADS * ROUNDS };

static void *count(void *arg)
{
    struct metrics *metrics = arg;
    struct metric *counter = metrics_counter(metrics, "c", NULL, "C.");
    struct metric *histogram = metrics_histogram(metrics, "h", NULL, "H.", METRICS_SIZES, 3);

    for (int i = 0; i < ROUNDS; i++) {
        metric_add(counter, 1);
        metric_observe(histogram, 0.5);
    }
    return NULL;
}

TEST(nothing_is_lost_when_threads_count_and_somebody_reads)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(TEXT_SIZE_MAX);
    struct metrics *metrics = metrics_open();
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, count, metrics));
    metrics_write(metrics, &text);
    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_join(threads[i], NULL));
    buf_clear(&text);
    metrics_write(metrics, &text);
    const str all = buf_str(&text);
    CHECK(memmem(all.ptr, all.size, "h_sum 10000\nh_count 20000\n", 26) != NULL);
    CHECK_I64(TOTAL, metric_value(metrics_counter(metrics, "c", NULL, "C.")));
    metrics_close(metrics);
}
