/* platform/http/meter.c - what the server counts: one time series per route, method and class of
 * status; and where requests spend their time.
 *
 * A request is in one place at a time, and whoever hands it on says where it goes (meter_place), so
 * the places add up to the whole time. Components are another cut through the same time: what
 * the three seconds of an answer are shared out to. */

#include "platform/http/internal.h"

static const char requests_name[] = "boxoffice_http_requests_total";
static const char requests_help[] = "Requests answered, by route, method and class of status.";

static const double component_bounds[] = {0.0001, 0.001, 0.005, 0.025, 0.1, 0.3, 0.8, 1.5, 3.0};

static const struct {
    const char *labels;
    int64_t budget_ms;
} components[COMPONENTS] = {
    [COMPONENT_DATABASE] = {"component=\"database\"", 800 },
    [COMPONENT_CACHE] = {"component=\"cache\"",    100 },
    [COMPONENT_OWN] = {"component=\"own\"",      1500},
    [COMPONENT_NETWORK] = {"component=\"network\"",  300 },
    [COMPONENT_BUFFER] = {"component=\"buffer\"",   300 },
};

static void open_times(struct meter *meter, struct metrics *metrics)
{
    static const char *const places[PLACES] = {
        [PLACE_LOOP] = "place=\"loop\"",         [PLACE_QUEUE] = "place=\"queue\"",
        [PLACE_WORKER] = "place=\"worker\"",     [PLACE_PARKED] = "place=\"parked\"",
        [PLACE_HANDOVER] = "place=\"handover\"",
    };

    for (int i = 0; i < PLACES; i++)
        meter->places[i] = metrics_histogram(
            metrics, "boxoffice_http_place_seconds", places[i],
            "Time that a request was on its loop, in the queue for a worker, on it, parked, or on "
            "its way back to the loop; of those that were there at all.",
            METRICS_SECONDS, METRICS_SECONDS_COUNT);
    for (int i = 0; i < COMPONENTS; i++) {
        meter->components[i] =
            metrics_histogram(metrics, "boxoffice_http_component_seconds", components[i].labels,
                              "Time of a request that went into a component, where any did.",
                              component_bounds, sizeof(component_bounds) / sizeof(double));
        meter->over_budget[i] = metrics_counter(
            metrics, "boxoffice_http_over_budget_total", components[i].labels,
            "Requests in which a component took longer than its part of the three seconds of an "
            "answer: database 800 ms, cache 100 ms, own work 1500 ms, network 300 ms, buffer 300 "
            "ms.");
    }
}

void meter_open(struct meter *meter, struct metrics *metrics)
{
    *meter = (struct meter){
        .connections = metrics_gauge(metrics, "boxoffice_http_connections", NULL,
                                     "Connections that are open."),
        .in_flight = metrics_gauge(metrics, "boxoffice_http_in_flight", NULL,
                                   "Requests that are not answered yet."),
        .busy = metrics_gauge(metrics, "boxoffice_http_workers_busy", NULL,
                              "Worker threads that run a handler."),
        .parked = metrics_gauge(metrics, "boxoffice_http_parked", NULL,
                                "Requests that wait to be resumed."),
        .waiting = metrics_gauge(metrics, "boxoffice_http_waiting", NULL,
                                 "Requests that wait for a worker thread."),
        .overloaded = metrics_counter(metrics, "boxoffice_http_overloaded_total", NULL,
                                      "Requests refused because too many waited."),
        .refused = metrics_counter(metrics, "boxoffice_http_refused_total", NULL,
                                   "Connections refused for what they sent."),
        .handovers = metrics_counter(metrics, "boxoffice_http_handovers_total", NULL,
                                     "Requests that came back to their event loop."),
        .wakeups = metrics_counter(metrics, "boxoffice_http_wakeups_total", NULL,
                                   "Times that an event loop fetched such requests."),
        .websockets = metrics_gauge(metrics, "boxoffice_ws_connections", NULL,
                                    "WebSocket connections that are open."),
        .ws_sent = metrics_counter(metrics, "boxoffice_ws_sent_total", NULL,
                                   "Frames given to WebSocket clients."),
        .ws_behind = metrics_counter(metrics, "boxoffice_ws_behind_total", NULL,
                                     "Frames not sent because the client was behind."),
        .ws_refused = metrics_counter(metrics, "boxoffice_ws_refused_total", NULL,
                                      "WebSocket connections closed for what they sent."),
    };
    open_times(meter, metrics);
}

