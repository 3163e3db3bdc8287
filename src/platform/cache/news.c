/* platform/cache/news.c - the thread on which listeners hear of news.
 *
 * It is a thread of its own, so that a slow listener holds up neither Redis nor who publishes. Two
 * locks: `lock` of the queue, held for a moment by those who tell; `ears` of the listeners, held
 * while one of them hears, so that news_unlisten returns when nobody hears any more. */
#include "platform/cache/news.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "platform/cache/cache.h"

enum { WAITING_MAX = 4096 };

struct message {
    struct message *next;
    str channel;
    str payload;
    char bytes[]; /* channel, payload */
};

struct listener {
    const char *channel;
    void (*hear)(void *arg, str payload);
    void *arg;
};

struct news {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct message *first;
    struct message *last;
    int waiting;
    bool has_missed;
    bool is_stopping;
    pthread_mutex_t ears;
    struct listener listeners[CACHE_LISTENERS_MAX];
    size_t listener_count;
    pthread_t thread;
    bool has_thread;
};

/* --- The thread --- */

/* False: it stops, and nothing is left. */
static bool await_news(struct news *news, struct message **ret, bool *ret_missed)
{
    (void)pthread_mutex_lock(&news->lock);
    while (news->first == NULL && !news->has_missed && !news->is_stopping)
        (void)pthread_cond_wait(&news->changed, &news->lock);
    *ret = news->first;
    *ret_missed = news->has_missed;
    news->first = news->last = NULL;
    news->waiting = 0;
    news->has_missed = false;
    (void)pthread_mutex_unlock(&news->lock);
    return *ret != NULL || *ret_missed;
}

/* message NULL: some were missed. */
static void deliver(struct news *news, const struct message *message)
{
    (void)pthread_mutex_lock(&news->ears);
    for (size_t i = 0; i < news->listener_count; i++) {
        const struct listener *listener = &news->listeners[i];

        if (message == NULL)
            listener->hear(listener->arg, STR_ABSENT);
        else if (str_eq(message->channel, str_of(listener->channel)))
            listener->hear(listener->arg, message->payload);
    }
    (void)pthread_mutex_unlock(&news->ears);
}

static void *run_news(void *arg)
{
    struct news *news = arg;
    struct message *message = NULL;
    bool missed = false;

    while (await_news(news, &message, &missed)) {
        if (missed)
            deliver(news, NULL);
        while (message != NULL) {
            struct message *next = message->next;

            deliver(news, message);
            mem_free(message);
            message = next;
        }
    }
    return NULL;
}

/* --- Everybody else --- */

struct news *news_open(void)
{
    struct news *news = mem_new(struct news);

    (void)pthread_mutex_init(&news->lock, NULL);
    (void)pthread_cond_init(&news->changed, NULL);
    (void)pthread_mutex_init(&news->ears, NULL);
    return news;
}

void news_close(struct news *news)
{
    if (news == NULL)
        return;
    (void)pthread_mutex_lock(&news->lock);
    news->is_stopping = true;
    (void)pthread_cond_signal(&news->changed);
    (void)pthread_mutex_unlock(&news->lock);
    if (news->has_thread)
        (void)pthread_join(news->thread, NULL);
    (void)pthread_mutex_destroy(&news->ears);
    (void)pthread_cond_destroy(&news->changed);
    (void)pthread_mutex_destroy(&news->lock);
    mem_free(news);
}

void news_listen(struct news *news, const char *channel, void (*hear)(void *arg, str payload),
                 void *arg)
{
    (void)pthread_mutex_lock(&news->ears);
    assert(news->listener_count < CACHE_LISTENERS_MAX);
    news->listeners[news->listener_count++] = (struct listener){channel, hear, arg};
    if (!news->has_thread) { /* nobody listens in a short-lived command: no thread there */
        const int failed = pthread_create(&news->thread, NULL, run_news, news);
        assert(!failed);
        (void)pthread_mutex_lock(&news->lock);
        news->has_thread = true;
        (void)pthread_mutex_unlock(&news->lock);
    }
    (void)pthread_mutex_unlock(&news->ears);
}

void news_unlisten(struct news *news, void *arg)
{
    size_t kept = 0;

    (void)pthread_mutex_lock(&news->ears);
    for (size_t i = 0; i < news->listener_count; i++)
        if (news->listeners[i].arg != arg)
            news->listeners[kept++] = news->listeners[i];
    news->listener_count = kept;
    (void)pthread_mutex_unlock(&news->ears);
}

static struct message *make_message(str channel, str payload)
{
    struct message *message = mem_alloc(sizeof(*message) + channel.size + payload.size);

    memcpy(message->bytes, channel.ptr, channel.size);
    if (payload.size > 0)
        memcpy(message->bytes + channel.size, payload.ptr, payload.size);
    message->channel = (str){message->bytes, channel.size};
    message->payload = (str){message->bytes + channel.size, payload.size};
    return message;
}

void news_tell(struct news *news, str channel, str payload)
{
    struct message *message = NULL;

    (void)pthread_mutex_lock(&news->lock);
    if (!news->has_thread) {
        (void)pthread_mutex_unlock(&news->lock);
        return;
    }
    if (news->waiting == WAITING_MAX) {
        news->has_missed = true;
    } else {
        message = make_message(channel, payload);
        if (news->last != NULL)
            news->last->next = message;
        else
            news->first = message;
        news->last = message;
        news->waiting++;
    }
    (void)pthread_cond_signal(&news->changed);
    (void)pthread_mutex_unlock(&news->lock);
}

void news_tell_missed(struct news *news)
{
    (void)pthread_mutex_lock(&news->lock);
    if (news->has_thread) {
        news->has_missed = true;
        (void)pthread_cond_signal(&news->changed);
    }
    (void)pthread_mutex_unlock(&news->lock);
}
