/* platform/http/framing_test.c - raw bytes against a live server: what is refused, what passes,
 * in pieces and in a row. */

#include <string.h>
#include <unistd.h>

#include "platform/http/http_fixture.h"

/* Tells what it was asked, so that a request that H2O and we read differently shows. */
static err echo(struct req *req)
{
    struct buf text = buf_in(req->call.arena, HTTP_BODY_READ_MAX + 1000);

    buf_printf(&text, "%s %.*s?%.*s host=%.*s body=", method_name(req->method), STR_ARG(req->path),
               STR_ARG(req->query), STR_ARG(req_header(req, STR("host"))));
    buf_add(&text, req->body);
    return reply_text(req, 200, STR("text/plain"), buf_str(&text));
}

static const struct route routes[] = {
    {METHOD_GET,  "/echo",     echo, AUTH_NONE, BODY(100),                UNKEYED, ON_LOOP  },
    {METHOD_POST, "/echo",     echo, AUTH_NONE, BODY(HTTP_BODY_READ_MAX), UNKEYED, ON_LOOP  },
    {METHOD_PUT,  "/echo",     echo, AUTH_NONE, BODY(HTTP_BODY_READ_MAX), UNKEYED, ON_WORKER},
    {METHOD_POST, "/smuggled", echo, AUTH_NONE, BODY(100),                UNKEYED, ON_LOOP  },
};

#define GET             "GET /echo HTTP/1.1\r\nHost: a\r\n"
#define POST            "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define LENGTH(n)       "Content-Length: " n "\r\n"
#define CODING(c)       "Transfer-Encoding: " c "\r\n"
#define EXPECT(what)    "Expect: " what "\r\n"
#define END             "\r\n"
#define HELLO_IN_CHUNKS "3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\nX: y\r\n\r\n"

static void open_echo(struct fixture *fixture, const struct tuning *tuning)
{
    const struct fixture_options options = {.tuning = tuning};

    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}

/* --- Refused --- */

