/* platform/ws/client_open.c - from a URL to an open WebSocket connection: address, socket,
 * handshake.
 *
 * The answer is read as strictly as the guard of platform/http reads requests: it comes from
 * another program of ours, or from a proxy before it. */

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/ws/client_internal.h"
#include "platform/ws/handshake.h"

enum {
    HOST_SIZE_MAX = 253,
    HEAD_SIZE_MAX = 16 * 1024,
    RECHECK_MS = 250, /* so often the clock is asked, which may be moved by hand */
    READ_SIZE = 4096,
    INPUT_SIZE_MIN = HEAD_SIZE_MAX + READ_SIZE,
};

/* --- Sockets --- */

enum ws_wait ws_wait_for(struct clock *clock, int fd, int wake_fd, short events, int64_t until_ms)
{
    for (;;) {
        struct pollfd polled[] = {
            {.fd = fd,      .events = events},
            {.fd = wake_fd, .events = POLLIN}
        };
        const int64_t left_ms =
            until_ms == CLOCK_NEVER_MS ? RECHECK_MS : until_ms - clock_now_ms(clock);
        const int64_t wait_ms = left_ms < 0 ? 0 : left_ms < RECHECK_MS ? left_ms : RECHECK_MS;

        const int ready = poll(polled, wake_fd >= 0 ? 2 : 1, (int)wait_ms);
        if (ready > 0 && wake_fd >= 0 && polled[1].revents != 0)
            return WS_WAIT_WOKEN;
        if (ready > 0)
            return WS_WAIT_READY;
        if (until_ms != CLOCK_NEVER_MS && clock_now_ms(clock) >= until_ms)
            return WS_WAIT_LATE;
    }
}

bool ws_write_all(struct clock *clock, int fd, str bytes, int64_t until_ms)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(fd, bytes.ptr, bytes.size, MSG_NOSIGNAL);
        if (sent > 0)
            bytes = str_slice(bytes, (size_t)sent, bytes.size);
        else if ((errno != EAGAIN && errno != EINTR) ||
                 ws_wait_for(clock, fd, -1, POLLOUT, until_ms) == WS_WAIT_LATE)
            return false;
    }
    return true;
}

