/* platform/http/files_test.c - embedded files over HTTP: variants, ranges, caching, and that nothing else
 * exists. */

#include "platform/http/files.h"

#include <brotli/decode.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "platform/http/http_fixture.h"

extern const struct file_table test_files; /* of testdata/files */

static err get_file(struct req *req)
{
    return reply_file(req, &test_files);
}

static const struct route routes[] = {
    {METHOD_GET, "/static/{name}",       get_file, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET, "/static/{dir}/{name}", get_file, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};

static void open_files(struct fixture *fixture)
{
    const struct fixture_options options = {0};

    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}

static struct answer get(struct fixture *fixture, const char *path, const char *headers)
{
    return client_ask(fixture, "GET", path, headers, NULL);
}

TEST(a_file_comes_as_the_client_likes_it_best)
{
    CLEANUP(fixture_close) struct fixture fixture;
    uint8_t plain[4096];
    size_t brotli_size = sizeof(plain);
    z_stream stream = {0};

    open_files(&fixture);
    const struct answer identity = get(&fixture, "/static/plain.css", "");
    CHECK_I64(200, identity.status);
    CHECK_STR("text/css; charset=utf-8", answer_header(&identity, "content-type"));
    CHECK_STR("public, max-age=300", answer_header(&identity, "cache-control"));
    CHECK_STR("Accept-Encoding", answer_header(&identity, "vary"));
    CHECK_STR("bytes", answer_header(&identity, "accept-ranges"));
    CHECK_STR("nosniff", answer_header(&identity, "x-content-type-options"));
    CHECK(str_starts(identity.body, STR("/* plain.css")));

    const struct answer br = get(&fixture, "/static/plain.css", "Accept-Encoding: gzip, br\r\n");
    CHECK_STR("br", answer_header(&br, "content-encoding"));
    CHECK(BrotliDecoderDecompress(br.body.size, (const uint8_t *)br.body.ptr, &brotli_size,
                                  plain) == BROTLI_DECODER_RESULT_SUCCESS);
    CHECK(str_eq(identity.body, (str){(char *)plain, brotli_size}));

    const struct answer gz = get(&fixture, "/static/plain.css", "Accept-Encoding: gzip\r\n");
    CHECK_STR("gzip", answer_header(&gz, "content-encoding"));
    stream.next_in = mem_unconst(gz.body.ptr);
    stream.avail_in = (unsigned)gz.body.size;
    stream.next_out = plain;
    stream.avail_out = sizeof(plain);
    CHECK(inflateInit2(&stream, 15 + 16) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END);
    CHECK(str_eq(identity.body, (str){(char *)plain, stream.total_out}));
    (void)inflateEnd(&stream);

    /* Each has a tag of its own. */
    CHECK(!str_eq(answer_header(&br, "etag"), answer_header(&gz, "etag")));
    CHECK(!str_eq(answer_header(&br, "etag"), answer_header(&identity, "etag")));
}

TEST(a_name_with_a_hash_is_immutable_and_what_does_not_shrink_is_not_packed)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_files(&fixture);
    const struct answer hashed =
        get(&fixture, "/static/deep/index-B3kd9_aQ.js", "Accept-Encoding: br\r\n");
    CHECK_I64(200, hashed.status);
    CHECK_STR("public, max-age=31536000, immutable", answer_header(&hashed, "cache-control"));
    CHECK(answer_header(&hashed, "content-encoding").ptr == NULL);
    CHECK_STR("text/javascript; charset=utf-8", answer_header(&hashed, "content-type"));
    CHECK_STR("let a;\n", hashed.body);
}

TEST(who_has_it_is_told_so)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_files(&fixture);
    const struct answer br = get(&fixture, "/static/plain.css", "Accept-Encoding: br\r\n");
    const char *known =
        arena_printf(fixture.arena,
                     "Accept-Encoding: br\r\nIf-None-Match: %.*s\r\nRange: bytes=0-1\r\n",
                     STR_ARG(answer_header(&br, "etag")))
            .ptr;
    const struct ask {
        const char *headers;
        int status;
    } cases[] = {
        {known,                      206}, /* the range is of another variant */
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match: *\r\n",     304},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, get(&fixture, "/static/plain.css", cases[i].headers).status);
    const struct answer same =
        get(&fixture, "/static/plain.css",
            arena_printf(fixture.arena, "Accept-Encoding: br\r\nIf-None-Match: %.*s\r\n",
                         STR_ARG(answer_header(&br, "etag")))
                .ptr);
    CHECK_I64(304, same.status);
    CHECK_STR("public, max-age=300", answer_header(&same, "cache-control"));
    CHECK(answer_header(&same, "content-encoding").ptr == NULL);
    CHECK_I64(0, (int64_t)client_ask(&fixture, "HEAD", "/static/plain.css", "", NULL).body.size);
}

