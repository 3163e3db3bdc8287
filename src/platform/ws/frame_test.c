/* platform/ws/frame_test.c - frames, messages and the handshake's sums, against the RFC's examples and
 * everything that it forbids. */

#include "platform/ws/frame.h"

#include <stdio.h>
#include <string.h>

#include "platform/ws/handshake.h"
#include "platform/ws/reader.h"
#include "support/test.h"

enum { MESSAGE_MAX = 300, LOG_SIZE_MAX = 2000 };

/* All that `reader` makes of `bytes` (changed in place), as text: "text(hi) fail(1002)". Gives how
 * many of them it took. */
static size_t tell(struct ws_reader *reader, struct buf *log, char *bytes, size_t size)
{
    static const char *const names[] = {
        [WS_TEXT] = "text", [WS_BINARY] = "binary", [WS_PING] = "ping", [WS_PONG] = "pong"};
    struct ws_event event;
    size_t at = 0;
    size_t taken;
    enum ws_read read;

    while ((read = ws_read(reader, bytes + at, size - at, &taken, &event)) == WS_READ_EVENT) {
        at += taken;
        if (event.type == WS_CLOSE)
            buf_printf(log, "close(%d,%.*s)", event.code, STR_ARG(event.payload));
        else
            buf_printf(log, "%s(%.*s)", names[event.type], STR_ARG(event.payload));
    }
    if (read == WS_READ_FAILED)
        buf_printf(log, "fail(%d)", event.code);
    return at + taken;
}

static str told(struct ws_reader *reader, struct buf *log, str bytes)
{
    char copy[4096];

    CHECK(bytes.size <= sizeof(copy));
    memcpy(copy, bytes.ptr, bytes.size);
    (void)tell(reader, log, copy, bytes.size);
    return buf_str(log);
}

/* Reads as a client, which takes frames without a mask. */
static void check_told(const char *expected, str bytes)
{
    struct ws_reader reader = ws_reader_new(WS_CLIENT, MESSAGE_MAX);
    struct buf log = buf_on_heap(LOG_SIZE_MAX);

    buf_add_cstr(&log, "");
    CHECK_STR(expected, told(&reader, &log, bytes));
    buf_done(&log);
    ws_reader_done(&reader);
}

