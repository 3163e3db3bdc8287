/* platform/http/blob.c - documents that are sent as they lie in memory.
 *
 * A variant is the body in one content coding and the text of its headers, so that an answer is
 * three pieces for one writev: what differs from request to request, these headers, this body.
 * Identity is made with the blob, the others when somebody first asks for them: one makes it,
 * all who come meanwhile are sent identity. */

#include "platform/http/blob.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/http/etag.h"
#include "platform/http/internal.h"

enum { ETAG_DIGEST_SIZE = 12, ETAG_SIZE_MAX = 128, HEAD_SIZE_MAX = 1024 };

struct blob {
    _Atomic int references;
    _Atomic(const struct variant *) variants[CODING_COUNT]; /* NULL: not made yet */
    _Atomic bool making[CODING_COUNT];
    struct variant identity;
    str content_type;
    str cache_control;
    str cache_control_known;
    bool is_compressible;
    bool is_known_apart; /* who is signed in is told other Cache-Control */
};

/* In the place of a variant that would not be worth it. */
static const struct variant worthless;

/* --- Its pieces --- */

static char *copy(char **at, str text)
{
    char *to = *at;

    if (text.size > 0)
        memcpy(to, text.ptr, text.size);
    *at += text.size;
    return to;
}

static bool is_text(str content_type)
{
    static const char *const kinds[] = {"application/json", "application/problem+json",
                                        "application/xml",  "application/manifest+json",
                                        "image/svg+xml",    "application/ld+json"};

    if (str_starts(content_type, STR("text/")))
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_starts(content_type, str_of(kinds[i])))
            return true;
    return false;
}

/* "7" -> "7-gzip". A weak tag says nothing of bytes, so all variants have the same. */
static str etag_of(const struct blob *blob, enum coding coding, char text[ETAG_SIZE_MAX])
{
    const str etag = blob->identity.etag;

    if (coding == CODING_IDENTITY || str_starts(etag, STR("W/")))
        return etag;
    const int size = snprintf(text, ETAG_SIZE_MAX, "%.*s-%.*s\"", (int)etag.size - 1, etag.ptr,
                              STR_ARG(coding_name(coding)));
    assert(size > 0 && size < ETAG_SIZE_MAX);
    return (str){text, (size_t)size};
}

static str write_head(const struct blob *blob, enum coding coding, str etag,
                      char text[HEAD_SIZE_MAX], size_t *ret_common_at)
{
    int size = snprintf(text, HEAD_SIZE_MAX, "%.*s\r\n", STR_ARG(blob->content_type));

    if (coding != CODING_IDENTITY)
        size += snprintf(text + size, HEAD_SIZE_MAX - (size_t)size, "content-encoding: %.*s\r\n",
                         STR_ARG(coding_name(coding)));
    size += snprintf(text + size, HEAD_SIZE_MAX - (size_t)size, "vary: ");
    *ret_common_at = (size_t)size;
    size += snprintf(text + size, HEAD_SIZE_MAX - (size_t)size,
                     "Accept-Encoding%s\r\netag: %.*s\r\nx-content-type-options: nosniff\r\n"
                     "referrer-policy: no-referrer",
                     blob->is_known_apart ? ", Authorization" : "", STR_ARG(etag));
    assert(size < HEAD_SIZE_MAX);
    return (str){text, (size_t)size};
}

/* --- Its life --- */

static str digest_etag(str body, char text[ETAG_SIZE_MAX])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char *at = text;

    (void)SHA256((const uint8_t *)body.ptr, body.size, digest);
    *at++ = '"';
    for (size_t i = 0; i < ETAG_DIGEST_SIZE; i++)
        at += snprintf(at, 3, "%02x", digest[i]);
    *at++ = '"';
    return (str){text, (size_t)(at - text)};
}

struct blob *blob_new(const struct blob_options *options)
{
    char etag_text[ETAG_SIZE_MAX];
    char head_text[HEAD_SIZE_MAX];
    size_t common_at;
    const str etag =
        options->etag.ptr != NULL ? options->etag : digest_etag(options->body, etag_text);
    struct blob draft = {
        .references = 1,
        .content_type = options->content_type,
        .is_compressible =
            options->body.size >= BLOB_COMPRESSED_FROM && is_text(options->content_type),
        .is_known_apart = options->cache_control_known.ptr != NULL,
        .identity.etag = etag,
    };

