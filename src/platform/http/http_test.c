/* platform/http/http_test.c - the order in which a request is checked, and who runs it. */

#include <string.h>

#include "platform/http/seats_fixture.h"

#define LONG_BODY "{\"name\":\"01234567890123456789012345678901234567890123456789012345\"}"
#define NAMED     "{\"name\":\"a\"}"
#define MISNAMED  "{\"name\":\"\",\"nome\":1}" /* and too short, which is said later */
#define TOO_MANY  "{\"name\":\"\",\"count\":10}"

static void check_problem(struct fixture *fixture, const char *request, const char *headers,
                          const char *body, err expected)
{
    char code[64];
    str rest = str_of(request);
    str method;

    (void)str_split(&rest, ' ', &method);
    const struct answer answer = client_ask(fixture, arena_cstr(fixture->arena, method),
                                            arena_cstr(fixture->arena, rest), headers, body);
    const bool is_as_expected =
        expected == ERR_OK ? answer.status / 100 == 2 : answer.status == err_status(expected);
    if (!is_as_expected)
        print_error("%s: %s%.*s\n", request, headers, STR_ARG(answer.body));
    CHECK(is_as_expected);
    if (expected == ERR_OK)
        return;
    (void)snprintf(code, sizeof(code), ",\"code\":\"%s\"", err_name(expected));
    CHECK(text_contains(answer.body, code));
}

