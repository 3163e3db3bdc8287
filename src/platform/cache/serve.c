/* platform/cache/serve.c - a link that is up: it writes all orders that wait in one go, so that a
 * burst of calls costs one write, and reads answers in the order of the orders.
 *
 * A late answer ends the connection: what comes after it on the same connection would be late too,
 * and a reconnect finds out what is the matter. A PING now and then finds a Redis that has gone
 * while nobody asked. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/cache/link_private.h"

enum { BEAT_MS = 1000 };
#define NS_PER_MS INT64_C(1000000)

/* Each step gives false, with link->why, when the connection is over. */

static bool break_off(struct link *link, const char *why)
{
    (void)snprintf(link->why, sizeof(link->why), "%s", why);
    return false;
}

static void take_waiting(struct link *link)
{
    struct queue taken;

    (void)pthread_mutex_lock(&link->lock);
    taken = link->waiting;
    link->waiting = (struct queue){0};
    (void)pthread_mutex_unlock(&link->lock);
    while (taken.first != NULL) {
        struct pending *pending = link_cut_first(&taken);

        (void)redisAppendFormattedCommand(link->connection.calls, pending->text, pending->size);
        redisFreeCommand(pending->text);
        pending->text = NULL;
        link_append(&link->sent, pending);
    }
}

static bool flush(struct link *link, redisContext *context, bool *ret_done)
{
    int done = 0;

    if (redisBufferWrite(context, &done) != REDIS_OK)
        return break_off(link, context->errstr);
    *ret_done = done != 0;
    return true;
}

/* Answers after which only a new connection helps. */
static bool is_fatal(const redisReply *reply)
{
    static const char *const words[] = {"READONLY", "NOSCRIPT", "NOAUTH", "LOADING", "MASTERDOWN"};

    for (size_t i = 0; reply->type == REDIS_REPLY_ERROR && i < sizeof(words) / sizeof(words[0]);
         i++)
        if (strncmp(reply->str, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static bool read_answers(struct link *link)
{
    redisContext *context = link->connection.calls;
    void *reply = NULL;

    if (redisBufferRead(context) != REDIS_OK)
        return break_off(link, context->errstr);
    for (;;) {
        if (redisGetReplyFromReader(context, &reply) != REDIS_OK)
            return break_off(link, context->errstr);
        if (reply == NULL)
            return true;
        struct pending *pending = link_cut_first(&link->sent);
        if (pending == NULL) {
            freeReplyObject(reply);
            return break_off(link, "an answer that nobody asked for");
        }
        const bool fatal = is_fatal(reply);
        if (fatal)
            (void)break_off(link, ((redisReply *)reply)->str);
        link_finish(link, pending, reply);
        freeReplyObject(reply);
        if (fatal)
            return false;
    }
}

/* "message", channel, payload; or "pong", "". */
static void take_news(struct link *link, const redisReply *reply)
{
    link->pinged_ns = 0;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        strcmp(reply->element[0]->str, "message") == 0 &&
        reply->element[2]->type == REDIS_REPLY_STRING)
        link->options.hear(link->options.arg,
                           (str){reply->element[2]->str, reply->element[2]->len});
}

static bool read_news(struct link *link)
{
    redisContext *context = link->connection.news;
    void *reply = NULL;

    if (redisBufferRead(context) != REDIS_OK)
        return break_off(link, context->errstr);
    for (;;) {
        if (redisGetReplyFromReader(context, &reply) != REDIS_OK)
            return break_off(link, context->errstr);
        if (reply == NULL)
            return true;
        take_news(link, reply);
        freeReplyObject(reply);
    }
}

/* Asks both connections for a sign of life. */
static void beat(struct link *link, int64_t now_ns)
{
    struct pending *ping = NULL;

    if (now_ns < link->beat_ns)
        return;
    link->beat_ns = now_ns + BEAT_MS * NS_PER_MS;
    if (link->sent.first == NULL) {
        ping = mem_new(struct pending);
        ping->began_ns = now_ns;
        (void)redisAppendCommand(link->connection.calls, "PING");
        link_append(&link->sent, ping);
        (void)pthread_mutex_lock(&link->lock);
        link->order_count++;
        (void)pthread_mutex_unlock(&link->lock);
    }
    if (link->pinged_ns == 0) {
        (void)redisAppendCommand(link->connection.news, "PING");
        link->pinged_ns = now_ns;
    }
}

static bool check_deadlines(struct link *link, int64_t now_ns)
{
    const int64_t deadline_ns = link->options.deadline_ms * NS_PER_MS;
    const struct pending *oldest = link->sent.first;

    if ((oldest != NULL && now_ns - oldest->began_ns > deadline_ns) ||
        (link->pinged_ns != 0 && now_ns - link->pinged_ns > deadline_ns))
        return break_off(link, "no answer in time");
    return true;
}

/* When the next thing is due that no descriptor tells. */
static int timeout_ms(const struct link *link, int64_t turn_ns, int64_t now_ns)
{
    const int64_t deadline_ns = link->options.deadline_ms * NS_PER_MS;
    int64_t next_ns = turn_ns < link->beat_ns ? turn_ns : link->beat_ns;

    if (link->sent.first != NULL && link->sent.first->began_ns + deadline_ns < next_ns)
        next_ns = link->sent.first->began_ns + deadline_ns;
    if (link->pinged_ns != 0 && link->pinged_ns + deadline_ns < next_ns)
        next_ns = link->pinged_ns + deadline_ns;
    return next_ns <= now_ns ? 0 : (int)((next_ns - now_ns) / NS_PER_MS) + 1;
}

static void read_wake(struct link *link)
{
    uint64_t count = 0;
    const ssize_t size = read(link->wake_fd, &count, sizeof(count));

    (void)size; /* a wake that is seen twice does no harm */
    atomic_store(&link->is_woken, false);
}

/* Waits for something to do, and does what descriptors tell. */
static bool wait_and_read(struct link *link, bool calls_wait, bool news_wait, int64_t turn_ns)
{
    struct pollfd fds[] = {
        {.fd = link->wake_fd,              .events = POLLIN                                      },
        {.fd = link->connection.calls->fd, .events = (short)(POLLIN | (calls_wait ? POLLOUT : 0))},
        {.fd = link->connection.news->fd,  .events = (short)(POLLIN | (news_wait ? POLLOUT : 0)) },
    };
    const int timeout = timeout_ms(link, turn_ns, clock_stopwatch_ns());

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout) < 0 && errno != EINTR)
        return break_off(link, strerrordesc_np(errno));
    if (fds[0].revents != 0)
        read_wake(link);
    if ((fds[1].revents & ~POLLOUT) != 0 && !read_answers(link))
        return false;
    if ((fds[2].revents & ~POLLOUT) != 0 && !read_news(link))
        return false;
    return check_deadlines(link, clock_stopwatch_ns());
}

bool link_serve(struct link *link)
{
    link->beat_ns = clock_stopwatch_ns() + BEAT_MS * NS_PER_MS;
    link->pinged_ns = 0;
    for (;;) {
        const bool last = link_stops(link);
        bool calls_done = true;
        bool news_done = true;
        const int64_t now_ns = clock_stopwatch_ns();
        const int64_t turn_ns = link->options.turn(link->options.arg, now_ns);

        take_waiting(link);
        beat(link, now_ns);
        if (!flush(link, link->connection.calls, &calls_done) ||
            !flush(link, link->connection.news, &news_done))
            return false;
        if (last && link->sent.first == NULL)
            return true;
        if (!wait_and_read(link, !calls_done, !news_done, turn_ns))
            return false;
    }
}
