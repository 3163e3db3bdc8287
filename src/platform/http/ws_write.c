/* platform/http/ws_write.c - what goes to a WebSocket client: frames, the list of what waits for it,
 * and its way from any thread to the loop.
 *
 * A list has two ends: senders append under the connection's mutex, the loop cuts off what it can
 * give to one writev. Only the loop touches the socket; whoever sends from elsewhere links the
 * connection itself into its loop's receiver, once for as many frames as come until the loop gets
 * there. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/http/ws_internal.h"

enum { PIECES_PER_WRITE = 16 };

/* --- Frames --- */

static struct ws_frame *new_frame(enum ws_opcode opcode, str payload)
{
    char head[WS_HEAD_SIZE_MAX];
    const size_t head_size = ws_head_write(head, opcode, payload.size, NULL);
    struct ws_frame *frame = mem_alloc(sizeof(*frame) + head_size + payload.size);

    frame->references = 1;
    frame->opcode = opcode;
    frame->size = head_size + payload.size;
    memcpy(frame->bytes, head, head_size);
    if (payload.size > 0)
        memcpy(frame->bytes + head_size, payload.ptr, payload.size);
    return frame;
}

struct ws_frame *ws_frame_new(enum ws_opcode type, str payload)
{
    assert(type == WS_BINARY || (type == WS_TEXT && ws_is_text(payload)));
    return new_frame(type, payload);
}

struct ws_frame *ws_frame_hold(struct ws_frame *frame)
{
    atomic_fetch_add_explicit(&frame->references, 1, memory_order_relaxed);
    return frame;
}

void ws_frame_release(struct ws_frame *frame)
{
    if (frame != NULL && atomic_fetch_sub(&frame->references, 1) == 1)
        mem_free(frame);
}

/* --- The list --- */

static size_t free_pieces(struct piece *piece)
{
    size_t size = 0;

    while (piece != NULL) {
        struct piece *next = piece->next;
        size += piece->frame->size;
        ws_frame_release(piece->frame);
        mem_free(piece);
        piece = next;
    }
    return size;
}

void ws_drop_pieces(struct ws *ws)
{
    (void)free_pieces(ws->writing);
    (void)free_pieces(ws->first);
    ws->writing = ws->first = ws->last = NULL;
}

static bool is_on_loop(const struct ws *ws)
{
    return pthread_equal(pthread_self(), ws->loop->runs_on) != 0;
}

/* Under the mutex, which keeps the loop: it cannot end before the connection has. */
static void append(struct ws *ws, struct ws_frame *frame)
{
    struct piece *piece = mem_new(struct piece);

    piece->frame = ws_frame_hold(frame);
    if (ws->last != NULL)
        ws->last->next = piece;
    else
        ws->first = piece;
    ws->last = piece;
    ws->pending += frame->size;
    if (ws->is_posted || is_on_loop(ws))
        return;
    ws->is_posted = true;
    (void)ws_hold(ws);
    loop_post_ws(ws->loop, &ws->link);
}

/* Up to PIECES_PER_WRITE from the begin of the list. */
static size_t cut_first(struct ws *ws, h2o_iovec_t bufs[PIECES_PER_WRITE])
{
    struct piece *last = NULL;
    size_t count = 0;

    pthread_mutex_lock(&ws->mutex);
    ws->writing = ws->first;
    for (struct piece *piece = ws->first; piece != NULL && count < PIECES_PER_WRITE;
         piece = piece->next) {
        bufs[count++] = h2o_iovec_init(piece->frame->bytes, piece->frame->size);
        last = piece;
    }
    if (last != NULL) {
        ws->first = last->next;
        last->next = NULL;
    }
    if (ws->first == NULL)
        ws->last = NULL;
    pthread_mutex_unlock(&ws->mutex);
    return count;
}

