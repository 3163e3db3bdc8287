/* platform/http/answer_test.c - what an answer looks like: problems, headers, documents,
 * operation. */

#include <string.h>
#include <unistd.h>

#include "platform/http/seats_fixture.h"

/* --- Problems --- */

TEST(a_problem_says_what_and_where_and_which_request)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct answer answer;

    seats_open(&fixture);
    answer = client_ask(&fixture, "GET", "/fail/sold_out", "X-Request-Id: r-1\r\n", NULL);
    CHECK_I64(409, answer.status);
    CHECK_STR("{\"type\":\"/problems/sold_out\",\"title\":\"Sold "
              "out\",\"status\":409,\"detail\":\"It is \\\"sold_out\\\".\","
              "\"code\":\"sold_out\",\"left\":3,\"request_id\":\"r-1\"}",
              answer.body);
    CHECK_STR("application/problem+json", answer_header(&answer, "content-type"));
    CHECK_STR("no-store", answer_header(&answer, "cache-control"));
    CHECK_STR("true", answer_header(&answer, "idempotency-replayed"));

    answer = client_ask(&fixture, "POST", "/free", JSON "X-Request-Id: r-2\r\n", "{\"count\":0}");
    CHECK_I64(422, answer.status);
    CHECK(text_contains(answer.body, "\"errors\":[{\"pointer\":\"/"));
    CHECK(text_contains(answer.body, "\"pointer\":\"/name\""));
    CHECK(text_contains(answer.body, "\"pointer\":\"/count\""));
}

TEST(a_refusal_names_what_would_help)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct answer answer;

    seats_open(&fixture);
    answer = client_ask(&fixture, "GET", "/fail/rate_limited", "", NULL);
    CHECK_I64(429, answer.status);
    CHECK_STR("17", answer_header(&answer, "retry-after"));
    answer = client_ask(&fixture, "GET", "/fail/unavailable", "", NULL);
    CHECK_I64(503, answer.status);
    CHECK_STR("1", answer_header(&answer, "retry-after"));
    answer = client_ask(&fixture, "PATCH", "/seats/a", "", "{}");
    CHECK_STR("DELETE, GET, HEAD, PUT", answer_header(&answer, "allow"));
    answer = client_ask(&fixture, "GET", "/me/user", "", NULL);
    CHECK_STR("Bearer", answer_header(&answer, "www-authenticate"));
    answer = client_ask(&fixture, "GET", "/me/user", "Authorization: Bearer who\r\n", NULL);
    CHECK_STR("Bearer error=\"invalid_token\"", answer_header(&answer, "www-authenticate"));
    answer = client_ask(&fixture, "GET", "/fail/revoked", "", NULL);
    CHECK_STR("Bearer error=\"invalid_token\"", answer_header(&answer, "www-authenticate"));
}

TEST(what_broke_inside_is_logged_and_not_told)
{
    static const char *const ways[] = {"internal", "duplicate", "no_reply"};
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/fail/%s", ways[i]);
        (void)fixture_log(&fixture);
        const struct answer answer =
            client_ask(&fixture, "GET", path, "X-Request-Id: r-9\r\n", NULL);
        const str log = fixture_log(&fixture);

        CHECK_I64(500, answer.status);
        CHECK(text_contains(answer.body, "\"code\":\"internal\""));
        CHECK(text_contains(answer.body, "\"request_id\":\"r-9\""));
        CHECK(!text_contains(answer.body, "It is") && !text_contains(answer.body, "left"));
        CHECK(
            text_contains(log, "error http.failed request=r-9 method=GET route=/fail/{how} why="));
    }
}

/* --- Headers of every answer --- */

TEST(every_answer_carries_its_ids_and_says_how_to_treat_it)
{
    static const char *const paths[] = {"/seats/a", "/nowhere", "/fail/internal", "/healthz",
                                        "/me/user"};
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct answer answer = client_ask(&fixture, "GET", paths[i], "", NULL);

        CHECK_STR("nosniff", answer_header(&answer, "x-content-type-options"));
        CHECK_STR("no-referrer", answer_header(&answer, "referrer-policy"));
        CHECK_STR(i == 0 ? "public, max-age=5" : "no-store",
                  answer_header(&answer, "cache-control"));
        CHECK(answer_header(&answer, "date").size > 0);
        CHECK(answer_header(&answer, "server").ptr == NULL);
        CHECK_I64(36, (int64_t)answer_header(&answer, "x-request-id").size);
        CHECK_I64('7', answer_header(&answer, "x-request-id").ptr[14]);
        CHECK_I64(HTTP_TRACEPARENT_SIZE, (int64_t)answer_header(&answer, "traceparent").size);
    }
}