/* Each is one request that must not be served, whatever follows it. */
static const struct {
    int status;
    str text;
} refused[] = {
    {400, STR(POST LENGTH("6") CODING("chunked") END "0\r\n\r\nG")                },
    {400, STR(POST CODING("chunked") LENGTH("4") END "5c\r\n")                    },
    {400, STR(POST LENGTH("3") LENGTH("5") END "abc")                             },
    {400, STR(POST LENGTH("3") LENGTH("3") END "abc")                             },
    {400, STR(POST LENGTH("3,3") END "abc")                                       },
    {400, STR(POST LENGTH("+3") END "abc")                                        },
    {400, STR(POST LENGTH("3 ") END "abc")                                        },
    {400, STR(POST CODING("xchunked") END "0\r\n\r\n")                            },
    {400, STR(POST CODING("identity, chunked") END "0\r\n\r\n")                   },
    {400, STR(POST CODING("chunked") "transfer-encoding: cow\r\n" END "0\r\n\r\n")},
    {400, STR(POST "Transfer-Encoding : chunked\r\n" END "0\r\n\r\n")             },
    {400, STR(POST CODING("\vchunked") END "0\r\n\r\n")                           },
    {400, STR(POST "X: y\r\n " CODING("chunked") END "0\r\n\r\n")                 },
    {400, STR(POST "X: y\n" CODING("chunked") END "0\r\n\r\n")                    },
    {400, STR("POST /echo HTTP/1.0\r\n" CODING("chunked") END "0\r\n\r\n")        },
    {400, STR("GET /echo HTTP/1.1\nHost: a\n\n")                                  },
    {400, STR(GET "\n")                                                           },
    {400, STR(GET "X: folded\r\n here\r\n" END)                                   },
    {400, STR(GET "X: \0\r\n" END)                                                },
    {400, STR("GET /ec\0ho HTTP/1.1\r\nHost: a\r\n\r\n")                          },
    {400, STR("GET /echo HTTP/1.1\r\n\r\n")                                       },
    {400, STR(GET "Host: b\r\n" END)                                              },
    {400, STR("GET /echo HTTP/1.1\r\nHost : a\r\n\r\n")                           },
    {400, STR("GET /echo HTTP/1.3\r\nHost: a\r\n\r\n")                            },
    {400, STR("GET http://b/echo HTTP/1.1\r\nHost: a\r\n\r\n")                    },
    {400, STR("GET echo HTTP/1.1\r\nHost: a\r\n\r\n")                             },
    {400, STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")                            },
    {400, STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")               },
    {400, STR(POST CODING("chunked") END "3\nabc\r\n0\r\n\r\n")                   },
    {400, STR(POST CODING("chunked") END "3\r\nabcd\r\n0\r\n\r\n")                },
    {400, STR(POST CODING("chunked") END "3;\n\r\nabc\r\n0\r\n\r\n")              },
    {400, STR(POST CODING("chunked") END "fffffffff\r\n")                         },
    {413, STR(POST LENGTH("12582913") END)                                        },
    {413, STR(POST LENGTH("12582913") EXPECT("100-continue") END)                 },
    {413, STR(POST CODING("chunked") END "c00001\r\n")                            },
    {417, STR(POST LENGTH("1") EXPECT("tea") END)                                 },
    {400, STR(POST LENGTH("") END "abc")                                          },
    {400, STR(POST LENGTH("-3") END "abc")                                        },
    {400, STR(POST LENGTH("0x3") END "abc")                                       },
    {400, STR(POST LENGTH("3\t") END "abc")                                       },
    {400, STR(POST "Content-Length : 3\r\n" END "abc")                            },
    {400, STR(POST "Content-Length\0: 3\r\n" END "abc")                           },
    {400, STR(POST CODING("chunked, chunked") END "0\r\n\r\n")                    },
    {400, STR(POST CODING("chunked\tx") END "0\r\n\r\n")                          },
    {400, STR(POST CODING("chunked") CODING("chunked") END "0\r\n\r\n")           },
    {400, STR(POST "\r" CODING("chunked") END "0\r\n\r\n")                        },
    {400, STR(POST CODING("chunked") END "0x3\r\nabc\r\n0\r\n\r\n")               },
    {400, STR(POST CODING("chunked") END "+3\r\nabc\r\n0\r\n\r\n")                },
    {400, STR(POST CODING("chunked") END " 3\r\nabc\r\n0\r\n\r\n")                },
    {400, STR(POST CODING("chunked") END "\r\n0\r\n\r\n")                         },
    {400, STR(POST CODING("chunked") END "3\r\nabc0\r\n\r\n")                     },
    {400, STR(POST CODING("chunked") END "0\r\nX: y\n\r\n")                       },
    {400, STR(POST CODING("chunked") END "0\n\n")                                 },
};
enum { REFUSED_COUNT = sizeof(refused) / sizeof(refused[0]) };

static const str smuggled = STR("POST /smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");

/* The refusal, then the end: nothing behind it is served. */
static void check_refused(struct fixture *fixture, int fd, int status)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {
        {400, "malformed"         },
        {408, "request_timeout"   },
        {413, "payload_too_large" },
        {417, "expectation_failed"},
        {431, "headers_too_large" },
    };
    const struct answer answer = client_read(fixture, fd, "GET");
    size_t i = 0;

    CHECK_I64(status, answer.status);
    while (i < sizeof(codes) / sizeof(codes[0]) && codes[i].status != status)
        i++;
    CHECK(i < sizeof(codes) / sizeof(codes[0]) && text_contains(answer.body, codes[i].code));
    CHECK(answer.is_closed);
    CHECK_STR("application/problem+json", answer_header(&answer, "content-type"));
    CHECK_STR("nosniff", answer_header(&answer, "x-content-type-options"));
    CHECK_STR("no-referrer", answer_header(&answer, "referrer-policy"));
    CHECK_STR("no-store", answer_header(&answer, "cache-control"));
    CHECK(answer_header(&answer, "date").size > 0);
    CHECK(client_is_closed(fd));
    close(fd);
}

TEST(a_bad_request_is_refused_and_nothing_behind_it_is_served)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        struct buf text = buf_in(fixture.arena, 1000);
        const int fd = client_open(&fixture);

        buf_add(&text, refused[i].text);
        buf_add(&text, smuggled);
        client_send(fd, buf_str(&text));
        check_refused(&fixture, fd, refused[i].status);
    }
    CHECK_I64(REFUSED_COUNT, fixture_metric(&fixture, "boxoffice_http_refused_total"));
}

