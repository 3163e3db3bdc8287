/* support/http_ask.c - sends one request to a server of this process over a connection of its own,
 * and reads the answer. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/http_ask.h"
#include "support/json_at.h"
#include "support/test.h"

enum { MESSAGE_SIZE_MAX = 16 * 1024 * 1024, PATIENCE_S = 60 };

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static str request_text(struct arena *arena, const struct ask *ask)
{
    struct buf text = buf_in(arena, MESSAGE_SIZE_MAX);

    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", ask->method,
               ask->path);
    if (ask->who != NULL)
        buf_printf(&text, "Authorization: Bearer %s\r\n", ask->who);
    if (ask->key != NULL)
        buf_printf(&text, "Idempotency-Key: %s\r\n", ask->key);
    if (ask->headers != NULL)
        buf_add_cstr(&text, ask->headers);
    if (ask->body != NULL)
        buf_printf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                   strlen(ask->body));
    buf_add_cstr(&text, "\r\n");
    if (ask->body != NULL)
        buf_add_cstr(&text, ask->body);
    CHECK(!text.overflow);
    return buf_str(&text);
}

static void send_all(int fd, str text)
{
    while (text.size > 0) {
        const ssize_t sent = send(fd, text.ptr, text.size, MSG_NOSIGNAL);

        CHECK(sent > 0);
        text = str_slice(text, (size_t)sent, text.size);
    }
}

static str receive_all(int fd, struct arena *arena)
{
    struct buf text = buf_in(arena, MESSAGE_SIZE_MAX);
    char chunk[16 * 1024];
    ssize_t size = 0;

    while ((size = recv(fd, chunk, sizeof(chunk), 0)) > 0)
        buf_add(&text, (str){chunk, (size_t)size});
    CHECK(size == 0);
    CHECK(!text.overflow);
    return buf_str(&text);
}

/* "HTTP/1.1 201 Created\r\nname: value\r\n...\r\n\r\nbody" */
static struct answer parse(str text)
{
    struct answer answer = {0};
    int64_t status = 0;

    if (text.size == 0)
        return answer;
    const char *end = memmem(text.ptr, text.size, "\r\n\r\n", 4);
    CHECK(end != NULL && text.size > 12);
    CHECK(str_to_i64(str_slice(text, 9, 12), &status));
    answer.status = (int)status;
    answer.headers = str_slice(text, 0, (size_t)(end - text.ptr) + 2);
    answer.body = str_slice(text, (size_t)(end - text.ptr) + 4, text.size);
    return answer;
}

struct answer http_ask(const struct http_server *server, struct arena *arena, const struct ask *ask)
{
    CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)http_port(server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    CHECK(fd >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    CHECK(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    send_all(fd, request_text(arena, ask));
    return parse(receive_all(fd, arena));
}

str answer_header(const struct answer *answer, const char *name)
{
    str rest = answer->headers;
    str line = STR_ABSENT;

    while (str_split(&rest, '\n', &line)) {
        str value = line;
        str before = STR_ABSENT;

        if (str_split(&value, ':', &before) && value.ptr != NULL &&
            str_eq_nocase(before, str_of(name)))
            return str_trim(value);
    }
    return STR_ABSENT;
}

str answer_at(struct arena *arena, const struct answer *answer, const char *pointer)
{
    return json_at(arena, answer->body, pointer);
}

int64_t answer_i64(struct arena *arena, const struct answer *answer, const char *pointer)
{
    int64_t n = 0;

    CHECK(str_to_i64(answer_at(arena, answer, pointer), &n));
    return n;
}

void check_status(int status, const struct answer *answer)
{
    if (answer->status != status)
        print_error("%.*s\n", STR_ARG(answer->body));
    CHECK_I64(status, answer->status);
}

void check_problem(struct arena *arena, const struct answer *answer, int status, const char *code)
{
    check_status(status, answer);
    CHECK_STR("application/problem+json", answer_header(answer, "Content-Type"));
    CHECK_STR(code, answer_at(arena, answer, "/code"));
}
