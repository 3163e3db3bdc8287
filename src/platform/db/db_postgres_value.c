/* platform/db/db_postgres_value.c - values in PostgreSQL's binary format, both ways.
 *
 * What a parameter is, the server infers when it prepares the statement: an int64 of ours may be a
 * smallint, an integer, a bigint or a numeric there. Numbers are sent in network byte order; a
 * numeric is a list of digits to the base 10,000 (src/backend/utils/adt/numeric.c, numeric_send), an
 * array its dimensions and then its elements (arrayfuncs.c, array_send). */

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

#include "platform/db/db_postgres.h"

enum {
    NUMERIC_BASE = 10000,
    NUMERIC_DIGITS_MAX = 5, /* of an int64 */
    NUMERIC_HEAD_SIZE = 8,
    NUMERIC_POSITIVE = 0,
    NUMERIC_NEGATIVE = 0x4000,
    ARRAY_HEAD_SIZE = 20,
    ARRAY_EMPTY_SIZE = 12,
    LENGTH_SIZE = 4,
};

/* --- Bytes --- */

static char *put_u16(char *at, uint16_t n)
{
    n = htobe16(n);
    memcpy(at, &n, sizeof(n));
    return at + sizeof(n);
}

static char *put_u32(char *at, uint32_t n)
{
    n = htobe32(n);
    memcpy(at, &n, sizeof(n));
    return at + sizeof(n);
}

static char *put_u64(char *at, uint64_t n)
{
    n = htobe64(n);
    memcpy(at, &n, sizeof(n));
    return at + sizeof(n);
}

static uint16_t get_u16(const char *at)
{
    uint16_t n;

    memcpy(&n, at, sizeof(n));
    return be16toh(n);
}

static uint32_t get_u32(const char *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof(n));
    return be32toh(n);
}

static uint64_t get_u64(const char *at)
{
    uint64_t n;

    memcpy(&n, at, sizeof(n));
    return be64toh(n);
}

/* --- Encoding --- */

static char *put_real(char *at, double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof(bits));
    return put_u64(at, bits);
}

static char *put_float(char *at, float real)
{
    uint32_t bits;

    memcpy(&bits, &real, sizeof(bits));
    return put_u32(at, bits);
}

static char *put_numeric(char *at, int64_t n)
{
    uint16_t digits[NUMERIC_DIGITS_MAX]; /* the lowest first */
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    int count = 0;

    for (; rest > 0; rest /= NUMERIC_BASE)
        digits[count++] = (uint16_t)(rest % NUMERIC_BASE);
    at = put_u16(at, (uint16_t)count);
    at = put_u16(at, (uint16_t)(count > 0 ? count - 1 : 0));
    at = put_u16(at, n < 0 ? NUMERIC_NEGATIVE : NUMERIC_POSITIVE);
    at = put_u16(at, 0);
    while (count > 0)
        at = put_u16(at, digits[--count]);
    return at;
}

static bool encode_i64(int64_t n, Oid type, struct arena *arena, str *ret)
{
    char *bytes = arena_alloc(arena, NUMERIC_HEAD_SIZE + 2 * NUMERIC_DIGITS_MAX);
    char *end = bytes;

    switch (type) {
    case TYPE_INT8:
    case TYPE_XID8:
        end = put_u64(bytes, (uint64_t)n);
        break;
    case TYPE_INT4:
        if (n < INT32_MIN || n > INT32_MAX)
            return false;
        end = put_u32(bytes, (uint32_t)(int32_t)n);
        break;
    case TYPE_INT2:
        if (n < INT16_MIN || n > INT16_MAX)
            return false;
        end = put_u16(bytes, (uint16_t)(int16_t)n);
        break;
    case TYPE_BOOL:
        if (n != 0 && n != 1)
            return false;
        *end++ = (char)n;
        break;
    case TYPE_FLOAT8:
        end = put_real(bytes, (double)n);
        break;
    case TYPE_NUMERIC:
        end = put_numeric(bytes, n);
        break;
    default:
        return false;
    }
    *ret = (str){bytes, (size_t)(end - bytes)};
    return true;
}