bool ws_read_some(int fd, struct buf *input)
{
    char *room = buf_room(input, READ_SIZE);
    ssize_t got = -1;

    if (room == NULL)
        return false;
    do
        got = recv(fd, room, READ_SIZE, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        buf_took(input, (size_t)got);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

/* --- The URL --- */

struct target {
    char host[HOST_SIZE_MAX + 1]; /* without the brackets of an IPv6 address */
    char port[6];
    str authority;
    str path;
};

static bool is_plain(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    return true;
}

static bool read_url(str url, struct target *ret)
{
    static const str scheme = {"ws://", 5};
    size_t end = scheme.size;
    int64_t port = 80;

    if (!str_starts(url, scheme) || !is_plain(url))
        return false;
    while (end < url.size && url.ptr[end] != '/')
        end++;
    ret->authority = str_slice(url, scheme.size, end);
    ret->path = end < url.size ? str_slice(url, end, url.size) : STR("/");

    str host = ret->authority;
    size_t colon = host.size;
    while (colon > 0 && host.ptr[colon - 1] != ':' && host.ptr[colon - 1] != ']')
        colon--;
    if (colon > 0 && host.ptr[colon - 1] == ':') {
        if (!str_to_i64(str_slice(host, colon, host.size), &port) || port < 1 || port > 65535)
            return false;
        host = str_slice(host, 0, colon - 1);
    }
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_slice(host, 1, host.size - 1);
    if (host.size == 0 || host.size > HOST_SIZE_MAX || memchr(host.ptr, '@', host.size) != NULL ||
        memchr(url.ptr, '#', url.size) != NULL)
        return false;
    memcpy(ret->host, host.ptr, host.size);
    ret->host[host.size] = '\0';
    (void)snprintf(ret->port, sizeof(ret->port), "%d", (int)port);
    return true;
}

/* --- Connecting --- */

static bool is_connected(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return false;
    errno = error;
    return error == 0;
}

/* -1 with errno set. */
static int connect_to(const struct addrinfo *address, struct clock *clock, int64_t until_ms)
{
    const int on = 1;
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    if (errno == EINPROGRESS) {
        if (ws_wait_for(clock, fd, -1, POLLOUT, until_ms) == WS_WAIT_LATE)
            errno = ETIMEDOUT;
        else if (is_connected(fd))
            return fd;
    }
    const int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* Every address that the name has, until one answers. */
static int connect_any(const struct target *target, struct clock *clock, int64_t until_ms,
                       struct ws_failure *failure)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;

    const int error = getaddrinfo(target->host, target->port, &wanted, &found);
    if (error != 0) {
        (void)snprintf(failure->why, sizeof(failure->why), "%s: %s", target->host,
                       gai_strerror(error));
        return -1;
    }
    for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next)
        fd = connect_to(one, clock, until_ms);
    if (fd < 0)
        (void)snprintf(failure->why, sizeof(failure->why), "%s:%s: %s", target->host, target->port,
                       strerrordesc_np(errno));
    freeaddrinfo(found);
    return fd;
}

/* --- The handshake --- */

static bool is_header_value(str value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool write_request(const struct ws_client_options *options, const struct target *target,
                          const struct ws_key *key, struct buf *text)
{
    bool is_valid = is_header_value(options->bearer) && is_header_value(options->subprotocol);

    buf_printf(text,
               "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
               STR_ARG(target->path), STR_ARG(target->authority), key->text);
    if (options->bearer.ptr != NULL)
        buf_printf(text, "Authorization: Bearer %.*s\r\n", STR_ARG(options->bearer));
    if (options->subprotocol.ptr != NULL)
        buf_printf(text, "Sec-WebSocket-Protocol: %.*s\r\n", STR_ARG(options->subprotocol));
    for (size_t i = 0; i < options->header_count; i++) {
        const struct ws_header *header = &options->headers[i];
        is_valid = is_valid && header->name.size > 0 && is_plain(header->name) &&
                   is_header_value(header->value);
        buf_printf(text, "%.*s: %.*s\r\n", STR_ARG(header->name), STR_ARG(header->value));
    }
    buf_add_cstr(text, "\r\n");
    return is_valid && !text->overflow;
}

/* What of the answer matters; absent: not said. */
struct answer {
    int status;
    str upgrade;
    str connection;
    str accept;
    str protocol;
    str extensions;
    str retry_after;
};

/* A second line of any of them would be one too many. */
static bool note(str *slot, str value)
{
    if (slot->ptr != NULL)
        return false;
    *slot = value;
    return true;
}

static bool read_field(struct answer *answer, str line)
{
    const struct {
        const char *name;
        str *slot;
    } known[] = {
        {"upgrade",                  &answer->upgrade    },
        {"connection",               &answer->connection },
        {"sec-websocket-accept",     &answer->accept     },
        {"sec-websocket-protocol",   &answer->protocol   },
        {"sec-websocket-extensions", &answer->extensions },
        {"retry-after",              &answer->retry_after},
    };
    str value = line;
    str name;

    (void)str_split(&value, ':', &name);
    if (value.ptr == NULL || name.size == 0 || !is_plain(name) || !is_header_value(str_trim(value)))
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq_nocase(name, str_of(known[i].name)))
            return note(known[i].slot, str_trim(value));
    return true;
}

static bool read_status(str line, int *ret)
{
    int64_t status;

    if (!str_starts(line, STR("HTTP/1.1 ")) || line.size < 12 ||
        !str_to_i64(str_slice(line, 9, 12), &status) || status < 100 ||
        (line.size > 12 && line.ptr[12] != ' '))
        return false;
    *ret = (int)status;
    return true;
}

/* `head`: up to and with its empty line. */
static bool read_answer(str head, struct answer *ret)
{
    bool is_first = true;
    str line;

    *ret = (struct answer){0};
    while (str_split(&head, '\n', &line)) {
        if (line.size == 0 || line.ptr[line.size - 1] != '\r')
            return false;
        line.size--;
        if (line.size == 0)
            return !is_first;
        if (!(is_first ? read_status(line, &ret->status) : read_field(ret, line)))
            return false;
        is_first = false;
    }
    return false;
}

static const char *judge(const struct answer *answer, const struct ws_client_options *options,
                         const struct ws_key *key)
{
    const struct ws_accept accept = ws_accept_of(str_of(key->text));

    if (!str_eq_nocase(answer->upgrade, STR("websocket")) ||
        !ws_list_has(answer->connection, STR("upgrade")) ||
        !str_eq(answer->accept, str_of(accept.text)))
        return "the answer is no WebSocket handshake";
    if (answer->extensions.ptr != NULL)
        return "an extension that nobody asked for";
    if (!str_eq(answer->protocol, options->subprotocol))
        return "another subprotocol than the one that was asked for";
    return NULL;
}

static const char *shake_hands(struct ws_client *client, const struct ws_client_options *options,
                               const struct ws_key *key, int64_t until_ms)
{
    struct answer answer;
    const struct buf *input = &client->input;
    const char *end = NULL;
    int64_t retry_after_s = 0;

    while (input->size == 0 || (end = memmem(input->data, input->size, "\r\n\r\n", 4)) == NULL) {
        if (input->size > HEAD_SIZE_MAX)
            return "the answer has no end";
        if (ws_wait_for(client->clock, client->fd, -1, POLLIN, until_ms) == WS_WAIT_LATE)
            return "no answer in time";
        if (!ws_read_some(client->fd, &client->input))
            return "closed instead of an answer";
    }
    const size_t size = (size_t)(end - input->data) + 4;
    if (!read_answer((str){input->data, size}, &answer))
        return "the answer is not HTTP/1.1";
    if (answer.status != 101) {
        client->failure.status = answer.status;
        if (str_to_i64(answer.retry_after, &retry_after_s) && retry_after_s > 0 &&
            retry_after_s < INT32_MAX)
            client->failure.retry_after_s = (int)retry_after_s;
        return "refused";
    }
    const char *why = judge(&answer, options, key);
    client->taken = size;
    return why;
}

/* --- Opening --- */

static uint32_t or_standard(uint32_t value, uint32_t standard)
{
    return value > 0 ? value : standard;
}

static struct ws_client *new_client(const struct ws_client_options *options)
{
    struct ws_client *client = mem_new(struct ws_client);
    const size_t input_max = (size_t)options->message_max + WS_HEAD_SIZE_MAX + READ_SIZE;

    client->clock = options->clock;
    client->rng = options->rng;
    client->send_ms = or_standard(options->send_ms, WS_CLIENT_SEND_MS);
    client->close_ms = or_standard(options->close_ms, WS_CLIENT_CLOSE_MS);
    client->ping_after_ms = or_standard(options->ping_after_ms, WS_CLIENT_PING_AFTER_MS);
    client->dead_after_ms = or_standard(options->dead_after_ms, WS_CLIENT_DEAD_AFTER_MS);
    client->fd = -1;
    client->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    client->reader = ws_reader_new(WS_CLIENT, options->message_max);
    client->input = buf_on_heap(input_max > INPUT_SIZE_MIN ? input_max : INPUT_SIZE_MIN);
    client->failure.code = WS_ABNORMAL;
    return client;
}

err ws_client_open(const struct ws_client_options *options, struct ws_client **ret,
                   struct ws_failure *ret_failure)
{
    CLEANUP(buf_done) struct buf request = buf_on_heap(HEAD_SIZE_MAX);
    const int64_t until_ms =
        clock_now_ms(options->clock) + or_standard(options->open_ms, WS_CLIENT_OPEN_MS);
    uint8_t nonce[WS_NONCE_SIZE];
    struct target target = {0};
    const char *why = NULL;

    assert(options->message_max > 0);
    *ret_failure = (struct ws_failure){.code = WS_ABNORMAL};
    rng_fill(options->rng, nonce, sizeof(nonce));
    const struct ws_key key = ws_key_make(nonce);
    if (!read_url(options->url, &target) || !write_request(options, &target, &key, &request)) {
        (void)snprintf(ret_failure->why, sizeof(ret_failure->why),
                       "not a ws:// URL, or not a header: %.*s", STR_ARG(options->url));
        return ERR_INVALID;
    }
    struct ws_client *client = new_client(options);
    if (client->wake_fd < 0)
        (void)snprintf(client->failure.why, sizeof(client->failure.why), "no descriptor is left");
    else
        client->fd = connect_any(&target, client->clock, until_ms, &client->failure);
    if (client->fd >= 0) {
        why = ws_write_all(client->clock, client->fd, buf_str(&request), until_ms)
                  ? shake_hands(client, options, &key, until_ms)
                  : "closed before the handshake";
        client->heard_at_ms = clock_now_ms(client->clock);
    }
    if (client->fd >= 0 && why == NULL) {
        *ret = client;
        return ERR_OK;
    }
    if (why != NULL)
        (void)ws_client_fail(client, WS_ABNORMAL, why);
    *ret_failure = client->failure;
    ws_client_close(client, WS_NORMAL, STR(""));
    return ERR_UNAVAILABLE;
}
