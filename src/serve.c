/* serve.c - `boxoffice serve`: opens the services, listens, and ends on SIGTERM or SIGINT after the requests in flight. */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "platform/http/http.h"
#include "services/gateway/gateway.h"
#include "world.h"

enum { GRACE_MS = 10000 };

struct listen {
    char address[64];
    int port;
    bool loopback;
};

/* "127.0.0.1:8080", "[::1]:8080", ":8080" */
static bool parse_listen(str text, struct listen *ret)
{
    struct in_addr v4;
    struct in6_addr v6;
    int64_t port = 0;
    size_t colon = text.size;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !str_to_i64(str_slice(text, colon, text.size), &port) || port < 0 ||
        port > 65535)
        return false;
    str host = str_slice(text, 0, colon - 1);
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_slice(host, 1, host.size - 1);
    if (host.size == 0)
        host = STR("0.0.0.0");
    if (str_eq(host, STR("localhost")))
        host = STR("127.0.0.1");
    (void)snprintf(ret->address, sizeof(ret->address), "%.*s", STR_ARG(host));
    ret->port = (int)port;
    if (inet_pton(AF_INET, ret->address, &v4) == 1)
        ret->loopback = (ntohl(v4.s_addr) >> 24) == 127;
    else if (inet_pton(AF_INET6, ret->address, &v6) == 1)
        ret->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    else
        return false;
    return true;
}

static int listen_and_wait(struct world *world, const struct listen *listen,
                           const sigset_t *signals)
{
    struct http_server *server = NULL;
    str why = STR_ABSENT;
    int signal = 0;
    const struct http_options options = {
        .node = world->node,
        .address = listen->address,
        .port = listen->port,
        .authenticate = gateway_authenticate,
        .admit = gateway_admit,
        .worker_count = (int)config_i64(world->config, "http.workers"),
        .access_log = config_on(world->config, "http.access_log"),
        .internal = listen->loopback,
    };

    if (http_open(&options, world->arena, &server, &why) != ERR_OK) {
        (void)fprintf(stderr, "boxoffice: %.*s\n", STR_ARG(why));
        return 1;
    }
    const bool v6 = strchr(listen->address, ':') != NULL;
    printf("boxoffice serves http://%s%s%s:%d\n", v6 ? "[" : "", listen->address, v6 ? "]" : "",
           http_port(server));
    (void)fflush(stdout);
    (void)sigwait(signals, &signal);
    http_close(server, GRACE_MS);
    return 0;
}

/* Threads inherit the mask, so only sigwait sees the signals. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, ret, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

int command_serve(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {.listen = STR("127.0.0.1:8080"), .background = true};
    struct listen listen = {0};
    sigset_t signals;
    size_t words = 0;
    str peers = STR_ABSENT;
    const struct option flags[] = {
        {"--listen",     &options.listen,   NULL               },
        {"--data",       &options.data,     NULL               },
        {"--config",     &options.config,   NULL               },
        {"--services",   &options.services, NULL               },
        {"--peers",      &peers,            NULL               },
        {"--test-clock", NULL,              &options.test_clock},
        {NULL,           NULL,              NULL               },
    };

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK)
        return 2;
    if (!parse_listen(options.listen, &listen)) {
        (void)fprintf(stderr, "boxoffice: --listen wants ADDR:PORT, not %.*s\n",
                      STR_ARG(options.listen));
        return 2;
    }
    if (options.test_clock && !listen.loopback) {
        (void)fprintf(stderr, "boxoffice: --test-clock is for loopback addresses only\n");
        return 2;
    }
    if (peers.ptr != NULL) {
        (void)fprintf(stderr, "boxoffice: --peers: this build runs all services in one process\n");
        return 2;
    }
    block_signals(&signals);
    int status = 1;
    if (world_open(&world, &options) == ERR_OK)
        status = listen_and_wait(&world, &listen, &signals);
    world_close(&world);
    return status;
}