TEST(a_head_that_is_too_large_is_refused_before_it_ends)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct buf text;
    int fd;

    open_echo(&fixture, NULL);
    text = buf_in(fixture.arena, HTTP_HEADERS_SIZE_MAX * 2);
    buf_add_cstr(&text, GET "X: ");
    while (text.size <= HTTP_HEADERS_SIZE_MAX)
        buf_add_char(&text, 'x');
    fd = client_open(&fixture);
    client_send(fd, buf_str(&text));
    check_refused(&fixture, fd, 431);

    buf_clear(&text);
    buf_add_cstr(&text, "GET /echo HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < GUARD_FIELDS_MAX; i++)
        buf_add_cstr(&text, "X: y\r\n");
    buf_add_cstr(&text, "\r\n");
    fd = client_open(&fixture);
    client_send(fd, buf_str(&text));
    check_refused(&fixture, fd, 431);
}

TEST(a_bad_request_is_refused_behind_good_ones_too)
{
    static const str good = STR("GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\n" POST LENGTH("3") END
                                "abc" POST CODING("chunked") END "3\r\ndef\r\n0\r\n\r\n");
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        struct buf text = buf_in(fixture.arena, 1000);
        const int fd = client_open(&fixture);

        buf_add(&text, good);
        buf_add(&text, refused[i].text);
        client_send(fd, buf_str(&text));
        CHECK_STR("GET /echo?1 host=a body=", client_read(&fixture, fd, "GET").body);
        CHECK_STR("POST /echo? host=a body=abc", client_read(&fixture, fd, "POST").body);
        CHECK_STR("POST /echo? host=a body=def", client_read(&fixture, fd, "POST").body);
        check_refused(&fixture, fd, refused[i].status);
    }
}

TEST(a_bad_request_is_refused_wherever_it_is_cut)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    const int other = client_open(&fixture);
    for (size_t i = 0; i < REFUSED_COUNT; i++)
        for (size_t cut = 1; cut < refused[i].text.size; cut++) {
            const int fd = client_open(&fixture);

            client_send(fd, str_slice(refused[i].text, 0, cut));
            client_settle(&fixture, other);
            client_send(fd, str_slice(refused[i].text, cut, refused[i].text.size));
            check_refused(&fixture, fd, refused[i].status);
        }
    close(other);
}

/* --- Accepted --- */

static const struct {
    const char *request;
    const char *body;
} accepted[] = {
    {"GET /echo?a=b HTTP/1.1\r\nHost: a:1\r\n\r\n",            "GET /echo?a=b host=a:1 body=" },
    {"\r\n" GET END,                                           "GET /echo? host=a body="      },
    {"GET http://a/echo?x HTTP/1.1\r\nHost: a\r\n" END,        "GET /echo?x host=a body="     },
    {POST LENGTH("5") END "hello",                             "POST /echo? host=a body=hello"},
    {POST LENGTH("0") END,                                     "POST /echo? host=a body="     },
    {"PUT /echo HTTP/1.1\r\nHost: a\r\n" LENGTH("2") END "hi", "PUT /echo? host=a body=hi"    },
    {POST CODING("chunked") END HELLO_IN_CHUNKS,               "POST /echo? host=a body=hello"},
    {GET LENGTH("2") END "xy",                                 "GET /echo? host=a body=xy"    },
    {GET EXPECT("100-continue") END,                           "GET /echo? host=a body="      },
    {POST LENGTH("2") "X: 1\r\nx: 2\r\n" END "\r\n",           "POST /echo? host=a body=\r\n" },
};
enum { ACCEPTED_COUNT = sizeof(accepted) / sizeof(accepted[0]), CHUNKED_ONE = 6 };