/* What was written is let go; true: nothing waits any more, and somebody wants to know. */
static bool settle(struct ws *ws)
{
    const size_t size = free_pieces(ws->writing);

    ws->writing = NULL;
    pthread_mutex_lock(&ws->mutex);
    ws->pending -= size;
    const bool has_caught_up = ws->was_refused && ws->pending == 0 && !ws->is_closing;
    if (has_caught_up)
        ws->was_refused = false;
    pthread_mutex_unlock(&ws->mutex);
    return has_caught_up;
}

static bool ends_with_close(const struct piece *piece)
{
    while (piece->next != NULL)
        piece = piece->next;
    return piece->frame->opcode == WS_CLOSE;
}

static void on_written(h2o_socket_t *sock, const char *error)
{
    struct ws *ws = sock->data;
    const bool is_closing = ends_with_close(ws->writing);
    const bool has_caught_up = settle(ws);

    ws_set_timer(ws, NULL);
    if (error != NULL)
        ws_end(ws);
    else if (is_closing)
        ws_close_written(ws);
    else {
        if (has_caught_up && ws->kind->caught_up != NULL)
            ws->kind->caught_up(ws);
        ws_flush(ws);
    }
}

void ws_flush(struct ws *ws)
{
    h2o_iovec_t bufs[PIECES_PER_WRITE];

    if (ws->phase != WS_OPEN || ws->writing != NULL)
        return;
    const size_t count = cut_first(ws, bufs);
    if (count == 0)
        return;
    metric_add(ws->loop->server->meter.ws_sent, (int64_t)count);
    ws->acked = 0;
    ws_set_timer(ws, &ws->loop->send);
    h2o_socket_write(ws->sock, bufs, count, on_written);
}

/* --- For senders --- */

err ws_send(struct ws *ws, struct ws_frame *frame, size_t pending_max)
{
    const size_t bound = pending_max < WS_PENDING_MAX ? pending_max : WS_PENDING_MAX;
    bool is_ours = false;
    err e = ERR_OK;

    pthread_mutex_lock(&ws->mutex);
    if (ws->is_closing || ws->is_closed) {
        e = ERR_UNAVAILABLE;
    } else if (ws->pending > bound) {
        e = ERR_OVERLOADED;
        ws->was_refused = true;
        metric_add(ws->loop->server->meter.ws_behind, 1);
    } else {
        append(ws, frame);
        is_ours = is_on_loop(ws);
    }
    pthread_mutex_unlock(&ws->mutex);
    if (is_ours)
        ws_flush(ws);
    return e;
}

void ws_send_control(struct ws *ws, enum ws_opcode opcode, str payload)
{
    struct ws_frame *frame = new_frame(opcode, payload);

    pthread_mutex_lock(&ws->mutex);
    if (!ws->is_closing && ws->pending <= WS_PENDING_MAX)
        append(ws, frame);
    pthread_mutex_unlock(&ws->mutex);
    ws_frame_release(frame);
    ws_flush(ws);
}

void ws_send_close(struct ws *ws, str payload, int code)
{
    struct ws_frame *frame = new_frame(WS_CLOSE, payload);
    bool is_ours = false;

    pthread_mutex_lock(&ws->mutex);
    if (!ws->is_closing && !ws->is_closed) {
        append(ws, frame);
        ws->is_closing = true;
        ws->code = code;
        is_ours = is_on_loop(ws);
    }
    pthread_mutex_unlock(&ws->mutex);
    ws_frame_release(frame);
    if (is_ours)
        ws_flush(ws);
}

void ws_close(struct ws *ws, int code, str reason)
{
    char payload[WS_CONTROL_SIZE_MAX];
    const size_t size = ws_close_write(payload, code, reason);

    ws_send_close(ws, (str){payload, size}, code);
}

/* --- On the loop --- */

void ws_take_message(h2o_multithread_message_t *message)
{
    struct ws *ws = H2O_STRUCT_FROM_MEMBER(struct ws, link, message);

    pthread_mutex_lock(&ws->mutex);
    ws->is_posted = false;
    pthread_mutex_unlock(&ws->mutex);
    ws_flush(ws);
    ws_release(ws);
}
