/* platform/json/encode.c - writes a struct as JSON, straight into a buffer.
 *
 * This runs for every answer, so there is no tree, no printf and no copy in between. Whatever a
 * text holds, what comes out is well-formed: broken UTF-8 becomes U+FFFD. */

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/money.h"
#include "base/time.h"
#include "platform/json/field.h"

enum {
    ENCODED_SIZE_MAX = 64 * 1024 * 1024,
    REAL_SIZE_MAX = 32,
    REAL_DECIMALS = 6,
};

/* An object, or a list, that is being written. */
struct level {
    const struct json_shape *shape; /* of the object, or of the list's elements */
    const struct json_field *list;  /* NULL: an object */
    const char *base;               /* the struct, or the first element */
    size_t index;
    size_t count;
    bool any; /* something was written: a comma comes first */
};

struct writer {
    struct buf *buf;
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
};

/* --- Text --- */

enum { PLAIN, ESCAPED, NOT_ASCII };

static int class_of(unsigned char c)
{
    if (c >= 0x80)
        return NOT_ASCII;
    return c < ' ' || c == '"' || c == '\\' ? ESCAPED : PLAIN;
}

static void add_escaped(struct buf *buf, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_of[' '] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    const unsigned code = (unsigned char)c;
    const char *letter = code < sizeof(short_of) ? &short_of[code] : &c;
    const char two[] = {'\\', *letter};
    const char six[] = {'\\', 'u', '0', '0', hex[code >> 4], hex[code & 15]};

    buf_add(buf, *letter != 0 ? (str){two, sizeof(two)} : (str){six, sizeof(six)});
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A high bit for each byte below `limit`; where a lower byte has borrowed also for others, so
 * the answer "none" is exact. */
static uint64_t bytes_below(uint64_t word, uint64_t limit)
{
    return (word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80);
}

/* True only if all eight bytes stand for themselves: most text is such, and goes fast. */
static bool is_plain_word(const char *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof(word));
    return ((word & EACH_BYTE(0x80)) | bytes_below(word, ' ') |
            bytes_below(word ^ EACH_BYTE('"'), 1) | bytes_below(word ^ EACH_BYTE('\\'), 1)) == 0;
}

/* The end of the run from `at` on that stands for itself. */
static size_t skip_plain(str text, size_t at)
{
    while (at < text.size) {
        if (text.size - at >= sizeof(uint64_t) && is_plain_word(text.ptr + at)) {
            at += sizeof(uint64_t);
            continue;
        }
        const int class = class_of((unsigned char)text.ptr[at]);
        const size_t size = class == NOT_ASCII ? str_utf8_next(text, at) : class == PLAIN;

        if (size == 0)
            break;
        at += size;
    }
    return at;
}

void json_write_text(struct buf *buf, str text)
{
    if (text.ptr == NULL) {
        buf_add(buf, STR("null"));
        return;
    }
    buf_add_char(buf, '"');
    for (size_t at = 0;;) {
        const size_t end = skip_plain(text, at);

        buf_add(buf, str_slice(text, at, end));
        if (end == text.size)
            break;
        if (class_of((unsigned char)text.ptr[end]) == ESCAPED)
            add_escaped(buf, text.ptr[end]);
        else
            buf_add(buf, STR("\xef\xbf\xbd"));
        at = end + 1;
    }
    buf_add_char(buf, '"');
}

/* What needs no escape by its making. */
static void add_quoted(struct buf *buf, const char *text)
{
    const size_t size = strlen(text);
    char *to = buf_room(buf, size + 2);

    if (to == NULL)
        return;
    *to = '"';
    *stpcpy(to + 1, text) = '"';
    buf_took(buf, size + 2);
}

/* --- Numbers --- */

/* Numbers of up to six decimals, which prices per unit, coordinates and scores are. Division
 * rounds correctly, so if `scaled` divided by the power gives `n` again, then its digits read
 * back as `n`. */
