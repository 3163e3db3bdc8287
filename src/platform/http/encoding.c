/* platform/http/encoding.c - reads Accept-Encoding, and compresses with zlib and brotli.
 *
 * Both compressors run in one call over a whole body: what is compressed here is made once and
 * sent often (blob.c), so streams would only add states. */

#include "platform/http/encoding.h"

#include <assert.h>
#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

enum {
    QUALITY_MAX = 1000,    /* "q" has at most three decimals */
    GZIP_WINDOW = 15 + 16, /* 32 KiB, with gzip's frame instead of zlib's */
    GZIP_LEVEL = 6,
    GZIP_MEMORY = 8,
    BROTLI_QUALITY_SMALL = 9, /* up to BROTLI_SMALL bytes: below a millisecond */
    BROTLI_QUALITY = 5,
    BROTLI_SMALL = 8192,
    BROTLI_WINDOW = 18,
};

str coding_name(enum coding coding)
{
    static const str names[] = {
        [CODING_IDENTITY] = {"identity", 8},
        [CODING_GZIP] = {"gzip",     4},
        [CODING_BROTLI] = {"br",       2}
    };

    assert(coding < CODING_COUNT);
    return names[coding];
}

/* --- Rules: what a client wants --- */

/* weight = OWS ";" OWS "q=" qvalue (RFC 9110 12.4.2), in thousandths; -1: it is none. */
static int read_weight(str text)
{
    int weight;

    text = str_trim(text);
    if (text.size < 3 || text.size > 7 || (text.ptr[0] != 'q' && text.ptr[0] != 'Q') ||
        text.ptr[1] != '=' || (text.ptr[2] != '0' && text.ptr[2] != '1'))
        return -1;
    weight = (text.ptr[2] - '0') * QUALITY_MAX;
    if (text.size > 3 && text.ptr[3] != '.')
        return -1;
    for (size_t i = 4, worth = QUALITY_MAX / 10; i < text.size; i++, worth /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        weight += (text.ptr[i] - '0') * (int)worth;
    }
    return weight <= QUALITY_MAX ? weight : -1;
}

/* CODING_COUNT: one that we do not have. */
static enum coding coding_of(str name)
{
    if (str_eq_nocase(name, STR("x-gzip"))) /* RFC 9110 8.4.1.3 */
        return CODING_GZIP;
    for (int i = 0; i < CODING_COUNT; i++)
        if (str_eq_nocase(name, coding_name((enum coding)i)))
            return (enum coding)i;
    return CODING_COUNT;
}

enum coding coding_wanted(str accept_encoding)
{
    enum { UNNAMED = -1 };
    int weights[CODING_COUNT] = {UNNAMED, UNNAMED, UNNAMED};
    int any = UNNAMED; /* of "*" */
    str item;

    while (str_split(&accept_encoding, ',', &item)) {
        str parameters = item;
        str name;

        (void)str_split(&parameters, ';', &name);
        name = str_trim(name);
        const int weight = parameters.ptr == NULL ? QUALITY_MAX : read_weight(parameters);
        const enum coding coding = coding_of(name);
        if (weight < 0)
            continue;
        if (str_eq(name, STR("*")))
            any = weight;
        else if (coding != CODING_COUNT)
            weights[coding] = weight;
    }

    enum coding best = CODING_IDENTITY;
    int best_weight = weights[CODING_IDENTITY] != UNNAMED ? weights[CODING_IDENTITY] : 0;
    for (int i = CODING_GZIP; i < CODING_COUNT; i++) {
        const int weight = weights[i] != UNNAMED ? weights[i] : any;
        if (weight > 0 && weight >= best_weight) {
            best = (enum coding)i;
            best_weight = weight;
        }
    }
    return best;
}

/* --- Compressing --- */

static bool compress_gzip(str body, char *to, size_t *size)
{
    z_stream stream = {0};

    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* no memory */
    stream.next_in = mem_unconst(body.ptr);
    stream.avail_in = (uInt)body.size;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)*size;
    const bool is_done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *size = stream.total_out;
    (void)deflateEnd(&stream); /* Z_DATA_ERROR where it was not done */
    return is_done;
}

static bool compress_brotli(str body, char *to, size_t *size)
{
    const int quality = body.size <= BROTLI_SMALL ? BROTLI_QUALITY_SMALL : BROTLI_QUALITY;

    return BrotliEncoderCompress(quality, BROTLI_WINDOW, BROTLI_MODE_TEXT, body.size,
                                 (const uint8_t *)body.ptr, size, (uint8_t *)to) == BROTLI_TRUE;
}

bool coding_compress(enum coding coding, str body, size_t size_max, char **ret, size_t *ret_size)
{
    size_t size = size_max;
    char *bytes = malloc(size_max > 0 ? size_max : 1);

    assert(coding == CODING_GZIP || coding == CODING_BROTLI);
    if (bytes == NULL)
        abort();
    const bool fits = coding == CODING_GZIP ? compress_gzip(body, bytes, &size)
                                            : compress_brotli(body, bytes, &size);
    if (!fits) {
        free(bytes);
        return false;
    }
    *ret = realloc(bytes, size);
    if (*ret == NULL)
        *ret = bytes;
    *ret_size = size;
    return true;
}