    assert(etag_is_valid(etag) && options->cache_control.ptr != NULL);
    const str head = write_head(&draft, CODING_IDENTITY, etag, head_text, &common_at);
    struct blob *blob = malloc(sizeof(*blob) + options->content_type.size + etag.size + head.size +
                               options->cache_control.size + options->cache_control_known.size +
                               options->body.size);
    if (blob == NULL)
        abort();
    memcpy(blob, &draft, sizeof(draft));
    char *at = (char *)(blob + 1);
    blob->content_type.ptr = copy(&at, options->content_type);
    blob->cache_control = (str){copy(&at, options->cache_control), options->cache_control.size};
    blob->cache_control_known = blob->cache_control;
    if (options->cache_control_known.ptr != NULL)
        blob->cache_control_known =
            (str){copy(&at, options->cache_control_known), options->cache_control_known.size};
    blob->identity = (struct variant){
        .body = {copy(&at, options->body), options->body.size},
        .etag = {copy(&at, etag),          etag.size         },
        .head = {copy(&at, head),          head.size         },
        .common_at = common_at,
    };
    blob->variants[CODING_IDENTITY] = &blob->identity;
    return blob;
}

struct blob *blob_hold(struct blob *blob)
{
    (void)atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

void blob_release(struct blob *blob)
{
    if (blob == NULL || atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) > 1)
        return;
    for (int i = CODING_GZIP; i < CODING_COUNT; i++) {
        const struct variant *variant = blob->variants[i];

        if (variant == NULL || variant == &worthless)
            continue;
        free(mem_unconst(variant));
    }
    free(blob);
}

void blob_release_at(struct blob **blob)
{
    blob_release(*blob);
    *blob = NULL;
}

str blob_body(const struct blob *blob)
{
    return blob->identity.body;
}

str blob_etag(const struct blob *blob)
{
    return blob->identity.etag;
}

/* A variant is kept only if it has less than three quarters of the body. */
static size_t variant_size_max(const struct blob *blob)
{
    return blob->identity.body.size * 3 / 4;
}

size_t blob_size_max(const struct blob *blob)
{
    const size_t variants =
        blob->is_compressible ? 2 * (variant_size_max(blob) + HEAD_SIZE_MAX) : 0;

    return sizeof(*blob) + HEAD_SIZE_MAX + blob->identity.body.size + variants;
}

/* --- Its variants --- */

/* The variant, its texts and its body in two pieces of memory. */
static const struct variant *make_variant(const struct blob *blob, enum coding coding)
{
    char etag_text[ETAG_SIZE_MAX];
    char head_text[HEAD_SIZE_MAX];
    char *compressed;
    size_t size;
    size_t common_at;

    if (!coding_compress(coding, blob->identity.body, variant_size_max(blob), &compressed, &size))
        return &worthless;
    const str etag = etag_of(blob, coding, etag_text);
    const str head = write_head(blob, coding, etag, head_text, &common_at);
    struct variant *variant = malloc(sizeof(*variant) + etag.size + head.size + size);
    if (variant == NULL)
        abort();
    char *at = (char *)(variant + 1);
    *variant = (struct variant){
        .body = {copy(&at, (str){compressed, size}), size     },
        .etag = {copy(&at, etag),                    etag.size},
        .head = {copy(&at, head),                    head.size},
        .common_at = common_at,
    };
    free(compressed);
    return variant;
}

const struct variant *blob_variant(struct blob *blob, enum coding coding, bool may_block)
{
    if (coding == CODING_IDENTITY || !blob->is_compressible)
        return &blob->identity;
    const struct variant *variant =
        atomic_load_explicit(&blob->variants[coding], memory_order_acquire);
    if (variant == NULL) {
        if (!may_block && blob->identity.body.size > BLOB_COMPRESSED_ON_LOOP)
            return atomic_load_explicit(&blob->making[coding], memory_order_relaxed)
                       ? &blob->identity
                       : NULL;
        if (atomic_exchange_explicit(&blob->making[coding], true, memory_order_relaxed))
            return &blob->identity; /* somebody is at it */
        variant = make_variant(blob, coding);
        atomic_store_explicit(&blob->variants[coding], variant, memory_order_release);
    }
    return variant != &worthless ? variant : &blob->identity;
}

str blob_cache_control(const struct blob *blob, bool is_known)
{
    return is_known ? blob->cache_control_known : blob->cache_control;
}
