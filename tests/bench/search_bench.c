/* bench/search_bench.c - how long a search takes: search_bench [EVENTS [QUERIES]].
 *
 * The events are made up from a seed: words of syllables, the common ones much more frequent than
 * the rare ones (Zipf), as in real names. The queries are what people type: beginnings, one to
 * three words, misspelt ones; `keep` refuses every eighth event. Build it as a release: it prints
 * queries a second and percentiles of the time that a query takes. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "services/booking/search.h"

enum {
    VOCABULARY = 50000,
    WORD_SIZE_MAX = 24,
    TEXT_SIZE_MAX = 256,
    ARTISTS_MAX = 3,
    VENUES = 2000,
    CITIES = 300,
    LIMIT = 21, /* a page and one */
    EVENTS_DEFAULT = 100000,
    QUERIES_DEFAULT = 2000,
};

struct bench {
    struct rng_seeded rng;
    char (*words)[WORD_SIZE_MAX];
    struct search *search;
    struct arena *arena;
    int64_t *took_ns;
    size_t query_count;
};

static uint64_t below(struct bench *bench, uint64_t bound)
{
    return rng_below(&bench->rng.rng, bound);
}

/* --- Text --- */

static void append(char *to, size_t capacity, const char *text)
{
    const size_t size = strlen(to);

    (void)snprintf(to + size, capacity - size, "%s", text);
}

static void make_word(struct bench *bench, char *to)
{
    static const char onsets[][3] = {"b", "br", "c", "d", "f", "g", "h", "j",  "k",  "l",  "m", "n",
                                     "p", "r",  "s", "t", "v", "w", "z", "st", "tr", "ch", "sh"};
    static const char nuclei[][3] = {"a", "e", "i", "o", "u", "ai", "ea", "io", "ou"};
    static const char codas[][3] = {"", "", "n", "r", "s", "l", "t", "m"};
    const size_t syllables = 1 + below(bench, 4);

    *to = '\0';
    for (size_t i = 0; i < syllables; i++) {
        append(to, WORD_SIZE_MAX, onsets[below(bench, sizeof(onsets) / sizeof(onsets[0]))]);
        append(to, WORD_SIZE_MAX, nuclei[below(bench, sizeof(nuclei) / sizeof(nuclei[0]))]);
        if (i + 1 == syllables || below(bench, 3) == 0)
            append(to, WORD_SIZE_MAX, codas[below(bench, sizeof(codas) / sizeof(codas[0]))]);
    }
}

/* Rank r comes about 1/r times as often as the first. */
static size_t zipf(struct bench *bench)
{
    double at = 1;
    const uint64_t octaves = below(bench, 16); /* 2^16 > VOCABULARY */

    for (uint64_t i = 0; i < octaves; i++)
        at *= 2;
    const uint64_t rank = (uint64_t)at + below(bench, (uint64_t)at);
    return rank < VOCABULARY ? rank : below(bench, VOCABULARY);
}

static void make_text(struct bench *bench, size_t words, char *to)
{
    *to = '\0';
    for (size_t i = 0; i < words; i++) {
        if (i > 0)
            append(to, TEXT_SIZE_MAX, " ");
        append(to, TEXT_SIZE_MAX, bench->words[zipf(bench)]);
    }
}

/* --- The index --- */

static void put_event(struct bench *bench, size_t number, char (*venues)[TEXT_SIZE_MAX],
                      char (*cities)[TEXT_SIZE_MAX])
{
    char name[TEXT_SIZE_MAX];
    char artist_texts[ARTISTS_MAX][TEXT_SIZE_MAX];
    str artists[ARTISTS_MAX];
    const size_t artist_count = below(bench, ARTISTS_MAX + 1);
    size_t slot;

    make_text(bench, 2 + below(bench, 5), name);
    for (size_t i = 0; i < artist_count; i++) {
        make_text(bench, 2, artist_texts[i]);
        artists[i] = str_of(artist_texts[i]);
    }
    const struct search_event said = {
        .name = str_of(name),
        .venue = str_of(venues[below(bench, VENUES)]),
        .city = str_of(cities[below(bench, CITIES)]),
        .artists = artists,
        .artist_count = artist_count,
        .starts_at_ms = (int64_t)below(bench, UINT64_C(1) << 40),
    };
    const struct uuid id = uuid_new(&bench->rng.rng, (int64_t)number);
    if (search_put(bench->search, id, &said, &slot) != ERR_OK)
        abort();
}

static void fill(struct bench *bench, size_t event_count)
{
    char(*venues)[TEXT_SIZE_MAX] = mem_alloc(VENUES * sizeof(*venues));
    char(*cities)[TEXT_SIZE_MAX] = mem_alloc(CITIES * sizeof(*cities));

    for (size_t i = 0; i < VOCABULARY; i++)
        make_word(bench, bench->words[i]);
    for (size_t i = 0; i < VENUES; i++)
        make_text(bench, 2, venues[i]);
    for (size_t i = 0; i < CITIES; i++)
        make_text(bench, 1, cities[i]);
    for (size_t i = 0; i < event_count; i++)
        put_event(bench, i, venues, cities);
    mem_free(venues);
    mem_free(cities);
}

