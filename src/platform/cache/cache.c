/* platform/cache/cache.c - one cache: its memory, its link to Redis if it has one, and its news.
 *
 * While the link is up, values are in Redis alone; the memory takes over when it goes down, and is
 * emptied when it comes back, so that it never gives what others have changed meanwhile. */
#include "platform/cache/cache.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "platform/cache/connect.h"
#include "platform/cache/private.h"
#include "platform/crypto/crypto.h"
#include "platform/metrics/metrics.h"

#define SECONDS_NAME "boxoffice_cache_seconds"
#define SECONDS_HELP "Time of calls to Redis."

/* --- Names --- */

struct cache_name cache_name_of(struct cache *cache, char kind, str key)
{
    static const char digits[] = "0123456789abcdef";
    struct cache_name name = {.text = "bo:?:"};
    char keyed[1 + CACHE_KEY_SIZE_MAX];
    uint8_t mac[SHA256_SIZE];

    assert(key.size > 0 && key.size <= CACHE_KEY_SIZE_MAX);
    name.text[3] = kind;
    keyed[0] = kind;
    memcpy(keyed + 1, key.ptr, key.size);
    keyring_mac(cache->options.keyring, "cache_key", (str){keyed, 1 + key.size}, mac);
    for (size_t i = 0; i < (CACHE_NAME_SIZE - 5) / 2; i++) {
        name.text[5 + 2 * i] = digits[mac[i] >> 4];
        name.text[6 + 2 * i] = digits[mac[i] & 15];
    }
    return name;
}

/* --- News ---
 *
 * A message in Redis is a MAC of the rest, 16 bytes; who sent it, 8; the size of the channel's
 * name, 1; that name; the payload. */

enum { MAC_SIZE = 16, SENDER_SIZE = 8, HEAD_SIZE = MAC_SIZE + SENDER_SIZE + 1 };

static void mac_of(struct cache *cache, str rest, uint8_t ret[SHA256_SIZE])
{
    keyring_mac(cache->options.keyring, "cache_news", rest, ret);
}

static void hear(void *arg, str message)
{
    struct cache *cache = arg;
    uint8_t mac[SHA256_SIZE];

    if (message.size < HEAD_SIZE)
        return;
    const size_t channel_size = (uint8_t)message.ptr[HEAD_SIZE - 1];
    mac_of(cache, str_slice(message, MAC_SIZE, message.size), mac);
    if (!equal_in_constant_time(mac, message.ptr, MAC_SIZE) ||
        message.size < HEAD_SIZE + channel_size) {
        metric_add(cache->meter.errors, 1);
        return;
    }
    if (memcmp(message.ptr + MAC_SIZE, cache->sender, SENDER_SIZE) == 0)
        return; /* our own was delivered when it was published */
    news_tell(cache->news, str_slice(message, HEAD_SIZE, HEAD_SIZE + channel_size),
              str_slice(message, HEAD_SIZE + channel_size, message.size));
}

static void send_news(struct cache *cache, str channel, str payload)
{
    char message[HEAD_SIZE + CACHE_CHANNEL_SIZE_MAX + CACHE_NEWS_SIZE_MAX];
    uint8_t mac[SHA256_SIZE];
    const size_t size = HEAD_SIZE + channel.size + payload.size;
    struct order order;

    memcpy(message + MAC_SIZE, cache->sender, SENDER_SIZE);
    message[HEAD_SIZE - 1] = (char)channel.size;
    memcpy(message + HEAD_SIZE, channel.ptr, channel.size);
    if (payload.size > 0)
        memcpy(message + HEAD_SIZE + channel.size, payload.ptr, payload.size);
    mac_of(cache, (str){message + MAC_SIZE, size - MAC_SIZE}, mac);
    memcpy(message, mac, MAC_SIZE);

    order.seconds = cache->meter.publish_seconds;
    order.done = NULL;
    order.arg = NULL;
    order.count = 0;
    order_add(&order, STR("PUBLISH"));
    order_add(&order, STR(CACHE_CHANNEL));
    order_add(&order, (str){message, size});
    (void)link_send(cache->link, &order);
}

void cache_publish(struct cache *cache, const char *channel, str payload)
{
    const str name = str_of(channel);

    assert(name.size > 0 && name.size <= CACHE_CHANNEL_SIZE_MAX);
    assert(payload.size <= CACHE_NEWS_SIZE_MAX);
    news_tell(cache->news, name, payload);
    if (cache->link != NULL)
        send_news(cache, name, payload);
}

