/* platform/cache/connect.c - finds the Redis (through Sentinels, if they are what the URL names),
 * signs in, and sees that it is one that can serve: a master, with our scripts, in time.
 *
 * All of it blocks, with a timeout a step. Nobody waits for it: calls fail fast meanwhile. */
#include "platform/cache/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static struct timeval timeval_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
}

__attribute__((format(printf, 3, 4))) static bool fail(struct connect_failure *failure,
                                                       bool is_refusal, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(failure->why, sizeof(failure->why), format, args);
    va_end(args);
    failure->is_refusal = is_refusal;
    return false;
}

/* Sends the command that was appended, and gives its answer if it is of the type: for the caller to
 * free. NULL: *failure says why. */
static redisReply *hear(redisContext *context, const char *what, int type,
                        struct connect_failure *failure)
{
    void *got = NULL;

    if (redisGetReply(context, &got) != REDIS_OK || got == NULL) {
        const bool is_late = context->err == REDIS_ERR_IO && errno == EAGAIN;
        (void)fail(failure, false, "%s: %s", what, is_late ? "no answer in time" : context->errstr);
        return NULL;
    }
    redisReply *reply = got;
    if (reply->type == type)
        return reply;
    if (reply->type == REDIS_REPLY_ERROR)
        (void)fail(failure, true, "%s: %s", what, reply->str);
    else
        (void)fail(failure, true, "%s: an answer of another kind", what);
    freeReplyObject(reply);
    return NULL;
}

static bool ask_ok(redisContext *context, const char *what, struct connect_failure *failure)
{
    redisReply *reply = hear(context, what, REDIS_REPLY_STATUS, failure);
    const bool is_ok = reply != NULL;

    freeReplyObject(reply); /* NULL is accepted */
    return is_ok;
}

static redisContext *connect_to(const struct cache_host *host, int patience_ms,
                                struct connect_failure *failure)
{
    const struct timeval patience = timeval_of(patience_ms);
    redisContext *context = redisConnectWithTimeout(host->name, host->port, patience);

    if (context == NULL || context->err != 0) {
        (void)fail(failure, false, "%s:%d: %s", host->name, host->port,
                   context != NULL ? context->errstr : "no memory");
        redisFree(context);
        return NULL;
    }
    (void)fcntl(context->fd, F_SETFD, FD_CLOEXEC);
    (void)redisSetTimeout(context, patience);
    (void)redisEnableKeepAlive(context);
    return context;
}

/* --- Sentinels --- */

static bool ask_sentinel(const struct cache_host *sentinel, const char *master, int patience_ms,
                         char name[256], struct cache_host *ret, struct connect_failure *failure)
{
    redisContext *context = connect_to(sentinel, patience_ms, failure);
    bool found = false;

    if (context == NULL)
        return false;
    (void)redisAppendCommand(context, "SENTINEL get-master-addr-by-name %s", master);
    redisReply *reply = hear(context, "SENTINEL", REDIS_REPLY_ARRAY, failure);
    if (reply != NULL) {
        int64_t port = 0;

        found = reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING &&
                reply->element[1]->type == REDIS_REPLY_STRING && reply->element[0]->len < 256 &&
                str_to_i64((str){reply->element[1]->str, reply->element[1]->len}, &port) &&
                port > 0 && port <= 65535;
        if (found) {
            (void)snprintf(name, 256, "%s", reply->element[0]->str);
            *ret = (struct cache_host){.name = name, .port = (int)port};
        } else {
            (void)fail(failure, true, "SENTINEL: an address that is none");
        }
        freeReplyObject(reply);
    } else if (failure->is_refusal) {
        (void)fail(failure, true, "the Sentinel at %s:%d knows no master %s", sentinel->name,
                   sentinel->port, master);
    }
    redisFree(context);
    return found;
}

static bool find_master(struct cache_url *url, int patience_ms, char name[256],
                        struct cache_host *ret, struct connect_failure *failure)
{
    if (url->master == NULL) {
        *ret = url->hosts[0];
        return true;
    }
    for (int i = 0; i < url->host_count; i++)
        if (ask_sentinel(&url->hosts[i], url->master, patience_ms, name, ret, failure)) {
            const struct cache_host answered = url->hosts[i];

            url->hosts[i] = url->hosts[0];
            url->hosts[0] = answered;
            return true;
        }
    return false;
}

