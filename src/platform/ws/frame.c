/* platform/ws/frame.c - reads and writes the parts of WebSocket frames.
 *
 * What is read here is refused wherever RFC 6455 says that an endpoint must fail the connection,
 * so no caller ever sees a frame that two readers could understand differently. */

#include "platform/ws/frame.h"

#include <assert.h>
#include <string.h>

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
};

static bool is_known(unsigned opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static bool length_is_shortest(unsigned kind, uint64_t length)
{
    if (kind == LENGTH_16)
        return length >= LENGTH_16;
    if (kind == LENGTH_64)
        return length > UINT16_MAX && length <= INT64_MAX;
    return true;
}

enum ws_head_state ws_head_read(str text, struct ws_head *ret)
{
    const uint8_t *bytes = (const uint8_t *)text.ptr;

    if (text.size < 1)
        return WS_HEAD_INCOMPLETE;
    const unsigned opcode = bytes[0] & OPCODE;
    const bool is_final = (bytes[0] & FIN) != 0;
    const bool is_control = opcode >= WS_CLOSE;
    if ((bytes[0] & RESERVED) != 0 || !is_known(opcode) || (is_control && !is_final))
        return WS_HEAD_INVALID;
    if (text.size < 2)
        return WS_HEAD_INCOMPLETE;

    const unsigned kind = bytes[1] & LENGTH;
    const bool is_masked = (bytes[1] & MASKED) != 0;
    const size_t length_size = kind == LENGTH_16 ? 2 : kind == LENGTH_64 ? 8 : 0;
    const size_t head_size = 2 + length_size + (is_masked ? WS_MASK_SIZE : 0);
    if (is_control && kind > WS_CONTROL_SIZE_MAX)
        return WS_HEAD_INVALID;
    if (text.size < 2 + length_size)
        return WS_HEAD_INCOMPLETE;
    const uint64_t length = length_size > 0 ? read_number(bytes + 2, length_size) : kind;
    if (!length_is_shortest(kind, length))
        return WS_HEAD_INVALID;
    if (text.size < head_size)
        return WS_HEAD_INCOMPLETE;

    *ret = (struct ws_head){.is_final = is_final,
                            .is_masked = is_masked,
                            .opcode = (enum ws_opcode)opcode,
                            .head_size = head_size,
                            .payload_size = length};
    if (is_masked)
        memcpy(ret->mask, bytes + head_size - WS_MASK_SIZE, WS_MASK_SIZE);
    return WS_HEAD_READ;
}

static void write_number(char *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(number >> (size - 1 - i) * 8);
}

size_t ws_head_write(char ret[WS_HEAD_SIZE_MAX], enum ws_opcode opcode, uint64_t payload_size,
                     const uint8_t *mask)
{
    const unsigned masked = mask != NULL ? MASKED : 0;
    size_t size = 2;

    ret[0] = (char)(FIN | (unsigned)opcode);
    if (payload_size < LENGTH_16) {
        ret[1] = (char)(masked | (unsigned)payload_size);
    } else if (payload_size <= UINT16_MAX) {
        ret[1] = (char)(masked | LENGTH_16);
        write_number(ret + 2, payload_size, 2);
        size = 4;
    } else {
        ret[1] = (char)(masked | LENGTH_64);
        write_number(ret + 2, payload_size, 8);
        size = 10;
    }
    if (mask == NULL)
        return size;
    memcpy(ret + size, mask, WS_MASK_SIZE);
    return size + WS_MASK_SIZE;
}

void ws_mask(char *bytes, size_t size, const uint8_t mask[WS_MASK_SIZE])
{
    uint64_t wide;
    uint64_t mask_wide;
    size_t i = 0;

    memcpy(&mask_wide, mask, WS_MASK_SIZE);
    memcpy((char *)&mask_wide + WS_MASK_SIZE, mask, WS_MASK_SIZE);
    for (; i + sizeof(wide) <= size; i += sizeof(wide)) {
        memcpy(&wide, bytes + i, sizeof(wide));
        wide ^= mask_wide;
        memcpy(bytes + i, &wide, sizeof(wide));
    }
    for (; i < size; i++)
        bytes[i] = (char)((uint8_t)bytes[i] ^ mask[i % WS_MASK_SIZE]);
}

/* --- Close --- */

/* RFC 6455 7.4 and the registry that it opened. */
static bool may_be_sent(int code)
{
    return (code >= WS_NORMAL && code <= WS_UNSUPPORTED) || (code >= WS_NOT_UTF8 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

size_t ws_close_write(char ret[WS_CONTROL_SIZE_MAX], int code, str reason)
{
    size_t size = 0;

    if (code == WS_NO_CODE)
        return 0;
    assert(may_be_sent(code) && ws_is_text(reason));
    write_number(ret, (uint64_t)code, 2);
    while (size < reason.size) {
        const size_t next = str_utf8_next(reason, size);
        if (next == 0 || size + next > WS_REASON_SIZE_MAX)
            break;
        size += next;
    }
    if (size > 0)
        memcpy(ret + 2, reason.ptr, size);
    return 2 + size;
}

int ws_close_read(str payload, str *ret_reason)
{
    *ret_reason = STR("");
    if (payload.size == 0)
        return WS_NO_CODE;
    if (payload.size == 1)
        return -WS_PROTOCOL_ERROR;
    const int code = (int)read_number((const uint8_t *)payload.ptr, 2);
    if (!may_be_sent(code))
        return -WS_PROTOCOL_ERROR;
    const str reason = str_slice(payload, 2, payload.size);
    if (!ws_is_text(reason))
        return -WS_NOT_UTF8;
    *ret_reason = reason;
    return code;
}

bool ws_is_text(str payload)
{
    size_t i = 0;

    while (i < payload.size) {
        if ((unsigned char)payload.ptr[i] < 0x80) {
            i++;
            continue;
        }
        const size_t next = str_utf8_next(payload, i);
        if (next == 0)
            return false;
        i += next;
    }
    return true;
}