/* --- Queries --- */

static void misspell(struct bench *bench, char *word)
{
    const size_t size = strlen(word);
    const size_t at = below(bench, size);
    const size_t swapped = at + 1 < size ? at + 1 : at;
    const char letter = word[at];

    if (below(bench, 2) == 0) {
        word[at] = (char)('a' + below(bench, 26));
        return;
    }
    word[at] = word[swapped];
    word[swapped] = letter;
}

static void make_beginning(struct bench *bench, char *to)
{
    make_text(bench, 1, to);
    const size_t size = 1 + below(bench, 4);
    if (strlen(to) > size)
        to[size] = '\0';
}

static void make_one(struct bench *bench, char *to)
{
    make_text(bench, 1, to);
}

static void make_two(struct bench *bench, char *to)
{
    make_text(bench, 2, to);
}

static void make_three(struct bench *bench, char *to)
{
    make_text(bench, 3, to);
}

static void make_typo(struct bench *bench, char *to)
{
    do
        make_text(bench, 1, to);
    while (strlen(to) < 5);
    misspell(bench, to);
}

static void make_two_typos(struct bench *bench, char *to)
{
    do
        make_text(bench, 1, to);
    while (strlen(to) < 9);
    misspell(bench, to);
    misspell(bench, to);
}

static int compare_ns(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void print_figures(const char *label, int64_t *took_ns, size_t count)
{
    int64_t sum_ns = 0;

    for (size_t i = 0; i < count; i++)
        sum_ns += took_ns[i];
    qsort(took_ns, count, sizeof(took_ns[0]), compare_ns);
    const int64_t median_ns = took_ns[count / 2];
    const int64_t p99_ns = took_ns[count * 99 / 100];
    printf("%-12s %9.0f queries/s  p50 %8.3f ms  p99 %8.3f ms  max %8.3f ms\n", label,
           (double)count * 1e9 / (double)sum_ns, (double)median_ns / 1e6, (double)p99_ns / 1e6,
           (double)took_ns[count - 1] / 1e6);
}

static bool keep_most(void *arg, [[maybe_unused]] struct uuid event, size_t slot)
{
    (void)arg;
    return slot % 8 != 0;
}

static void run(struct bench *bench, const char *label, void (*make)(struct bench *, char *),
                int64_t *took_ns)
{
    size_t hits = 0;

    for (size_t i = 0; i < bench->query_count; i++) {
        char text[TEXT_SIZE_MAX];
        make(bench, text);
        const struct search_query query =
            SEARCH_QUERY(.text = str_of(text), .limit = LIMIT, .keep = keep_most);
        const int64_t start_ns = clock_thread_ns();
        hits += search_find(bench->search, bench->arena, &query).count;
        took_ns[i] = clock_thread_ns() - start_ns;
        arena_reset(bench->arena);
    }
    memcpy(bench->took_ns, took_ns, bench->query_count * sizeof(took_ns[0]));
    print_figures(label, bench->took_ns, bench->query_count);
    printf("%-12s %9.1f hits a query\n", "", (double)hits / (double)bench->query_count);
}

static size_t read_count(const char *text, size_t otherwise)
{
    int64_t count = 0;

    if (text == NULL)
        return otherwise;
    if (!str_to_i64(str_of(text), &count) || count < 1 || count > SEARCH_EVENTS_MAX) {
        (void)fprintf(stderr, "usage: search_bench [EVENTS [QUERIES]]\n");
        exit(2); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    }
    return (size_t)count;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *label;
        void (*make)(struct bench *bench, char *to);
    } kinds[] = {
        {"beginning",   make_beginning},
        {"one word",    make_one      },
        {"two words",   make_two      },
        {"three words", make_three    },
        {"typo",        make_typo     },
        {"two typos",   make_two_typos},
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    const size_t event_count = read_count(argc > 1 ? argv[1] : NULL, EVENTS_DEFAULT);
    struct bench bench = {.query_count = read_count(argc > 2 ? argv[2] : NULL, QUERIES_DEFAULT)};

    rng_seeded_init(&bench.rng, 1);
    bench.words = mem_alloc(VOCABULARY * sizeof(*bench.words));
    bench.took_ns = mem_alloc(bench.query_count * sizeof(int64_t));
    int64_t *all_ns = mem_alloc(KINDS * bench.query_count * sizeof(int64_t));
    bench.search = search_open();
    bench.arena = arena_open(0);

    const int64_t start_ns = clock_thread_ns();
    fill(&bench, event_count);
    printf("%zu events, %zu words, indexed in %.2f s\n", search_event_count(bench.search),
           search_term_count(bench.search), (double)(clock_thread_ns() - start_ns) / 1e9);
    for (size_t i = 0; i < KINDS; i++)
        run(&bench, kinds[i].label, kinds[i].make, all_ns + i * bench.query_count);
    print_figures("all", all_ns, KINDS * bench.query_count);

    arena_close(bench.arena);
    search_close(bench.search);
    mem_free(all_ns);
    mem_free(bench.took_ns);
    mem_free(bench.words);
    return 0;
}
