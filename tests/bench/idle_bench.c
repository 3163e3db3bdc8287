/* bench/idle_bench.c - what a connection costs on which nothing happens: keep-alive ones that were answered
 * once, and WebSocket ones; and how long one frame takes to reach all of these.
 *
 * The server is this process; the clients are a child, so that their memory is not counted. They come
 * from 127.0.0.2 and on, PER_ADDRESS from each, because one address has 28,000 ports only. Exit status 1:
 * more than the limits. */

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/http/ws.h"

enum {
    CONNECTIONS = 10000,
    PER_ADDRESS = 5000,
    DESCRIPTORS = CONNECTIONS * 6 / 5,
    HTTP_RSS_KIB_MAX = 150 * 1024, /* of the process */
    WS_BYTES_MAX = 8 * 1024,       /* of one connection */
    SENDS = 5,
    AT_ONCE = 100,
    SILENCE_MS = 3600 * 1000, /* of clients that do not answer pings */
};

#define UPGRADE                                                                    \
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define GET_HEALTH "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
#define NEWS       "{\"topic\":\"event:evt_1\",\"type\":\"availability\",\"version\":7}"

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "idle_bench: %s: %s\n", what, strerrordesc_np(errno));
    _exit(2);
}

/* --- The clients: told by a byte on a pipe what to do, they answer with a byte --- */

static int connect_from(int number, int port)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000002 + number / PER_ADDRESS)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    demand(fd >= 0, "socket");
    demand(bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0, "bind");
    demand(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
    return fd;
}

static void read_until(int fd, const char *end)
{
    char text[4096] = {0};
    size_t size = 0;

    while (strstr(text, end) == NULL) {
        const ssize_t got = recv(fd, text + size, sizeof(text) - 1 - size, 0);
        demand(got > 0, "recv");
        size += (size_t)got;
    }
}

/* Some at a time: each alone would be a turn of both processes. */
static void open_all(int *fds, int port, const char *request, const char *end)
{
    for (int from = 0; from < CONNECTIONS; from += AT_ONCE) {
        for (int i = from; i < from + AT_ONCE; i++) {
            fds[i] = connect_from(i, port);
            demand(send(fds[i], request, strlen(request), 0) == (ssize_t)strlen(request), "send");
        }
        for (int i = from; i < from + AT_ONCE; i++)
            read_until(fds[i], end);
    }
}

static void run_clients(int port, int orders, int done)
{
    int *fds = mem_alloc(CONNECTIONS * sizeof(int));
    char order;

    while (read(orders, &order, 1) == 1) {
        if (order == 'h')
            open_all(fds, port, GET_HEALTH, "\"ok\"}");
        else if (order == 'w')
            open_all(fds, port, UPGRADE, "\r\n\r\n");
        for (int i = 0; i < CONNECTIONS; i++) {
            if (order == 'r')
                read_until(fds[i], NEWS);
            else if (order == 'c')
                (void)close(fds[i]);
        }
        demand(write(done, &order, 1) == 1, "write");
    }
    _exit(0);
}

struct clients {
    pid_t pid;
    int orders;
    int done;
};

static void order(const struct clients *clients, char what)
{
    char done = 0;

    demand(write(clients->orders, &what, 1) == 1, "write");
    demand(read(clients->done, &done, 1) == 1 && done == what, "the clients failed");
}

static struct clients start_clients(int port)
{
    int orders[2];
    int done[2];

    demand(pipe(orders) == 0 && pipe(done) == 0, "pipe");
    const pid_t pid = fork();
    demand(pid >= 0, "fork");
    if (pid == 0) {
        (void)close(orders[1]);
        (void)close(done[0]);
        run_clients(port, orders[0], done[1]);
    }
    (void)close(orders[0]);
    (void)close(done[1]);
    return (struct clients){.pid = pid, .orders = orders[1], .done = done[0]};
}

/* --- The server --- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct ws *open[CONNECTIONS];
    int open_count;
    int closed_count;
} hub = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void opened(struct ws *ws, struct req *req)
{
    (void)req;
    pthread_mutex_lock(&hub.mutex);
    hub.open[hub.open_count++] = ws_hold(ws);
    pthread_mutex_unlock(&hub.mutex);
}

static void received(struct ws *ws, struct call *call, enum ws_opcode type, str message)
{
    (void)ws;
    (void)call;
    (void)type;
    (void)message;
}

static void closed(struct ws *ws, int code)
{
    (void)ws;
    (void)code;
    pthread_mutex_lock(&hub.mutex);
    hub.closed_count++;
    pthread_cond_signal(&hub.changed);
    pthread_mutex_unlock(&hub.mutex);
}

static const struct ws_kind kind = {.message_max = 4096,
                                    .ping_after_ms = SILENCE_MS,
                                    .dead_after_ms = SILENCE_MS,
                                    .opened = opened,
                                    .received = received,
                                    .closed = closed};

static err get_ws(struct req *req)
{
    return reply_upgrade(req, &kind);
}

static const struct route routes[] = {
    {METHOD_GET, "/ws", get_ws, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};
static const struct route_table table = ROUTE_TABLE(routes);
static const struct route_table *const tables[] = {&table, NULL};
static const struct service service = {.name = "bench", .routes = tables};

static struct metrics *metrics;

static int64_t rss_kib(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    demand(file != NULL && fscanf(file, "%*d %lld", &pages) == 1,
           "statm"); /* NOLINT(cert-err34-c): checked */
    (void)fclose(file);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* --- What is measured --- */