TEST(a_good_request_is_served_wherever_it_is_cut_and_the_connection_goes_on)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    const int other = client_open(&fixture);
    const int fd = client_open(&fixture);
    for (size_t i = 0; i < ACCEPTED_COUNT; i++) {
        const str text = str_of(accepted[i].request);
        for (size_t cut = 1; cut < text.size; cut++) {
            client_send(fd, str_slice(text, 0, cut));
            client_settle(&fixture, other);
            client_send(fd, str_slice(text, cut, text.size));
            CHECK_STR(accepted[i].body, client_read(&fixture, fd, "GET").body);
        }
    }
    close(fd);
    close(other);
}

TEST(good_requests_in_a_row_are_served_in_their_order_wherever_they_are_cut)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    const int other = client_open(&fixture);
    const int fd = client_open(&fixture);
    struct buf all = buf_in(fixture.arena, 10000);
    for (size_t i = 0; i < ACCEPTED_COUNT; i++)
        buf_add_cstr(&all, accepted[i].request);
    for (size_t cut = 1; cut <= all.size; cut++) {
        client_send(fd, str_slice(buf_str(&all), 0, cut));
        if (cut < all.size)
            client_settle(&fixture, other);
        client_send(fd, str_slice(buf_str(&all), cut, all.size));
        for (size_t i = 0; i < ACCEPTED_COUNT; i++)
            CHECK_STR(accepted[i].body, client_read(&fixture, fd, "GET").body);
    }
    close(fd);
    close(other);
}

TEST(one_byte_at_a_time_is_a_request_too)
{
    CLEANUP(fixture_close) struct fixture fixture;
    const str text = str_of(accepted[CHUNKED_ONE].request);

    open_echo(&fixture, NULL);
    const int other = client_open(&fixture);
    const int fd = client_open(&fixture);
    for (size_t i = 0; i < text.size; i++) {
        client_send(fd, str_slice(text, i, i + 1));
        client_settle(&fixture, other);
    }
    CHECK_STR(accepted[CHUNKED_ONE].body, client_read(&fixture, fd, "POST").body);
    close(fd);
    close(other);
}

TEST(http_1_0_closes_unless_it_asks_not_to)
{
    CLEANUP(fixture_close) struct fixture fixture;
    int fd;

    open_echo(&fixture, NULL);
    fd = client_open(&fixture);
    client_send(
        fd, STR("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /echo HTTP/1.0\r\n\r\n"));
    CHECK(!client_read(&fixture, fd, "GET").is_closed);
    CHECK_I64(200, client_read(&fixture, fd, "GET").status);
    CHECK(client_is_closed(fd));
    close(fd);

    fd = client_open(&fixture);
    client_send(fd, STR("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    CHECK(client_read(&fixture, fd, "GET").is_closed);
    CHECK(client_is_closed(fd));
    close(fd);
}

/* --- Bodies --- */

TEST(a_body_is_asked_for_once_where_the_client_waits)
{
    static const str head = STR(POST LENGTH("5") EXPECT("100-continue") END);
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, NULL);
    const int fd = client_open(&fixture);
    for (int i = 0; i < 3; i++) {
        client_send(fd, head);
        CHECK_I64(100, client_read(&fixture, fd, "POST").status);
        client_send(fd, STR("hello"));
        CHECK_STR("POST /echo? host=a body=hello", client_read(&fixture, fd, "POST").body);
    }
    /* Who does not wait has it already. */
    client_send(fd, STR(POST LENGTH("5") EXPECT("100-continue") END "hello"));
    CHECK_STR("POST /echo? host=a body=hello", client_read(&fixture, fd, "POST").body);
    close(fd);
}

static str large_body(struct fixture *fixture, size_t size)
{
    char *text = arena_alloc(fixture->arena, size);

    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i % 23);
    return (str){text, size};
}

static void check_echo(struct fixture *fixture, int fd, str body)
{
    const struct answer answer = client_read(fixture, fd, "POST");

    CHECK_I64(200, answer.status);
    CHECK(str_ends(answer.body, body));
}

