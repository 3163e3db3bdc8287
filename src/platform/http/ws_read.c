/* platform/http/ws_read.c - what comes from a WebSocket client, and the silence of one that has gone.
 *
 *   OPEN --client's close--> our close is sent --written--> CLOSED
 *   OPEN --ws_close, a breach, the server stops--> our close is sent --written--> CLOSING
 *   CLOSING --client's close, its end of stream, too slow--> CLOSED
 *   OPEN --end of stream, error, silence--> CLOSED
 *
 * A frame is read where it lies in the socket's buffer, which goes back to H2O's pool as soon as
 * it is empty: a connection on which nothing comes has none. */

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/http/ws_internal.h"

enum { FRAME_COST = 1000, BURST_MS = 4000 }; /* so a millisecond is worth frames_per_s */

static uint32_t or_standard(uint32_t value, uint32_t standard)
{
    return value > 0 ? value : standard;
}

static int64_t now_ms(const struct loop *loop)
{
    return clock_now_ms(loop->server->node->clock);
}

static void refuse(struct ws *ws, int code, str reason)
{
    metric_add(ws->loop->server->meter.ws_refused, 1);
    ws->reader.is_over = true;
    ws_close(ws, code, reason);
}

/* --- Events --- */

static void take_message(struct ws *ws, const struct ws_event *event)
{
    struct call call = {.self = ws->self,
                        .arena = ws->loop->arena,
                        .now_ms = now_ms(ws->loop),
                        .caller = ws->caller};

    ws->kind->received(ws, &call, event->type, event->payload);
    arena_reset(ws->loop->arena);
}

static void take_event(struct ws *ws, const struct ws_event *event)
{
    char payload[WS_CONTROL_SIZE_MAX];

    switch (event->type) {
    case WS_TEXT:
    case WS_BINARY:
        if (ws->phase == WS_OPEN)
            take_message(ws, event);
        return;
    case WS_PING:
        if (ws->phase == WS_OPEN)
            ws_send_control(ws, WS_PONG, event->payload);
        return;
    case WS_CLOSE:
        ws->has_closed = true;
        if (ws->phase == WS_CLOSING)
            ws_end(ws);
        else /* RFC 6455 5.5.1: its code comes back */
            ws_send_close(ws, (str){payload, ws_close_write(payload, event->code, STR(""))},
                          event->code);
        return;
    case WS_PONG:
    case WS_CONTINUATION:
        return;
    }
}

/* --- How often --- */

/* A bucket that fills with frames_per_s; false: it is empty. */
static bool may_send(struct ws *ws, uint64_t frame_count, int64_t elapsed_ms)
{
    const int64_t rate = or_standard(ws->kind->frames_per_s, WS_FRAMES_PER_S);
    const int64_t full = rate * BURST_MS;

    if (elapsed_ms > BURST_MS)
        elapsed_ms = BURST_MS;
    if (elapsed_ms > 0)
        ws->allowance += elapsed_ms * rate;
    if (ws->allowance > full)
        ws->allowance = full;
    ws->allowance -= (int64_t)frame_count * FRAME_COST;
    return ws->allowance >= 0;
}

/* --- Reading --- */

static enum ws_read read_one(struct ws *ws, int64_t elapsed_ms)
{
    h2o_buffer_t *input = ws->sock->input;
    const uint64_t count_before = ws->reader.frame_count;
    struct ws_event event;
    size_t taken;

    const enum ws_read read = ws_read(&ws->reader, input->bytes, input->size, &taken, &event);
    if (!may_send(ws, ws->reader.frame_count - count_before, elapsed_ms)) {
        refuse(ws, WS_POLICY, STR("Too many frames."));
        return WS_READ_FAILED;
    }
    if (read == WS_READ_EVENT)
        take_event(ws, &event);
    else if (read == WS_READ_FAILED)
        refuse(ws, event.code, STR(""));
    if (ws->phase != WS_CLOSED && taken > 0)
        h2o_buffer_consume(&ws->sock->input, taken);
    return read;
}

static void free_input(h2o_socket_t *sock)
{
    h2o_buffer_dispose(&sock->input);
    h2o_buffer_init(&sock->input, &h2o_socket_buffer_prototype);
}

static void read_all(struct ws *ws)
{
    const int64_t now = now_ms(ws->loop);
    int64_t elapsed_ms = now - ws->heard_at_ms;

    ws->heard_at_ms = now;
    ws->is_pinged = false;
    (void)ws_hold(ws);
    while (ws->phase != WS_CLOSED && ws->sock->input->size > 0 &&
           read_one(ws, elapsed_ms) == WS_READ_EVENT)
        elapsed_ms = 0;
    if (ws->phase != WS_CLOSED && (ws->reader.is_over || ws->sock->input->size == 0))
        free_input(ws->sock);
    ws_release(ws);
}

static void on_read(h2o_socket_t *sock, const char *error)
{
    struct ws *ws = sock->data;

    if (error != NULL)
        ws_end(ws);
    else
        read_all(ws);
}

void ws_begin_reading(struct ws *ws)
{
    h2o_socket_read_start(ws->sock, on_read);
    if (ws->sock->input->size > 0)
        read_all(ws);
}

/* --- The end of a conversation --- */

/* While the client is still sending, closing at once would take our close frame from it: only our
 * side is closed where nothing of it is understood any more. */
void ws_close_written(struct ws *ws)
{
    const bool was_refused = ws->reader.is_over && !ws->has_closed;

    if (ws->has_closed || (was_refused && shutdown(h2o_socket_get_fd(ws->sock), SHUT_WR) != 0)) {
        ws_end(ws);
        return;
    }
    ws->phase = WS_CLOSING;
    ws_set_timer(ws, &ws->loop->linger);
}

/* --- Silence --- */

static void check_silence(struct ws *ws, int64_t now)
{
    const int64_t silence_ms = now - ws->heard_at_ms;

    if (ws->phase != WS_OPEN)
        return;
    if (silence_ms >= or_standard(ws->kind->dead_after_ms, WS_DEAD_AFTER_MS)) {
        ws_end(ws);
    } else if (!ws->is_pinged &&
               silence_ms >= or_standard(ws->kind->ping_after_ms, WS_PING_AFTER_MS)) {
        ws->is_pinged = true;
        ws_send_control(ws, WS_PING, STR(""));
    }
}

/* The rule is the node's clock; the loop only looks at it often enough. */
void ws_on_tick(h2o_timeout_entry_t *entry)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, ticking, entry);
    const int64_t now = now_ms(loop);
    struct ws *next;

    for (struct ws *ws = loop->websockets; ws != NULL; ws = next) {
        next = ws->older;
        check_silence(ws, now);
    }
    if (loop->websockets != NULL)
        h2o_timeout_link(loop->context.loop, &loop->tick, &loop->ticking);
}
