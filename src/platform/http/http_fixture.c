/* platform/http/http_fixture.c - see http_fixture.h. The node is built by hand: clock, chance,
 * log, metrics and one service. */

#include "platform/http/http_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

/* --- The server --- */

struct fixture_service {
    struct service service;
    struct route_table table;
    const struct route_table *tables[2];
};

void fixture_open(struct fixture *fixture, const struct route *routes, size_t count,
                  const struct fixture_options *options)
{
    struct fixture_service *service;
    str why = STR_ABSENT;

    *fixture = (struct fixture){0};
    fixture->arena = arena_open(0);
    clock_manual_init(&fixture->clock, INT64_C(1795000000000));
    rng_seeded_init(&fixture->rng, 7);
    CHECK(pipe2(fixture->log_fds, O_NONBLOCK | O_CLOEXEC) == 0);

    service = arena_new(fixture->arena, struct fixture_service);
    *service = (struct fixture_service){
        .table = {routes,          count},
          .tables = {&service->table, NULL }
    };
    service->service = (struct service){.name = "test", .routes = service->tables};
    fixture->node = (struct node){
        .clock = &fixture->clock.clock,
        .rng = &fixture->rng.rng,
        .log = log_open(fixture->log_fds[1], LOG_INFO, &fixture->clock.clock),
        .metrics = metrics_open(),
        .instance_count = 1,
    };
    fixture->node.instances[0] =
        (struct instance){.service = &service->service, .node = &fixture->node};

    const struct http_options http_options = {
        .node = &fixture->node,
        .address = "127.0.0.1",
        .authenticate = options->authenticate,
        .admit = options->admit,
        .loop_count = options->loop_count > 0 ? options->loop_count : 1,
        .worker_count = options->worker_count,
        .waiting_max = options->waiting_max,
        .access_log = options->access_log,
        .internal = options->internal,
    };
    const struct tuning *tuning = options->tuning != NULL ? options->tuning : &http_tuning;
    CHECK_OK(http_open_tuned(&http_options, tuning, fixture->arena, &fixture->server, &why));
}

void fixture_close(struct fixture *fixture)
{
    if (fixture->server != NULL)
        http_close(fixture->server, 2000);
    fixture->server = NULL;
    if (fixture->arena == NULL)
        return;
    metrics_close(fixture->node.metrics);
    log_close(fixture->node.log);
    close(fixture->log_fds[0]);
    close(fixture->log_fds[1]);
    arena_close(fixture->arena);
    fixture->arena = NULL;
}

int64_t fixture_metric(const struct fixture *fixture, const char *name)
{
    struct buf text = buf_on_heap(1 << 20);
    char line[128];

    metrics_write(fixture->node.metrics, &text);
    const int size = snprintf(line, sizeof(line), "\n%s ", name);
    const char *found = strstr(text.data, line);
    const int64_t value = found != NULL ? strtoll(found + size, NULL, 10) : -1;
    buf_done(&text);
    return value;
}

str fixture_log(struct fixture *fixture)
{
    char *text = arena_alloc(fixture->arena, FIXTURE_LOG_SIZE_MAX);
    const ssize_t size = read(fixture->log_fds[0], text, FIXTURE_LOG_SIZE_MAX);

    return (str){text, size > 0 ? (size_t)size : 0};
}

/* --- The client --- */

int client_open(const struct fixture *fixture)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_port(fixture->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

void client_send(int fd, str bytes)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(fd, bytes.ptr, bytes.size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* closed meanwhile: what is read next shows it */
        bytes = str_slice(bytes, (size_t)sent, bytes.size);
    }
}

bool text_contains(str text, const char *part)
{
    return memmem(text.ptr, text.size, part, strlen(part)) != NULL;
}

str answer_header(const struct answer *answer, const char *name)
{
    str rest = answer->head;
    str line;

    while (str_split(&rest, '\n', &line)) {
        str value = line;
        str key;
        (void)str_split(&value, ':', &key);
        if (str_eq_nocase(key, str_of(name)))
            return str_trim(value);
    }
    return STR_ABSENT;
}

/* Exactly `size` more bytes; false at the end of the stream. */
static bool read_more(int fd, struct buf *text, size_t size)
{
    while (size > 0) {
        char *room = buf_room(text, size);
        CHECK(room != NULL);
        const ssize_t got = recv(fd, room, size, 0);
        if (got <= 0)
            return false;
        buf_took(text, (size_t)got);
        size -= (size_t)got;
    }
    return true;
}

struct answer client_read(struct fixture *fixture, int fd, const char *method)
{
    struct buf text = buf_in(fixture->arena, FIXTURE_ANSWER_SIZE_MAX);
    struct answer answer = {0};
    int64_t length = 0;

    while (!str_ends(buf_str(&text), STR("\r\n\r\n")))
        if (!read_more(fd, &text, 1))
            return (struct answer){.is_closed = true};
    answer.head = arena_str(fixture->arena, buf_str(&text));
    CHECK(str_starts(answer.head, STR("HTTP/1.1 ")));
    answer.status = atoi(answer.head.ptr + strlen("HTTP/1.1 "));
    answer.is_closed = str_eq(answer_header(&answer, "connection"), STR("close"));

    const str content_length = answer_header(&answer, "content-length");
    if (content_length.ptr != NULL)
        CHECK(str_to_i64(content_length, &length));
    buf_clear(&text);
    if (length > 0 && strcmp(method, "HEAD") != 0)
        CHECK(read_more(fd, &text, (size_t)length));
    answer.body = buf_str(&text);
    return answer;
}

bool client_is_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

struct answer client_ask(struct fixture *fixture, const char *method, const char *path,
                         const char *headers, const char *body)
{
    struct buf text = buf_in(fixture->arena, FIXTURE_ANSWER_SIZE_MAX);
    const int fd = client_open(fixture);

    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, path, headers);
    if (body != NULL)
        buf_printf(&text, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        buf_add_cstr(&text, "\r\n");
    client_send(fd, buf_str(&text));
    const struct answer answer = client_read(fixture, fd, method);
    close(fd);
    return answer;
}

void client_settle(struct fixture *fixture, int settled_fd)
{
    /* Twice: in its first turn the loop may have taken this connection before the other one. */
    for (int i = 0; i < 2; i++) {
        client_send(settled_fd, STR("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
        CHECK_I64(200, client_read(fixture, settled_fd, "GET").status);
    }
}
