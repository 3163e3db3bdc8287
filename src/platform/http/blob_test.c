/* platform/http/blob_test.c - documents with variants over HTTP: negotiation, validators, HEAD, and
 * one blob among many threads. */

#include "platform/http/blob.h"

#include <brotli/decode.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "platform/http/http_fixture.h"

enum { SMALL_SIZE = 200, LARGE_SIZE = 6000, HUGE_SIZE = 200000, NOISE_SIZE = 4000 };

/* --- Routes --- */

static void fill(char *to, size_t size, bool is_noise)
{
    static const char pattern[] = "{\"name\":\"Opera\",\"city\":\"Cairo\",\"price\":25000},";
    struct rng_seeded rng;

    rng_seeded_init(&rng, 7);
    for (size_t i = 0; i < size; i++)
        to[i] = pattern[i % (sizeof(pattern) - 1)];
    for (size_t i = 0; is_noise && i < size; i++)
        to[i] = (char)(' ' + 1 + rng_below(&rng.rng, 90));
}

static struct blob *make(size_t size, bool is_noise, str content_type, str etag)
{
    char *body = mem_alloc(size);

    fill(body, size, is_noise);
    const struct blob_options options = {
        .content_type = content_type,
        .body = {body, size},
        .etag = etag,
        .cache_control = STR("public, max-age=30"),
        .cache_control_known = STR("private, no-cache"),
    };
    struct blob *blob = blob_new(&options);
    mem_free(body);
    return blob;
}

static const struct {
    const char *name;
    size_t size;
    bool is_noise;
    const char *content_type;
    const char *etag;
} documents[] = {
    {"small", SMALL_SIZE, false, "application/json",         "\"1\""  },
    {"large", LARGE_SIZE, false, "application/json",         "\"2\""  },
    {"huge",  HUGE_SIZE,  false, "text/html; charset=utf-8", "\"3\""  },
    {"noise", NOISE_SIZE, true,  "application/json",         "\"4\""  },
    {"image", LARGE_SIZE, false, "image/png",                "\"5\""  },
    {"weak",  LARGE_SIZE, false, "application/json",         "W/\"6\""},
    {"plain", LARGE_SIZE, false, "application/json",         NULL     },
};
enum { DOCUMENTS = sizeof(documents) / sizeof(documents[0]) };

static struct blob *blobs[DOCUMENTS];

static err get_document(struct req *req)
{
    const str name = req_param(req, "name");

    for (size_t i = 0; i < DOCUMENTS; i++)
        if (str_eq(name, str_of(documents[i].name)))
            return reply_blob(req, 200, blobs[i]);
    return ERR_NOT_FOUND;
}

static err put_document(struct req *req)
{
    TRY(req_if_match(req, STR("\"2\"")));
    return reply_empty(req, 204);
}

/* A blob that was given, and then thought better of. */
static err get_refused(struct req *req)
{
    TRY(reply_blob(req, 200, blobs[1]));
    return ERR_SOLD_OUT;
}

static const struct route routes[] = {
    {METHOD_GET, "/on_loop/{name}",   get_document, AUTH_OPTIONAL, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/on_worker/{name}", get_document, AUTH_OPTIONAL, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_PUT, "/on_loop/{name}",   put_document, AUTH_NONE,     NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/refused",          get_refused,  AUTH_NONE,     NO_BODY, UNKEYED, ON_LOOP  },
};

static err authenticate(struct req *req)
{
    if (req->authorization.ptr == NULL)
        return ERR_UNAUTHENTICATED;
    req->call.caller = (struct caller){.role = ROLE_CUSTOMER};
    return ERR_OK;
}

static void open_documents(struct fixture *fixture)
{
    static const struct fixture_options options = {.authenticate = authenticate};

    for (size_t i = 0; i < DOCUMENTS; i++)
        blobs[i] = make(documents[i].size, documents[i].is_noise, str_of(documents[i].content_type),
                        str_of(documents[i].etag));
    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}

static void close_documents(struct fixture *fixture)
{
    fixture_close(fixture);
    for (size_t i = 0; i < DOCUMENTS; i++)
        blob_release_at(&blobs[i]);
}

static struct answer get(struct fixture *fixture, const char *path, const char *headers)
{
    return client_ask(fixture, "GET", path, headers, NULL);
}

/* --- Codings --- */

static bool gunzips_to(str from, str body)
{
    char *to = mem_alloc(body.size);
    z_stream stream = {.next_in = mem_unconst(from.ptr),
                       .avail_in = (uInt)from.size,
                       .next_out = (Bytef *)to,
                       .avail_out = (uInt)body.size};
    const bool is_open = inflateInit2(&stream, 15 + 16) == Z_OK;
    const bool is_same = is_open && inflate(&stream, Z_FINISH) == Z_STREAM_END &&
                         str_eq(body, (str){to, stream.total_out});

    if (is_open)
        (void)inflateEnd(&stream);
    mem_free(to);
    return is_same;
}

