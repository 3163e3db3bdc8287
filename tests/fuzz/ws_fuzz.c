/* fuzz/ws_fuzz.c - whatever our reader of WebSocket frames takes, libwslay takes too, and finds the same
 * messages in it.
 *
 * The first byte says which side reads and how the rest is cut. The other way round does not hold:
 * wslay takes more than RFC 6455 allows. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/arena.h"
#include "base/err.h"
#include "platform/ws/reader.h"

enum { MESSAGE_MAX = 4096, LOG_MAX = 1 << 20, INPUT_MAX = 16 * 1024, CUT_MAX = 64 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(struct buf *log, int type, str payload)
{
    buf_printf(log, "%d %zu ", type, payload.size);
    buf_add(log, payload);
    buf_add_char(log, '\n');
}

/* --- Ours --- */

struct outcome {
    int code;           /* that it failed with; 0: it did not */
    bool is_broken_off; /* a fragment was no UTF-8: wslay ends there, we where the message does */
};

static struct outcome read_ours(enum ws_side side, const uint8_t *data, size_t size, size_t cut,
                                struct buf *log)
{
    struct outcome outcome = {0};
    CLEANUP(ws_reader_done) struct ws_reader reader = ws_reader_new(side, MESSAGE_MAX);
    char input[INPUT_MAX];
    struct ws_event event;
    size_t held = 0;
    size_t taken;

    for (size_t at = 0; at < size;) {
        const size_t more = cut < size - at ? cut : size - at;
        memcpy(input + held, data + at, more);
        held += more;
        at += more;
        enum ws_read read = WS_READ_EVENT;
        while (read == WS_READ_EVENT) {
            read = ws_read(&reader, input, held, &taken, &event);
            assert(taken <= held);
            if (reader.opcode == WS_TEXT && reader.fragments.size > 0)
                outcome.is_broken_off |= !ws_is_text(buf_str(&reader.fragments));
            if (read == WS_READ_FAILED) {
                outcome.code = event.code;
                return outcome;
            }
            if (read == WS_READ_EVENT && event.type != WS_CLOSE)
                note(log, event.type, event.payload);
            else if (read == WS_READ_EVENT)
                buf_printf(log, "closed %d\n", event.code);
            memmove(input, input + taken, held - taken);
            held -= taken;
        }
        assert(reader.is_over || held < MESSAGE_MAX + WS_HEAD_SIZE_MAX + CUT_MAX);
        if (reader.is_over)
            held = 0;
    }
    return outcome;
}

/* --- Theirs --- */

struct source {
    const uint8_t *data;
    size_t size;
    struct buf *log;
};

static ssize_t give(wslay_event_context_ptr context, uint8_t *to, size_t size, int flags, void *arg)
{
    struct source *source = arg;
    const size_t part = size < source->size ? size : source->size;

    (void)flags;
    if (part == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, source->data, part);
    source->data += part;
    source->size -= part;
    return (ssize_t)part;
}

static void take(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *message,
                 void *arg)
{
    struct source *source = arg;

    (void)context;
    if (message->opcode == WS_CLOSE)
        buf_printf(source->log, "closed %d\n",
                   message->status_code == 0 ? WS_NO_CODE : message->status_code);
    else
        note(source->log, message->opcode, (str){(const char *)message->msg, message->msg_length});
}

static void read_theirs(enum ws_side side, const uint8_t *data, size_t size, struct buf *log)
{
    const struct wslay_event_callbacks callbacks = {.recv_callback = give,
                                                    .on_msg_recv_callback = take};
    struct source source = {.data = data, .size = size, .log = log};
    wslay_event_context_ptr context;

    const int made = side == WS_SERVER
                         ? wslay_event_context_server_init(&context, &callbacks, &source)
                         : wslay_event_context_client_init(&context, &callbacks, &source);
    assert(made == 0);
    wslay_event_config_set_max_recv_msg_length(context, MESSAGE_MAX);
    (void)wslay_event_recv(context);
    wslay_event_context_free(context);
}

/* Codes that were registered after wslay was written. */
static bool has_new_code(const struct buf *log)
{
    return str_ends(buf_str(log), STR("closed 1012\n")) ||
           str_ends(buf_str(log), STR("closed 1013\n")) ||
           str_ends(buf_str(log), STR("closed 1014\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX / 2)
        return 0;
    const enum ws_side side = (data[0] & 1) != 0 ? WS_SERVER : WS_CLIENT;
    const size_t cut = 1 + data[0] / 4;
    CLEANUP(buf_done) struct buf whole = buf_on_heap(LOG_MAX);
    CLEANUP(buf_done) struct buf pieces = buf_on_heap(LOG_MAX);
    CLEANUP(buf_done) struct buf theirs = buf_on_heap(LOG_MAX);

    const struct outcome outcome = read_ours(side, data + 1, size - 1, INPUT_MAX / 2, &whole);
    const struct outcome again = read_ours(side, data + 1, size - 1, cut, &pieces);
    assert(outcome.code == again.code && whole.size == pieces.size);
    assert(whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0);
    if (has_new_code(&whole) || outcome.is_broken_off || again.is_broken_off)
        return 0;
    read_theirs(side, data + 1, size - 1, &theirs);
    assert(whole.size <= theirs.size);
    assert(whole.size == 0 || memcmp(whole.data, theirs.data, whole.size) == 0);
    return 0;
}
