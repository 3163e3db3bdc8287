/* platform/http/multipart_test.c - forms as browsers and curl send them, everything that is refused, and
 * what a client hears about it. */

#include "platform/http/multipart.h"

#include <string.h>

#include "platform/http/form.h"
#include "platform/http/http_fixture.h"
#include "support/tool.h"

enum { IMAGE, EVENT, CAPTION, RULES_COUNT };

static const struct part_rule rules[RULES_COUNT] = {
    {"image",    PART_FILE, 1000, true },
    {"event_id", PART_TEXT, 30,   true },
    {"caption",  PART_TEXT, 20,   false},
};

#define TYPE          "multipart/form-data; boundary=B"
#define PART(name)    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_AS(name) "--B\r\nContent-Disposition: form-data; name=\"image\"; filename=" name "\r\n"
#define IMAGE_PART    FILE_AS("\"a.png\"") "Content-Type: image/png\r\n\r\n\x89PNG\0\r\n"
#define EVENT_PART    PART("event_id") "evt_1\r\n"
#define END           "--B--\r\n"

struct sent {
    struct arena *arena;
    struct part parts[RULES_COUNT];
    struct form form;
};

static err read_form(struct sent *sent, str content_type, str body)
{
    sent->form = (struct form){.rules = rules, .count = RULES_COUNT, .parts = sent->parts};
    return multipart_read(sent->arena, content_type, body, &sent->form);
}

TEST(a_form_is_read_by_its_names)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sent sent = {.arena = arena};

    CHECK_OK(read_form(&sent, STR(TYPE),
                       STR(PART("caption") "\r\n" IMAGE_PART EVENT_PART
                                           "--B\r\ncontent-DISPOSITION:form-data;"
                                           "name=_charset_\r\n\r\nUTF-8\r\n" END)));
    CHECK(str_eq(STR("\x89PNG\0"), sent.parts[IMAGE].value));
    CHECK_STR("a.png", sent.parts[IMAGE].filename);
    CHECK_STR("image/png", sent.parts[IMAGE].content_type);
    CHECK_STR("evt_1", sent.parts[EVENT].value);
    CHECK(sent.parts[CAPTION].is_there);
    CHECK_STR("", sent.parts[CAPTION].value);

    /* Content that looks like its boundary, almost. */
    CHECK_OK(read_form(&sent, STR("Multipart/Form-Data ; charset=x; Boundary=\"B\""),
                       STR(FILE_AS("x") "\r\n--B\r\n--\r\n\r\n-B--B\n--B\r\n" EVENT_PART "--B--")));
    CHECK_STR("--B\r\n--\r\n\r\n-B--B\n--B", sent.parts[IMAGE].value);
    CHECK_STR("x", sent.parts[IMAGE].filename);
    CHECK(!sent.parts[CAPTION].is_there);
}

TEST(a_filename_is_its_last_component_without_escapes)
{
    static const struct {
        const char *sent;
        const char *expected; /* NULL: refused */
    } cases[] = {
        {"\"ä b.png\"",             "ä b.png"   },
        {"\"a%22b%0D%0Ac.png\"",     "a\"b  c.png"},
        {"\"a\\\"b\\\\c.png\"",      "c.png"      },
        {"\"100%.png\"",             "100%.png"   },
        {"\"../../etc/passwd\"",     "passwd"     },
        {"\"C:\\Users\\me\\x.png\"", "x.png"      },
        {"\"a;b=c.png\"",            "a;b=c.png"  },
        {"\"..\"",                   NULL         },
        {"\"a/\"",                   NULL         },
        {"\"\"",                     NULL         },
        {"\"\xff.png\"",             NULL         },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sent sent = {.arena = arena};
        const str body = arena_printf(
            arena,
            "--B\r\nContent-Disposition: form-data; name=\"image\"; filename=%s\r\n\r\nx\r\n%s",
            cases[i].sent, EVENT_PART END);

        const err e = read_form(&sent, STR(TYPE), body);
        CHECK_ERR(cases[i].expected != NULL ? ERR_OK : ERR_INVALID, e);
        if (cases[i].expected != NULL)
            CHECK_STR(cases[i].expected, sent.parts[IMAGE].filename);
    }
}