static bool add_short_real(struct buf *buf, double n)
{
    const double scale = 1e6;
    const double scaled = round(fabs(n) * scale);
    char decimals[REAL_DECIMALS];
    size_t size = REAL_DECIMALS;

    if (!(scaled < 9e15) || scaled / scale != fabs(n))
        return false;
    int64_t fraction = (int64_t)scaled % (int64_t)scale;
    if (signbit(n))
        buf_add_char(buf, '-');
    buf_add_i64(buf, (int64_t)scaled / (int64_t)scale);
    for (size_t i = sizeof(decimals); i > 0; i--) {
        decimals[i - 1] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    while (size > 1 && decimals[size - 1] == '0')
        size--;
    buf_add_char(buf, '.');
    buf_add(buf, (str){decimals, size});
    return true;
}

static void add_real(struct buf *buf, double n)
{
    char text[REAL_SIZE_MAX];

    if (add_short_real(buf, n))
        return;
    const int size = snprintf(text, sizeof(text), "%.17g", n);
    assert(size > 0 && (size_t)size < sizeof(text));
    for (int i = 0; i < size; i++)
        if (text[i] == ',') /* some locales' decimal point */
            text[i] = '.';
    buf_add(buf, (str){text, (size_t)size});
}

static void add_money(struct buf *buf, const struct money *money)
{
    buf_add(buf, STR("{\"amount\":"));
    buf_add_i64(buf, money->minor);
    buf_add(buf, STR(",\"currency\":"));
    add_quoted(buf, money->currency.code);
    buf_add_char(buf, '}');
}

/* --- Values --- */

static void push(struct writer *writer, struct level level)
{
    assert(writer->depth < JSON_DEPTH_MAX);
    buf_add_char(writer->buf, level.list == NULL ? '{' : '[');
    writer->levels[writer->depth++] = level;
}

static void push_list(struct writer *writer, const struct json_field *field, const char *base)
{
    const char *elements;
    size_t count;

    memcpy(&elements, base + field->offset, sizeof(elements));
    memcpy(&count, base + field->count_offset, sizeof(count));
    push(writer, (struct level){
                     .shape = field->shape,
                     .list = field,
                     .base = elements,
                     .count = elements != NULL ? count : 0,
                 });
}

static const char *enum_name(const struct json_field *field, int index)
{
    for (int i = 0; i <= index; i++)
        assert(field->names[i] != NULL);
    return field->names[index];
}

/* `base` is the struct that holds the member; of a list's element, the element. */
static void write_value(struct writer *writer, const struct json_field *field, const char *base)
{
    struct buf *buf = writer->buf;
    const void *at = base + field->offset;
    const char *object;

    switch (field->type) {
    case JSON_BOOL:
        buf_add(buf, *(const bool *)at ? STR("true") : STR("false"));
        return;
    case JSON_I64:
        buf_add_i64(buf, *(const int64_t *)at);
        return;
    case JSON_REAL:
        add_real(buf, *(const double *)at);
        return;
    case JSON_TEXT:
    case JSON_TOKEN:
        json_write_text(buf, *(const str *)at);
        return;
    case JSON_RAW:
        buf_add(buf, *(const str *)at);
        return;
    case JSON_ID:
        add_quoted(buf, id_format(field->prefix, *(const struct uuid *)at).text);
        return;
    case JSON_MONEY:
        add_money(buf, at);
        return;
    case JSON_TIME:
        add_quoted(buf, time_format(*(const int64_t *)at).text);
        return;
    case JSON_ENUM:
        add_quoted(buf, enum_name(field, *(const int *)at));
        return;
    case JSON_OBJECT:
        memcpy(&object, at, sizeof(object)); /* a pointer of some other type */
        push(writer, (struct level){.shape = field->shape, .base = object});
        return;
    case JSON_LIST:
        push_list(writer, field, base);
        return;
    }
    abort();
}

/* --- The walk --- */

/* ,"name": in one piece. */
static void add_name(struct buf *buf, const char *name, bool comma)
{
    const size_t size = strlen(name);
    char *to = buf_room(buf, size + sizeof(",\"\":") - 1);
    char *from = to;

    if (to == NULL)
        return;
    if (comma)
        *to++ = ',';
    *to++ = '"';
    to = stpcpy(to, name);
    *to++ = '"';
    *to++ = ':';
    buf_took(buf, (size_t)(to - from));
}

static void step_object(struct writer *writer, struct level *level)
{
    if (level->index == level->shape->field_count) {
        buf_add_char(writer->buf, '}');
        writer->depth--;
        return;
    }
    const struct json_field *field = &level->shape->fields[level->index++];
    const bool absent = field_is_absent(field, level->base + field->offset);
    const bool kept = field->type == JSON_LIST && (field->flags & JSON_REQUIRED) != 0;

    if ((field->flags & JSON_SECRET) != 0)
        return;
    if (absent && !kept && (field->flags & JSON_NULLABLE) == 0)
        return;
    add_name(writer->buf, field->name, level->any);
    level->any = true;
    if (absent && (field->flags & JSON_NULLABLE) != 0)
        buf_add(writer->buf, STR("null"));
    else
        write_value(writer, field, level->base);
}

static void step_list(struct writer *writer, struct level *level)
{
    if (level->index == level->count) {
        buf_add_char(writer->buf, ']');
        writer->depth--;
        return;
    }
    const char *element = level->base + level->index++ * level->list->item_size;

    if (level->index > 1)
        buf_add_char(writer->buf, ',');
    if (level->shape != NULL)
        push(writer, (struct level){.shape = level->shape, .base = element});
    else if (field_is_absent(level->list->item, element))
        buf_add(writer->buf, STR("null"));
    else
        write_value(writer, level->list->item, element);
}

void json_write(struct buf *buf, const struct json_shape *shape, const void *value)
{
    struct writer writer;

    writer.buf = buf;
    writer.depth = 0; /* the levels are set as they are pushed */
    push(&writer, (struct level){.shape = shape, .base = value});
    while (writer.depth > 0) {
        struct level *level = &writer.levels[writer.depth - 1];
        if (level->list == NULL)
            step_object(&writer, level);
        else
            step_list(&writer, level);
    }
}

str json_encode(struct arena *arena, const struct json_shape *shape, const void *value)
{
    struct buf buf = buf_in(arena, ENCODED_SIZE_MAX);

    json_write(&buf, shape, value);
    return buf.overflow ? STR_ABSENT : buf_str(&buf);
}
