/* platform/http/sentry.c - stands between a socket and H2O, so that H2O parses only what the guard
 * has passed.
 *
 *   IDLE --byte--> HEAD --passed, body to come--> BODY --complete--> ANSWERING --written--> IDLE
 *                  HEAD --passed, no body------------------------------^
 *   HEAD, BODY --refused, too slow--> REFUSING --written--> LINGERING --client closed--> gone
 *   BODY --Expect--> CONTINUING --written--> BODY
 *
 * How: h2o_http1_accept sets the socket's read callback. The sentry keeps that callback and puts
 * its own in its place, so bytes still gather in sock->input, but H2O hears of them only when the
 * sentry calls its callback: once for each request, when that request is there to its last byte,
 * and alone. What came behind it waits in `surplus`. H2O begins to read for the next request inside
 * the callback of the answer's last write; the sentry has wrapped that one too (sentry_answering),
 * so it takes the reading back before the loop can deliver a byte. Should H2O ever get at bytes on
 * another way, its handler finds `passed` unset and refuses the request (sentry_take_passed): it
 * fails closed.
 *
 * All of it belongs to the loop's thread. H2O closes a connection where its read callback is
 * called with an error. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/http/internal.h"

/* H2O 2.2's socket has the callbacks among its public members, under this name. */
#define READ_CALLBACK(sock)  ((sock)->_cb.read)
#define WRITE_CALLBACK(sock) ((sock)->_cb.write)

enum { SURPLUS_SIZE_MAX = HTTP_BODY_READ_MAX + (2 << 20) };
enum state { IDLE, HEAD, CONTINUING, BODY, ANSWERING, REFUSING, LINGERING };

struct sentry {
    struct loop *loop;
    struct sentry *older; /* in loop->sentries */
    struct sentry *newer;
    h2o_socket_t *sock; /* NULL: closed, and freed as soon as nobody is inside */
    h2o_socket_cb h2o_read;
    h2o_socket_cb h2o_written;
    enum state state;
    bool is_entered; /* H2O is being called: keeps the memory alive */
    bool passed;
    size_t seen;
    struct guard_head head;
    struct guard_chunks chunks;
    size_t body_seen;
    struct buf surplus;
    struct buf refusal;
    struct ws *ws;    /* who gets the socket when the answer is written; NULL: H2O keeps it */
    int64_t buffered; /* this connection's part of server->buffered */
    uint64_t acked;   /* bytes that the client had when the timer was set */
    h2o_timeout_entry_t timer;
    char remote[HTTP_REMOTE_SIZE_MAX];
};

static const struct refusal too_slow = {ERR_REQUEST_TIMEOUT,
                                        "The rest of the request did not come."};
static const struct refusal too_large = {ERR_TOO_LARGE, "A body may have at most 12582912 bytes."};
static const struct refusal too_much = {ERR_OVERLOADED, "Too much is being received at once."};
static const struct refusal ambiguous = {ERR_MALFORMED, "The request can be read in two ways."};

static void on_read(h2o_socket_t *sock, const char *error);
static void advance(struct sentry *sentry);

static struct sentry *sentry_at(const h2o_socket_t *sock)
{
    return sock->on_close.data;
}

struct sentry *sentry_of(h2o_req_t *h2o)
{
    return sentry_at(h2o->conn->callbacks->get_socket(h2o->conn));
}

str sentry_remote(const struct sentry *sentry)
{
    return str_of(sentry->remote);
}

/* --- Its life --- */

static void set_timer(struct sentry *sentry, h2o_timeout_t *timeout)
{
    h2o_timeout_unlink(&sentry->timer);
    if (timeout != NULL)
        h2o_timeout_link(sentry->loop->context.loop, timeout, &sentry->timer);
}

static void release_buffered(struct sentry *sentry)
{
    if (sentry->buffered > 0)
        atomic_fetch_sub(&sentry->loop->server->buffered, sentry->buffered);
    sentry->buffered = 0;
}

static void free_sentry(struct sentry *sentry)
{
    buf_done(&sentry->surplus);
    buf_done(&sentry->refusal);
    free(sentry);
}

/* The connection is not the sentry's any more. */
static void leave(struct sentry *sentry)
{
    set_timer(sentry, NULL);
    release_buffered(sentry);
    if (sentry->newer != NULL)
        sentry->newer->older = sentry->older;
    else
        sentry->loop->sentries = sentry->older;
    if (sentry->older != NULL)
        sentry->older->newer = sentry->newer;
    sentry->sock = NULL;
}