static void demand_all_open(void)
{
    const struct metric *open =
        metrics_gauge(metrics, "boxoffice_http_connections", NULL, "Connections that are open.");

    demand(metric_value(open) == CONNECTIONS, "the server has closed some");
}

static bool measure_http(const struct clients *clients, int64_t before_kib)
{
    order(clients, 'h');
    demand_all_open();
    const int64_t kib = rss_kib();
    printf("keep-alive: %d connections, %lld KiB in all, %lld bytes each (limit %d KiB in all)\n",
           CONNECTIONS, (long long)kib, (long long)(kib - before_kib) * 1024 / CONNECTIONS,
           HTTP_RSS_KIB_MAX);
    order(clients, 'c');
    return kib < HTTP_RSS_KIB_MAX;
}

static void measure_fan_out(const struct clients *clients)
{
    for (int round = 0; round < SENDS; round++) {
        struct ws_frame *frame = ws_frame_new(WS_TEXT, STR(NEWS));
        const int64_t begin_ns = clock_stopwatch_ns();

        for (int i = 0; i < CONNECTIONS; i++)
            demand(ws_send(hub.open[i], frame, WS_PENDING_MAX) == ERR_OK, "ws_send");
        const int64_t sent_ns = clock_stopwatch_ns();
        ws_frame_release(frame);
        order(clients, 'r');
        printf("fan-out: %d clients, handed on in %lld ms, all have read it after %lld ms\n",
               CONNECTIONS, (long long)(sent_ns - begin_ns) / 1000000,
               (long long)(clock_stopwatch_ns() - begin_ns) / 1000000);
    }
}

static bool measure_ws(const struct clients *clients, int64_t before_kib)
{
    order(clients, 'w');
    demand_all_open();
    const int64_t opened_kib = rss_kib();
    measure_fan_out(clients);
    const int64_t each = (rss_kib() - before_kib) * 1024 / CONNECTIONS;
    printf(
        "WebSocket: %d connections, %lld KiB in all, %lld bytes each before the first frame, %lld "
        "after %d (limit %d)\n",
        CONNECTIONS, (long long)rss_kib(),
        (long long)(opened_kib - before_kib) * 1024 / CONNECTIONS, (long long)each, SENDS,
        WS_BYTES_MAX);
    order(clients, 'c');
    pthread_mutex_lock(&hub.mutex);
    while (hub.closed_count < CONNECTIONS)
        pthread_cond_wait(&hub.changed, &hub.mutex);
    pthread_mutex_unlock(&hub.mutex);
    for (int i = 0; i < CONNECTIONS; i++)
        ws_release(hub.open[i]);
    return each < WS_BYTES_MAX;
}

static bool measure(bool (*what)(const struct clients *clients, int64_t before_kib))
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct http_server *server = NULL;
    str why = STR_ABSENT;

    metrics = metrics_open();
    struct node node = {.clock = clock_system(),
                        .rng = rng_system(),
                        .log = log_open(STDERR_FILENO, LOG_INFO, clock_system()),
                        .metrics = metrics,
                        .instance_count = 1};
    node.instances[0] = (struct instance){.service = &service, .node = &node};
    const struct http_options options = {.node = &node, .address = "127.0.0.1"};
    demand(http_open(&options, arena, &server, &why) == ERR_OK, "http_open");
    const struct clients clients = start_clients(http_port(server));
    const int64_t idle_kib = rss_kib();

    printf("idle: %lld KiB\n", (long long)idle_kib);
    const bool holds = what(&clients, idle_kib);
    (void)close(clients.orders);
    (void)waitpid(clients.pid, NULL, 0);
    http_close(server, 1000);
    metrics_close(metrics);
    log_close(node.log);
    return holds;
}

/* A process of its own for each, because what is freed is not given back to the system. */
static bool measure_apart(bool (*what)(const struct clients *clients, int64_t before_kib))
{
    int status = 0;
    const pid_t pid = fork();

    demand(pid >= 0, "fork");
    if (pid == 0)
        _exit(measure(what) ? 0 : 1);
    demand(waitpid(pid, &status, 0) == pid, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
    const struct rlimit limit = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    demand(setrlimit(RLIMIT_NOFILE, &limit) == 0, "12,000 descriptors are needed");
    const bool http_holds = measure_apart(measure_http);
    const bool ws_holds = measure_apart(measure_ws);
    return http_holds && ws_holds ? 0 : 1;
}