void cache_listen(struct cache *cache, const char *channel, void (*hear_fn)(void *arg, str payload),
                  void *arg)
{
    news_listen(cache->news, channel, hear_fn, arg);
}

void cache_unlisten(struct cache *cache, void *arg)
{
    news_unlisten(cache->news, arg);
}

/* --- Up and down --- */

static void goes_up(void *arg)
{
    struct cache *cache = arg;

    memory_clear(cache->memory);
    buckets_share(cache->buckets, true);
    news_tell_missed(cache->news);
}

static void goes_down(void *arg)
{
    struct cache *cache = arg;

    memory_clear(cache->memory); /* what was put in the moment of the last change */
    buckets_share(cache->buckets, false);
}

static void wake(void *arg)
{
    const struct cache *cache = arg;

    if (cache->link != NULL)
        link_wake(cache->link);
}

bool cache_is_shared(const struct cache *cache)
{
    return cache->link != NULL;
}

bool cache_is_up(const struct cache *cache)
{
    return cache->link == NULL || link_is_up(cache->link);
}

/* --- Opening and closing --- */

static struct metric *seconds(struct metrics *metrics, const char *labels)
{
    return metrics_histogram(metrics, SECONDS_NAME, labels, SECONDS_HELP, METRICS_SECONDS,
                             METRICS_SECONDS_COUNT);
}

static struct cache_meter meter_of(struct metrics *metrics)
{
    return (struct cache_meter){
        .hits = metrics_counter(metrics, "boxoffice_cache_hits_total", NULL, "Values found."),
        .misses = metrics_counter(metrics, "boxoffice_cache_misses_total", NULL,
                                  "Values not found, or not to be had."),
        .errors = metrics_counter(metrics, "boxoffice_cache_errors_total", NULL,
                                  "Calls to Redis that failed, and answers that were not ours."),
        .up = metrics_gauge(metrics, "boxoffice_cache_up", NULL, "1: the cache answers."),
        .get_seconds = seconds(metrics, "call=\"get\""),
        .put_seconds = seconds(metrics, "call=\"put\""),
        .take_seconds = seconds(metrics, "call=\"take\""),
        .publish_seconds = seconds(metrics, "call=\"publish\""),
    };
}

static void open_link(struct cache *cache)
{
    const struct link_options options = {
        .url = &cache->url,
        .deadline_ms = cache->options.deadline_ms,
        .clock = cache->options.clock,
        .rng = cache->options.rng,
        .log = cache->options.log,
        .up = cache->meter.up,
        .errors = cache->meter.errors,
        .goes_up = goes_up,
        .goes_down = goes_down,
        .hear = hear,
        .turn = cache_settle,
        .arg = cache,
    };

    link_open(&options, &cache->link);
}

/* Where chance is seeded, the nodes of one process have the same, but not the same address. */
static void make_sender(struct cache *cache)
{
    uint64_t sender = rng_u64(cache->options.rng) ^ (uintptr_t)cache;

    memcpy(cache->sender, &sender, sizeof(cache->sender));
}

err cache_open(const struct cache_options *options, struct arena *arena, struct cache **ret,
               str *ret_why)
{
    struct arena *own = arena_open(0);
    struct cache_url url;
    struct cache *cache = NULL;
    str why = STR_ABSENT;

    assert(options->deadline_ms > 0 && options->memory_size >= CACHE_MEMORY_SIZE_MIN);
    const err e = cache_url_read(options->url, own, &url, &why);
    if (e != ERR_OK) {
        *ret_why = arena_str(arena, why);
        arena_close(own);
        return e;
    }
    cache = mem_new(struct cache);
    *cache = (struct cache){
        .options = *options,
        .arena = own,
        .url = url,
        .memory = memory_open(options->memory_size),
        .news = news_open(),
        .meter = meter_of(options->metrics),
    };
    cache->buckets = buckets_open(wake, cache);
    make_sender(cache);
    metric_set(cache->meter.up, 1);
    if (!url.is_memory)
        open_link(cache);
    *ret = cache;
    return ERR_OK;
}

void cache_close(struct cache *cache)
{
    if (cache == NULL)
        return;
    link_close(cache->link);
    news_close(cache->news);
    buckets_close(cache->buckets);
    memory_close(cache->memory);
    arena_close(cache->arena);
    mem_free(cache);
}