/* H2O has closed the socket. */
static void on_close(void *data)
{
    struct sentry *sentry = data;
    struct loop *loop = sentry->loop;

    leave(sentry);
    if (sentry->ws != NULL)
        ws_end(sentry->ws);
    if (!sentry->is_entered)
        free_sentry(sentry);
    loop_connection_closed(loop);
}

/* Calls one of H2O's callbacks; false: it closed the connection, and the sentry is gone with it. */
static bool enter_h2o(struct sentry *sentry, h2o_socket_cb callback, const char *error)
{
    assert(!sentry->is_entered);
    sentry->is_entered = true;
    callback(sentry->sock, error);
    sentry->is_entered = false;
    if (sentry->sock != NULL)
        return true;
    free_sentry(sentry);
    return false;
}

static void cut(struct sentry *sentry, const char *error)
{
    const bool is_open = enter_h2o(sentry, sentry->h2o_read, error);

    assert(!is_open);
}

static void on_timeout(h2o_timeout_entry_t *entry);

void sentry_open(struct loop *loop, h2o_socket_t *sock)
{
    struct sentry *sentry = calloc(1, sizeof(*sentry));

    if (sentry == NULL)
        abort();
    *sentry = (struct sentry){
        .loop = loop,
        .sock = sock,
        .h2o_read = READ_CALLBACK(sock),
        .surplus = buf_on_heap(SURPLUS_SIZE_MAX),
        .refusal = buf_on_heap(HTTP_REFUSAL_SIZE_MAX),
        .timer = {.cb = on_timeout},
        .older = loop->sentries,
    };
    assert(sentry->h2o_read != NULL);
    if (loop->sentries != NULL)
        loop->sentries->newer = sentry;
    loop->sentries = sentry;
    sock->on_close.cb = on_close;
    sock->on_close.data = sentry;
    remote_address(sock, sentry->remote, sizeof(sentry->remote));
    h2o_socket_read_start(sock, on_read);
    set_timer(sentry, &loop->idle);
}

/* --- Refusing: an answer of our own, then a moment for the client to read it --- */

static void on_lingering(h2o_socket_t *sock, const char *error)
{
    if (error != NULL)
        cut(sentry_at(sock), error);
    else
        h2o_buffer_consume(&sock->input, sock->input->size);
}

/* Closing while unread bytes are there would send RST, and the client might lose the answer: so
 * only our side is closed, and what still comes is thrown away until the client closes too, or
 * the time is up. */
static void on_refused(h2o_socket_t *sock, const char *error)
{
    struct sentry *sentry = sentry_at(sock);

    if (error != NULL || shutdown(h2o_socket_get_fd(sock), SHUT_WR) != 0) {
        cut(sentry, "refused");
        return;
    }
    sentry->state = LINGERING;
    h2o_buffer_consume(&sock->input, sock->input->size);
    h2o_socket_read_start(sock, on_lingering);
    set_timer(sentry, &sentry->loop->linger);
}

void sentry_refuse(struct sentry *sentry, const struct refusal *refusal)
{
    const struct timeval *now = h2o_get_timestamp(&sentry->loop->context, NULL, NULL);

    assert(WRITE_CALLBACK(sentry->sock) == NULL && sentry->refusal.size == 0);
    metric_add(sentry->loop->server->meter.refused, 1);
    const int64_t now_ms = (int64_t)now->tv_sec * 1000;
    refusal_write(refusal, now_ms, uuid_new(sentry->loop->server->node->rng, now_ms),
                  &sentry->refusal);
    sentry->state = REFUSING;
    h2o_socket_read_stop(sentry->sock);
    set_timer(sentry, &sentry->loop->send);
    h2o_iovec_t text = h2o_iovec_init(sentry->refusal.data, sentry->refusal.size);
    h2o_socket_write(sentry->sock, &text, 1, on_refused);
}

/* --- Receiving --- */

static void on_continued(h2o_socket_t *sock, const char *error)
{
    struct sentry *sentry = sentry_at(sock);

    if (error != NULL) {
        cut(sentry, error);
        return;
    }
    sentry->state = BODY;
    h2o_socket_read_start(sock, on_read);
    set_timer(sentry, &sentry->loop->receive);
    advance(sentry);
}

