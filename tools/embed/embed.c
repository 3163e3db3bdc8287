/* embed/embed.c - turns files into C: a table of assets with their compressed variants, entity tags and
 * types, for platform/http/files.h.
 *
 *     embed OUT.c NAME PREFIX ROOT FILE...
 *
 * Each FILE below ROOT becomes the row PREFIX + its path of the table NAME. Compression takes the
 * best that gzip and brotli have, because it is done once; a variant that saves less than a tenth is
 * left out. A name with a hash in it (what bundlers write: index-B3kd9_aQ.js) may be cached for
 * ever. */

#include <brotli/encode.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    FILE_SIZE_MAX = 64 << 20,
    COMPRESSED_FROM = 256,
    GZIP_WINDOW = 15 + 16,
    GZIP_MEMORY = 9,
    LINE_BYTES = 64,
    DIGEST_BYTES = 12,
    HASH_CHARACTERS_MIN = 8,
    FIRST_FILE = 5,
};

struct bytes {
    unsigned char *data;
    size_t size; /* 0: there is none */
};

static const struct {
    const char *end;
    const char *type;
} types[] = {
    {".css",         "text/css; charset=utf-8"       },
    {".html",        "text/html; charset=utf-8"      },
    {".ico",         "image/x-icon"                  },
    {".jpg",         "image/jpeg"                    },
    {".js",          "text/javascript; charset=utf-8"},
    {".json",        "application/json"              },
    {".mjs",         "text/javascript; charset=utf-8"},
    {".png",         "image/png"                     },
    {".svg",         "image/svg+xml"                 },
    {".txt",         "text/plain; charset=utf-8"     },
    {".wasm",        "application/wasm"              },
    {".webmanifest", "application/manifest+json"     },
    {".webp",        "image/webp"                    },
    {".woff2",       "font/woff2"                    },
    {".xml",         "application/xml"               },
};

__attribute__((noreturn)) static void fail(const char *path, const char *why)
{
    (void)fprintf(stderr, "embed: %s: %s\n", path, why);
    _Exit(1);
}

static unsigned char *take(size_t size)
{
    unsigned char *memory = calloc(1, size + 1);

    if (memory == NULL)
        fail("memory", "there is none");
    return memory;
}

static struct bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct bytes bytes = {0};

    if (file == NULL)
        fail(path, "cannot be read");
    bytes.data = take(FILE_SIZE_MAX);
    bytes.size = fread(bytes.data, 1, FILE_SIZE_MAX, file);
    if (ferror(file) != 0 || fgetc(file) != EOF)
        fail(path, "cannot be read, or is too large");
    (void)fclose(file);
    return bytes;
}

/* --- Names --- */

static const char *type_of(const char *path)
{
    const char *end = strrchr(path, '.');

    for (size_t i = 0; end != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(end, types[i].end) == 0)
            return types[i].type;
    fail(path, "has no type that is known");
}

/* "index-B3kd9_aQ.js": the last part before the ending, behind '-' or '.', with a digit or capital. */
static bool is_hashed(const char *path)
{
    const char *end = strrchr(path, '.');
    const char *at = end;
    bool is_mixed = false;

    while (at != NULL && at > path && strchr("-./", at[-1]) == NULL) {
        at--;
        is_mixed = is_mixed || (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z');
    }
    return at != NULL && at > path && at[-1] != '/' && end - at >= HASH_CHARACTERS_MIN && is_mixed;
}

/* --- Variants --- */

static unsigned char *gzip(struct bytes plain, size_t *ret_size)
{
    z_stream stream = {0};

    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        fail("gzip", "does not begin");
    const size_t room = deflateBound(&stream, plain.size);
    unsigned char *packed = take(room);
    stream.next_in = plain.data;
    stream.avail_in = (unsigned)plain.size;
    stream.next_out = packed;
    stream.avail_out = (unsigned)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        fail("gzip", "does not end");
    *ret_size = stream.total_out;
    (void)deflateEnd(&stream);
    return packed;
}

static unsigned char *brotli(struct bytes plain, size_t *ret_size)
{
    unsigned char *packed = take(BrotliEncoderMaxCompressedSize(plain.size));

    *ret_size = BrotliEncoderMaxCompressedSize(plain.size);
    if (BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_MAX_WINDOW_BITS, BROTLI_MODE_GENERIC,
                              plain.size, plain.data, ret_size, packed) != BROTLI_TRUE)
        fail("brotli", "failed");
    return packed;
}

