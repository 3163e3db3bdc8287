/* platform/ws/reader.c - the state between two frames: which message is being put together.
 *
 *   none --first fragment--> TEXT or BINARY --fragments, control frames between--> final one --> none
 *   any --close, or a breach--> over
 *
 * A frame that comes whole is given on where it lies; only fragments are copied together. */

#include "platform/ws/reader.h"

#include <assert.h>

struct ws_reader ws_reader_new(enum ws_side side, uint32_t message_max)
{
    return (struct ws_reader){
        .side = side, .message_max = message_max, .fragments = buf_on_heap(message_max)};
}

void ws_reader_done(struct ws_reader *reader)
{
    buf_done(&reader->fragments);
}

static enum ws_read fail(struct ws_reader *reader, int code, struct ws_event *ret)
{
    reader->is_over = true;
    *ret = (struct ws_event){.type = WS_CLOSE, .payload = STR(""), .code = code};
    return WS_READ_FAILED;
}

/* What is wrong with a frame of which only the head may be here; 0: nothing. */
static int check_head(const struct ws_reader *reader, const struct ws_head *head)
{
    if (head->is_masked != (reader->side == WS_SERVER))
        return WS_PROTOCOL_ERROR;
    if (head->opcode >= WS_CLOSE)
        return 0;
    const bool goes_on = reader->opcode != WS_CONTINUATION;
    if (goes_on != (head->opcode == WS_CONTINUATION))
        return WS_PROTOCOL_ERROR;
    if (head->payload_size > reader->message_max - reader->fragments.size)
        return WS_TOO_BIG;
    return 0;
}

static enum ws_read take_control(struct ws_reader *reader, enum ws_opcode opcode, str payload,
                                 struct ws_event *ret)
{
    *ret = (struct ws_event){.type = opcode, .payload = payload};
    if (opcode != WS_CLOSE)
        return WS_READ_EVENT;
    const int code = ws_close_read(payload, &ret->payload);
    if (code < 0)
        return fail(reader, -code, ret);
    reader->is_over = true;
    ret->code = code;
    return WS_READ_EVENT;
}

/* WS_READ_MORE: it was a fragment. */
static enum ws_read take_data(struct ws_reader *reader, const struct ws_head *head, str payload,
                              struct ws_event *ret)
{
    const enum ws_opcode type = reader->opcode != WS_CONTINUATION ? reader->opcode : head->opcode;

    if (!head->is_final || reader->opcode != WS_CONTINUATION) {
        buf_add(&reader->fragments, payload);
        assert(!reader->fragments.overflow);
        payload = reader->fragments.size > 0 ? buf_str(&reader->fragments) : STR("");
    }
    reader->opcode = head->is_final ? WS_CONTINUATION : type;
    if (!head->is_final)
        return WS_READ_MORE;
    if (type == WS_TEXT && !ws_is_text(payload))
        return fail(reader, WS_NOT_UTF8, ret);
    *ret = (struct ws_event){.type = type, .payload = payload};
    return WS_READ_EVENT;
}

/* One frame, if it is here to its last byte. */
static enum ws_read take_frame(struct ws_reader *reader, char *bytes, size_t size,
                               size_t *ret_taken, struct ws_event *ret)
{
    struct ws_head head;

    *ret_taken = 0;
    switch (ws_head_read((str){bytes, size}, &head)) {
    case WS_HEAD_READ:
        break;
    case WS_HEAD_INCOMPLETE:
        return WS_READ_MORE;
    case WS_HEAD_INVALID:
        return fail(reader, WS_PROTOCOL_ERROR, ret);
    }
    const int code = check_head(reader, &head);
    if (code != 0)
        return fail(reader, code, ret);
    if (head.payload_size > size - head.head_size)
        return WS_READ_MORE;

    char *payload = bytes + head.head_size;
    const size_t payload_size = (size_t)head.payload_size;
    if (head.is_masked)
        ws_mask(payload, payload_size, head.mask);
    *ret_taken = head.head_size + payload_size;
    reader->frame_count++;
    if (head.opcode >= WS_CLOSE)
        return take_control(reader, head.opcode, (str){payload, payload_size}, ret);
    return take_data(reader, &head, (str){payload, payload_size}, ret);
}

enum ws_read ws_read(struct ws_reader *reader, char *bytes, size_t size, size_t *ret_taken,
                     struct ws_event *ret)
{
    enum ws_read read = WS_READ_MORE;
    size_t taken;

    *ret_taken = 0;
    if (reader->is_over)
        return WS_READ_MORE;
    if (reader->opcode == WS_CONTINUATION) /* the last message has been looked at by now */
        buf_done(&reader->fragments);
    do {
        read = take_frame(reader, bytes + *ret_taken, size - *ret_taken, &taken, ret);
        *ret_taken += taken;
    } while (read == WS_READ_MORE && taken > 0);
    return read;
}