TEST(the_examples_of_the_rfc_are_read)
{
    struct ws_reader server = ws_reader_new(WS_SERVER, MESSAGE_MAX);
    struct buf log = buf_on_heap(LOG_SIZE_MAX);

    check_told("text(Hello)", STR("\x81\x05Hello"));
    check_told("text(Hello)", STR("\x01\x03Hel\x80\x02lo"));
    check_told("ping(Hello)", STR("\x89\x05Hello"));
    CHECK_STR("text(Hello)pong(Hello)", told(&server, &log,
                                             STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
                                                 "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
    buf_done(&log);
    ws_reader_done(&server);
}

TEST(what_the_rfc_forbids_fails_with_its_code)
{
    static const struct {
        const char *expected;
        str bytes;
    } cases[] = {
        {"fail(1002)",        STR("\xc1\x05Hello")                         }, /* RSV1 */
        {"fail(1002)",        STR("\xa1\x05Hello")                         }, /* RSV2 */
        {"fail(1002)",        STR("\x91\x05Hello")                         }, /* RSV3 */
        {"fail(1002)",        STR("\x83")                                  }, /* opcodes */
        {"fail(1002)",        STR("\x87")                                  },
        {"fail(1002)",        STR("\x8b")                                  },
        {"fail(1002)",        STR("\x8f")                                  },
        {"fail(1002)",        STR("\x09\x01x")                             }, /* fragmented */
        {"fail(1002)",        STR("\x08\x00")                              },
        {"fail(1002)",        STR("\x0a\x00")                              },
        {"fail(1002)",        STR("\x89\x7e\x00\x7e")                      }, /* long ping */
        {"fail(1002)",        STR("\x88\x7f")                              },
        {"fail(1002)",        STR("\x81\x7e\x00\x05Hello")                 }, /* not shortest */
        {"fail(1002)",        STR("\x82\x7f\0\0\0\0\0\0\xff\xff")          },
        {"fail(1002)",        STR("\x82\x7f\x80\0\0\0\0\0\0\0")            }, /* 2^63 */
        {"fail(1009)",        STR("\x82\x7e\x01\x2d")                      }, /* 301 bytes */
        {"fail(1009)",        STR("\x82\x7f\0\0\0\1\0\0\0\0")              },
        {"fail(1002)",        STR("\x80\x01x")                             }, /* no begin */
        {"fail(1002)",        STR("\x00\x01x")                             },
        {"fail(1002)",        STR("\x01\x01x\x81\x01x")                    }, /* no end */
        {"fail(1002)",        STR("\x01\x01x\x02\x01x")                    },
        {"fail(1007)",        STR("\x81\x02\xc3\x28")                      },
        {"fail(1007)",        STR("\x81\x03\xed\xa0\x80")                  }, /* surrogate */
        {"fail(1007)",        STR("\x81\x02\xc0\x80")                      }, /* overlong */
        {"fail(1007)",        STR("\x01\x01\xc3\x80\x00")                  }, /* cut */
        {"fail(1002)",        STR("\x88\x01\x03")                          }, /* half a code */
        {"fail(1002)",        STR("\x88\x02\x03\xed")                      }, /* 1005 */
        {"fail(1002)",        STR("\x88\x02\x03\xee")                      }, /* 1006 */
        {"fail(1002)",        STR("\x88\x02\x03\xf7")                      }, /* 1015 */
        {"fail(1002)",        STR("\x88\x02\x03\xe7")                      }, /* 999 */
        {"fail(1002)",        STR("\x88\x02\x0b\xb7")                      }, /* 2999 */
        {"fail(1002)",        STR("\x88\x02\x13\x88")                      }, /* 5000 */
        {"fail(1007)",        STR("\x88\x03\x03\xe8\xff")                  },
        {"fail(1002)",        STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f")      }, /* masked */
        {"text(a)fail(1002)", STR("\x81\x01"
                                  "a\x80\x00")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_told(cases[i].expected, cases[i].bytes);
}

TEST(a_server_takes_masked_frames_only)
{
    struct ws_reader reader = ws_reader_new(WS_SERVER, MESSAGE_MAX);
    struct buf log = buf_on_heap(LOG_SIZE_MAX);

    CHECK_STR("fail(1002)", told(&reader, &log, STR("\x81\x05Hello")));
    CHECK_STR("fail(1002)", told(&reader, &log, STR("\x81\x80zzzz"))); /* nothing behind it */
    buf_done(&log);
    ws_reader_done(&reader);
}

TEST(control_frames_come_between_fragments)
{
    check_told("ping(p)pong()text(abc)close(1000,bye)", STR("\x01\x01"
                                                            "a\x89\x01p\x00\x01"
                                                            "b\x8a\x00\x80\x01"
                                                            "c\x88\x05\x03\xe8"
                                                            "bye"));
    check_told("binary()text()close(1005,)", STR("\x02\x00\x80\x00\x81\x00\x88\x00"));
    check_told("close(4999,)", STR("\x88\x02\x13\x87\x81\x01x")); /* nothing behind a close */
}

TEST(a_message_is_bounded_whole_or_in_fragments)
{
    struct buf bytes = buf_on_heap(LOG_SIZE_MAX);
    struct ws_reader reader = ws_reader_new(WS_CLIENT, MESSAGE_MAX);
    struct ws_event event;
    size_t taken;

    for (int i = 0; i < 3; i++) {
        buf_add(&bytes, i == 0 ? STR("\x02\x64") : STR("\x00\x64"));
        for (int k = 0; k < 100; k++)
            buf_add_char(&bytes, 'x');
    }
    CHECK_I64(WS_READ_MORE, ws_read(&reader, bytes.data, bytes.size, &taken, &event));
    CHECK_I64((int64_t)bytes.size, (int64_t)taken);
    buf_clear(&bytes);
    buf_add(&bytes, STR("\x80\x00"));
    CHECK_I64(WS_READ_EVENT, ws_read(&reader, bytes.data, bytes.size, &taken, &event));
    CHECK_I64(MESSAGE_MAX, (int64_t)event.payload.size);
    CHECK_I64(4, (int64_t)reader.frame_count);

    char begin[] = "\x02\x01x\x00\x7e\x01\x2c"; /* 1 and 300 bytes */
    CHECK_I64(WS_READ_FAILED, ws_read(&reader, begin, sizeof(begin) - 1, &taken, &event));
    CHECK_I64(WS_TOO_BIG, event.code);
    CHECK(reader.is_over);
    buf_done(&bytes);
    ws_reader_done(&reader);
}

/* Whatever arrives together: the same events. */
TEST(frames_are_the_same_wherever_they_are_cut)
{
    static const str bytes = STR("\x01\x02\xc3\xa4\x89\x02"
                                 "hi\x80\x01"
                                 "b\x82\x7e\x00\x80"
                                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                                 "\x88\x04\x03\xe9"
                                 "go");
    struct ws_reader whole = ws_reader_new(WS_CLIENT, MESSAGE_MAX);
    struct buf expected = buf_on_heap(LOG_SIZE_MAX);

    (void)told(&whole, &expected, bytes);
    CHECK(str_ends(buf_str(&expected), STR("close(1001,go)")));
    for (size_t cut = 1; cut < bytes.size; cut++) {
        struct ws_reader reader = ws_reader_new(WS_CLIENT, MESSAGE_MAX);
        struct buf log = buf_on_heap(LOG_SIZE_MAX);
        char copy[300];

        memcpy(copy, bytes.ptr, bytes.size);
        const size_t taken = tell(&reader, &log, copy, cut);
        (void)tell(&reader, &log, copy + taken, bytes.size - taken);
        CHECK_STR(expected.data, buf_str(&log));
        buf_done(&log);
        ws_reader_done(&reader);
    }
    buf_done(&expected);
    ws_reader_done(&whole);
}

TEST(heads_are_written_in_their_shortest_form)
{
    static const uint64_t sizes[] = {0, 125, 126, 65535, 65536, UINT64_C(1) << 40};
    static const uint8_t mask[WS_MASK_SIZE] = {1, 2, 3, 4};
    char text[WS_HEAD_SIZE_MAX];
    struct ws_head head;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int is_masked = 0; is_masked < 2; is_masked++) {
            const size_t size =
                ws_head_write(text, WS_BINARY, sizes[i], is_masked == 1 ? mask : NULL);

            CHECK_I64(WS_HEAD_READ, ws_head_read((str){text, size}, &head));
            CHECK(head.payload_size == sizes[i] && head.head_size == size);
            CHECK(head.is_final && head.opcode == WS_BINARY && head.is_masked == (is_masked == 1));
            CHECK(is_masked == 0 || memcmp(head.mask, mask, sizeof(mask)) == 0);
            CHECK_I64(WS_HEAD_INCOMPLETE, ws_head_read((str){text, size - 1}, &head));
        }
}

TEST(a_mask_undoes_itself_and_is_the_rfcs)
{
    static const uint8_t mask[WS_MASK_SIZE] = {0x37, 0xfa, 0x21, 0x3d};
    char text[] = "Hello, and a text that is longer than one word of the machine";
    char copy[sizeof(text)];

    (void)snprintf(copy, sizeof(copy), "%s", text);
    ws_mask(copy, sizeof(copy), mask);
    CHECK(memcmp(copy, "\x7f\x9f\x4d\x51\x58", 5) == 0);
    for (size_t i = 0; i < sizeof(copy); i++)
        CHECK((uint8_t)copy[i] == ((uint8_t)text[i] ^ mask[i % 4]));
    ws_mask(copy, sizeof(copy), mask);
    CHECK_STR(text, str_of(copy));
}

TEST(a_close_says_why_in_whole_characters)
{
    char payload[WS_CONTROL_SIZE_MAX];
    char text[WS_REASON_SIZE_MAX + 3] = {0};
    str reason;

    memset(text, 'x', WS_REASON_SIZE_MAX - 1);
    text[WS_REASON_SIZE_MAX - 1] = '\xc3'; /* would still fit */
    text[WS_REASON_SIZE_MAX] = '\xa4';
    const size_t size = ws_close_write(payload, WS_POLICY, str_of(text));
    CHECK_I64(WS_CONTROL_SIZE_MAX - 1, (int64_t)size);
    CHECK_I64(WS_POLICY, ws_close_read((str){payload, size}, &reason));
    CHECK_I64(WS_REASON_SIZE_MAX - 1, (int64_t)reason.size);
    CHECK_I64(0, (int64_t)ws_close_write(payload, WS_NO_CODE, STR("")));
    CHECK_I64(WS_NO_CODE, ws_close_read(STR(""), &reason));
}

TEST(the_handshake_is_summed_up_as_in_the_rfc)
{
    static const uint8_t nonce[WS_NONCE_SIZE] = {1, 2,  3,  4,  5,  6,  7,  8,
                                                 9, 10, 11, 12, 13, 14, 15, 16};

    CHECK_STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
              str_of(ws_accept_of(STR("dGhlIHNhbXBsZSBub25jZQ==")).text));
    CHECK_STR("AQIDBAUGBwgJCgsMDQ4PEA==", str_of(ws_key_make(nonce).text));
    CHECK(ws_key_is_valid(STR("dGhlIHNhbXBsZSBub25jZQ==")));
    CHECK(!ws_key_is_valid(STR("dGhlIHNhbXBsZSBub25jZR=="))); /* a second spelling */
    CHECK(!ws_key_is_valid(STR("dGhlIHNhbXBsZSBub25j")));
    CHECK(!ws_key_is_valid(STR("dGhlIHNhbXBsZSBub25jZQ=a")));
    CHECK(!ws_key_is_valid(STR("dGhlIHNhbXBsZSBub25jZ===")));
    CHECK(!ws_key_is_valid(STR("dGhl*HNhbXBsZSBub25jZQ==")));
    CHECK(!ws_key_is_valid(STR_ABSENT));
}

TEST(tokens_are_found_in_lists)
{
    static const char *const wanted[] = {"b.v2", "b.v1", NULL};

    CHECK(ws_list_has(STR("keep-alive, Upgrade"), STR("upgrade")));
    CHECK(!ws_list_has(STR("upgraded"), STR("upgrade")));
    CHECK(!ws_list_has(STR_ABSENT, STR("upgrade")));
    CHECK_STR("b.v2", ws_choose_subprotocol(STR("b.v1, b.v2"), wanted));
    CHECK(ws_choose_subprotocol(STR("B.V1"), wanted).ptr == NULL);
    CHECK(ws_choose_subprotocol(STR_ABSENT, wanted).ptr == NULL);
    CHECK(ws_choose_subprotocol(STR("b.v1"), NULL).ptr == NULL);
}