TEST(an_unknown_path_is_refused_first_and_then_an_unknown_method)
{
    static const struct {
        const char *request;
        err expected;
    } cases[] = {
        {"GET /nowhere",   ERR_NOT_FOUND         },
        {"BREW /nowhere",  ERR_NOT_FOUND         },
        {"GET /seats/",    ERR_NOT_FOUND         },
        {"GET /seats/%2F", ERR_NOT_FOUND         },
        {"PUT /seats/%00", ERR_NOT_FOUND         },
        {"BREW /seats",    ERR_METHOD_NOT_ALLOWED},
        {"OPTIONS /seats", ERR_METHOD_NOT_ALLOWED},
        {"DELETE /seats",  ERR_METHOD_NOT_ALLOWED},
        {"BREW /me/user",  ERR_METHOD_NOT_ALLOWED},
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_problem(&fixture, cases[i].request, "", LONG_BODY, cases[i].expected);
}

TEST(who_may_not_is_told_so_before_what_is_wrong_with_the_body)
{
    static const struct {
        const char *headers;
        err expected;
    } cases[] = {
        {"",                                 ERR_UNAUTHENTICATED},
        {"Authorization: Bearer old\r\n",    ERR_TOKEN_EXPIRED  },
        {"Authorization: Bearer nobody\r\n", ERR_UNAUTHENTICATED},
        {"Authorization: Bearer\r\n",        ERR_UNAUTHENTICATED},
        {"Authorization: Basic x\r\n",       ERR_UNAUTHENTICATED},
        {USER USER,                          ERR_UNAUTHENTICATED},
        {"X-Greedy: yes\r\n",                ERR_UNAUTHENTICATED},
        {USER "X-Greedy: yes\r\n",           ERR_RATE_LIMITED   },
        {USER,                               ERR_TOO_LARGE      },
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_problem(&fixture, "PUT /seats/a", cases[i].headers, LONG_BODY, cases[i].expected);
    check_problem(&fixture, "GET /me/admin", USER "X-Greedy: yes\r\n", NULL, ERR_FORBIDDEN);
}

#define TYPE(type)     "Content-Type: " type "\r\n"
#define IF_MATCH(tags) "If-Match: " tags "\r\n"

TEST(a_body_is_checked_in_one_order)
{
    static const struct {
        const char *headers;
        const char *body;
        err expected;
    } cases[] = {
        {"",                                         LONG_BODY, ERR_TOO_LARGE             },
        {"",                                         "{",       ERR_UNSUPPORTED_MEDIA_TYPE},
        {TYPE("text/plain"),                         "{",       ERR_UNSUPPORTED_MEDIA_TYPE},
        {TYPE("application/json; charset=latin-1"),  "{",       ERR_UNSUPPORTED_MEDIA_TYPE},
        {JSON JSON,                                  "{",       ERR_UNSUPPORTED_MEDIA_TYPE},
        {JSON,                                       NULL,      ERR_MALFORMED             },
        {JSON,                                       "",        ERR_MALFORMED             },
        {JSON,                                       "{",       ERR_MALFORMED             },
        {JSON IF_MATCH("\"v2\""),                    MISNAMED,  ERR_UNKNOWN_FIELD         },
        {JSON IF_MATCH("\"v2\""),                    TOO_MANY,  ERR_INVALID               },
        {JSON,                                       NAMED,     ERR_PRECONDITION_REQUIRED },
        {JSON IF_MATCH("\"v2\""),                    NAMED,     ERR_STALE                 },
        {JSON IF_MATCH("W/\"v3\""),                  NAMED,     ERR_STALE                 },
        {JSON IF_MATCH("\"v2\", \"v3\""),            NAMED,     ERR_OK                    },
        {JSON IF_MATCH("\"v2\"") IF_MATCH("\"v3\""), NAMED,     ERR_OK                    },
        {JSON IF_MATCH("*"),                         NAMED,     ERR_OK                    },
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char headers[256];
        (void)snprintf(headers, sizeof(headers), USER "%s", cases[i].headers);
        check_problem(&fixture, "PUT /seats/a", headers, cases[i].body, cases[i].expected);
    }
}

TEST(a_key_is_asked_for_behind_the_type_and_before_the_text)
{
    static const struct {
        const char *headers;
        const char *body;
        err expected;
    } cases[] = {
        {"",                                               "{",   ERR_UNSUPPORTED_MEDIA_TYPE},
        {JSON,                                             "{",   ERR_KEY_REQUIRED          },
        {JSON "Idempotency-Key:\r\n",                      NAMED, ERR_MALFORMED             },
        {JSON "Idempotency-Key: a b\r\n",                  NAMED, ERR_MALFORMED             },
        {JSON "Idempotency-Key: \xc3\xa4\r\n",             NAMED, ERR_MALFORMED             },
        {JSON KEY KEY,                                     NAMED, ERR_MALFORMED             },
        {JSON KEY,                                         "{",   ERR_MALFORMED             },
        {TYPE("Application/JSON ; charset=\"UTF-8\"") KEY, NAMED, ERR_OK                    },
    };
    CLEANUP(fixture_close) struct fixture fixture;
    char longest[512];

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_problem(&fixture, "POST /seats", cases[i].headers, cases[i].body, cases[i].expected);
    check_problem(&fixture, "POST /free", JSON, NAMED, ERR_OK);
    for (int size = HTTP_KEY_SIZE_MAX; size <= HTTP_KEY_SIZE_MAX + 1; size++) {
        (void)snprintf(longest, sizeof(longest), JSON "Idempotency-Key: %0*d\r\n", size, 1);
        check_problem(&fixture, "POST /seats", longest, NAMED,
                      size == HTTP_KEY_SIZE_MAX ? ERR_OK : ERR_MALFORMED);
    }
}

TEST(a_query_or_an_id_that_cannot_be_is_refused)
{
    static const struct {
        const char *request;
        err expected;
    } cases[] = {
        {"GET /seats?name=a&nome=b",                      ERR_UNKNOWN_FIELD},
        {"GET /seats?name=a&count=99",                    ERR_INVALID      },
        {"GET /seats",                                    ERR_INVALID      },
        {"GET /seats?name=a&count=2",                     ERR_OK           },
        {"DELETE /seats/seat_nonsense",                   ERR_NOT_FOUND    },
        {"DELETE /seats/evt_01h455vb4pex5vsknk084sn02q",  ERR_NOT_FOUND    },
        {"DELETE /seats/seat_01h455vb4pex5vsknk084sn02q", ERR_OK           },
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_problem(&fixture, cases[i].request, "", NULL, cases[i].expected);
}

TEST(a_role_opens_its_routes_only)
{
    static const struct {
        const char *path;
        int anonymous, customer, vendor, admin, dead;
    } cases[] = {
        {"/me/none",     200, 200, 200, 200, 200},
        {"/me/optional", 200, 200, 200, 200, 401},
        {"/me/user",     401, 200, 200, 200, 401},
        {"/me/customer", 401, 200, 403, 403, 401},
        {"/me/vendor",   401, 403, 200, 200, 401},
        {"/me/admin",    401, 403, 403, 200, 401},
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = cases[i].path;
        CHECK_I64(cases[i].anonymous, client_ask(&fixture, "GET", path, "", NULL).status);
        CHECK_I64(cases[i].customer, client_ask(&fixture, "GET", path, USER, NULL).status);
        CHECK_I64(
            cases[i].vendor,
            client_ask(&fixture, "GET", path, "authorization: bEARER vendor\r\n", NULL).status);
        CHECK_I64(
            cases[i].admin,
            client_ask(&fixture, "GET", path, "Authorization: Bearer  admin\r\n", NULL).status);
        CHECK_I64(cases[i].dead,
                  client_ask(&fixture, "GET", path, "Authorization: Bearer old\r\n", NULL).status);
        CHECK_I64(cases[i].dead,
                  client_ask(&fixture, "GET", path, "Authorization: Bearer a b\r\n", NULL).status);
    }
}

TEST(a_token_that_only_a_database_knows_is_asked_for_on_a_worker)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct answer answer;

    seats_open(&fixture);
    answer = client_ask(&fixture, "GET", "/me/user", "Authorization: Bearer far\r\n", NULL);
    CHECK_STR("role=1 token=far address=127.0.0.1 blocks=1", answer.body);
    answer = client_ask(&fixture, "GET", "/me/user", USER, NULL);
    CHECK_STR("role=1 token=customer address=127.0.0.1 blocks=0", answer.body);
}

TEST(what_would_block_the_loop_is_run_again_on_a_worker)
{
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    const struct answer answer = client_ask(&fixture, "GET", "/slow", "", NULL);
    CHECK_STR("role=0 token= address=127.0.0.1 blocks=1", answer.body);
    CHECK_STR("1", answer_header(&answer, "x-once"));
    const char *first = strstr(answer.head.ptr, "x-once");
    CHECK(strstr(first + 1, "x-once") == NULL);
}