static bool encode_real(double real, Oid type, struct arena *arena, str *ret)
{
    char *bytes = arena_alloc(arena, sizeof(real));
    const char *end;

    if (type == TYPE_FLOAT8)
        end = put_real(bytes, real);
    else if (type == TYPE_FLOAT4)
        end = put_float(bytes, (float)real);
    else
        return false;
    *ret = (str){bytes, (size_t)(end - bytes)};
    return true;
}

static bool is_text(Oid type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_NAME;
}

static bool encode_blob(str bytes, Oid type, str *ret)
{
    *ret = bytes;
    return type == TYPE_BYTEA || (type == TYPE_UUID && bytes.size == sizeof(struct uuid));
}

static bool encode_one(const struct value *value, Oid type, struct arena *arena, str *ret)
{
    switch (value->type) {
    case VALUE_NULL:
        *ret = STR_ABSENT;
        return true;
    case VALUE_I64:
        return encode_i64(value->i64, type, arena, ret);
    case VALUE_REAL:
        return encode_real(value->real, type, arena, ret);
    case VALUE_TEXT:
        *ret = value->bytes;
        return is_text(type);
    case VALUE_BLOB:
        return encode_blob(value->bytes, type, ret);
    case VALUE_UUID:
        return encode_blob(
            arena_str(arena, (str){(const char *)value->uuid.bytes, sizeof(value->uuid.bytes)}),
            type, ret);
    case VALUE_I64S:
    case VALUE_UUIDS:
    case VALUE_TEXTS:
    case VALUE_BLOBS:
        break;
    }
    assert(false);
    return false;
}

/* --- Arrays --- */

static struct value element(const struct value *value, size_t index)
{
    switch (value->type) {
    case VALUE_I64S:
        return I64(((const int64_t *)value->items)[index]);
    case VALUE_UUIDS:
        return UUID(((const struct uuid *)value->items)[index]);
    case VALUE_TEXTS:
        return value_text(((const str *)value->items)[index]);
    case VALUE_BLOBS:
        return value_blob(((const str *)value->items)[index]);
    case VALUE_NULL:
    case VALUE_I64:
    case VALUE_REAL:
    case VALUE_TEXT:
    case VALUE_BLOB:
    case VALUE_UUID:
        break;
    }
    assert(false);
    return NIL;
}

/* 0: no array that we know. */
static Oid element_type(Oid type)
{
    switch (type) {
    case TYPE_INT8S:
        return TYPE_INT8;
    case TYPE_INT4S:
        return TYPE_INT4;
    case TYPE_UUIDS:
        return TYPE_UUID;
    case TYPE_TEXTS:
        return TYPE_TEXT;
    case TYPE_BYTEAS:
        return TYPE_BYTEA;
    default:
        return 0;
    }
}

static bool encode_elements(const struct value *value, Oid type, struct arena *arena, str *ret,
                            size_t *ret_size)
{
    *ret_size = ARRAY_HEAD_SIZE;
    for (size_t i = 0; i < value->count; i++) {
        const struct value item = element(value, i);

        if (!encode_one(&item, type, arena, &ret[i]))
            return false;
        *ret_size += LENGTH_SIZE + ret[i].size;
    }
    return true;
}

static bool encode_array(const struct value *value, Oid type, struct arena *arena, str *ret)
{
    const Oid inner = element_type(type);
    str *elements = arena_new_array(arena, str, value->count + 1);
    size_t size = 0;
    char *bytes;
    char *at;

    if (inner == 0 || !encode_elements(value, inner, arena, elements, &size))
        return false;
    bytes = arena_alloc(arena, size);
    at = put_u32(bytes, value->count > 0 ? 1 : 0); /* dimensions */
    at = put_u32(at, 1);                           /* there may be a NULL */
    at = put_u32(at, inner);
    at = put_u32(at, (uint32_t)value->count);
    at = put_u32(at, 1); /* lower bound */
    for (size_t i = 0; i < value->count; i++) {
        at = put_u32(at, elements[i].ptr != NULL ? (uint32_t)elements[i].size : UINT32_MAX);
        if (elements[i].ptr != NULL && elements[i].size > 0)
            memcpy(at, elements[i].ptr, elements[i].size);
        at += elements[i].size;
    }
    /* An empty array ends behind its type. */
    *ret = (str){bytes, value->count > 0 ? size : ARRAY_EMPTY_SIZE};
    return true;
}

