/* platform/http/ws_open.c - how a request becomes a WebSocket connection, and how that ends.
 *
 *   handler: reply_upgrade --loop: ws_upgrade--> OPENING --101 written--> OPEN --> ... --> CLOSED
 *
 * reply_upgrade judges the handshake on whichever thread the handler runs. The connection is made
 * on the loop, when the answer is sent. H2O writes the 101 and then gives its socket away; until
 * then the sentry has it, which hands the socket on (ws_adopt), or reports that it was closed. */

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "platform/http/ws_internal.h"
#include "platform/ws/handshake.h"

/* --- The handshake (RFC 6455 4.2) --- */

/* Pages of this host itself: "https://host:port" against Host. */
static bool is_own_origin(const struct req *req, str origin)
{
    const str host = req_header(req, STR("host"));
    size_t at = 0;

    while (at + 3 < origin.size && !str_eq(str_slice(origin, at, at + 3), STR("://")))
        at++;
    return host.size > 0 && str_eq_nocase(str_slice(origin, at + 3, origin.size), host);
}

static bool is_handshake(const struct req *req)
{
    return req->method == METHOD_GET &&
           ws_list_has(req_header(req, STR("upgrade")), STR("websocket")) &&
           str_eq(req_header(req, STR("sec-websocket-version")), STR("13"));
}

err reply_upgrade(struct req *req, const struct ws_kind *kind)
{
    struct exchange *exchange = exchange_of(req);
    const str origin = req_header(req, STR("origin"));

    assert(kind->message_max > 0 && kind->message_max <= WS_MESSAGE_MAX);
    if (!is_handshake(req)) {
        reply_header(req, "upgrade", STR("websocket"));
        reply_header(req, "sec-websocket-version", STR("13"));
        return call_explain(&req->call, ERR_UPGRADE_REQUIRED,
                            "This is a WebSocket (RFC 6455, version 13).");
    }
    if (!ws_key_is_valid(req_header(req, STR("sec-websocket-key"))) || exchange->body_size > 0)
        return call_explain(&req->call, ERR_MALFORMED,
                            "A handshake has a Sec-WebSocket-Key of 16 bytes, and no body.");
    if (origin.ptr != NULL &&
        !(kind->admits != NULL ? kind->admits(req, origin) : is_own_origin(req, origin)))
        return call_explain(&req->call, ERR_FORBIDDEN, "Pages of that origin may not connect.");
    exchange->reply.status = 101;
    exchange->reply.upgrade = kind;
    return ERR_OK;
}

/* --- Its begin --- */

static void link_open(struct ws *ws)
{
    struct loop *loop = ws->loop;

    ws->older = loop->websockets;
    if (ws->older != NULL)
        ws->older->newer = ws;
    loop->websockets = ws;
    if (!h2o_timeout_is_linked(&loop->ticking))
        h2o_timeout_link(loop->context.loop, &loop->tick, &loop->ticking);
}

static void unlink_open(struct ws *ws)
{
    if (ws->newer != NULL)
        ws->newer->older = ws->older;
    else
        ws->loop->websockets = ws->older;
    if (ws->older != NULL)
        ws->older->newer = ws->newer;
}

/* The client does not take what is written, or does not close. */
static void on_timeout(h2o_timeout_entry_t *entry)
{
    struct ws *ws = H2O_STRUCT_FROM_MEMBER(struct ws, timer, entry);
    const uint64_t acked = ws->phase == WS_OPEN ? socket_acked(ws->sock) : 0;

    if (acked > ws->acked) { /* slow, but it reads */
        ws->acked = acked;
        ws_set_timer(ws, &ws->loop->send);
        return;
    }
    ws_end(ws);
}

void ws_set_timer(struct ws *ws, h2o_timeout_t *timeout)
{
    h2o_timeout_unlink(&ws->timer);
    if (timeout != NULL)
        h2o_timeout_link(ws->loop->context.loop, timeout, &ws->timer);
}

static struct ws *new_ws(struct exchange *exchange, const struct ws_kind *kind)
{
    const struct req *req = &exchange->req;
    struct ws *ws = mem_new(struct ws);

    ws->references = 1; /* the loop's */
    ws->loop = exchange->loop;
    ws->kind = kind;
    ws->self = req->call.self;
    ws->caller = req->call.caller;
    ws->subprotocol =
        ws_choose_subprotocol(req_header(req, STR("sec-websocket-protocol")), kind->subprotocols);
    ws->heard_at_ms = clock_now_ms(exchange->server->node->clock);
    ws->allowance = INT64_MAX / 2; /* cut down to a full bucket at its first use */
    ws->reader = ws_reader_new(WS_SERVER, kind->message_max);
    ws->timer.cb = on_timeout;
    pthread_mutex_init(&ws->mutex, NULL);
    metric_add(exchange->server->meter.websockets, 1);
    return ws;
}

