/* bench/search_bench.c - how long a search takes: search_bench [EVENTS [QUERIES]].
 *
 * The events are made up from a seed: words of syllables, the common ones much more frequent than
 * the rare ones (Zipf), as in real names. The queries are what people type: beginnings, one to
 * three words, misspelt ones; `keep` refuses every eighth event, or lets pass one in 300, as a city
 * does. Build it as a release: it prints queries a second, percentiles of the time that a query
 * takes, what a change costs, and the memory. Times are of the processor: the machine may be busy.
 * Without arguments both 500 and 100,000 events are measured. */

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "services/booking/search/highlight.h"
#include "services/booking/search/search.h"
#include "services/booking/search/suggest.h"

enum {
    VOCABULARY = 50000,
    WORD_SIZE_MAX = 24,
    TEXT_SIZE_MAX = 256,
    ARTISTS_MAX = 3,
    VENUES = 2000,
    CITIES = 300,
    LIMIT = 21, /* a page and one */
    EVENTS_FEW = 500,
    EVENTS_MANY = 100000,
    CHANGES = 1000,
    NAMES = 8, /* suggested */
    QUERIES_DEFAULT = 2000,
};

struct bench {
    struct rng_seeded rng;
    char (*words)[WORD_SIZE_MAX];
    struct search *search;
    struct suggestions *suggestions;
    struct event *events;
    size_t event_count;
    struct arena *texts; /* of the events */
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

static struct artist *make_artists(struct bench *bench, size_t count)
{
    struct artist *artists = arena_new_array(bench->texts, struct artist, count + 1);
    char text[TEXT_SIZE_MAX];

