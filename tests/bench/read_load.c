/* bench/read_load.c - asks an HTTP server as fast as it answers: read_load PORT CONNECTIONS SECONDS
 * FILE.
 *
 * FILE has a request a line, "GET /path"; they are sent in turn, one at a time on each connection,
 * over and over. Unlike wrk it knows that an answer to HEAD ends with its head, and sends what it
 * was told without a script in between. Prints one line of JSON: requests, seconds, what went
 * wrong, and percentiles of the time from sending to the last byte. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    REQUEST_SIZE_MAX = 4096,
    LINE_SIZE_MAX = REQUEST_SIZE_MAX + 128,
    ANSWER_SIZE_MAX = 4 << 20,
    EVENTS_MAX = 256,
    CONNECTIONS_MAX = 1000,
};

#define STEPS   ((size_t)32) /* of the histogram, for each power of two: 3 % */
#define BUCKETS (40 * STEPS)

struct request {
    char *text;
    size_t size;
    bool is_head;
};

struct connection {
    int fd;
    bool is_head; /* what was asked */
    int64_t sent_ns;
    char *input;
    size_t size;
};

struct load {
    struct sockaddr_in address;
    struct request *requests;
    size_t request_count;
    size_t next;
    int epoll;
    struct connection *connections;
    size_t connection_count;
    int64_t until_ns;
    int64_t done;
    int64_t refused; /* answered, but with 4xx or 5xx */
    int64_t buckets[BUCKETS];
};

static void die(const char *what)
{
    perror(what);
    _exit(1);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        die("malloc");
    return memory;
}

/* --- Requests --- */

static void read_requests(struct load *load, const char *path, int port)
{
    FILE *file = fopen(path, "r");
    char line[REQUEST_SIZE_MAX];

    if (file == NULL)
        die(path);
    while (fgets(line, sizeof(line), file) != NULL) {
        struct request request = {.text = allocate(LINE_SIZE_MAX),
                                  .is_head = strncmp(line, "HEAD ", 5) == 0};

        line[strcspn(line, "\n")] = '\0';
        const int size = snprintf(request.text, LINE_SIZE_MAX,
                                  "%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", line, port);
        request.size = (size_t)size;
        load->requests =
            realloc(load->requests, (load->request_count + 1) * sizeof(struct request));
        if (load->requests == NULL)
            die("realloc");
        load->requests[load->request_count++] = request;
    }
    (void)fclose(file);
    if (load->request_count == 0) {
        (void)fprintf(stderr, "%s: no requests\n", path);
        _exit(1);
    }
}

/* --- Times --- */

static size_t bucket_of(int64_t us)
{
    size_t power = 0;

    if (us < 0)
        return 0;
    while ((us >> power) >= (int64_t)(2 * STEPS))
        power++;
    const size_t bucket = power * STEPS + (size_t)(us >> power);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static int64_t us_of(size_t bucket)
{
    if (bucket < 2 * STEPS)
        return (int64_t)bucket;
    const size_t power = bucket / STEPS - 1;
    return (int64_t)(bucket % STEPS + STEPS) << power;
}

static double percentile_ms(const struct load *load, double share)
{
    const double wanted = (double)load->done * share;
    int64_t seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        seen += load->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return (double)us_of(i) / 1000;
    }
    return 0;
}

/* --- Connections --- */

static void send_next(struct load *load, struct connection *connection)
{
    const struct request *request = &load->requests[load->next];

    load->next = (load->next + 1) % load->request_count;
    connection->is_head = request->is_head;
    connection->size = 0;
    connection->sent_ns = clock_stopwatch_ns();
    if (send(connection->fd, request->text, request->size, MSG_NOSIGNAL) != (ssize_t)request->size)
        die("send");
}

/* The size of the whole answer; 0: there is more to come. */
static size_t answer_size(const struct connection *connection)
{
    static const char name[] = "content-length:";
    const char *end = memmem(connection->input, connection->size, "\r\n\r\n", 4);

    if (end == NULL)
        return 0;
    const size_t head = (size_t)(end - connection->input) + 4;
    if (connection->is_head)
        return head;
    for (const char *line = connection->input; line != NULL && line < end;) {
        if (strncasecmp(line, name, sizeof(name) - 1) == 0)
            return head + strtoul(line + sizeof(name) - 1, NULL, 10);
        line = memchr(line, '\n', (size_t)(end - line));
        line = line != NULL ? line + 1 : NULL;
    }
    return head;
}

static void read_answer(struct load *load, struct connection *connection)
{
    const ssize_t got = recv(connection->fd, connection->input + connection->size,
                             ANSWER_SIZE_MAX - connection->size, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        die("recv");
    connection->size += (size_t)got;
    const size_t size = answer_size(connection);
    if (size == 0 || connection->size < size)
        return;
    if (connection->size > size) {
        (void)fprintf(stderr, "more was answered than asked\n");
        _exit(1);
    }
    load->buckets[bucket_of((clock_stopwatch_ns() - connection->sent_ns) / 1000)]++;
    load->done++;
    if (connection->input[9] != '2' && connection->input[9] != '3')
        load->refused++;
    send_next(load, connection);
}

static void open_connection(struct load *load, struct connection *connection)
{
    const int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    connection->input = allocate(ANSWER_SIZE_MAX); /* touched only as far as answers go */
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&load->address, sizeof(load->address)) !=
            0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        die("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        die("epoll_ctl");
    send_next(load, connection);
}

int main(int argc, char **argv)
{
    struct load load = {.address = {.sin_family = AF_INET}};

    if (argc != 5) {
        (void)fprintf(stderr, "usage: read_load PORT CONNECTIONS SECONDS FILE\n");
        return 2;
    }
    const int port = (int)strtol(argv[1], NULL, 10);
    load.address.sin_port = htons((uint16_t)port);
    load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    read_requests(&load, argv[4], port);
    load.connection_count = strtoul(argv[2], NULL, 10);
    if (load.connection_count < 1 || load.connection_count > CONNECTIONS_MAX) {
        (void)fprintf(stderr, "1 to %d connections\n", CONNECTIONS_MAX);
        return 2;
    }
    load.connections = allocate(load.connection_count * sizeof(struct connection));
    load.epoll = epoll_create1(0);
    if (load.epoll < 0)
        die("epoll_create1");
    const int64_t begun_ns = clock_stopwatch_ns();
    load.until_ns = begun_ns + (int64_t)(strtod(argv[3], NULL) * 1e9);
    for (size_t i = 0; i < load.connection_count; i++)
        open_connection(&load, &load.connections[i]);
    while (clock_stopwatch_ns() < load.until_ns) {
        struct epoll_event events[EVENTS_MAX];
        const int count = epoll_wait(load.epoll, events, EVENTS_MAX, 10000);

        if (count == 0) {
            (void)fprintf(stderr, "no answer within ten seconds\n");
            return 1;
        }
        for (int i = 0; i < count; i++)
            read_answer(&load, events[i].data.ptr);
    }
    printf("{\"requests\":%lld,\"seconds\":%.6f,\"refused\":%lld,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"p999_ms\":%.3f}\n",
           (long long)load.done, (double)(clock_stopwatch_ns() - begun_ns) / 1e9,
           (long long)load.refused, percentile_ms(&load, 0.5), percentile_ms(&load, 0.99),
           percentile_ms(&load, 0.999));
    for (size_t i = 0; i < load.connection_count; i++) {
        (void)close(load.connections[i].fd);
        free(load.connections[i].input);
    }
    for (size_t i = 0; i < load.request_count; i++)
        free(load.requests[i].text);
    free(load.connections);
    free(load.requests);
    return 0;
}