static bool is_worth(size_t packed_size, size_t plain_size)
{
    return plain_size >= COMPRESSED_FROM && packed_size < plain_size - plain_size / 10;
}

/* --- The C of it --- */

/* A string literal; always three digits, so that none joins what follows. */
static void write_bytes(FILE *out, struct bytes bytes)
{
    if (bytes.size == 0) {
        (void)fprintf(out, "        {NULL, 0},\n");
        return;
    }
    (void)fprintf(out, "        {\"");
    for (size_t i = 0; i < bytes.size; i++) {
        if (i % LINE_BYTES == 0)
            (void)fprintf(out, "\"\n         \"");
        (void)fprintf(out, "\\%03o", bytes.data[i]);
    }
    (void)fprintf(out, "\", %zu},\n", bytes.size);
}

static void write_etag(FILE *out, struct bytes bytes)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(bytes.data, bytes.size, digest, NULL, EVP_sha256(), NULL) != 1)
        fail("SHA-256", "failed");
    (void)fprintf(out, "     \"");
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        (void)fprintf(out, "%02x", digest[i]);
    (void)fprintf(out, "\", ");
}

/* "/index.js": what is left of it below the root, whatever way the two are written. */
static const char *below(const char *root, const char *path, char whole[PATH_MAX])
{
    char base[PATH_MAX];

    if (realpath(root, base) == NULL || realpath(path, whole) == NULL)
        fail(path, "is not there");
    const size_t size = strlen(base);
    if (strncmp(whole, base, size) != 0 || whole[size] != '/')
        fail(path, "is not below the root");
    return whole + size;
}

static void write_packed(FILE *out, struct bytes plain,
                         unsigned char *(*pack)(struct bytes plain, size_t *ret_size))
{
    size_t size = 0;
    unsigned char *packed = pack(plain, &size);

    write_bytes(out, (struct bytes){packed, is_worth(size, plain.size) ? size : 0});
    free(packed);
}

static void write_row(FILE *out, const char *prefix, const char *root, const char *path)
{
    char whole[PATH_MAX];
    const char *name = below(root, path, whole);
    const struct bytes plain = read_file(path);

    (void)fprintf(out, "    {\"%s%s\", \"%s\",\n", prefix, name, type_of(name));
    write_etag(out, plain);
    (void)fprintf(out, "%s, {\n", is_hashed(name) ? "true" : "false");
    write_bytes(out, plain);
    write_packed(out, plain, gzip);
    write_packed(out, plain, brotli);
    (void)fprintf(out, "    }},\n");
    free(plain.data);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int main(int argc, char **argv)
{
    if (argc <= FIRST_FILE)
        fail("usage", "embed OUT.c NAME PREFIX ROOT FILE...");
    FILE *out = fopen(argv[1], "we");
    if (out == NULL)
        fail(argv[1], "cannot be written");
    qsort(argv + FIRST_FILE, (size_t)(argc - FIRST_FILE), sizeof(argv[0]), compare);
    (void)fprintf(out,
                  "/* Written by tools/embed. */\n#include \"platform/http/files.h\"\n\n"
                  "extern const struct file_table %s;\n\nstatic const struct file files[] = {\n",
                  argv[2]);
    for (int i = FIRST_FILE; i < argc; i++)
        write_row(out, argv[3], argv[4], argv[i]);
    (void)fprintf(out, "};\nconst struct file_table %s = {files, %d};\n", argv[2],
                  argc - FIRST_FILE);
    if (fclose(out) != 0)
        fail(argv[1], "cannot be written");
    return 0;
}
