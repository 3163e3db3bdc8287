/* scenarios/redis.c - a Redis of the scenario's own, which comes and goes while the server runs. */
#include "scenario.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, PAUSE_MS = 10 };

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

static int free_port(void)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool bound = bind(fd, (const struct sockaddr *)&address, size) == 0 &&
                       getsockname(fd, (struct sockaddr *)&address, &size) == 0;

    close(fd);
    return bound ? ntohs(address.sin_port) : 0;
}

static bool listens(int port)
{
    const struct sockaddr_in address = address_of(port);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool connected = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return connected;
}

static void run_redis(const char *port)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
           "--appendonly", "no", "--dir", "/tmp", (char *)NULL);
    _exit(127);
}

/* On the same port each time: the server knows it from BOXOFFICE_CACHE_URL. */
void redis_start(struct scenario *scenario)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    if (scenario->redis_port == 0)
        scenario->redis_port = free_port();
    const char *port = arena_printf(scenario->arena, "%d", scenario->redis_port).ptr;
    setenv("BOXOFFICE_CACHE_URL", arena_printf(scenario->arena, "redis://127.0.0.1:%s", port).ptr,
           1);
    scenario->redis_pid = fork();
    if (scenario->redis_pid == 0)
        run_redis(port);
    for (int i = 0; i < PATIENCE_MS / PAUSE_MS; i++) {
        if (listens(scenario->redis_port))
            return;
        nanosleep(&pause, NULL);
    }
    scenario_fail(scenario, "redis-server does not start");
}

void redis_kill(struct scenario *scenario)
{
    if (scenario->redis_pid == 0)
        return;
    kill(scenario->redis_pid, SIGKILL);
    waitpid(scenario->redis_pid, NULL, 0);
    scenario->redis_pid = 0;
}
