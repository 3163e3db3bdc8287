/* platform/http/ops.c - what those who run the server ask it: is it alive, can it serve, what does
 * it count.
 *
 * They run on the loop, so that they are answered also when every worker is busy. */

#include "platform/http/internal.h"

enum { METRICS_SIZE_MAX = 8 << 20 };

static err get_healthz(struct req *req)
{
    return reply_text(req, 200, STR("application/json"), STR("{\"status\":\"ok\"}"));
}

static err get_readyz(struct req *req)
{
    if (atomic_load(&exchange_of(req)->server->stopping))
        return call_explain(&req->call, ERR_UNAVAILABLE, "The server is stopping.");
    return reply_text(req, 200, STR("application/json"), STR("{\"status\":\"ready\"}"));
}

static err get_metrics(struct req *req)
{
    struct buf text = buf_in(req->call.arena, METRICS_SIZE_MAX);

    metrics_write(exchange_of(req)->server->node->metrics, &text);
    if (text.overflow)
        return call_explain(&req->call, ERR_INTERNAL, "the metrics do not fit");
    return reply_text(req, 200, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&text));
}

static const struct route ops_routes[] = {
    {METHOD_GET, "/healthz", get_healthz, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET, "/readyz",  get_readyz,  AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};
const struct route_table http_ops_routes = ROUTE_TABLE(ops_routes);

static const struct route internal_routes[] = {
    {METHOD_GET, "/metrics", get_metrics, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};
const struct route_table http_internal_routes = ROUTE_TABLE(internal_routes);