    for (size_t i = 0; i < count; i++) {
        make_text(bench, 2, text);
        artists[i].name = arena_str(bench->texts, str_of(text));
        artists[i].id.uuid.bytes[0] = 1;
        const uint64_t hash = str_hash(artists[i].name);
        memcpy(&artists[i].id.uuid.bytes[8], &hash, sizeof(hash));
    }
    return artists;
}

static void make_event(struct bench *bench, size_t number, struct venue *venues)
{
    struct event *event = &bench->events[number];
    char name[TEXT_SIZE_MAX];

    make_text(bench, 2 + below(bench, 5), name);
    *event = (struct event){
        .id = {uuid_new(&bench->rng.rng, (int64_t)number)},
        .status = EVENT_PUBLISHED,
        .slug = STR("slug"),
        .name = arena_str(bench->texts, str_of(name)),
        .starts_at_ms = (int64_t)below(bench, UINT64_C(1) << 40),
        .venue = &venues[below(bench, VENUES)],
        .artist_count = below(bench, ARTISTS_MAX + 1),
    };
    event->ends_at_ms = event->starts_at_ms + 7200000;
    event->artists = make_artists(bench, event->artist_count);
}

static void put_event(struct bench *bench, const struct event *event)
{
    str artists[ARTISTS_MAX];
    size_t slot;

    for (size_t i = 0; i < event->artist_count; i++)
        artists[i] = event->artists[i].name;
    const struct search_event said = {
        .name = event->name,
        .venue = event->venue->name,
        .city = event->venue->city,
        .artists = artists,
        .artist_count = event->artist_count,
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
    };
    if (search_put(bench->search, event->id.uuid, &said, &slot) != ERR_OK)
        abort();
}

static void make_events(struct bench *bench)
{
    struct venue *venues = arena_new_array(bench->texts, struct venue, VENUES);
    str cities[CITIES];
    char text[TEXT_SIZE_MAX];

    for (size_t i = 0; i < VOCABULARY; i++)
        make_word(bench, bench->words[i]);
    for (size_t i = 0; i < CITIES; i++) {
        make_text(bench, 1, text);
        cities[i] = arena_str(bench->texts, str_of(text));
    }
    for (size_t i = 0; i < VENUES; i++) {
        make_text(bench, 2, text);
        venues[i].id.uuid.bytes[0] = 2;
        memcpy(&venues[i].id.uuid.bytes[8], &i, sizeof(i));
        venues[i].name = arena_str(bench->texts, str_of(text));
        venues[i].city = cities[below(bench, CITIES)];
    }
    bench->events = arena_new_array(bench->texts, struct event, bench->event_count);
    for (size_t i = 0; i < bench->event_count; i++)
        make_event(bench, i, venues);
}

static size_t heap_used(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void print_filled(const struct bench *bench, const char *label, int64_t start_ns,
                         size_t used_before, size_t words)
{
    printf("%-12s %zu events, %zu %s, %.2f s, %.0f bytes an event\n", label, bench->event_count,
           words, strcmp(label, "index") == 0 ? "words" : "names",
           (double)(clock_thread_ns() - start_ns) / 1e9,
           (double)(heap_used() - used_before) / (double)bench->event_count);
}

static void fill(struct bench *bench)
{
    size_t used = heap_used();
    int64_t start_ns = clock_thread_ns();

    for (size_t i = 0; i < bench->event_count; i++)
        put_event(bench, &bench->events[i]);
    print_filled(bench, "index", start_ns, used, search_term_count(bench->search));

    used = heap_used();
    start_ns = clock_thread_ns();
    for (size_t i = 0; i < bench->event_count; i++)
        suggestions_put(bench->suggestions, &bench->events[i], 0);
    print_filled(bench, "suggestions", start_ns, used, suggestions_count(bench->suggestions));
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

static bool keep_most([[maybe_unused]] void *arg, [[maybe_unused]] struct uuid event, size_t slot)
{
    return slot % 8 != 0;
}

/* As few as a city has. */
static bool keep_few([[maybe_unused]] void *arg, [[maybe_unused]] struct uuid event, size_t slot)
{
    return slot % CITIES == 0;
}

static size_t ask_search(struct bench *bench, str text)
{
    return search_find(bench->search, bench->arena,
                       &SEARCH_QUERY(.text = text, .limit = LIMIT, .keep = keep_most))
        .count;
}

static size_t ask_few(struct bench *bench, str text)
{
    return search_find(bench->search, bench->arena,
                       &SEARCH_QUERY(.text = text, .limit = LIMIT, .keep = keep_few))
        .count;
}

/* What starts in the last twentieth of the time. */
static size_t ask_late(struct bench *bench, str text)
{
    struct search_query query = SEARCH_QUERY(.text = text, .limit = LIMIT);

    query.starts_from_ms = (INT64_C(1) << 40) / 20 * 19;
    return search_find(bench->search, bench->arena, &query).count;
}

static size_t ask_suggestions(struct bench *bench, str text)
{
    struct suggestion found[NAMES];

    return suggestions_find(bench->suggestions, bench->arena, text, 0, NAMES, found);
}

/* A page of what is found. */
static size_t ask_highlights(struct bench *bench, str text)
{
    const struct search_pattern *pattern = search_pattern_new(bench->search, bench->arena, text);
    const struct search_highlight *highlights;
    size_t count = 0;

    for (size_t i = 0; i < LIMIT && i < bench->event_count; i++) {
        const struct event *event = &bench->events[i];
        const struct search_event said = {.name = event->name, .venue = event->venue->name};
        count += search_highlights(pattern, bench->arena, &said, &highlights);
    }
    return count;
}

static void run(struct bench *bench, const char *label, void (*make)(struct bench *, char *),
                size_t (*ask)(struct bench *, str), int64_t *took_ns)
{
    size_t hits = 0;

    for (size_t i = 0; i < bench->query_count; i++) {
        char text[TEXT_SIZE_MAX];
        make(bench, text);
        const int64_t start_ns = clock_thread_ns();
        hits += ask(bench, str_of(text));
        took_ns[i] = clock_thread_ns() - start_ns;
        arena_reset(bench->arena);
    }
    memcpy(bench->took_ns, took_ns, bench->query_count * sizeof(took_ns[0]));
    print_figures(label, bench->took_ns, bench->query_count);
    printf("%-12s %9.1f answers a query\n", "", (double)hits / (double)bench->query_count);
}

/* What a writer keeps readers waiting for: an event takes the name of another. */
static void run_changes(struct bench *bench)
{
    int64_t took_ns[CHANGES];

    for (size_t i = 0; i < CHANGES; i++) {
        struct event *event = &bench->events[below(bench, bench->event_count)];
        const str name = bench->events[below(bench, bench->event_count)].name;
        const int64_t start_ns = clock_thread_ns();

        suggestions_remove(bench->suggestions, event, 0);
        event->name = name;
        put_event(bench, event);
        suggestions_put(bench->suggestions, event, 0);
        took_ns[i] = clock_thread_ns() - start_ns;
    }
    print_figures("change", took_ns, CHANGES);
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

static void measure(size_t event_count, size_t query_count)
{
    static const struct {
        const char *label;
        void (*make)(struct bench *bench, char *to);
        size_t (*ask)(struct bench *bench, str text);
    } kinds[] = {
        {"beginning",   make_beginning, ask_search     },
        {"one word",    make_one,       ask_search     },
        {"two words",   make_two,       ask_search     },
        {"three words", make_three,     ask_search     },
        {"typo",        make_typo,      ask_search     },
        {"two typos",   make_two_typos, ask_search     },
        {"few pass",    make_one,       ask_few        },
        {"late only",   make_one,       ask_late       },
        {"suggest",     make_beginning, ask_suggestions},
        {"sugg. typo",  make_typo,      ask_suggestions},
        {"highlights",  make_two,       ask_highlights },
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), MIXED = 6 };
    struct bench bench = {.query_count = query_count, .event_count = event_count};

    rng_seeded_init(&bench.rng, 1);
    bench.words = mem_alloc(VOCABULARY * sizeof(*bench.words));
    bench.took_ns = mem_alloc(query_count * sizeof(int64_t));
    int64_t *all_ns = mem_alloc(KINDS * query_count * sizeof(int64_t));
    bench.search = search_open();
    bench.suggestions = suggestions_open();
    bench.texts = arena_open(0);
    bench.arena = arena_open(0);

    make_events(&bench);
    fill(&bench);
    for (size_t i = 0; i < KINDS; i++)
        run(&bench, kinds[i].label, kinds[i].make, kinds[i].ask, all_ns + i * query_count);
    print_figures("first six", all_ns, MIXED * query_count);
    run_changes(&bench);

    suggestions_close(bench.suggestions);
    search_close(bench.search);
    arena_close(bench.arena);
    arena_close(bench.texts);
    mem_free(all_ns);
    mem_free(bench.took_ns);
    mem_free(bench.words);
}

int main(int argc, char **argv)
{
    const size_t query_count = read_count(argc > 2 ? argv[2] : NULL, QUERIES_DEFAULT);

    if (argc < 2)
        measure(EVENTS_FEW, query_count);
    measure(read_count(argc > 1 ? argv[1] : NULL, EVENTS_MANY), query_count);
    return 0;
}
