/* platform/ws/client.c - an open WebSocket connection of a client: receiving, sending, silence, the end.
 *
 * Everything happens in the caller's thread, inside its calls; only ws_client_wake may come from
 * another one, through an eventfd. */

#include "platform/ws/client.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/ws/client_internal.h"

/* --- Its end --- */

err ws_client_fail(struct ws_client *client, int code, const char *why)
{
    if (client->fd < 0)
        return ERR_UNAVAILABLE;
    client->failure.code = code;
    if (client->failure.status > 0)
        (void)snprintf(client->failure.why, sizeof(client->failure.why), "HTTP %d",
                       client->failure.status);
    else
        (void)snprintf(client->failure.why, sizeof(client->failure.why), "%s", why);
    (void)close(client->fd);
    client->fd = -1;
    return ERR_UNAVAILABLE;
}

const struct ws_failure *ws_client_failure(const struct ws_client *client)
{
    return &client->failure;
}

/* --- Sending --- */

/* RFC 6455 5.3: a new mask for every frame, which nobody can foretell. */
static err send_frame(struct ws_client *client, enum ws_opcode opcode, str payload)
{
    CLEANUP(buf_done) struct buf frame = buf_on_heap(payload.size + WS_HEAD_SIZE_MAX);
    const int64_t until_ms = clock_now_ms(client->clock) + client->send_ms;
    uint8_t mask[WS_MASK_SIZE];
    char head[WS_HEAD_SIZE_MAX];

    if (client->fd < 0 || client->is_closing)
        return ERR_UNAVAILABLE;
    rng_fill(client->rng, mask, sizeof(mask));
    const size_t head_size = ws_head_write(head, opcode, payload.size, mask);
    buf_add(&frame, (str){head, head_size});
    buf_add(&frame, payload);
    ws_mask(frame.data + head_size, payload.size, mask);
    if (!ws_write_all(client->clock, client->fd, buf_str(&frame), until_ms))
        return ws_client_fail(client, WS_ABNORMAL, "what was sent was not taken");
    return ERR_OK;
}

err ws_client_send(struct ws_client *client, enum ws_opcode type, str payload)
{
    assert(type == WS_BINARY || (type == WS_TEXT && ws_is_text(payload)));
    return send_frame(client, type, payload);
}

err ws_client_ping(struct ws_client *client, str payload)
{
    assert(payload.size <= WS_CONTROL_SIZE_MAX);
    TRY(send_frame(client, WS_PING, payload));
    client->pings++;
    return ERR_OK;
}

static void send_close(struct ws_client *client, int code, str reason)
{
    char payload[WS_CONTROL_SIZE_MAX];
    const size_t size = ws_close_write(payload, code, reason);

    (void)send_frame(client, WS_CLOSE, (str){payload, size});
    client->is_closing = true;
}

/* --- Receiving --- */

/* The bytes of the last event go, what came behind them moves to the front. */
static void drop_taken(struct ws_client *client)
{
    struct buf *input = &client->input;

    if (client->taken > 0)
        memmove(input->data, input->data + client->taken, input->size - client->taken);
    input->size -= client->taken;
    client->taken = 0;
    if (input->size == 0)
        buf_done(input);
}

static err end_by_server(struct ws_client *client, const struct ws_event *event)
{
    char why[WS_CLIENT_WHY_SIZE_MAX];

    if (!client->is_closing)
        send_close(client, event->code, STR(""));
    (void)snprintf(why, sizeof(why), "closed by the server: %d %.*s", event->code,
                   STR_ARG(event->payload));
    return ws_client_fail(client, event->code, why);
}

/* ERR_OK: *ret is for the caller; ERR_NOT_FOUND: it was not. */
static err take_event(struct ws_client *client, const struct ws_event *event, struct ws_event *ret)
{
    switch (event->type) {
    case WS_PING:
        if (!client->is_closing)
            TRY(send_frame(client, WS_PONG, event->payload));
        return ERR_NOT_FOUND;
    case WS_CLOSE:
        return end_by_server(client, event);
    case WS_PONG:
        if (client->pings == 0)
            return ERR_NOT_FOUND; /* of our own, or one that nobody asked for */
        client->pings--;
        break;
    case WS_TEXT:
    case WS_BINARY:
    case WS_CONTINUATION:
        break;
    }
    *ret = *event;
    return ERR_OK;
}