static bool unbrotlis_to(str from, str body)
{
    char *to = mem_alloc(body.size);
    size_t size = body.size;
    const bool is_same = BrotliDecoderDecompress(from.size, (const uint8_t *)from.ptr, &size,
                                                 (uint8_t *)to) == BROTLI_DECODER_RESULT_SUCCESS &&
                         str_eq(body, (str){to, size});

    mem_free(to);
    return is_same;
}

TEST(each_coding_is_a_variant_with_a_tag_of_its_own)
{
    CLEANUP(close_documents) struct fixture fixture;
    struct answer answer;

    open_documents(&fixture);
    answer = get(&fixture, "/on_loop/large", "");
    CHECK_I64(200, answer.status);
    CHECK(str_eq(blob_body(blobs[1]), answer.body));
    CHECK(answer_header(&answer, "content-encoding").ptr == NULL);
    CHECK_STR("\"2\"", answer_header(&answer, "etag"));
    CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "vary"));
    CHECK_STR("application/json", answer_header(&answer, "content-type"));
    CHECK_STR("public, max-age=30", answer_header(&answer, "cache-control"));
    CHECK_STR("nosniff", answer_header(&answer, "x-content-type-options"));
    CHECK_STR("no-referrer", answer_header(&answer, "referrer-policy"));
    CHECK_I64(36, (int64_t)answer_header(&answer, "x-request-id").size);

    answer = get(&fixture, "/on_loop/large", "Accept-Encoding: gzip\r\n");
    CHECK_STR("gzip", answer_header(&answer, "content-encoding"));
    CHECK_STR("\"2-gzip\"", answer_header(&answer, "etag"));
    CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "vary"));
    CHECK(gunzips_to(answer.body, blob_body(blobs[1])));

    answer = get(&fixture, "/on_worker/large", "Accept-Encoding: gzip, br\r\n");
    CHECK_STR("br", answer_header(&answer, "content-encoding"));
    CHECK_STR("\"2-br\"", answer_header(&answer, "etag"));
    CHECK(unbrotlis_to(answer.body, blob_body(blobs[1])));
}

TEST(what_would_not_gain_is_sent_as_it_is)
{
    static const char *const paths[] = {"/on_loop/small", "/on_loop/noise", "/on_loop/image"};
    CLEANUP(close_documents) struct fixture fixture;

    open_documents(&fixture);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        for (int again = 0; again < 2; again++) {
            const struct answer answer = get(&fixture, paths[i], "Accept-Encoding: br, gzip\r\n");

            CHECK_I64(200, answer.status);
            CHECK(answer_header(&answer, "content-encoding").ptr == NULL);
            CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "vary"));
        }
}

TEST(a_large_body_is_compressed_on_a_worker_once)
{
    CLEANUP(close_documents) struct fixture fixture;
    struct answer answer;

    open_documents(&fixture);
    answer = get(&fixture, "/on_loop/huge", "Accept-Encoding: gzip\r\n");
    CHECK_STR("gzip", answer_header(&answer, "content-encoding"));
    CHECK(gunzips_to(answer.body, blob_body(blobs[2])));
    answer = get(&fixture, "/on_loop/huge", "Accept-Encoding: gzip\r\n");
    CHECK_STR("gzip", answer_header(&answer, "content-encoding"));
    CHECK_I64(1, fixture_metric(&fixture, "boxoffice_http_handovers_total"));
}

/* --- Validators --- */

TEST(who_has_it_already_gets_304_with_the_same_headers)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"If-None-Match: \"2\"\r\n",                               304},
        {"If-None-Match: W/\"2\"\r\n",                             304},
        {"If-None-Match: \"1\", \"2\"\r\n",                        304},
        {"If-None-Match: *\r\n",                                   304},
        {"If-None-Match: \"3\"\r\n",                               200},
        {"If-None-Match: \"2-gzip\"\r\n",                          200}, /* not what is sent */
        {"Accept-Encoding: gzip\r\nIf-None-Match: \"2-gzip\"\r\n", 304},
        {"Accept-Encoding: gzip\r\nIf-None-Match: \"2\"\r\n",      200},
    };
    CLEANUP(close_documents) struct fixture fixture;

    open_documents(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int head = 0; head < 2; head++) {
            const struct answer answer = client_ask(&fixture, head ? "HEAD" : "GET",
                                                    "/on_loop/large", cases[i].headers, NULL);

            CHECK_I64(cases[i].status, answer.status);
            CHECK(text_contains(answer_header(&answer, "etag"), "\"2"));
            CHECK_STR("public, max-age=30", answer_header(&answer, "cache-control"));
            CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "vary"));
            CHECK_STR("nosniff", answer_header(&answer, "x-content-type-options"));
            if (cases[i].status == 304) {
                CHECK_I64(0, (int64_t)answer.body.size);
                CHECK(answer_header(&answer, "content-type").ptr == NULL);
                CHECK(answer_header(&answer, "content-encoding").ptr == NULL);
            }
        }
}