/* The sentry hears the same from the socket, so there is nothing to do. */
static void on_upgraded(void *arg, h2o_socket_t *sock, size_t request_size)
{
    (void)arg;
    (void)sock;
    (void)request_size;
}

void ws_upgrade(struct exchange *exchange)
{
    struct req *req = &exchange->req;
    h2o_req_t *h2o = exchange->h2o;
    struct sentry *sentry = sentry_of(h2o);
    struct ws *ws = new_ws(exchange, exchange->reply.upgrade);

    h2o->res.status = 101;
    h2o->res.reason = "Switching Protocols";
    h2o->res.content_length = SIZE_MAX;
    const struct ws_accept accept = ws_accept_of(req_header(req, STR("sec-websocket-key")));
    reply_header(req, "upgrade", STR("websocket"));
    reply_header(req, "sec-websocket-accept", arena_str(req->call.arena, str_of(accept.text)));
    if (ws->subprotocol.ptr != NULL)
        reply_header(req, "sec-websocket-protocol", ws->subprotocol);
    reply_add_headers(exchange);
    exchange->answered = true;
    ws->kind->opened(ws, req);
    h2o_http1_upgrade(h2o, NULL, 0, on_upgraded, ws);
    sentry_upgrading(sentry, ws);
}

void ws_adopt(struct ws *ws, h2o_socket_t *sock, str surplus)
{
    ws->sock = sock;
    sock->data = ws;
    sock->on_close.cb = NULL;
    sock->on_close.data = NULL;
    h2o_buffer_dispose(&sock->input); /* the request */
    h2o_buffer_init(&sock->input, &h2o_socket_buffer_prototype);
    if (surplus.size > 0) {
        const h2o_iovec_t room = h2o_buffer_reserve(&sock->input, surplus.size);
        memcpy(room.base, surplus.ptr, surplus.size);
        sock->input->size += surplus.size;
    }
    ws->phase = WS_OPEN;
    link_open(ws);
    ws_flush(ws);
    ws_begin_reading(ws);
}

/* --- Its end --- */

void ws_end(struct ws *ws)
{
    struct loop *loop = ws->loop;

    pthread_mutex_lock(&ws->mutex);
    ws->is_closed = true;
    const int code = ws->code != 0 ? ws->code : WS_ABNORMAL;
    pthread_mutex_unlock(&ws->mutex);
    ws->phase = WS_CLOSED;
    ws_set_timer(ws, NULL);
    if (ws->sock != NULL) {
        unlink_open(ws);
        h2o_socket_close(ws->sock);
        ws->sock = NULL;
        loop_connection_closed(loop);
    }
    metric_add(loop->server->meter.websockets, -1);
    ws->kind->closed(ws, code);
    ws_drop_pieces(ws);
    ws_reader_done(&ws->reader);
    ws_release(ws);
}

static void each_open(struct loop *loop, void (*fn)(struct ws *ws))
{
    struct ws *next;

    for (struct ws *ws = loop->websockets; ws != NULL; ws = next) {
        next = ws->older;
        fn(ws);
    }
}

static void say_goodbye(struct ws *ws)
{
    ws_close(ws, WS_GOING_AWAY, STR("The server stops."));
}

void ws_stop_all(struct loop *loop)
{
    each_open(loop, say_goodbye);
}

void ws_cut_all(struct loop *loop)
{
    each_open(loop, ws_end);
}

/* --- For kinds --- */

struct ws *ws_hold(struct ws *ws)
{
    atomic_fetch_add_explicit(&ws->references, 1, memory_order_relaxed);
    return ws;
}

void ws_release(struct ws *ws)
{
    if (atomic_fetch_sub(&ws->references, 1) != 1)
        return;
    pthread_mutex_destroy(&ws->mutex);
    mem_free(ws);
}

void ws_set_state(struct ws *ws, void *state)
{
    ws->state = state;
}

void *ws_state(const struct ws *ws)
{
    return ws->state;
}

const struct caller *ws_caller(const struct ws *ws)
{
    return &ws->caller;
}

str ws_subprotocol(const struct ws *ws)
{
    return ws->subprotocol;
}
