/* platform/crypto/encode.c - base64, base64url (RFC 4648), hex and base45 (RFC 9285).
 *
 * The decoders take exactly what the encoders give: one value has one text, so a token, cursor or
 * ticket code cannot be disguised as another by its spelling. */

#include "platform/crypto/crypto.h"

#include <assert.h>

#include "platform/crypto/encode.h"

enum { DATA_SIZE_MAX = 1 << 28 }; /* a bug rather than a limit that anybody meets */

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base45_alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* --- Rules: no I/O --- */

static size_t write_base64(const char *alphabet, const uint8_t *data, size_t size, char *ret_text)
{
    size_t at = 0;
    size_t i = 0;

    for (; size - i >= 3; i += 3) {
        const uint32_t bits =
            (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | (uint32_t)data[i + 2];

        ret_text[at++] = alphabet[bits >> 18];
        ret_text[at++] = alphabet[bits >> 12 & 63];
        ret_text[at++] = alphabet[bits >> 6 & 63];
        ret_text[at++] = alphabet[bits & 63];
    }
    if (size - i > 0) {
        const uint32_t second = size - i == 2 ? data[i + 1] : 0;
        const uint32_t bits = (uint32_t)data[i] << 16 | second << 8;

        ret_text[at++] = alphabet[bits >> 18];
        ret_text[at++] = alphabet[bits >> 12 & 63];
        if (size - i == 2)
            ret_text[at++] = alphabet[bits >> 6 & 63];
    }
    return at;
}

size_t base64url_write(const uint8_t *data, size_t size, char *ret_text)
{
    return write_base64(base64url_alphabet, data, size, ret_text);
}

str base64_encode(struct arena *arena, str data)
{
    assert(data.size <= DATA_SIZE_MAX);
    char *text = arena_alloc(arena, (data.size + 2) / 3 * 4 + 1);
    size_t size = write_base64(base64_alphabet, (const uint8_t *)data.ptr, data.size, text);

    while (size % 4 != 0)
        text[size++] = '=';
    return (str){text, size};
}

str base64url_encode(struct arena *arena, str data)
{
    assert(data.size <= DATA_SIZE_MAX);
    char *text = arena_alloc(arena, (data.size + 2) / 3 * 4 + 1);

    return (str){text, base64url_write((const uint8_t *)data.ptr, data.size, text)};
}

/* The value of a digit, or -1. */
static int base64url_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

err base64url_decode(struct arena *arena, str text, str *ret)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t size = 0;

    if (text.size % 4 == 1 || text.size > DATA_SIZE_MAX)
        return ERR_MALFORMED;

    uint8_t *data = arena_alloc(arena, text.size / 4 * 3 + 3);
    for (size_t i = 0; i < text.size; i++) {
        const int digit = base64url_digit(text.ptr[i]);

        if (digit < 0)
            return ERR_MALFORMED;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            data[size++] = (uint8_t)(bits >> bit_count);
            bits &= (1U << bit_count) - 1;
        }
    }
    if (bits != 0) /* what is left of the last digit must be zero */
        return ERR_MALFORMED;
    *ret = (str){(const char *)data, size};
    return ERR_OK;
}

str hex_encode(struct arena *arena, str data)
{
    static const char digits[] = "0123456789abcdef";

    assert(data.size <= DATA_SIZE_MAX);
    char *text = arena_alloc(arena, data.size * 2 + 1);
    for (size_t i = 0; i < data.size; i++) {
        const uint8_t byte = (uint8_t)data.ptr[i];

        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    return (str){text, data.size * 2};
}

str base45_encode(struct arena *arena, str data)
{
    const uint8_t *bytes = (const uint8_t *)data.ptr;
    size_t at = 0;
    size_t i = 0;

    assert(data.size <= DATA_SIZE_MAX);
    char *text = arena_alloc(arena, data.size / 2 * 3 + 3);
    for (; data.size - i >= 2; i += 2) {
        const unsigned pair = (unsigned)bytes[i] << 8 | bytes[i + 1];

        text[at++] = base45_alphabet[pair % 45];
        text[at++] = base45_alphabet[pair / 45 % 45];
        text[at++] = base45_alphabet[pair / (45 * 45)];
    }
    if (i < data.size) {
        text[at++] = base45_alphabet[bytes[i] % 45];
        text[at++] = base45_alphabet[bytes[i] / 45];
    }
    return (str){text, at};
}

/* The value of a digit, or -1. */
static int base45_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    for (int i = 36; i < 45; i++)
        if (base45_alphabet[i] == c)
            return i;
    return -1;
}

/* A group of two or three digits, the lowest first, as a number of at most `max`; or -1. */
static int base45_group(const char *text, size_t digit_count, int max)
{
    int value = 0;

    for (size_t i = digit_count; i > 0; i--) {
        const int digit = base45_digit(text[i - 1]);

        if (digit < 0)
            return -1;
        value = value * 45 + digit;
    }
    return value <= max ? value : -1;
}

err base45_decode(struct arena *arena, str text, str *ret)
{
    size_t size = 0;
    size_t i = 0;

    if (text.size % 3 == 1 || text.size > DATA_SIZE_MAX)
        return ERR_MALFORMED;

    uint8_t *data = arena_alloc(arena, text.size / 3 * 2 + 2);
    for (; text.size - i >= 3; i += 3) {
        const int pair = base45_group(text.ptr + i, 3, UINT16_MAX);

        if (pair < 0)
            return ERR_MALFORMED;
        data[size++] = (uint8_t)(pair >> 8);
        data[size++] = (uint8_t)pair;
    }
    if (i < text.size) {
        const int byte = base45_group(text.ptr + i, 2, UINT8_MAX);

        if (byte < 0)
            return ERR_MALFORMED;
        data[size++] = (uint8_t)byte;
    }
    *ret = (str){(const char *)data, size};
    return ERR_OK;
}