/* Found on its first use, then kept: later requests pay one load. */
static struct metric *requests_of(const struct exchange *exchange)
{
    const struct route *route = exchange->req.route;
    const bool by_get = route != NULL && route->method != exchange->req.method;
    const int class = exchange->reply.status / 100;
    _Atomic(struct metric *) *slot = &exchange->entry->meter.requests[by_get][class];
    struct metric *metric = atomic_load_explicit(slot, memory_order_acquire);
    char labels[256];

    if (metric != NULL)
        return metric;
    const int size = snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\",status=\"%dxx\"",
                              route != NULL ? route->path : "none",
                              route != NULL ? method_name(exchange->req.method) : "any", class);
    if (size < 0 || (size_t)size >= sizeof(labels))
        return NULL;
    metric = metrics_counter(exchange->server->node->metrics, requests_name, labels, requests_help);
    atomic_store_explicit(slot, metric, memory_order_release);
    return metric;
}

void meter_open_route(void *metrics, struct route_entry *entry)
{
    const struct route *route = entry->route;
    char labels[256];
    const int size = snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\"",
                              route != NULL ? route->path : "none",
                              route != NULL ? method_name(route->method) : "any");

    if (size > 0 && (size_t)size < sizeof(labels))
        entry->meter.seconds =
            metrics_histogram(metrics, "boxoffice_http_request_seconds", labels,
                              "Time from the last byte of a request to its answer.",
                              METRICS_SECONDS, METRICS_SECONDS_COUNT);
}

static void leave_place(struct exchange *exchange, int64_t now_ns)
{
    exchange->spent_ns[exchange->place] += now_ns - exchange->since_ns;
    exchange->since_ns = now_ns;
}

void meter_place(struct exchange *exchange, enum place place)
{
    leave_place(exchange, clock_stopwatch_ns());
    exchange->place = place;
}

void meter_component(const struct meter *meter, enum component component, int64_t ns)
{
    if (ns <= 0)
        return;
    metric_observe(meter->components[component], (double)ns / 1e9);
    if (ns > components[component].budget_ms * 1000000)
        metric_add(meter->over_budget[component], 1);
}

static void count_times(const struct exchange *exchange)
{
    const struct meter *meter = &exchange->server->meter;
    const int64_t *at = exchange->spent_ns;
    const int64_t database = exchange->component_ns[SPENT_DATABASE];
    const int64_t cache = exchange->component_ns[SPENT_CACHE];

    for (int i = 0; i < PLACES; i++)
        if (at[i] > 0)
            metric_observe(meter->places[i], (double)at[i] / 1e9);
    meter_component(meter, COMPONENT_DATABASE, database);
    meter_component(meter, COMPONENT_CACHE, cache);
    meter_component(meter, COMPONENT_OWN, at[PLACE_LOOP] + at[PLACE_WORKER] - database - cache);
    meter_component(meter, COMPONENT_BUFFER, at[PLACE_QUEUE] + at[PLACE_HANDOVER]);
}

void meter_count(struct exchange *exchange)
{
    const int64_t now_ns = clock_stopwatch_ns();
    struct metric *requests = requests_of(exchange);

    leave_place(exchange, now_ns);
    if (requests != NULL)
        metric_add(requests, 1);
    if (exchange->entry->meter.seconds != NULL)
        metric_observe(exchange->entry->meter.seconds, (double)(now_ns - exchange->begun_ns) / 1e9);
    count_times(exchange);
}