TEST(an_id_that_was_sent_is_kept_if_it_can_be)
{
    static const struct {
        const char *sent;
        bool is_kept;
    } ids[] = {
        {"a",        true },
        {"A-z.0_9",  true },
        {"",         false},
        {"a b",      false},
        {"a,b",      false},
        {"a\"b",     false},
        {"\xc3\xa4", false},
    };
    static const struct {
        const char *sent;
        bool is_kept;
    } traces[] = {
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   true },
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",   true },
        {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",   false},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01",   false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",   false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",   false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false},
        {"",                                                          false},
    };
    CLEANUP(fixture_close) struct fixture fixture;
    char header[256];

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        (void)snprintf(header, sizeof(header), "X-Request-Id: %s\r\n", ids[i].sent);
        const struct answer answer = client_ask(&fixture, "GET", "/healthz", header, NULL);
        CHECK(ids[i].is_kept ==
              str_eq(str_of(ids[i].sent), answer_header(&answer, "x-request-id")));
    }
    (void)snprintf(header, sizeof(header), "X-Request-Id: %0*d\r\n", HTTP_REQUEST_ID_SIZE_MAX + 1,
                   1);
    const struct answer longer = client_ask(&fixture, "GET", "/healthz", header, NULL);
    CHECK_I64(36, (int64_t)answer_header(&longer, "x-request-id").size);

    for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
        (void)snprintf(header, sizeof(header), "traceparent: %s\r\n", traces[i].sent);
        const struct answer answer = client_ask(&fixture, "GET", "/healthz", header, NULL);
        CHECK(traces[i].is_kept ==
              str_eq(str_of(traces[i].sent), answer_header(&answer, "traceparent")));
        CHECK_I64(HTTP_TRACEPARENT_SIZE, (int64_t)answer_header(&answer, "traceparent").size);
    }
}

/* --- Documents --- */

