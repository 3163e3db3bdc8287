/* gateway/rate.c - the buckets lie in a fixed table, one slot a hash; a lock guards a stripe of
 * them. */
#include "services/gateway/rate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS = 65536, STRIPES = 64, MILLI = 1000 };

struct bucket {
    uint64_t key; /* 0: free */
    int64_t milli_tokens;
    int64_t filled_ms;
};

struct rate_table {
    pthread_mutex_t locks[STRIPES];
    struct bucket buckets[SLOTS];
};

uint64_t rate_network_key(str address)
{
    enum { V6_NETWORK_SIZE = 8, V4_SIZE = 4, V4_MAPPED_AT = 12 };
    char text[INET6_ADDRSTRLEN] = {0};
    struct in6_addr v6;
    struct in_addr v4;

    if (address.size > 0 && address.size < sizeof(text))
        memcpy(text, address.ptr, address.size);
    if (inet_pton(AF_INET, text, &v4) == 1)
        return str_hash((str){(const char *)&v4, V4_SIZE});
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return str_hash(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return str_hash((str){(const char *)&v6.s6_addr[V4_MAPPED_AT], V4_SIZE});
    return str_hash((str){(const char *)v6.s6_addr, V6_NETWORK_SIZE});
}

struct rate_table *rate_table_new(void)
{
    struct rate_table *table = mem_new(struct rate_table);

    for (size_t i = 0; i < STRIPES; i++)
        (void)pthread_mutex_init(&table->locks[i], NULL);
    return table;
}

void rate_table_free(struct rate_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++)
        (void)pthread_mutex_destroy(&table->locks[i]);
    mem_free(table);
}

/* What flowed in since the last look. A clock that went back fills nothing. */
static void fill(struct bucket *bucket, const struct rate_limit *limit, int64_t now_ms)
{
    const int64_t full = limit->burst * MILLI;
    const int64_t passed_ms = now_ms > bucket->filled_ms ? now_ms - bucket->filled_ms : 0;

    if (passed_ms >= full / limit->per_s)
        bucket->milli_tokens = full;
    else
        bucket->milli_tokens += passed_ms * limit->per_s;
    if (bucket->milli_tokens > full)
        bucket->milli_tokens = full;
    bucket->filled_ms = now_ms;
}

bool rate_take(struct rate_table *table, uint64_t key, const struct rate_limit *limit,
               int64_t now_ms, int *ret_wait_s)
{
    const size_t slot = key % SLOTS;
    pthread_mutex_t *lock = &table->locks[slot % STRIPES];
    struct bucket *bucket = &table->buckets[slot];
    bool taken = true;

    (void)pthread_mutex_lock(lock);
    if (bucket->key != (key | 1))
        *bucket = (struct bucket){key | 1, limit->burst * MILLI, now_ms};
    fill(bucket, limit, now_ms);
    if (bucket->milli_tokens >= MILLI)
        bucket->milli_tokens -= MILLI;
    else {
        const int64_t missing_ms = (MILLI - bucket->milli_tokens + limit->per_s - 1) / limit->per_s;
        *ret_wait_s = (int)((missing_ms + 999) / 1000);
        taken = false;
    }
    (void)pthread_mutex_unlock(lock);
    return taken;
}