TEST(twelve_mebibytes_are_read_and_one_byte_more_is_refused)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct buf head;

    open_echo(&fixture, NULL);
    const str body = large_body(&fixture, HTTP_BODY_READ_MAX);
    const int fd = client_open(&fixture);
    head = buf_in(fixture.arena, 1000);
    buf_printf(&head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", body.size);
    client_send(fd, buf_str(&head));
    client_send(fd, body);
    check_echo(&fixture, fd, body);

    client_send(fd, STR("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t at = 0; at < body.size; at += 65536) {
        client_send(fd, STR("10000\r\n"));
        client_send(fd, str_slice(body, at, at + 65536));
        client_send(fd, STR("\r\n"));
    }
    client_send(fd, STR("0\r\n\r\n"));
    check_echo(&fixture, fd, body);
    client_settle(&fixture, fd); /* the answer before is now behind the loop too */
    CHECK_I64(0, atomic_load(&fixture.server->buffered));

    /* The last chunk is one byte too long: refused as soon as its size is known, and the answer
     * arrives although we go on sending. */
    client_send(
        fd, STR("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nc00000\r\n"));
    client_send(fd, body);
    client_send(fd, STR("\r\n1\r\nx\r\n0\r\n\r\n"));
    client_send(fd, str_slice(body, 0, 100000));
    check_refused(&fixture, fd, 413);
}

/* --- Slow ones --- */

static const struct tuning hasty = {
    .idle_ms = 300, .receive_ms = 100, .send_ms = 100, .linger_ms = 100};

TEST(who_sends_nothing_is_closed_and_who_stops_halfway_is_told)
{
    static const char *const halves[] = {
        "GET",
        "GET /echo HTTP/1.1\r\nHost: a\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    };
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, &hasty);
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        const int fd = client_open(&fixture);
        client_send(fd, str_of(halves[i]));
        check_refused(&fixture, fd, 408);
    }
    const int idle = client_open(&fixture);
    CHECK(client_is_closed(idle));
    close(idle);

    const int served = client_open(&fixture);
    client_send(served, str_of(accepted[0].request));
    CHECK_I64(200, client_read(&fixture, served, "GET").status);
    CHECK(client_is_closed(served));
    close(served);
}

TEST(who_does_not_read_his_answer_is_closed)
{
    CLEANUP(fixture_close) struct fixture fixture;

    open_echo(&fixture, &hasty);
    const str body = large_body(&fixture, HTTP_BODY_READ_MAX);
    struct buf head = buf_in(fixture.arena, 1000);
    const int fd = client_open(&fixture);
    buf_printf(&head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", body.size);
    client_send(fd, buf_str(&head));
    client_send(fd, body);

    /* 12 MiB do not fit into the kernel's buffers. The connection is given up without our
     * reading a byte. */
    const int other = client_open(&fixture);
    while (fixture_metric(&fixture, "boxoffice_http_connections") > 1 ||
           fixture_metric(&fixture, "boxoffice_http_in_flight") > 0)
        usleep(1000);
    close(other);
    close(fd);
}

TEST(who_comes_when_all_places_are_taken_waits_for_one)
{
    const struct tuning narrow = {.idle_ms = 60000,
                                  .receive_ms = 10000,
                                  .send_ms = 10000,
                                  .linger_ms = 1000,
                                  .connections_max = 2};
    CLEANUP(fixture_close) struct fixture fixture;
    int fds[3];

    open_echo(&fixture, &narrow);
    for (int i = 0; i < 3; i++)
        fds[i] = client_open(&fixture);
    client_send(fds[2], str_of(accepted[0].request));
    client_settle(&fixture, fds[0]);
    client_settle(&fixture, fds[1]);
    CHECK_I64(2, fixture_metric(&fixture, "boxoffice_http_connections"));
    close(fds[0]);
    CHECK_I64(200, client_read(&fixture, fds[2], "GET").status);
    close(fds[1]);
    close(fds[2]);
}