/* H2O would do it when it sees the head; but it sees that only together with the body. */
static void send_continue(struct sentry *sentry)
{
    h2o_iovec_t text = h2o_iovec_init(H2O_STRLIT("HTTP/1.1 100 Continue\r\n\r\n"));

    sentry->state = CONTINUING;
    sentry->head.wants_continue = false;
    h2o_socket_read_stop(sentry->sock);
    set_timer(sentry, &sentry->loop->send);
    h2o_socket_write(sentry->sock, &text, 1, on_continued);
}

/* Counts a body that has grown large; false: there is no room for more of them. */
static bool reserve_buffered(struct sentry *sentry, size_t size)
{
    struct http_server *server = sentry->loop->server;
    const int64_t more = (int64_t)size - sentry->buffered;

    if (size <= HTTP_BUFFERED_SMALL || more <= 0)
        return true;
    if (atomic_fetch_add(&server->buffered, more) + more > HTTP_BUFFERED_MAX) {
        atomic_fetch_sub(&server->buffered, more);
        return false;
    }
    sentry->buffered += more;
    return true;
}

/* The request is complete and ends at `size`: it is H2O's turn. */
static void pass(struct sentry *sentry, size_t size)
{
    h2o_buffer_t *input = sentry->sock->input;

    assert(size <= input->size);
    if (input->size > size) {
        buf_add(&sentry->surplus, (str){input->bytes + size, input->size - size});
        if (sentry->surplus.overflow || !reserve_buffered(sentry, input->size)) {
            sentry_refuse(sentry, &too_much);
            return;
        }
        input->size = size;
    }
    if (sentry->head.expect_at > 0) /* it has had its 100, or does not need it any more */
        memcpy(input->bytes + sentry->head.expect_at, "x-none", strlen("expect"));
    sentry->state = ANSWERING;
    sentry->passed = true;
    set_timer(sentry, NULL);
    if (!enter_h2o(sentry, sentry->h2o_read, NULL))
        return;
    /* Either its handler has taken the request, or H2O itself has answered and will close. */
    if (sentry->passed && WRITE_CALLBACK(sentry->sock) == NULL)
        sentry_refuse(sentry, &ambiguous);
}

/* *ret_size: where the request ends; 0 while more is needed. */
static const struct refusal *find_body_end(struct sentry *sentry, size_t *ret_size)
{
    const h2o_buffer_t *input = sentry->sock->input;
    size_t taken;

    *ret_size = 0;
    if (sentry->head.body != GUARD_CHUNKED) {
        const size_t end = sentry->head.size + (size_t)sentry->head.content_length;
        if (input->size >= end)
            *ret_size = end;
        return NULL;
    }
    const struct refusal *refusal = guard_chunks(&sentry->chunks, input->bytes + sentry->body_seen,
                                                 input->size - sentry->body_seen, &taken);
    if (refusal != NULL)
        return refusal;
    sentry->body_seen += taken;
    if (sentry->chunks.decoded > HTTP_BODY_READ_MAX ||
        sentry->body_seen - sentry->head.size > HTTP_BODY_RAW_MAX)
        return &too_large;
    if (sentry->chunks.done)
        *ret_size = sentry->body_seen;
    return NULL;
}

static void advance_body(struct sentry *sentry)
{
    size_t end;
    const struct refusal *refusal = find_body_end(sentry, &end);

    if (refusal == NULL && end == 0 && !reserve_buffered(sentry, sentry->sock->input->size))
        refusal = &too_much;
    if (refusal != NULL)
        sentry_refuse(sentry, refusal);
    else if (end > 0)
        pass(sentry, end);
    else if (sentry->head.wants_continue)
        send_continue(sentry);
    else
        set_timer(sentry, &sentry->loop->receive);
}

static void advance_head(struct sentry *sentry)
{
    const h2o_buffer_t *input = sentry->sock->input;
    size_t size;

    if (sentry->state == IDLE) {
        sentry->state = HEAD;
        set_timer(sentry, &sentry->loop->receive);
    }
    const struct refusal *refusal = guard_scan(input->bytes, input->size, &sentry->seen, &size);
    if (refusal == NULL && size == 0)
        return;
    if (refusal == NULL)
        refusal = guard_head((str){input->bytes, size}, &sentry->head);
    if (refusal == NULL && sentry->head.content_length > HTTP_BODY_READ_MAX)
        refusal = &too_large;
    if (refusal != NULL) {
        sentry_refuse(sentry, refusal);
        return;
    }
    sentry->state = BODY;
    sentry->chunks = (struct guard_chunks){0};
    sentry->body_seen = size;
    advance_body(sentry);
}

