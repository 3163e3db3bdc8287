/* bench/hold_bench.c - how many holds a second go through HTTP into the database, all of one ticket
 * type.
 *
 * A closed loop: each of N keep-alive connections books one ticket, waits for the answer and
 * books the next, always as another customer with another key. Server and generator share the
 * machine (and this process), so it is a lower bound. A run in which the books do not balance
 * has no result.
 *
 * With "sold-out" nothing is on offer, and what is counted are refusals: on SQLite memory gives
 * them, on PostgreSQL the desk first looks whether the key has an order.
 *
 *     hold_bench [CONNECTIONS [SECONDS [sold-out]]]      in a directory below TMPDIR, which should be a real disk
 *     with_postgres --durable hold_bench ...  on a PostgreSQL server there, and beside it pgbench with
 *                                             the same rows, a transaction a hold */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "pgbench_holds.h"
#include "services/booking/booking.h"
#include "support/booking_node.h"
#include "support/test.h"
#include "support/test_database.h"

enum {
    CONNECTIONS_MAX = 4096,
    REQUEST_SIZE_MAX = 1024,
    ANSWER_SIZE_MAX = 8192,
    WARM_UP_S = 2,
    PGBENCH_S = 4,
    SLOTS = 20000, /* of 10 us: up to 200 ms */
    SLOT_NS = 10000,
};

/* --- Connections --- */

struct connection {
    int fd;
    char request[REQUEST_SIZE_MAX];
    size_t request_size;
    size_t sent;
    char answer[ANSWER_SIZE_MAX];
    size_t answer_size;
    int64_t began_ns;
};

struct run {
    const struct booking_node *node;
    const struct known_event *event;
    int epoll_fd;
    struct connection *connections;
    int connection_count;
    int64_t next_number; /* of the next customer */
    bool counting;
    bool sold_out;
    int64_t held; /* 201, or of what is sold out 409 */
    int64_t held_in_all;
    int64_t other;
    int64_t slots[SLOTS]; /* of answer times */
    int64_t slowest_ns;
};

static void write_request(struct run *run, struct connection *connection)
{
    char body[256];
    const int body_size =
        snprintf(body, sizeof(body),
                 "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":1}]}",
                 run->event->id_text, run->event->type_texts[0]);
    const int64_t number = run->next_number++;
    const int size = snprintf(connection->request, sizeof(connection->request),
                              "POST /tickets/book HTTP/1.1\r\n"
                              "Host: localhost\r\n"
                              "Authorization: Bearer customer-%" PRId64 "\r\n"
                              "Idempotency-Key: 3f0b6a52-2f0e-4d3a-9c55-%012" PRId64 "\r\n"
                              "Content-Type: application/json\r\n"
                              "Content-Length: %d\r\n\r\n%s",
                              number, number, body_size, body);

    CHECK(body_size > 0 && size > 0 && (size_t)size < sizeof(connection->request));
    connection->request_size = (size_t)size;
    connection->sent = 0;
    connection->answer_size = 0;
    connection->began_ns = clock_stopwatch_ns();
}

static void watch(struct run *run, struct connection *connection, uint32_t events, int act)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};

    CHECK(epoll_ctl(run->epoll_fd, act, connection->fd, &event) == 0);
}