TEST(head_says_what_get_would)
{
    static const char *const names[] = {"content-type", "content-length",   "etag",
                                        "vary",         "content-encoding", "cache-control"};
    CLEANUP(close_documents) struct fixture fixture;

    open_documents(&fixture);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/on_loop/%s", documents[i].name);
        const struct answer got = get(&fixture, path, "Accept-Encoding: gzip\r\n");
        const struct answer head =
            client_ask(&fixture, "HEAD", path, "Accept-Encoding: gzip\r\n", NULL);

        CHECK_I64(200, head.status);
        CHECK_I64(0, (int64_t)head.body.size);
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            CHECK(str_eq(answer_header(&got, names[k]), answer_header(&head, names[k])));
    }
}

TEST(a_change_may_name_any_variant)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"If-Match: \"2\"\r\n",           204},
        {"If-Match: \"2-gzip\"\r\n",      204},
        {"If-Match: \"2-br\"\r\n",        204},
        {"If-Match: \"1\", \"2-br\"\r\n", 204},
        {"If-Match: *\r\n",               204},
        {"If-Match: \"2-zstd\"\r\n",      412},
        {"If-Match: \"1-gzip\"\r\n",      412},
        {"If-Match: W/\"2-gzip\"\r\n",    412},
        {"",                              428},
    };
    CLEANUP(close_documents) struct fixture fixture;

    open_documents(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status,
                  client_ask(&fixture, "PUT", "/on_loop/large", cases[i].headers, NULL).status);
}

TEST(a_tag_that_is_not_given_follows_the_body)
{
    CLEANUP(blob_release_at) struct blob *one = make(2000, false, STR("text/plain"), STR_ABSENT);
    CLEANUP(blob_release_at) struct blob *same = make(2000, false, STR("text/plain"), STR_ABSENT);
    CLEANUP(blob_release_at) struct blob *other = make(2001, false, STR("text/plain"), STR_ABSENT);

    CHECK(str_eq(blob_etag(one), blob_etag(same)));
    CHECK(!str_eq(blob_etag(one), blob_etag(other)));
}

TEST(a_weak_tag_stands_for_all_variants)
{
    CLEANUP(close_documents) struct fixture fixture;
    struct answer answer;

    open_documents(&fixture);
    answer = get(&fixture, "/on_loop/weak", "Accept-Encoding: gzip\r\n");
    CHECK_STR("W/\"6\"", answer_header(&answer, "etag"));
    CHECK_I64(304, get(&fixture, "/on_loop/weak", "If-None-Match: W/\"6\"\r\n").status);
}

/* --- Callers --- */

TEST(who_is_signed_in_asks_again_each_time)
{
    CLEANUP(close_documents) struct fixture fixture;
    struct answer answer;

    open_documents(&fixture);
    answer = get(&fixture, "/on_loop/large", "Authorization: Bearer x\r\n");
    CHECK_I64(200, answer.status);
    CHECK_STR("private, no-cache", answer_header(&answer, "cache-control"));
}

TEST(a_refusal_forgets_the_document)
{
    CLEANUP(close_documents) struct fixture fixture;
    struct answer answer;

    open_documents(&fixture);
    answer = get(&fixture, "/refused", "If-None-Match: \"2\"\r\n");
    CHECK_I64(409, answer.status);
    CHECK_STR("application/problem+json", answer_header(&answer, "content-type"));
    CHECK_STR("no-store", answer_header(&answer, "cache-control"));
    CHECK(answer_header(&answer, "etag").ptr == NULL);
    CHECK(answer_header(&answer, "vary").ptr == NULL);
}

/* --- Threads --- */

enum { READERS = 4, ROUNDS = 300, SWAPS = 200 };

struct slot {
    pthread_mutex_t mutex;
    struct blob *blob;
    _Atomic bool is_over;
};

static void *read_slot(void *arg)
{
    struct slot *slot = arg;

    for (int i = 0; i < ROUNDS || !slot->is_over; i++) {
        pthread_mutex_lock(&slot->mutex);
        CLEANUP(blob_release_at) struct blob *blob = blob_hold(slot->blob);
        pthread_mutex_unlock(&slot->mutex);
        const enum coding coding = (enum coding)(i % CODING_COUNT);
        const struct variant *variant = blob_variant(blob, coding, true);

        assert_true(variant->body.size > 0);
        if (str_ends(variant->etag, STR("-gzip\"")))
            assert_true(gunzips_to(variant->body, blob_body(blob)));
        else if (str_ends(variant->etag, STR("-br\"")))
            assert_true(unbrotlis_to(variant->body, blob_body(blob)));
        else
            assert_true(str_eq(variant->body, blob_body(blob)));
    }
    return NULL;
}

TEST(blobs_are_swapped_while_many_threads_read_them)
{
    pthread_t threads[READERS];
    struct slot slot = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                        .blob = make(2000, false, STR("text/plain"), STR_ABSENT)};

    for (int i = 0; i < READERS; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, read_slot, &slot));
    for (size_t i = 0; i < SWAPS; i++) {
        struct blob *next = make(2000 + i, false, STR("text/plain"), STR_ABSENT);

        pthread_mutex_lock(&slot.mutex);
        struct blob *before = slot.blob;
        slot.blob = next;
        pthread_mutex_unlock(&slot.mutex);
        blob_release(before);
    }
    slot.is_over = true;
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    blob_release(slot.blob);
}
