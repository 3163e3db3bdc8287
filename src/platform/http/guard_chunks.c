/* platform/http/guard_chunks.c - the strict reading of a chunked body, in pieces as they come.
 *
 *   SIZE --digit--> SIZE --';' or blank--> EXTENSION --CR--> SIZE_LF --LF--> DATA, after 0 TRAILER
 *   DATA --all--> DATA_CR --CR--> DATA_LF --LF--> SIZE
 *   TRAILER --text--> TRAILER_LINE --CR--> TRAILER_LF --LF--> TRAILER --CR--> END_LF --LF--> done
 *
 * H2O's decoder skips everything up to LF behind a size, so a lone CR or LF there would end the
 * line for one reader and not for another. Extensions and trailers are read over, as RFC 9112
 * 7.1 asks, but must be text. */

#include "platform/http/guard.h"

enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF,
};

enum { DIGITS_MAX = 8 };

#define BAD(sentence)           \
    {                           \
        ERR_MALFORMED, sentence \
    }

static const struct refusal bad_chunk_size = BAD("A chunk does not begin with its size.");
static const struct refusal bad_chunk_line =
    BAD("A line between chunks is not text that ends with CRLF.");
static const struct refusal bad_chunk_end = BAD("A chunk is longer than its size says.");
static const struct refusal bad_trailers = BAD("The trailers are too long.");

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

static const struct refusal *take_size(struct guard_chunks *chunks, char c)
{
    const int value = hex_value(c);

    if (value >= 0) {
        if (++chunks->digits > DIGITS_MAX)
            return &bad_chunk_size;
        chunks->left = chunks->left * 16 + (uint64_t)value;
        return NULL;
    }
    if (chunks->digits == 0)
        return &bad_chunk_size;
    if (c == '\r')
        chunks->state = SIZE_LF;
    else if (c == ';' || c == ' ' || c == '\t')
        chunks->state = EXTENSION;
    else
        return &bad_chunk_size;
    return NULL;
}

static const struct refusal *take_extension(struct guard_chunks *chunks, char c)
{
    if (c == '\r')
        chunks->state = SIZE_LF;
    else if (!is_text(c) || ++chunks->line_size > GUARD_CHUNK_LINE_MAX)
        return &bad_chunk_line;
    return NULL;
}

/* Behind the size line: its chunk, or after the last one the trailers. */
static const struct refusal *take_size_lf(struct guard_chunks *chunks, char c)
{
    if (c != '\n')
        return &bad_chunk_line;
    chunks->state = chunks->left > 0 ? DATA : TRAILER;
    chunks->decoded += chunks->left;
    chunks->digits = 0;
    chunks->line_size = 0;
    return NULL;
}

static const struct refusal *take_trailer(struct guard_chunks *chunks, char c)
{
    if (++chunks->trailers_size > GUARD_TRAILERS_SIZE_MAX)
        return &bad_trailers;
    if (c == '\r')
        chunks->state = chunks->state == TRAILER ? END_LF : TRAILER_LF;
    else if (!is_text(c))
        return &bad_chunk_line;
    else
        chunks->state = TRAILER_LINE;
    return NULL;
}

/* One byte that must be `expected`. */
static const struct refusal *take_exactly(struct guard_chunks *chunks, char c, char expected,
                                          int next, const struct refusal *refusal)
{
    if (c != expected)
        return refusal;
    chunks->state = next;
    return NULL;
}

static const struct refusal *take_byte(struct guard_chunks *chunks, char c)
{
    switch ((enum state)chunks->state) {
    case SIZE:
        return take_size(chunks, c);
    case EXTENSION:
        return take_extension(chunks, c);
    case SIZE_LF:
        return take_size_lf(chunks, c);
    case DATA_CR:
        return take_exactly(chunks, c, '\r', DATA_LF, &bad_chunk_end);
    case DATA_LF:
        return take_exactly(chunks, c, '\n', SIZE, &bad_chunk_end);
    case TRAILER:
    case TRAILER_LINE:
        return take_trailer(chunks, c);
    case TRAILER_LF:
        return take_exactly(chunks, c, '\n', TRAILER, &bad_chunk_line);
    case END_LF:
        chunks->done = c == '\n';
        return chunks->done ? NULL : &bad_chunk_line;
    case DATA:
        break;
    }
    return &bad_chunk_size;
}

const struct refusal *guard_chunks(struct guard_chunks *chunks, const char *bytes, size_t size,
                                   size_t *ret_taken)
{
    size_t taken = 0;

    while (taken < size && !chunks->done) {
        if (chunks->state == DATA) {
            const size_t step = chunks->left < size - taken ? (size_t)chunks->left : size - taken;
            chunks->left -= step;
            taken += step;
            if (chunks->left == 0)
                chunks->state = DATA_CR;
            continue;
        }
        const struct refusal *refusal = take_byte(chunks, bytes[taken++]);
        if (refusal != NULL)
            return refusal;
    }
    *ret_taken = taken;
    return NULL;
}