TEST(head_is_get_without_its_body_unless_it_has_a_row)
{
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    const int fd = client_open(&fixture);
    for (int i = 0; i < 2; i++) { /* twice: no byte of a body may be left in the stream */
        client_send(fd, STR("HEAD /seats/abc HTTP/1.1\r\nHost: a\r\n\r\n"));
        const struct answer answer = client_read(&fixture, fd, "HEAD");
        CHECK_I64(200, answer.status);
        CHECK_STR("24", answer_header(&answer, "content-length"));
        CHECK_STR("\"v3\"", answer_header(&answer, "etag"));
        CHECK_STR("application/json", answer_header(&answer, "content-type"));
    }
    client_send(fd, STR("HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK_I64(404, client_read(&fixture, fd, "HEAD").status);
    client_send(fd, STR("HEAD /seats/abc/state HTTP/1.1\r\nHost: a\r\n\r\n"));
    const struct answer answer = client_read(&fixture, fd, "HEAD");
    CHECK_STR("free", answer_header(&answer, "seat-status"));
    CHECK_STR("0", answer_header(&answer, "content-length"));
    client_send(fd, STR("GET /seats/abc HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK_STR("{\"name\":\"abc\",\"count\":3}", client_read(&fixture, fd, "GET").body);
    close(fd);
}

TEST(who_has_the_current_document_gets_304)
{
    static const struct {
        const char *method;
        const char *path;
        const char *header;
        int status;
    } cases[] = {
        {"GET",  "/seats/a", "If-None-Match: \"v3\"\r\n",           304},
        {"GET",  "/seats/a", "If-None-Match: \"v1\", W/\"v3\"\r\n", 304},
        {"GET",  "/seats/a", "If-None-Match: *\r\n",                304},
        {"HEAD", "/seats/a", "If-None-Match: \"v3\"\r\n",           304},
        {"GET",  "/seats/a", "If-None-Match: \"v4\"\r\n",           200},
        {"GET",  "/seats/a", "If-None-Match: v3\r\n",               200},
        {"GET",  "/healthz", "If-None-Match: *\r\n",                200},
        {"GET",  "/nowhere", "If-None-Match: *\r\n",                404},
    };
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            client_ask(&fixture, cases[i].method, cases[i].path, cases[i].header, NULL);
        CHECK_I64(cases[i].status, answer.status);
        if (answer.status != 304)
            continue;
        CHECK_STR("\"v3\"", answer_header(&answer, "etag"));
        CHECK_STR("public, max-age=5", answer_header(&answer, "cache-control"));
        CHECK(answer_header(&answer, "content-length").ptr == NULL);
        CHECK(answer_header(&answer, "content-type").ptr == NULL);
        CHECK_STR("keep-alive", answer_header(&answer, "connection"));
    }
}

TEST(a_key_comes_with_the_digest_of_what_the_body_means)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct answer answer;

    seats_open(&fixture);
    const struct answer first =
        client_ask(&fixture, "POST", "/seats", JSON KEY, "{\"name\":\"a\",\"count\":2}");
    CHECK_STR("k1", answer_header(&first, "x-key"));
    answer = client_ask(&fixture, "POST", "/seats", JSON KEY, "{ \"count\":2, \"name\" : \"a\" }");
    CHECK(str_eq(answer_header(&first, "x-digest"), answer_header(&answer, "x-digest")));
    answer = client_ask(&fixture, "POST", "/seats", JSON KEY, "{\"name\":\"a\",\"count\":3}");
    CHECK(!str_eq(answer_header(&first, "x-digest"), answer_header(&answer, "x-digest")));
    answer = client_ask(&fixture, "POST", "/free", JSON, "{\"name\":\"a\"}");
    CHECK_STR("none", answer_header(&answer, "x-key"));
}

/* --- Operation --- */

TEST(the_server_tells_how_it_is)
{
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open(&fixture);
    CHECK_STR("{\"status\":\"ok\"}", client_ask(&fixture, "GET", "/healthz", "", NULL).body);
    CHECK_STR("{\"status\":\"ready\"}", client_ask(&fixture, "GET", "/readyz", "", NULL).body);
    (void)client_ask(&fixture, "GET", "/seats/a?secret=1", "X-Request-Id: r-5\r\n", NULL);
    (void)client_ask(&fixture, "HEAD", "/seats/a", "", NULL);
    (void)client_ask(&fixture, "GET", "/nowhere", "", NULL);
    (void)client_ask(&fixture, "GET", "/seats/%00", "", NULL);

    const struct answer answer = client_ask(&fixture, "GET", "/metrics", "", NULL);
    CHECK_STR("text/plain; version=0.0.4; charset=utf-8", answer_header(&answer, "content-type"));
    CHECK(text_contains(answer.body, "boxoffice_http_requests_total{route=\"/seats/"
                                     "{seat}\",method=\"GET\",status=\"2xx\"} 1\n"));
    CHECK(text_contains(answer.body, "boxoffice_http_requests_total{route=\"/seats/"
                                     "{seat}\",method=\"HEAD\",status=\"2xx\"} 1\n"));
    CHECK(text_contains(
        answer.body,
        "boxoffice_http_requests_total{route=\"none\",method=\"any\",status=\"4xx\"} 1\n"));
    CHECK(text_contains(
        answer.body,
        "boxoffice_http_request_seconds_count{route=\"/seats/{seat}\",method=\"GET\"} 3\n"));
    CHECK(
        text_contains(answer.body, "{route=\"/seats/{seat}\",method=\"GET\",status=\"4xx\"} 1\n"));
    CHECK(text_contains(answer.body, "\nboxoffice_http_in_flight 1\n"));

    const str log = fixture_log(&fixture);
    CHECK(text_contains(
        log, "info http.request request=r-5 method=GET route=/seats/{seat} status=200 ms="));
    CHECK(!text_contains(log, "secret"));
}

TEST(metrics_are_not_for_everybody)
{
    CLEANUP(fixture_close) struct fixture fixture;

    seats_open_plain(&fixture);
    CHECK_I64(404, client_ask(&fixture, "GET", "/metrics", "", NULL).status);
    CHECK_I64(200, client_ask(&fixture, "GET", "/me/none", "", NULL).status);
    CHECK_I64(401, client_ask(&fixture, "GET", "/me/user", USER, NULL).status); /* nobody to ask */
}

TEST(a_port_that_is_taken_stops_the_start)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct http_server *second = NULL;
    str why = STR_ABSENT;

    seats_open(&fixture);
    for (int loops = 1; loops <= 2; loops++) {
        const struct http_options options = {.node = &fixture.node,
                                             .address = "127.0.0.1",
                                             .port = http_port(fixture.server),
                                             .loop_count = loops};
        CHECK_ERR(ERR_UNAVAILABLE, http_open(&options, fixture.arena, &second, &why));
        CHECK(text_contains(why, "cannot listen on 127.0.0.1:"));
        CHECK(text_contains(why, ": Address already in use"));
    }
    const struct http_options nowhere = {.node = &fixture.node, .address = "localhost"};
    CHECK_ERR(ERR_UNAVAILABLE, http_open(&nowhere, fixture.arena, &second, &why));
    CHECK_STR("cannot listen on localhost: not an IP address", why);
}