/* What is there already. ERR_NOT_FOUND: no whole frame. */
static err take_input(struct ws_client *client, struct ws_event *ret)
{
    struct ws_event event;

    for (;;) {
        drop_taken(client);
        if (client->input.size == 0)
            return ERR_NOT_FOUND;
        switch (ws_read(&client->reader, client->input.data, client->input.size, &client->taken,
                        &event)) {
        case WS_READ_MORE:
            drop_taken(client);
            return ERR_NOT_FOUND;
        case WS_READ_FAILED:
            send_close(client, event.code, STR(""));
            return ws_client_fail(client, event.code, "the server broke the protocol");
        case WS_READ_EVENT:
            break;
        }
        const err e = take_event(client, &event, ret);
        if (e != ERR_NOT_FOUND)
            return e;
    }
}

/* When the silence has to be looked at again, or `until_ms` if that is sooner. */
static int64_t next_look_ms(const struct ws_client *client, int64_t until_ms)
{
    const int64_t look_ms =
        client->heard_at_ms + (client->is_probed ? client->dead_after_ms : client->ping_after_ms);

    return until_ms != CLOCK_NEVER_MS && until_ms < look_ms ? until_ms : look_ms;
}

static err check_silence(struct ws_client *client)
{
    const int64_t silence_ms = clock_now_ms(client->clock) - client->heard_at_ms;

    if (silence_ms >= client->dead_after_ms)
        return ws_client_fail(client, WS_ABNORMAL, "silent for too long");
    if (silence_ms < client->ping_after_ms || client->is_probed)
        return ERR_OK;
    client->is_probed = true;
    return send_frame(client, WS_PING, STR(""));
}

static err take_wake(struct ws_client *client)
{
    eventfd_t count;

    (void)eventfd_read(client->wake_fd, &count);
    return ERR_NOT_FOUND;
}

static err read_more(struct ws_client *client)
{
    if (!ws_read_some(client->fd, &client->input))
        return ws_client_fail(client, WS_ABNORMAL, "the connection was cut");
    client->heard_at_ms = clock_now_ms(client->clock);
    client->is_probed = false;
    return ERR_OK;
}

/* Until there are more bytes, or the silence has to be looked at. */
static err await_more(struct ws_client *client, int64_t until_ms)
{
    switch (ws_wait_for(client->clock, client->fd, client->wake_fd, POLLIN,
                        next_look_ms(client, until_ms))) {
    case WS_WAIT_READY:
        return read_more(client);
    case WS_WAIT_WOKEN:
        return take_wake(client);
    case WS_WAIT_LATE:
        break;
    }
    const bool is_late = until_ms != CLOCK_NEVER_MS && clock_now_ms(client->clock) >= until_ms;
    return is_late ? ERR_NOT_FOUND : ERR_OK;
}

err ws_client_receive(struct ws_client *client, int64_t until_ms, struct ws_event *ret)
{
    while (client->fd >= 0) {
        const err e = take_input(client, ret);
        if (e != ERR_NOT_FOUND)
            return e;
        TRY(check_silence(client));
        TRY(await_more(client, until_ms));
    }
    return ERR_UNAVAILABLE;
}

void ws_client_wake(struct ws_client *client)
{
    (void)eventfd_write(client->wake_fd, 1);
}

/* --- Closing --- */

/* What still comes is thrown away; the server's close frame ends it. */
static void await_close(struct ws_client *client)
{
    const int64_t until_ms = clock_now_ms(client->clock) + client->close_ms;
    struct ws_event event;

    while (client->fd >= 0)
        if (take_input(client, &event) == ERR_NOT_FOUND &&
            (ws_wait_for(client->clock, client->fd, -1, POLLIN, until_ms) == WS_WAIT_LATE ||
             !ws_read_some(client->fd, &client->input)))
            (void)ws_client_fail(client, WS_ABNORMAL, "closed");
}

void ws_client_close(struct ws_client *client, int code, str reason)
{
    if (client->fd >= 0) {
        send_close(client, code, reason);
        await_close(client);
    }
    if (client->wake_fd >= 0)
        (void)close(client->wake_fd);
    ws_reader_done(&client->reader);
    buf_done(&client->input);
    mem_free(client);
}