static void advance(struct sentry *sentry)
{
    if (sentry->sock->input->size == 0)
        return;
    if (sentry->state == BODY)
        advance_body(sentry);
    else
        advance_head(sentry);
}

static void on_read(h2o_socket_t *sock, const char *error)
{
    struct sentry *sentry = sentry_at(sock);

    if (error != NULL)
        cut(sentry, error);
    else
        advance(sentry);
}

bool sentry_take_passed(struct sentry *sentry, const h2o_req_t *h2o)
{
    const uint64_t size =
        sentry->head.body == GUARD_CHUNKED ? sentry->chunks.decoded : sentry->head.content_length;
    const size_t entity_size = h2o->entity.base != NULL ? h2o->entity.len : 0;
    const bool agrees = h2o->input.method.len == sentry->head.method_size &&
                        h2o->input.path.len == sentry->head.target_size && entity_size == size;

    if (!sentry->passed || !agrees)
        return false;
    sentry->passed = false;
    return true;
}

/* --- Answering --- */

/* After H2O's own part: it has closed, or reads for the next request, which is the sentry's to
 * watch. */
static void on_written(h2o_socket_t *sock, const char *error)
{
    struct sentry *sentry = sentry_at(sock);

    if (!enter_h2o(sentry, sentry->h2o_written, error))
        return;
    assert(sock->input->size == 0);
    release_buffered(sentry);
    sentry->state = IDLE;
    sentry->seen = 0;
    h2o_socket_read_start(sock, on_read);
    set_timer(sentry, &sentry->loop->idle);
    if (sentry->surplus.size == 0)
        return;

    const h2o_iovec_t room = h2o_buffer_reserve(&sock->input, sentry->surplus.size);
    assert(room.base != NULL);
    memcpy(room.base, sentry->surplus.data, sentry->surplus.size);
    sock->input->size += sentry->surplus.size;
    buf_done(&sentry->surplus);
    advance(sentry);
}

void sentry_answering(struct sentry *sentry)
{
    assert(WRITE_CALLBACK(sentry->sock) != NULL);
    sentry->h2o_written = WRITE_CALLBACK(sentry->sock);
    WRITE_CALLBACK(sentry->sock) = on_written;
    sentry->acked = 0;
    set_timer(sentry, &sentry->loop->send);
}

/* After H2O's own part, in which it lets go of the socket. */
static void on_upgraded(h2o_socket_t *sock, const char *error)
{
    struct sentry *sentry = sentry_at(sock);

    if (!enter_h2o(sentry, sentry->h2o_written, error))
        return;
    leave(sentry);
    ws_adopt(sentry->ws, sock, buf_str(&sentry->surplus));
    free_sentry(sentry);
}

void sentry_upgrading(struct sentry *sentry, struct ws *ws)
{
    sentry_answering(sentry);
    WRITE_CALLBACK(sentry->sock) = on_upgraded;
    sentry->ws = ws;
}

/* --- Too slow, and the end --- */

static void on_timeout(h2o_timeout_entry_t *entry)
{
    struct sentry *sentry = H2O_STRUCT_FROM_MEMBER(struct sentry, timer, entry);

    switch (sentry->state) {
    case HEAD:
    case BODY:
        sentry_refuse(sentry, &too_slow);
        return;
    case ANSWERING: {
        const uint64_t acked = socket_acked(sentry->sock);
        if (acked > sentry->acked) { /* slow, but it reads */
            sentry->acked = acked;
            set_timer(sentry, &sentry->loop->send);
            return;
        }
        break;
    }
    case IDLE:
    case CONTINUING:
    case REFUSING:
    case LINGERING:
        break;
    }
    cut(sentry, "too slow");
}

static void close_where(struct loop *loop, bool idle_only)
{
    struct sentry *next;

    for (struct sentry *sentry = loop->sentries; sentry != NULL; sentry = next) {
        next = sentry->older;
        if (!idle_only || sentry->state == IDLE)
            cut(sentry, "the server stops");
    }
}

void sentries_close_idle(struct loop *loop)
{
    close_where(loop, true);
}

void sentries_close_all(struct loop *loop)
{
    close_where(loop, false);
}
