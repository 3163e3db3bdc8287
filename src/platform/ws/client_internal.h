/* platform/ws/client_internal.h - the client's own state, shared by its two files. */
#pragma once

#include "platform/ws/client.h"

struct ws_client {
    struct clock *clock;
    struct rng *rng;
    uint32_t send_ms;
    uint32_t close_ms;
    uint32_t ping_after_ms;
    uint32_t dead_after_ms;
    int fd;      /* -1: the connection has ended */
    int wake_fd; /* eventfd */
    struct ws_reader reader;
    struct buf input; /* what has come and is no whole frame yet; bounded */
    size_t taken;     /* of it, by the event that was given last */
    int pings;        /* whose pongs the caller waits for */
    bool is_closing;  /* our close frame is out */
    bool is_probed;   /* since it was heard last */
    int64_t heard_at_ms;
    struct ws_failure failure;
};

enum ws_wait { WS_WAIT_READY, WS_WAIT_LATE, WS_WAIT_WOKEN };

/* Waits for `events` (poll) of `fd`; `wake_fd` -1: cannot be woken. `until_ms` of `clock`. */
enum ws_wait ws_wait_for(struct clock *clock, int fd, int wake_fd, short events, int64_t until_ms);
/* False: the other side is gone, or did not take it in time. */
bool ws_write_all(struct clock *clock, int fd, str bytes, int64_t until_ms);
/* Reads what is there into `input`. False: the end, or an error. */
bool ws_read_some(int fd, struct buf *input);
/* Notes why (of a code), ends the connection, and gives ERR_UNAVAILABLE. */
err ws_client_fail(struct ws_client *client, int code, const char *why);
