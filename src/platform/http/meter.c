/* platform/http/meter.c - what the server counts: one time series per route, method and class of
 * status. */

#include "platform/http/internal.h"

static const char requests_name[] = "boxoffice_http_requests_total";
static const char requests_help[] = "Requests answered, by route, method and class of status.";

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

void meter_count(const struct exchange *exchange)
{
    const int64_t ns = clock_stopwatch_ns() - exchange->begun_ns;
    struct metric *requests = requests_of(exchange);

    if (requests != NULL)
        metric_add(requests, 1);
    if (exchange->entry->meter.seconds != NULL)
        metric_observe(exchange->entry->meter.seconds, (double)ns / 1e9);
}
