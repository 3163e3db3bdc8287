/* platform/http/server.c - opens and closes a server: sockets, H2O's configuration, loops and
 * workers.
 *
 * Each loop has a listening socket of its own on the same port (SO_REUSEPORT), so the kernel
 * spreads connections and no loop wakes for another's. A first bind without that option finds
 * out whether somebody else has the port. */

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/tcp.h> /* glibc's struct tcp_info ends before tcpi_bytes_acked */
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "platform/http/internal.h"

enum {
    WORKERS_STANDARD = 8,
    WAITING_STANDARD = 1024,
    DESCRIPTORS_RESERVED = 256, /* for databases, files and outgoing connections */
    CONNECTIONS_MAX = 65536,
    CONNECTIONS_MIN = 64,
    REQUEST_TIME_MAX_MS =
        15 * 60 * 1000, /* H2O's own clock on one request, from the last answer on */
};

const struct tuning http_tuning = {
    .idle_ms = 60000, .receive_ms = 10000, .send_ms = 10000, .linger_ms = 2000, .tick_ms = 1000};

struct handler {
    h2o_handler_t super;
    struct http_server *server;
};

/* --- Sockets --- */

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

static bool read_address(const char *text, int port, struct address *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->storage;

    *ret = (struct address){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        ret->size = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        ret->size = sizeof(*v6);
        return true;
    }
    return false;
}

static void set_port(struct address *address, int port)
{
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)&address->storage)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons((uint16_t)port);
}

/* -1 with errno set. */
static int bind_socket(const struct address *address, bool is_shared)
{
    const int on = 1;
    const int fd =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (!is_shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
        bind(fd, (const struct sockaddr *)&address->storage, address->size) == 0)
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int port_of(int fd)
{
    struct address address = {.size = sizeof(address.storage)};

    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.size) != 0)
        return -1;
    return ntohs(address.storage.ss_family == AF_INET
                     ? ((const struct sockaddr_in *)&address.storage)->sin_port
                     : ((const struct sockaddr_in6 *)&address.storage)->sin6_port);
}

void remote_address(h2o_socket_t *sock, char *ret, size_t size)
{
    struct sockaddr_storage address;
    char text[NI_MAXHOST];
    const socklen_t length = h2o_socket_getpeername(sock, (struct sockaddr *)&address);
    const size_t text_size =
        length > 0 ? h2o_socket_getnumerichost((struct sockaddr *)&address, length, text)
                   : SIZE_MAX;
    str remote = text_size != SIZE_MAX ? (str){text, text_size} : STR("unknown");

    /* An IPv4 client of a socket that listens on "::" is the same client. */
    if (str_starts(remote, STR("::ffff:")) && memchr(remote.ptr, '.', remote.size) != NULL)
        remote = str_slice(remote, strlen("::ffff:"), remote.size);
    remote = str_slice(remote, 0, size - 1);
    memcpy(ret, remote.ptr, remote.size);
    ret[remote.size] = '\0';
}

uint64_t socket_acked(h2o_socket_t *sock)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    const int fd = h2o_socket_get_fd(sock);

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_acked : 0;
}

static bool listen_shared(struct http_server *server, const struct address *address)
{
    for (int i = 0; i < server->loop_count; i++) {
        server->loops[i].listen_fd = bind_socket(address, server->loop_count > 1);
        if (server->loops[i].listen_fd == -1 || listen(server->loops[i].listen_fd, SOMAXCONN) != 0)
            return false;
    }
    return true;
}

static err listen_on(struct http_server *server, const struct http_options *options,
                     struct arena *arena, str *ret_why)
{
    struct address address;

    if (!read_address(options->address, options->port, &address)) {
        *ret_why = arena_printf(arena, "cannot listen on %s: not an IP address", options->address);
        return ERR_UNAVAILABLE;
    }
    const int probe = bind_socket(&address, false);
    server->port = probe != -1 ? port_of(probe) : -1;
    if (probe != -1)
        close(probe);
    if (server->port != -1) {
        set_port(&address, server->port);
        if (listen_shared(server, &address))
            return ERR_OK;
    }
    *ret_why = arena_printf(arena, "cannot listen on %s:%d: %s", options->address, options->port,
                            strerrordesc_np(errno));
    return ERR_UNAVAILABLE;
}

/* --- H2O --- */

/* A request that H2O has read to its end. */
static int on_request(h2o_handler_t *super, h2o_req_t *h2o)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, context, h2o->conn->ctx);
    struct sentry *sentry = sentry_of(h2o);

    assert(((const struct handler *)super)->server == loop->server);
    if (!sentry_take_passed(sentry, h2o)) {
        metric_add(loop->server->meter.refused, 1);
        h2o_send_error_generic(h2o, 400, "Bad Request", "Bad Request",
                               H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
        return 0;
    }
    struct exchange *exchange = exchange_take(loop, h2o);
    request_read(exchange, sentry);
    dispatch_new(exchange);
    return 0;
}