/* --- Signing in --- */

static bool sign_in(redisContext *context, const struct cache_url *url,
                    struct connect_failure *failure)
{
    if (url->password == NULL)
        return true;
    if (url->user != NULL)
        (void)redisAppendCommand(context, "AUTH %s %s", url->user, url->password);
    else
        (void)redisAppendCommand(context, "AUTH %s", url->password);
    return ask_ok(context, "AUTH", failure);
}

static bool check_master(redisContext *context, struct connect_failure *failure)
{
    (void)redisAppendCommand(context, "ROLE");
    redisReply *reply = hear(context, "ROLE", REDIS_REPLY_ARRAY, failure);
    if (reply == NULL)
        return false;
    const bool is_master = reply->elements > 0 && reply->element[0]->type == REDIS_REPLY_STRING &&
                           strcmp(reply->element[0]->str, "master") == 0;
    freeReplyObject(reply);
    return is_master || fail(failure, true, "it is a replica");
}

static bool load_scripts(redisContext *context, char shas[SCRIPTS][SCRIPT_SHA_SIZE + 1],
                         struct connect_failure *failure)
{
    for (int i = 0; i < SCRIPTS; i++) {
        (void)redisAppendCommand(context, "SCRIPT LOAD %s", cache_scripts[i]);
        redisReply *reply = hear(context, "SCRIPT LOAD", REDIS_REPLY_STRING, failure);
        if (reply == NULL)
            return false;
        (void)snprintf(shas[i], SCRIPT_SHA_SIZE + 1, "%s", reply->str);
        freeReplyObject(reply);
    }
    return true;
}

static bool open_calls(const struct cache_url *url, int deadline_ms, struct connection *connection,
                       struct connect_failure *failure)
{
    redisContext *context = connection->calls;

    if (!sign_in(context, url, failure) || !check_master(context, failure))
        return false;
    (void)redisAppendCommand(context, "select %d", url->database);
    if (!ask_ok(context, "select", failure) || !load_scripts(context, connection->shas, failure))
        return false;
    (void)redisSetTimeout(context, timeval_of(deadline_ms));
    (void)redisAppendCommand(context, "PING");
    return ask_ok(context, "PING", failure);
}

static bool open_news(const struct cache_url *url, struct connection *connection,
                      struct connect_failure *failure)
{
    if (!sign_in(connection->news, url, failure))
        return false;
    (void)redisAppendCommand(connection->news, "SUBSCRIBE %s", CACHE_CHANNEL);
    redisReply *reply = hear(connection->news, "SUBSCRIBE", REDIS_REPLY_ARRAY, failure);
    const bool is_ok = reply != NULL;
    freeReplyObject(reply);
    return is_ok;
}

static void unblock(redisContext *context)
{
    (void)fcntl(context->fd, F_SETFL, O_NONBLOCK);
    context->flags &= ~REDIS_BLOCK;
}

bool connection_open(struct cache_url *url, int patience_ms, int deadline_ms,
                     struct connection *ret, struct connect_failure *ret_failure)
{
    struct connection connection = {0};
    struct cache_host host = {0};
    char name[256];

    *ret_failure = (struct connect_failure){0};
    if (!find_master(url, patience_ms, name, &host, ret_failure))
        return false;
    connection.calls = connect_to(&host, patience_ms, ret_failure);
    if (connection.calls != NULL && open_calls(url, deadline_ms, &connection, ret_failure))
        connection.news = connect_to(&host, patience_ms, ret_failure);
    if (connection.news == NULL || !open_news(url, &connection, ret_failure)) {
        connection_close(&connection);
        return false;
    }
    unblock(connection.calls);
    unblock(connection.news);
    *ret = connection;
    return true;
}

void connection_close(struct connection *connection)
{
    redisFree(connection->calls); /* NULL is accepted */
    redisFree(connection->news);
    *connection = (struct connection){0};
}
