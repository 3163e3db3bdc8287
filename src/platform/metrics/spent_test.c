/* platform/metrics/spent_test.c - each thread counts for itself, and begins anew. */

#include "platform/metrics/spent.h"

#include <pthread.h>

#include "support/test.h"

static void *spend_elsewhere([[maybe_unused]] void *arg)
{
    spent_add(SPENT_DATABASE, 1000);
    return NULL;
}

TEST(what_a_thread_has_spent_is_its_own_and_taken_once)
{
    int64_t spent[SPENT_KINDS];
    pthread_t thread;

    spent_take(spent);
    spent_add(SPENT_DATABASE, 3);
    spent_add(SPENT_DATABASE, 4);
    spent_add(SPENT_CACHE, 5);
    CHECK_I64(0, pthread_create(&thread, NULL, spend_elsewhere, NULL));
    (void)pthread_join(thread, NULL);
    spent_take(spent);
    CHECK_I64(7, spent[SPENT_DATABASE]);
    CHECK_I64(5, spent[SPENT_CACHE]);
    spent_take(spent);
    CHECK_I64(0, spent[SPENT_DATABASE]);
    CHECK_I64(0, spent[SPENT_CACHE]);
}
