/* booking/list_cache_test.c - kept pages are true, made once, and bounded. */
#include "services/booking/list_cache.h"

#include <pthread.h>
#include <stdio.h>

#include "platform/http/blob.h"
#include "support/test.h"

static struct blob *page_of(int64_t number)
{
    char body[32];
    const int size = snprintf(body, sizeof(body), "%lld", (long long)number);
    const struct blob_options options = {
        .content_type = STR("application/json"),
        .body = {body, (size_t)size},
        .cache_control = STR("no-cache")
    };

    return blob_new(&options);
}

static void put(struct list_cache *cache, str key, const struct list_basis *basis, int64_t number)
{
    CLEANUP(blob_release_at) struct blob *page = page_of(number);

    list_cache_put(cache, key, basis, page);
}

/* Makes the page if that is asked for; gives what was found, or made. */
static int64_t ask(struct list_cache *cache, str key, const struct list_basis *now, int64_t made)
{
    CLEANUP(blob_release_at) struct blob *page = NULL;
    int64_t number = -1;

    switch (list_cache_find(cache, key, now, true, &page)) {
    case LIST_FOUND:
        CHECK(str_to_i64(blob_body(page), &number));
        return number;
    case LIST_MAKE:
        put(cache, key, now, made);
        return made;
    case LIST_BUSY:
        break;
    }
    return number;
}