static void send_request(struct run *run, struct connection *connection)
{
    const ssize_t size = send(connection->fd, connection->request + connection->sent,
                              connection->request_size - connection->sent, MSG_NOSIGNAL);

    CHECK(size > 0 || (size < 0 && errno == EAGAIN));
    connection->sent += size > 0 ? (size_t)size : 0;
    if (connection->sent < connection->request_size)
        watch(run, connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void open_connection(struct run *run, struct connection *connection)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)http_port(run->node->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connection->fd >= 0);
    CHECK(connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    watch(run, connection, EPOLLIN, EPOLL_CTL_ADD);
    write_request(run, connection);
    send_request(run, connection);
}

/* --- Answers --- */

/* The size of the whole answer; 0 while its head is not there yet. */
static size_t whole_size(struct connection *connection)
{
    static const char name[] = "content-length: ";
    const char *end = NULL;
    const char *length = NULL;

    connection->answer[connection->answer_size] = '\0';
    end = strstr(connection->answer, "\r\n\r\n");
    if (end == NULL)
        return 0;
    length = strcasestr(connection->answer, name);
    CHECK(length != NULL && length < end);
    return (size_t)(end - connection->answer) + 4 + strtoul(length + strlen(name), NULL, 10);
}

static void count(struct run *run, const struct connection *connection)
{
    const int64_t took_ns = clock_stopwatch_ns() - connection->began_ns;
    const char *wanted = run->sold_out ? "HTTP/1.1 409" : "HTTP/1.1 201";
    const bool held = strncmp(connection->answer, wanted, 12) == 0;
    const int64_t slot = took_ns / SLOT_NS;

    run->held_in_all += held;
    if (!held && run->other == 0)
        (void)fprintf(stderr, "not held: %.400s\n", connection->answer);
    run->other += !held;
    if (!run->counting)
        return;
    run->held += held;
    run->slots[slot < SLOTS ? slot : SLOTS - 1]++;
    if (took_ns > run->slowest_ns)
        run->slowest_ns = took_ns;
}

/* False once it should not ask again and has its answer. */
static bool receive(struct run *run, struct connection *connection, bool again)
{
    const size_t room = sizeof(connection->answer) - 1 - connection->answer_size;
    const ssize_t size =
        recv(connection->fd, connection->answer + connection->answer_size, room, MSG_DONTWAIT);
    size_t whole = 0;

    if (size < 0 && errno == EAGAIN)
        return true;
    CHECK(size > 0);
    connection->answer_size += (size_t)size;
    whole = whole_size(connection);
    if (whole == 0 || connection->answer_size < whole)
        return true;
    CHECK(connection->answer_size == whole);
    count(run, connection);
    if (!again)
        return false;
    write_request(run, connection);
    send_request(run, connection);
    return true;
}

/* Until `until_ns`; with `again` false until all have their answers. */
static void loop(struct run *run, int64_t until_ns, bool again)
{
    struct epoll_event events[256];
    int open = run->connection_count;

    while (again ? clock_stopwatch_ns() < until_ns : open > 0) {
        const int ready = epoll_wait(run->epoll_fd, events, 256, 100);

        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;

            if ((events[i].events & EPOLLOUT) != 0) {
                watch(run, connection, EPOLLIN, EPOLL_CTL_MOD);
                send_request(run, connection);
            }
            if ((events[i].events & EPOLLIN) != 0 && !receive(run, connection, again))
                open--;
        }
    }
}

/* --- The report --- */

static double answer_ms(const struct run *run, double part)
{
    int64_t left = (int64_t)((double)(run->held) * part);

    for (int i = 0; i < SLOTS; i++) {
        left -= run->slots[i];
        if (left <= 0)
            return (i + 1) * (double)SLOT_NS / 1e6;
    }
    return (double)run->slowest_ns / 1e6;
}

/* The value of the first series of that name. */
static double metric_of(const struct booking_node *node, const char *name)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1048576);
    const char *at = NULL;

    metrics_write(node->node->metrics, &text);
    at = strstr(text.data, name);
    CHECK(at != NULL);
    return strtod(strchr(at, ' '), NULL);
}

static double cpu_s(void)
{
    struct rusage usage;

    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void check_books(struct booking_node *node, const struct run *run)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;

    const int64_t orders = run->sold_out ? 0 : run->held_in_all;

    CHECK_I64(orders, booking_i64(node, "SELECT count(*) FROM order_state"));
    CHECK_I64(run->sold_out ? 0 : TICKET_TYPE_QUANTITY_MAX - orders,
              booking_i64(node, "SELECT remaining FROM ticket_type_stock"));
    booking_node_call(node, &call);
    CHECK_OK(booking_audit(&call, &found));
}

/* What the server counts, at one moment. */
struct reading {
    double written;
    double batches;
    double commit_s;
    double commits;
    double cpu_s;
    int64_t at_ns;
};