static const struct {
    err expected;
    const char *type;
    str body;
} refused[] = {
    {ERR_UNSUPPORTED_MEDIA_TYPE, "application/json",                            STR("{}")                                                                 },
    {ERR_UNSUPPORTED_MEDIA_TYPE, "multipart/mixed; boundary=B",                 STR(IMAGE_PART EVENT_PART END)                                            },
    {ERR_UNSUPPORTED_MEDIA_TYPE, "",                                            STR("")                                                                   },
    {ERR_MALFORMED,              "multipart/form-data",                         STR(IMAGE_PART EVENT_PART END)                                            },
    {ERR_MALFORMED,              "multipart/form-data; boundary=",              STR(IMAGE_PART EVENT_PART END)                                            },
    {ERR_MALFORMED,              "multipart/form-data; boundary=B; boundary=C", STR(EVENT_PART END)                                                       },
    {ERR_MALFORMED,              "multipart/form-data; boundary=\"B ",          STR(EVENT_PART END)                                                       },
    {ERR_MALFORMED,              "multipart/form-data; boundary=\"B \"",        STR(EVENT_PART END)                                                       },
    {ERR_MALFORMED,              "multipart/form-data; boundary=\"B\"x",        STR(EVENT_PART END)                                                       },
    {ERR_MALFORMED,              "multipart/form-data; boundary=B\x80",         STR(EVENT_PART END)                                                       },
    {ERR_MALFORMED,              TYPE,                                          STR("")                                                                   },
    {ERR_MALFORMED,              TYPE,                                          STR("preamble\r\n" IMAGE_PART END)                                        },
    {ERR_MALFORMED,              TYPE,                                          STR("\r\n" IMAGE_PART END)                                                },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART)                                                },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART "--B")                                          },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART "--B-")                                         },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART "--B\r\n")                                      },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART END "x")                                        },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART EVENT_PART "--B --\r\n")                                   },
    {ERR_MALFORMED,              TYPE,                                          STR(IMAGE_PART "--BB\r\n" END)                                            },
    {ERR_MALFORMED,              TYPE,
     STR("--B\nContent-Disposition: form-data; name=\"event_id\"\n\nx\n--B--")                                                                            },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\n\r\nx\r\n" END)                                               },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nno header\r\n\r\nx\r\n" END)                                  },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nContent-Disposition : form-data; name=a\r\n\r\nx\r\n" END)    },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END)             },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" END)    },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n" END)                                                                        },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n" END)   },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
         "name=b\r\n\r\nx\r\n" END)                                                                                                                       },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=image; "
         "filename*=UTF-8''x\r\n\r\nx\r\n" END)                                                                                                           },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=a\r\n folded\r\n\r\nx\r\n" END)                                                                     },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=\"a\0\"\r\n\r\nx\r\n" END)                                                                          },
    {ERR_MALFORMED,              TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=event_id\r\nContent-Transfer-Encoding: "
         "base64\r\n\r\nx\r\n" END)                                                                                                                       },
    {ERR_MALFORMED,              TYPE,                                          STR("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n" END)          },
    {ERR_UNKNOWN_FIELD,          TYPE,                                          STR(IMAGE_PART EVENT_PART PART("role") "admin\r\n" END)                   },
    {ERR_INVALID,                TYPE,                                          STR(IMAGE_PART END)                                                       },
    {ERR_INVALID,                TYPE,                                          STR(END)                                                                  },
    {ERR_INVALID,                TYPE,                                          STR(IMAGE_PART EVENT_PART EVENT_PART END)                                 },
    {ERR_INVALID,                TYPE,                                          STR(PART("image") "x\r\n" EVENT_PART END)                                 },
    {ERR_INVALID,                TYPE,                                          STR(IMAGE_PART PART("event_id") "\xff\r\n" END)                           },
    {ERR_INVALID,                TYPE,                                          STR(IMAGE_PART PART("event_id") "a\0b\r\n" END)                           },
    {ERR_INVALID,                TYPE,                                          STR(IMAGE_PART PART("event_id") "0123456789012345678901234567890\r\n" END)},
    {ERR_UNSUPPORTED_MEDIA_TYPE, TYPE,
     STR("--B\r\nContent-Disposition: form-data; name=caption\r\nContent-Type: text/plain; "
         "charset=latin1\r\n\r\nx\r\n" END)                                                                                                               },
    {ERR_UNSUPPORTED_MEDIA_TYPE, TYPE,                                          STR(PART("_charset_") "latin1\r\n" END)                                   },
};