TEST(one_range_is_one_part_of_it)
{
    static const struct {
        const char *range;
        int status;
        const char *content_range;
        const char *body;
    } cases[] = {
        {"bytes=0-0",                   206, "bytes 0-0/10", "0"         },
        {"bytes=2-4",                   206, "bytes 2-4/10", "234"       },
        {"Bytes=7-",                    206, "bytes 7-9/10", "789"       },
        {"bytes=8-100",                 206, "bytes 8-9/10", "89"        },
        {"bytes=-3",                    206, "bytes 7-9/10", "789"       },
        {"bytes=-100",                  206, "bytes 0-9/10", "0123456789"},
        {"bytes=10-",                   416, "bytes */10",   NULL        },
        {"bytes=-0",                    416, "bytes */10",   NULL        },
        {"bytes=9223372036854775807-",  416, "bytes */10",   NULL        },
        {"bytes=0-9223372036854775807", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=99999999999999999999-", 200, NULL,           "0123456789"},
        {"bytes=4-2",                   200, NULL,           "0123456789"},
        {"bytes=0-1,3-4",               200, NULL,           "0123456789"},
        {"bytes=-",                     200, NULL,           "0123456789"},
        {"bytes=a-b",                   200, NULL,           "0123456789"},
        {"bytes=--1",                   200, NULL,           "0123456789"},
        {"bytes=1",                     200, NULL,           "0123456789"},
        {"lines=1-2",                   200, NULL,           "0123456789"},
        {"",                            200, NULL,           "0123456789"},
    };
    CLEANUP(fixture_close) struct fixture fixture;

    open_files(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            get(&fixture, "/static/digits.txt",
                arena_printf(fixture.arena, "Range: %s\r\n", cases[i].range).ptr);
        if (answer.status != cases[i].status)
            print_error("%s\n", cases[i].range);
        CHECK_I64(cases[i].status, answer.status);
        if (cases[i].content_range != NULL)
            CHECK_STR(cases[i].content_range, answer_header(&answer, "content-range"));
        else
            CHECK(answer_header(&answer, "content-range").ptr == NULL);
        if (cases[i].body != NULL)
            CHECK_STR(cases[i].body, answer.body);
    }
}

TEST(a_range_of_what_has_changed_is_the_whole)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_files(&fixture);
    const struct answer whole = get(&fixture, "/static/digits.txt", "");
    const str same = arena_printf(fixture.arena, "Range: bytes=0-0\r\nIf-Range: %.*s\r\n",
                                  STR_ARG(answer_header(&whole, "etag")));
    CHECK_I64(206, get(&fixture, "/static/digits.txt", same.ptr).status);
    CHECK_I64(
        200,
        get(&fixture, "/static/digits.txt", "Range: bytes=0-0\r\nIf-Range: \"other\"\r\n").status);
    CHECK_I64(
        200,
        client_ask(&fixture, "HEAD", "/static/digits.txt", "Range: bytes=0-0\r\n", NULL).status);
}

TEST(what_is_not_in_the_table_does_not_exist)
{
    static const char *const paths[] = {
        "/static/nothing.css",  "/static/../static/plain.css",
        "/static/plain.css/",   "/static/%70lain.css",
        "/static/deep/",        "/static/deep",
        "/static/plain.css%00", "/static/deep/../plain.css",
        "/static//plain.css",   "/static/deep%2findex-B3kd9_aQ.js",
        "/static/PLAIN.CSS",    "/static/..%2f..%2fetc/passwd",
    };
    CLEANUP(fixture_close) struct fixture fixture;

    open_files(&fixture);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        CHECK_I64(404, get(&fixture, paths[i], "").status);
}