static void configure_h2o(struct http_server *server)
{
    h2o_globalconf_t *config = &server->config;

    h2o_config_init(config);
    config->server_name = h2o_iovec_init(NULL, 0); /* no Server header */
    config->http1.upgrade_to_http2 = 0;
    config->http1.req_timeout = REQUEST_TIME_MAX_MS;
    config->max_request_entity_size = HTTP_BODY_RAW_MAX + HTTP_HEADERS_SIZE_MAX;
    h2o_hostconf_t *host =
        h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (struct handler *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = on_request;
    handler->server = server;
}

/* --- Opening --- */

static size_t connections_per_loop(int loop_count)
{
    struct rlimit limit;
    int64_t count = CONNECTIONS_MAX;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < CONNECTIONS_MAX)
        count = (int64_t)limit.rlim_cur - DESCRIPTORS_RESERVED;
    count /= loop_count;
    return (size_t)(count > CONNECTIONS_MIN ? count : CONNECTIONS_MIN);
}

static int clamp(int64_t value, int standard, int max)
{
    if (value <= 0)
        value = standard;
    return (int)(value < max ? value : max);
}

static struct http_server *new_server(const struct http_options *options,
                                      const struct tuning *tuning)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        abort();
    server->node = options->node;
    server->authenticate = options->authenticate;
    server->admit = options->admit;
    server->access_log = options->access_log;
    server->tuning = *tuning;
    server->arena = arena_open(0);
    server->loop_count =
        clamp(options->loop_count, clamp(sysconf(_SC_NPROCESSORS_ONLN), 1, HTTP_LOOPS_MAX),
              HTTP_LOOPS_MAX);
    server->connections_max = tuning->connections_max > 0
                                  ? tuning->connections_max
                                  : connections_per_loop(server->loop_count);
    server->loops = calloc((size_t)server->loop_count, sizeof(server->loops[0]));
    if (server->loops == NULL)
        abort();
    for (int i = 0; i < server->loop_count; i++)
        server->loops[i] = (struct loop){.server = server, .listen_fd = -1};
    pthread_mutex_init(&server->mutex, NULL);
    clock_cond_init(&server->changed);
    configure_h2o(server);
    meter_open(&server->meter, options->node->metrics);
    return server;
}

static void free_server(struct http_server *server)
{
    workers_close(server->workers);
    h2o_config_dispose(&server->config);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    arena_close(server->arena);
    free(server->loops);
    free(server);
}

/* The threads of a server leave signals (also SIGPIPE, of a client that has gone) to the others. */
static bool start_threads(struct http_server *server, const struct http_options *options)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    server->workers =
        workers_open(clamp(options->worker_count, WORKERS_STANDARD, HTTP_WORKERS_MAX),
                     clamp(options->waiting_max, WAITING_STANDARD, INT32_MAX), &server->meter);
    if (server->workers != NULL)
        while (server->started_count < server->loop_count &&
               loop_start(&server->loops[server->started_count]))
            server->started_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    pthread_mutex_lock(&server->mutex);
    while (server->ready_count < server->started_count)
        pthread_cond_wait(&server->changed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
    return server->started_count == server->loop_count;
}

err http_open_tuned(const struct http_options *options, const struct tuning *tuning,
                    struct arena *arena, struct http_server **ret, str *ret_why)
{
    const struct route_table *own[] = {&http_ops_routes,
                                       options->internal ? &http_internal_routes : NULL, NULL};
    struct http_server *server = new_server(options, tuning);
    str why = STR_ABSENT;

    err e = routes_index(options->node, own, server->arena, &server->routes, &why);
    if (e == ERR_OK)
        e = listen_on(server, options, server->arena, &why);
    if (e == ERR_OK) {
        routes_each(server->routes, meter_open_route, options->node->metrics);
        if (start_threads(server, options)) {
            *ret = server;
            return ERR_OK;
        }
        e = ERR_UNAVAILABLE;
        why = STR("cannot start the threads of the server");
    }
    *ret_why = arena_str(arena, why);
    http_close(server, 0);
    return e;
}

err http_open(const struct http_options *options, struct arena *arena, struct http_server **ret,
              str *ret_why)
{
    return http_open_tuned(options, &http_tuning, arena, ret, ret_why);
}

int http_port(const struct http_server *server)
{
    return server->port;
}

/* --- Closing --- */

static void enter_phase(struct http_server *server, enum phase phase)
{
    for (int i = 0; i < server->started_count; i++)
        loop_enter_phase(&server->loops[i], phase);
}

static void wait_drained(struct http_server *server, int64_t grace_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += grace_ms / 1000;
    until.tv_nsec += grace_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&server->mutex);
    while (server->drained_count < server->started_count &&
           pthread_cond_timedwait(&server->changed, &server->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&server->mutex);
}

void http_close(struct http_server *server, int64_t grace_ms)
{
    atomic_store(&server->stopping, true);
    enter_phase(server, PHASE_STOPPING);
    wait_drained(server, grace_ms);
    if (server->workers != NULL)
        workers_halt(server->workers);
    enter_phase(server, PHASE_CUTTING);
    if (server->workers != NULL)
        workers_stop(server->workers);
    enter_phase(server, PHASE_LEAVING);
    for (int i = 0; i < server->started_count; i++)
        loop_join(&server->loops[i]);
    for (int i = server->started_count; i < server->loop_count; i++)
        if (server->loops[i].listen_fd != -1)
            close(server->loops[i].listen_fd);
    free_server(server);
}