TEST(what_can_be_read_in_two_ways_is_refused)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sent sent = {.arena = arena};

        const err e = read_form(&sent, str_of(refused[i].type), refused[i].body);
        if (e != refused[i].expected)
            print_error("case %zu\n", i);
        CHECK_ERR(refused[i].expected, e);
        CHECK(sent.form.fault.detail != NULL);
    }
}

TEST(the_headers_of_a_part_are_bounded)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sent sent = {.arena = arena};
    struct buf body = buf_in(arena, 10000);

    buf_add_cstr(&body, "--B\r\nContent-Disposition: form-data; name=event_id\r\n");
    while (body.size < MULTIPART_HEAD_MAX)
        buf_add_cstr(&body, "X: 0123456789012345678901234567890123456789\r\n");
    buf_add_cstr(&body, "\r\nx\r\n" END);
    CHECK_ERR(ERR_MALFORMED, read_form(&sent, STR(TYPE), buf_str(&body)));
}

/* --- Over HTTP --- */

static err post_form(struct req *req)
{
    struct part parts[RULES_COUNT];

    TRY(req_form(req, rules, RULES_COUNT, parts));
    return reply_text(req, 200, STR("text/plain"),
                      arena_printf(req->call.arena, "%zu %.*s %.*s %.*s", parts[IMAGE].value.size,
                                   STR_ARG(parts[IMAGE].filename), STR_ARG(parts[EVENT].value),
                                   STR_ARG(parts[CAPTION].value)));
}

static const struct route routes[] = {
    {METHOD_POST, "/form", post_form, AUTH_NONE, BODY(2000), UNKEYED, ON_WORKER},
};

static struct answer post(struct fixture *fixture, str body)
{
    const int fd = client_open(fixture);
    struct buf head = buf_in(fixture->arena, 1000);

    buf_printf(&head,
               "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: " TYPE
               "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
               body.size);
    client_send(fd, buf_str(&head));
    client_send(fd, body);
    const struct answer answer = client_read(fixture, fd, "POST");
    CHECK(client_is_closed(fd));
    return answer;
}

TEST(a_refused_form_points_at_its_part)
{
    CLEANUP(fixture_close) struct fixture fixture;
    const struct fixture_options options = {0};
    char large[2000];
    struct buf body;

    fixture_open(&fixture, routes, 1, &options);
    CHECK_STR("5 a.png evt_1 ", post(&fixture, STR(IMAGE_PART EVENT_PART END)).body);
    CHECK(text_contains(post(&fixture, STR(IMAGE_PART END)).body,
                        "\"errors\":[{\"pointer\":\"/event_id\",\"detail\":\"is required\"}]"));
    const struct answer unknown = post(&fixture, STR(PART("a/b~") "x\r\n" END));
    CHECK_I64(400, unknown.status);
    CHECK(text_contains(unknown.body, "\"pointer\":\"/a~1b~0\""));
    CHECK_I64(400, post(&fixture, STR("x")).status);

    memset(large, 'x', sizeof(large));
    body = buf_in(fixture.arena, 4000);
    buf_add_cstr(&body, FILE_AS("a") "\r\n");
    buf_add(&body, (str){large, 1001});
    buf_add_cstr(&body, "\r\n" EVENT_PART END);
    const struct answer too_large = post(&fixture, buf_str(&body));
    CHECK_I64(413, too_large.status);
    CHECK(text_contains(too_large.body, "\"pointer\":\"/image\""));
    buf_add(&body, (str){large, 1000});
    CHECK_I64(413, post(&fixture, buf_str(&body)).status);
}

TEST(curl_sends_forms_that_are_understood)
{
    CLEANUP(fixture_close) struct fixture fixture;
    const struct fixture_options options = {0};

    fixture_open(&fixture, routes, 1, &options);
    const char *path = tool_file(fixture.arena, STR("0123456789"), "x.png");
    CHECK_STR("10 a\"b.png evt_9 \xc3\xa4\r\nb",
              tool_output(fixture.arena,
                          "curl -s -F 'image=@%s;filename=a\"b.png;type=image/png' "
                          "-F event_id=evt_9 -F \"caption=$(printf '\\303\\244\\r\\nb')\" "
                          "http://127.0.0.1:%d/form",
                          path, http_port(fixture.server)));
}
