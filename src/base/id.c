/* base/id.c - makes, prints and reads ids.
 *
 * Ids of one process rise strictly, because they are keys of B-trees and cursors: time and
 * counter are one 64-bit word that every new id moves on by at least one. A counter that runs
 * over carries into the next millisecond, so a burst runs a little ahead of the clock instead of
 * waiting for it. The word belongs to the source of randomness, so the same seed gives the same
 * ids. */

#include "base/id.h"

#include <assert.h>
#include <endian.h>
#include <stdatomic.h>
#include <string.h>

enum {
    COUNTER_BITS = 12,
    COUNTER_MASK = (1 << COUNTER_BITS) - 1,
    /* A clock set back by more than this begins anew: after a correction of hours, ids that
     * still told the old time would be worse than a break in their order. */
    BACK_MS_MAX = 10 * 1000,
    TEXT_SIZE = 26, /* 130 bits for 128: the first digit is 0 to 7 */
    DIGIT_BITS = 5,
    DIGIT_MASK = 31,
    PART_DIGITS = 12, /* as many as 64 bits hold */
    PART_BITS = PART_DIGITS * DIGIT_BITS,
    TOP_DIGITS = TEXT_SIZE - 2 * PART_DIGITS,
};

static uint64_t next_tick(_Atomic uint64_t *newest, int64_t now_ms)
{
    assert(now_ms >= 0 && now_ms < INT64_C(1) << 48);
    const uint64_t now = (uint64_t)now_ms << COUNTER_BITS;
    uint64_t last = atomic_load_explicit(newest, memory_order_relaxed);
    uint64_t tick;

    do {
        const bool set_back = last > now + ((uint64_t)BACK_MS_MAX << COUNTER_BITS);
        tick = last < now || set_back ? now : last + 1;
    } while (!atomic_compare_exchange_weak_explicit(newest, &last, tick, memory_order_relaxed,
                                                    memory_order_relaxed));
    return tick;
}

struct uuid uuid_new(struct rng *rng, int64_t now_ms)
{
    const uint64_t tick = next_tick(&rng->newest_tick, now_ms);
    const uint64_t ms = tick >> COUNTER_BITS;
    struct uuid id;

    for (size_t i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | ((tick & COUNTER_MASK) >> 8)); /* version 7 */
    id.bytes[7] = (uint8_t)tick;
    rng_fill(rng, id.bytes + 8, 8);
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f)); /* variant of RFC 9562 */
    return id;
}

bool uuid_eq(struct uuid a, struct uuid b)
{
    return uuid_compare(a, b) == 0;
}

bool uuid_is_zero(struct uuid id)
{
    return uuid_eq(id, (struct uuid){0});
}

int uuid_compare(struct uuid a, struct uuid b)
{
    const int order = memcmp(a.bytes, b.bytes, sizeof(a.bytes));

    return order < 0 ? -1 : order > 0;
}

uint64_t uuid_hash(struct uuid id)
{
    return str_hash((str){(const char *)id.bytes, sizeof(id.bytes)});
}

/* --- As text --- */

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct id_text id_format(const char *prefix, struct uuid id)
{
    const size_t prefix_size = strlen(prefix);
    struct id_text ret = {0};
    unsigned __int128 rest = 0;

    assert(prefix_size > 0 && prefix_size <= ID_PREFIX_SIZE_MAX);
    for (size_t i = 0; i < sizeof(id.bytes); i++)
        rest = rest << 8 | id.bytes[i];

    memcpy(ret.text, prefix, prefix_size);
    ret.text[prefix_size] = '_';
    char *text = ret.text + prefix_size + 1;
    for (size_t i = TEXT_SIZE; i > 0; i--) {
        text[i - 1] = digits[(unsigned)rest & DIGIT_MASK];
        rest >>= DIGIT_BITS;
    }
    return ret;
}

/* Negative for what is no digit. Capitals, i, l, o and u stand for none: an id has one spelling. */
static int digit_of(char c)
{
    static const int8_t values['z' - '0' + 1] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 10, 11, 12, 13, 14, 15, 16, 17,
        -1, 18, 19, -1, 20, 21, -1, 22, 23, 24, 25, 26, -1, 27, 28, 29, 30, 31,
    };
    const unsigned at = (unsigned)(unsigned char)c - '0';

    return at < sizeof(values) ? values[at] : -1;
}

/* At most twelve digits, which 64 bits hold. */
static bool read_digits(const char *text, size_t count, uint64_t *ret)
{
    uint64_t number = 0;
    int all = 0;

    for (size_t i = 0; i < count; i++) {
        const int digit = digit_of(text[i]);

        all |= digit;
        number = number << DIGIT_BITS | ((unsigned)digit & DIGIT_MASK);
    }
    *ret = number;
    return all >= 0;
}

bool id_parse(const char *prefix, str text, struct uuid *ret)
{
    const str wanted = str_of(prefix);
    uint64_t top;
    uint64_t middle;
    uint64_t low;

    assert(wanted.size > 0 && wanted.size <= ID_PREFIX_SIZE_MAX);
    if (text.size != wanted.size + 1 + TEXT_SIZE || !str_starts(text, wanted) ||
        text.ptr[wanted.size] != '_')
        return false;

    const char *number = text.ptr + wanted.size + 1;
    if (number[0] > '7' || !read_digits(number, TOP_DIGITS, &top) ||
        !read_digits(number + TOP_DIGITS, PART_DIGITS, &middle) ||
        !read_digits(number + TOP_DIGITS + PART_DIGITS, PART_DIGITS, &low))
        return false;
    const unsigned __int128 bits =
        (((unsigned __int128)top << PART_BITS | middle) << PART_BITS) | low;
    const uint64_t halves[] = {htobe64((uint64_t)(bits >> 64)), htobe64((uint64_t)bits)};
    memcpy(ret->bytes, halves, sizeof(ret->bytes));
    return true;
}