TEST(a_page_is_kept_while_all_that_it_was_made_of_is_the_same)
{
    static const struct list_basis made = {
        .catalog = 5, .stock = 7, .uses_stock = false, .from_ms = 100, .until_ms = 200};
    static const struct list_basis made_of_stock = {
        .catalog = 5, .stock = 7, .uses_stock = true, .from_ms = 100, .until_ms = 200};
    static const struct {
        struct list_basis now;
        bool kept;
        bool kept_of_stock;
    } cases[] = {
        {{.catalog = 5, .stock = 7, .from_ms = 100}, true,  true },
        {{.catalog = 5, .stock = 7, .from_ms = 199}, true,  true },
        {{.catalog = 5, .stock = 7, .from_ms = 200}, false, false},
        {{.catalog = 5, .stock = 7, .from_ms = 99},  false, false}, /* the clock went back */
        {{.catalog = 6, .stock = 7, .from_ms = 100}, false, false},
        {{.catalog = 4, .stock = 7, .from_ms = 100}, false, false},
        {{.catalog = 5, .stock = 8, .from_ms = 100}, true,  false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct list_cache *cache = list_cache_open(1 << 20);

        put(cache, STR("a"), &made, 1);
        put(cache, STR("b"), &made_of_stock, 1);
        CHECK_I64(cases[i].kept ? 1 : 2, ask(cache, STR("a"), &cases[i].now, 2));
        CHECK_I64(cases[i].kept_of_stock ? 1 : 2, ask(cache, STR("b"), &cases[i].now, 2));
        CHECK_I64(3, ask(cache, STR("c"), &cases[i].now, 3));
        list_cache_close(cache);
    }
}

TEST(while_one_makes_it_the_others_have_the_old_page)
{
    static const struct list_basis old = {.catalog = 1, .until_ms = INT64_MAX};
    static const struct list_basis now = {.catalog = 2, .until_ms = INT64_MAX};
    struct list_cache *cache = list_cache_open(1 << 20);
    struct blob *page = NULL;

    put(cache, STR("a"), &old, 1);
    CHECK_I64(LIST_BUSY, list_cache_find(cache, STR("a"), &now, false, &page));
    CHECK_I64(LIST_MAKE, list_cache_find(cache, STR("a"), &now, true, &page));
    CHECK_I64(1, ask(cache, STR("a"), &now, 9));
    put(cache, STR("a"), &now, 2);
    CHECK_I64(2, ask(cache, STR("a"), &now, 9));
    list_cache_close(cache);
}

TEST(who_gives_up_leaves_it_to_the_next)
{
    static const struct list_basis now = {.catalog = 1, .until_ms = INT64_MAX};
    struct list_cache *cache = list_cache_open(1 << 20);
    struct blob *page = NULL;

    CHECK_I64(LIST_MAKE, list_cache_find(cache, STR("a"), &now, true, &page));
    CHECK_I64(LIST_BUSY, list_cache_find(cache, STR("a"), &now, true, &page));
    list_cache_give_up(cache, STR("a"));
    CHECK_I64(0, (int64_t)list_cache_size(cache));
    CHECK_I64(LIST_MAKE, list_cache_find(cache, STR("a"), &now, true, &page));
    put(cache, STR("a"), &now, 1);
    list_cache_give_up(cache, STR("a")); /* by one who made it too */
    CHECK_I64(1, ask(cache, STR("a"), &now, 9));
    list_cache_close(cache);
}

TEST(what_was_not_asked_for_longest_goes_first)
{
    enum { PAGES = 200, ROOM = 20 };
    static const struct list_basis now = {.catalog = 1, .until_ms = INT64_MAX};
    struct list_cache *probe = list_cache_open(1 << 20);
    char key[16];

    put(probe, STR("key-000"), &now, 0);
    const size_t size_max = ROOM * list_cache_size(probe);
    list_cache_close(probe);

    struct list_cache *cache = list_cache_open(size_max);
    for (int i = 0; i < PAGES; i++) {
        (void)snprintf(key, sizeof(key), "key-%03d", i);
        CHECK_I64(0, ask(cache, str_of(key), &now, 0));
        CHECK_I64(0, ask(cache, STR("key-000"), &now, 1)); /* always wanted, so it stays */
        CHECK(list_cache_size(cache) <= size_max);
    }
    CHECK(list_cache_size(cache) > size_max / 2);
    CHECK_I64(0, ask(cache, STR("key-199"), &now, 1));
    CHECK_I64(1, ask(cache, STR("key-001"), &now, 1)); /* was gone */
    list_cache_close(cache);
}

TEST(a_page_that_is_larger_than_all_room_is_not_kept)
{
    static const struct list_basis now = {.catalog = 1, .until_ms = INT64_MAX};
    struct list_cache *cache = list_cache_open(100);

    CHECK_I64(1, ask(cache, STR("a"), &now, 1));
    CHECK_I64(0, (int64_t)list_cache_size(cache));
    CHECK_I64(2, ask(cache, STR("a"), &now, 2));
    list_cache_close(cache);
}

/* --- Threads --- */

enum { READERS = 4, CHANGES = 2000, KEYS = 8 };

struct shared {
    struct list_cache *cache;
    _Atomic int64_t catalog; /* what a page shows is the version that it was made of */
    _Atomic int64_t made;
    _Atomic bool is_over;
};

static void *browse(void *arg)
{
    struct shared *shared = arg;
    char key[8];

    for (int i = 0; !shared->is_over; i++) {
        const int64_t before = shared->catalog;
        const struct list_basis now = {.catalog = (uint64_t)before, .until_ms = INT64_MAX};
        struct blob *page = NULL;
        int64_t shown = -1;

        (void)snprintf(key, sizeof(key), "k%d", i % KEYS);
        switch (list_cache_find(shared->cache, str_of(key), &now, true, &page)) {
        case LIST_FOUND:
            /* Of another time, but only because somebody was just making it. */
            assert_true(str_to_i64(blob_body(page), &shown));
            assert_true(shown <= shared->catalog);
            blob_release(page);
            break;
        case LIST_MAKE:
            put(shared->cache, str_of(key), &now, before);
            shared->made++;
            break;
        case LIST_BUSY:
            list_cache_wait(shared->cache, str_of(key));
            break;
        }
    }
    return NULL;
}

TEST(a_change_costs_about_one_rendering_a_page_however_many_ask)
{
    struct shared shared = {.cache = list_cache_open(1 << 20)};
    pthread_t threads[READERS];

    for (int i = 0; i < READERS; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, browse, &shared));
    for (int i = 0; i < CHANGES; i++)
        shared.catalog++;
    while (shared.made < KEYS)
        ;
    shared.is_over = true;
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    /* Nobody is at it any more: what is asked for now is of now. */
    const struct list_basis now = {.catalog = (uint64_t)shared.catalog, .until_ms = INT64_MAX};
    for (int i = 0; i < KEYS; i++) {
        char key[8];
        (void)snprintf(key, sizeof(key), "k%d", i);
        CHECK_I64(shared.catalog, ask(shared.cache, str_of(key), &now, shared.catalog));
    }
    list_cache_close(shared.cache);
}