bool postgres_encode(const struct value *value, Oid type, struct arena *arena, str *ret)
{
    if (value->type >= VALUE_I64S)
        return encode_array(value, type, arena, ret);
    return encode_one(value, type, arena, ret);
}

/* --- Decoding --- */

static int digit_at(str bytes, int index)
{
    return get_u16(bytes.ptr + NUMERIC_HEAD_SIZE + 2 * (size_t)index);
}

/* What is behind the point is cut off. */
static bool decode_numeric(str bytes, int64_t *ret)
{
    const int count = get_u16(bytes.ptr);
    const int weight = (int16_t)get_u16(bytes.ptr + 2);
    const uint16_t sign = get_u16(bytes.ptr + 4);
    int64_t n = 0;

    if (sign != NUMERIC_POSITIVE && sign != NUMERIC_NEGATIVE)
        return false; /* NaN, infinite */
    for (int i = 0; i <= weight; i++) {
        const int digit = i < count ? digit_at(bytes, i) : 0;

        if (__builtin_mul_overflow(n, NUMERIC_BASE, &n) ||
            __builtin_add_overflow(n, sign == NUMERIC_NEGATIVE ? -digit : digit, &n))
            return false;
    }
    *ret = n;
    return true;
}

static double decode_numeric_real(str bytes)
{
    const int count = get_u16(bytes.ptr);
    const int weight = (int16_t)get_u16(bytes.ptr + 2);
    const uint16_t sign = get_u16(bytes.ptr + 4);
    double real = 0;

    if (sign != NUMERIC_POSITIVE && sign != NUMERIC_NEGATIVE)
        return (double)NAN;
    for (int i = 0; i < count; i++)
        real += digit_at(bytes, i) * pow(NUMERIC_BASE, weight - i);
    return sign == NUMERIC_NEGATIVE ? -real : real;
}

bool postgres_decode_i64(Oid type, str bytes, int64_t *ret)
{
    switch (type) {
    case TYPE_INT8:
    case TYPE_XID8:
        *ret = (int64_t)get_u64(bytes.ptr);
        return true;
    case TYPE_INT4:
        *ret = (int32_t)get_u32(bytes.ptr);
        return true;
    case TYPE_INT2:
        *ret = (int16_t)get_u16(bytes.ptr);
        return true;
    case TYPE_BOOL:
        *ret = bytes.ptr[0] != 0;
        return true;
    case TYPE_NUMERIC:
        return decode_numeric(bytes, ret);
    default:
        return false;
    }
}

bool postgres_decode_real(Oid type, str bytes, double *ret)
{
    uint64_t bits = 0;
    uint32_t few_bits = 0;
    float few = 0;
    int64_t n = 0;

    switch (type) {
    case TYPE_FLOAT8:
        bits = get_u64(bytes.ptr);
        memcpy(ret, &bits, sizeof(*ret));
        return true;
    case TYPE_FLOAT4:
        few_bits = get_u32(bytes.ptr);
        memcpy(&few, &few_bits, sizeof(few));
        *ret = (double)few;
        return true;
    case TYPE_NUMERIC:
        *ret = decode_numeric_real(bytes);
        return true;
    default:
        if (!postgres_decode_i64(type, bytes, &n))
            return false;
        *ret = (double)n;
        return true;
    }
}

bool postgres_is_bytes(Oid type)
{
    return is_text(type) || type == TYPE_BYTEA || type == TYPE_UUID;
}