static struct reading reading_of(const struct booking_node *node)
{
    return (struct reading){
        .written = metric_of(node, "boxoffice_db_batch_size_sum{"),
        .batches = metric_of(node, "boxoffice_db_batch_size_count{"),
        .commit_s = metric_of(node, "boxoffice_db_commit_seconds_sum{db=\"booking\"}"),
        .commits = metric_of(node, "boxoffice_db_commit_seconds_count{db=\"booking\"}"),
        .cpu_s = cpu_s(),
        .at_ns = clock_stopwatch_ns(),
    };
}

/* Where the desk was not asked there is nothing to divide by. */
static double mean(double sum, double count)
{
    return count > 0 ? sum / count : 0;
}

/* Gives the holds a second. */
static double measure(struct booking_node *node, struct run *run, int seconds)
{
    struct reading before = {0};
    struct reading after = {0};
    double took_s = 0;
    double cpu = 0;
    double batches = 0;

    loop(run, clock_stopwatch_ns() + WARM_UP_S * INT64_C(1000000000), true);
    before = reading_of(node);
    run->counting = true;
    loop(run, before.at_ns + seconds * INT64_C(1000000000), true);
    run->counting = false;
    after = reading_of(node);
    loop(run, 0, false);

    took_s = (double)(after.at_ns - before.at_ns) / 1e9;
    cpu = after.cpu_s - before.cpu_s;
    batches = after.batches - before.batches;

    (void)printf("%s/s %.0f  connections %d  seconds %.1f  other answers %" PRId64 "\n"
                 "mean batch %.1f  batches/s %.0f  mean commit ms %.2f\n"
                 "answer ms: p50 %.2f  p90 %.2f  p99 %.2f  max %.2f\n"
                 "cpu us a hold, generator included: %.1f  (%.2f cores)\n",
                 run->sold_out ? "refusals" : "holds", (double)run->held / took_s,
                 run->connection_count, took_s, run->other,
                 mean(after.written - before.written, batches), batches / took_s,
                 mean((after.commit_s - before.commit_s) * 1e3, after.commits - before.commits),
                 answer_ms(run, 0.5), answer_ms(run, 0.9), answer_ms(run, 0.99),
                 (double)run->slowest_ns / 1e6, cpu * 1e6 / (double)run->held, cpu / took_s);
    return (double)run->held / took_s;
}

int main(int argc, char **argv)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct run *run = calloc(1, sizeof(*run));
    struct known_event event;
    int64_t connections = 128;
    int64_t seconds = 10;
    double ours = 0;

    CHECK(run != NULL);
    if ((argc > 1 && !str_to_i64(str_of(argv[1]), &connections)) ||
        (argc > 2 && !str_to_i64(str_of(argv[2]), &seconds)) || connections < 1 ||
        connections > CONNECTIONS_MAX || seconds < 1 || seconds > 3600 ||
        (argc > 3 && strcmp(argv[3], "sold-out") != 0)) {
        (void)fprintf(stderr, "hold_bench [CONNECTIONS [SECONDS [sold-out]]]\n");
        free(run);
        return 2;
    }
    booking_node_open(&node, NULL);
    run->sold_out = argc > 3;
    event = booking_add_simple(&node, run->sold_out ? 0 : TICKET_TYPE_QUANTITY_MAX, 25000);
    run->node = &node;
    run->event = &event;
    run->connection_count = (int)connections;
    run->connections = calloc((size_t)connections, sizeof(*run->connections));
    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    CHECK(run->connections != NULL && run->epoll_fd >= 0);
    for (int i = 0; i < run->connection_count; i++)
        open_connection(run, &run->connections[i]);
    ours = measure(&node, run, (int)seconds);
    check_books(&node, run);
    if (test_on_postgres() && !run->sold_out)
        pgbench_holds(&node, &event, PGBENCH_S, ours);
    for (int i = 0; i < run->connection_count; i++)
        (void)close(run->connections[i].fd);
    (void)close(run->epoll_fd);
    free(run->connections);
    free(run);
    return 0;
}
