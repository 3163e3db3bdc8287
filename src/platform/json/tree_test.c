/* platform/json/tree_test.c */
#include "support/test.h"

#include <string.h>

#include "platform/json/json.h"

static err parse(str text, str *ret_detail)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static char detail[300];
    struct json_doc *doc;

    detail[0] = '\0';
    *ret_detail = STR("");
    const err verdict = json_parse(arena, text, &doc, ret_detail);
    memcpy(detail, ret_detail->ptr, ret_detail->size);
    *ret_detail = (str){detail, ret_detail->size};
    return verdict;
}

TEST(what_is_no_json_is_refused)
{
    static const str texts[] = {
        STR(""),
        STR("   "),
        STR("{"),
        STR("}"),
        STR("{\"a\":1"),
        STR("{\"a\":1}}"),
        STR("{\"a\":1} x"),
        STR("{\"a\":1}{}"),
        STR("{a:1}"),
        STR("{'a':1}"),
        STR("{\"a\":1,}"),
        STR("[1,]"),
        STR("{\"a\" 1}"),
        STR("{\"a\":01}"),
        STR("{\"a\":+1}"),
        STR("{\"a\":.5}"),
        STR("{\"a\":1.}"),
        STR("{\"a\":NaN}"),
        STR("{\"a\":Infinity}"),
        STR("{\"a\":1e999}"),
        STR("{\"a\":True}"),
        STR("{/**/\"a\":1}"),
        STR("{\"a\":\"\n\"}"),
        STR("{\"a\":\"\\x41\"}"),
        STR("{\"a\":\"\\u12\"}"),
        STR("{\"a\":\"\\u0000\"}"),
        STR("{\"a\\u0000b\":1}"),
        STR("{\"a\":\"\\ud800\"}"),
        STR("{\"a\":\"\\udc00\\ud800\"}"),
        STR("{\"a\":\"\xff\"}"),
        STR("{\"a\":\"\xc0\x80\"}"),
        STR("{\"a\":\"\xed\xa0\x80\"}"),
        STR("{\"\xe2\x82\":1}"),
        STR("\xef\xbb\xbf{}"),
        STR("{}\0"),
        STR("{\"a\":\"b\0c\"}"),
        STR("{\"a\":1,\"a\":1}"),
        STR("{\"a\":1,\"\\u0061\":2}"),
        STR("{\"o\":{\"a\":1,\"a\":1}}"),
        STR("\""),
        STR("\"\\"),
        STR("{\"a\":99999999999999999999,\"b\"}"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        str detail;
        CHECK_ERR(ERR_MALFORMED, parse(texts[i], &detail));
        CHECK(str_starts(detail, STR("line ")));
    }
}

TEST(the_place_of_a_fault_is_told)
{
    str detail;

    CHECK_ERR(ERR_MALFORMED, parse(STR("{\"a\":1,\n \"a\":2}"), &detail));
    CHECK(str_starts(detail, STR("line 2 column 4: duplicate object key")));
}

static str nested(struct arena *arena, size_t depth, const char *open, const char *close)
{
    struct buf buf = buf_in(arena, 1000000);

    for (size_t i = 0; i < depth; i++)
        buf_add_cstr(&buf, open);
    buf_add_cstr(&buf, "1");
    for (size_t i = 0; i < depth; i++)
        buf_add_cstr(&buf, close);
    return buf_str(&buf);
}

TEST(depth_is_bounded_before_anybody_descends)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    str detail;

    CHECK_OK(parse(nested(arena, JSON_DEPTH_MAX, "[", "]"), &detail));
    CHECK_ERR(ERR_MALFORMED, parse(nested(arena, JSON_DEPTH_MAX + 1, "[", "]"), &detail));
    CHECK_STR("nested deeper than 16", detail);
    CHECK_OK(parse(nested(arena, JSON_DEPTH_MAX, "{\"a\":", "}"), &detail));
    CHECK_ERR(ERR_MALFORMED, parse(nested(arena, JSON_DEPTH_MAX + 1, "{\"a\":", "}"), &detail));
    CHECK_ERR(ERR_MALFORMED, parse(nested(arena, 200000, "[", ""), &detail));
    CHECK_ERR(ERR_MALFORMED, parse(nested(arena, 200000, "]", "["), &detail));
}

TEST(brackets_in_texts_are_no_depth)
{
    str detail;

    CHECK_OK(parse(STR("[\"\\\"[[[[[[[[[[[[[[[[[[[[\"]"), &detail));
    CHECK_OK(parse(STR("[\"[[[[[[[[[[[[[[[[[[[[{{{{{{{\\\"[[[\\\\\",1]"), &detail));
    CHECK_OK(parse(STR("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"), &detail));
}

static void digest(const char *text, uint8_t ret[32])
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct json_doc *doc;
    str detail;

    CHECK_OK(json_parse(arena, str_of(text), &doc, &detail));
    json_digest(doc, ret);
}

static bool same_digest(const char *a, const char *b)
{
    uint8_t of_a[32];
    uint8_t of_b[32];

    digest(a, of_a);
    digest(b, of_b);
    return memcmp(of_a, of_b, sizeof(of_a)) == 0;
}

TEST(documents_that_parse_equal_have_equal_digests)
{
    CHECK(same_digest("{\"a\":1,\"b\":{\"x\":[1,2],\"y\":null}}",
                      " { \"b\" : {\"y\":null,\n\"x\":[1, 2]}, \"\\u0061\" : 1 } "));
    CHECK(same_digest("{\"a\":\"\\u20ac\\/\"}", "{\"a\":\"\xe2\x82\xac/\"}"));
    CHECK(!same_digest("{\"a\":1}", "{\"a\":2}"));
    CHECK(!same_digest("{\"a\":[1,2]}", "{\"a\":[2,1]}"));
    CHECK(!same_digest("{\"a\":\"1\"}", "{\"a\":1}"));
    CHECK(!same_digest("{}", "[]"));
}

TEST(a_digest_is_sha_256_of_the_sorted_compact_text)
{
    static const uint8_t expected[32] = {
        0x43, 0x25, 0x8c, 0xff, 0x78, 0x3f, 0xe7, 0x03, 0x6d, 0x8a, 0x43,
        0x03, 0x3f, 0x83, 0x0a, 0xdf, 0xc6, 0x0e, 0xc0, 0x37, 0x38, 0x24,
        0x73, 0x54, 0x8a, 0xc7, 0x42, 0xb8, 0x88, 0x29, 0x27, 0x77,
    };
    uint8_t got[32];

    digest("{ \"b\": 2, \"a\": 1 }", got);
    CHECK(memcmp(got, expected, sizeof(got)) == 0);
}

TEST(large_documents_have_digests_too)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const str a = arena_printf(arena, "{\"a\":\"%05000d\"}", 1);
    const str b = arena_printf(arena, "{\"a\":\"%05000d\"}", 2);

    CHECK(same_digest(a.ptr, a.ptr));
    CHECK(!same_digest(a.ptr, b.ptr));
}
