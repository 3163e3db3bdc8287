/* services/booking/search/model_test.c - the index against the plainest search that could be right.
 *
 * The model keeps a list of events, cuts their texts at spaces, tries every word against every word
 * and sorts what matches. It shares no code with the index. */
#include "services/booking/search/search.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    EVENTS_MAX = 600,
    TEXT_SIZE = 64,
    FIELDS = 4,
    FAULT_EDIT = 1000, /* in units of a fault; any scale with the same order would do */
    FAULT_FIRST = 500,
    FAULT_NONE = 0,
    FAULT_RESPACED = 2000, /* two in the sum's units: see sum_of_faults */
    RESPACED = 4,
    NO_MATCH = 1 << 30,
};

struct model_event {
    bool exists;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    char texts[FIELDS][TEXT_SIZE]; /* name, artist, venue, city; already folded */
};

struct model {
    size_t count;
    struct model_event events[EVENTS_MAX];
};

/* What is asked, besides the words. */
struct asked {
    int64_t starts_from_ms;
    int64_t starts_to_ms;
    int64_t ends_after_ms;
    size_t every; /* only events whose number it divides */
};

static struct uuid id_of(size_t number)
{
    struct uuid id = {0};

    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

/* --- The plain search --- */

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment over the whole table. */
static size_t edits_between(const char *a, size_t m, const char *b, size_t n)
{
    size_t table[TEXT_SIZE][TEXT_SIZE];

    for (size_t i = 0; i <= m; i++)
        for (size_t j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            table[i][j] = lesser(table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
                                 lesser(table[i - 1][j], table[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                table[i][j] = lesser(table[i][j], table[i - 2][j - 2] + 1);
        }
    return table[m][n];
}

static size_t edits_allowed(size_t size)
{
    return size >= 8 ? 2 : size >= 4;
}

/* How badly `term` matches the query's word. */
static int fault_of(const char *word, const char *term, bool is_last, bool with_typos)
{
    const size_t m = strlen(word);
    const size_t n = strlen(term);
    const int begun = is_last ? 1 : 2;
    const int first = word[0] != term[0] ? FAULT_FIRST : 0;
    int fault = NO_MATCH;

    if (strcmp(word, term) == 0)
        return FAULT_NONE;
    if (strncmp(word, term, m) == 0)
        return begun;
    if (!with_typos)
        return NO_MATCH;
    const size_t whole = edits_between(word, m, term, n);
    if (whole <= edits_allowed(m))
        fault = (int)whole * FAULT_EDIT + first;
    for (size_t size = 1; is_last && first == 0 && size < n; size++) {
        const size_t edits = edits_between(word, m, term, size);
        const int by_prefix = (int)edits * FAULT_EDIT + begun;
        if (edits <= edits_allowed(m) && by_prefix < fault)
            fault = by_prefix;
    }
    return fault;
}

/* Faults first, weights of fields second, in one number. */
static int best_match(const struct model_event *event, const char *word, bool is_last,
                      bool with_typos)
{
    static const int weights[FIELDS] = {0, 4, 6, 7};
    int best = NO_MATCH;

    for (size_t field = 0; field < FIELDS; field++) {
        char text[TEXT_SIZE];
        char *rest = text;
        char *term;

        memcpy(text, event->texts[field], TEXT_SIZE);
        while ((term = strsep(&rest, " ")) != NULL) {
            if (*term == '\0')
                continue;
            const int fault = fault_of(word, term, is_last, with_typos);
            if (fault < NO_MATCH && fault * 256 + weights[field] < best)
                best = fault * 256 + weights[field];
        }
    }
    return best;
}

static int64_t sum_of_faults(const struct model_event *event, const char *query, bool with_typos)
{
    char text[TEXT_SIZE];
    char *rest = text;
    char *word;
    int64_t sum = 0;
    int64_t weights = 0;

    memcpy(text, query, TEXT_SIZE);
    while ((word = strsep(&rest, " ")) != NULL) {
        const int best = best_match(event, word, rest == NULL, with_typos);
        if (best == NO_MATCH)
            return NO_MATCH;
        sum += best / 256;
        weights += best % 256;
    }
    return sum * 1000 + (strcmp(query, event->texts[0]) != 0 ? 500 : 0) + weights;
}

struct model_hit {
    int64_t faults;
    int64_t starts_at_ms;
    size_t number;
};

static int compare_hits(const void *a, const void *b)
{
    const struct model_hit *x = a;
    const struct model_hit *y = b;

    if (x->faults != y->faults)
        return x->faults < y->faults ? -1 : 1;
    if (x->starts_at_ms != y->starts_at_ms)
        return x->starts_at_ms < y->starts_at_ms ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Is it a word of any event, or with `begun` the beginning of one? */
static bool is_known(const struct model *model, const char *word, size_t size, bool begun)
{
    for (size_t i = 0; i < model->count; i++)
        for (size_t field = 0; model->events[i].exists && field < FIELDS; field++) {
            const char *term = model->events[i].texts[field];
            while (*term != '\0') {
                const size_t length = strcspn(term, " ");
                if (strncmp(term, word, size) == 0 && (length == size || (begun && length > size)))
                    return true;
                term += length + (term[length] == ' ');
            }
        }
    return false;
}

struct respaced {
    size_t count;
    char texts[RESPACED][TEXT_SIZE];
};

/* The query without each of its spaces, where that makes a word. */
static void join_words(const struct model *model, const char *query, struct respaced *ret)
{
    for (const char *space = strchr(query, ' '); space != NULL && ret->count < RESPACED;
         space = strchr(space + 1, ' ')) {
        char *text = ret->texts[ret->count];
        const size_t at = (size_t)(space - query);
        size_t start = at;

        while (start > 0 && query[start - 1] != ' ')
            start--;
        (void)snprintf(text, TEXT_SIZE, "%.*s%s", (int)at, query, space + 1);
        const size_t size = strcspn(text + start, " ");
        if (is_known(model, text + start, size, text[start + size] == '\0'))
            ret->count++;
    }
}

/* The query with one more space in each of its words, where that makes two. */
static void split_words(const struct model *model, const char *query, struct respaced *ret)
{
    for (const char *word = query; *word != '\0' && ret->count < RESPACED;) {
        const size_t size = strcspn(word, " ");

        for (size_t at = 3; at + 3 <= size; at++)
            if (is_known(model, word, at, false) && is_known(model, word + at, size - at, false)) {
                (void)snprintf(ret->texts[ret->count++], TEXT_SIZE, "%.*s %s",
                               (int)(word - query) + (int)at, query, word + at);
                break;
            }
        word += size + (word[size] == ' ');
    }
}

static bool is_asked_for(const struct asked *asked, const struct model_event *event, size_t number)
{
    return event->exists && number % asked->every == 0 &&
           event->starts_at_ms >= asked->starts_from_ms &&
           event->starts_at_ms <= asked->starts_to_ms && event->ends_at_ms > asked->ends_after_ms;
}

static size_t model_find(const struct model *model, const char *query, const struct asked *asked,
                         bool with_typos, struct model_hit *ret)
{
    struct respaced respaced = {0};

    size_t count = 0;

    join_words(model, query, &respaced);
    split_words(model, query, &respaced);
    for (size_t i = 0; i < model->count; i++) {
        const struct model_event *event = &model->events[i];
        if (!is_asked_for(asked, event, i))
            continue;
        int64_t faults = sum_of_faults(event, query, with_typos);
        for (size_t j = 0; j < respaced.count; j++) {
            const int64_t other = sum_of_faults(event, respaced.texts[j], false);
            if (other + FAULT_RESPACED < faults)
                faults = other + FAULT_RESPACED;
        }
        if (faults < NO_MATCH)
            ret[count++] = (struct model_hit){faults, event->starts_at_ms, i};
    }
    qsort(ret, count, sizeof(ret[0]), compare_hits);
    return count;
}

/* --- Both --- */

/* Few letters, so that words are often alike: "abab", "abba", "aabbab". */
static void random_word(struct rng *rng, char *to)
{
    const size_t size = 1 + rng_below(rng, rng_below(rng, 2) == 0 ? 4 : 10);

    for (size_t i = 0; i < size; i++)
        to[i] = "abc"[rng_below(rng, 3)];
    to[size] = '\0';
}

static void random_text(struct rng *rng, size_t words_max, char ret[TEXT_SIZE])
{
    const size_t count = 1 + rng_below(rng, words_max);
    size_t size = 0;

    memset(ret, 0, TEXT_SIZE);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ret[size++] = ' ';
        random_word(rng, ret + size);
        size += strlen(ret + size);
    }
}

static void change(struct search *search, struct model *model, struct rng *rng)
{
    const size_t number = rng_below(rng, model->count);
    struct model_event *event = &model->events[number];
    size_t slot;

    if (event->exists && rng_below(rng, 3) == 0) {
        search_remove(search, id_of(number));
        event->exists = false;
        return;
    }
    event->exists = true;
    event->starts_at_ms = (int64_t)rng_below(rng, 9) * 400 - 400;
    event->ends_at_ms = event->starts_at_ms + (int64_t)rng_below(rng, 3) * 700;
    for (size_t field = 0; field < FIELDS; field++)
        random_text(rng, 3, event->texts[field]);
    const str artist = str_of(event->texts[1]);
    const struct search_event said = {
        .name = str_of(event->texts[0]),
        .artists = &artist,
        .artist_count = 1,
        .venue = str_of(event->texts[2]),
        .city = str_of(event->texts[3]),
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
    };
    CHECK_OK(search_put(search, id_of(number), &said, &slot));
}

static bool keep_asked(void *arg, struct uuid event, [[maybe_unused]] size_t slot)
{
    const struct asked *asked = arg;

    return ((size_t)event.bytes[14] << 8 | event.bytes[15]) % asked->every == 0;
}

static struct asked random_asked(struct rng *rng)
{
    const bool bounded = rng_below(rng, 2) == 0;

    return (struct asked){
        .starts_from_ms = bounded ? (int64_t)rng_below(rng, 4) * 400 : SEARCH_ALWAYS,
        .starts_to_ms = bounded ? 2000 + (int64_t)rng_below(rng, 3) * 400 : SEARCH_FOREVER,
        .ends_after_ms = rng_below(rng, 2) == 0 ? (int64_t)rng_below(rng, 4000) : SEARCH_ALWAYS,
        .every = 1 + rng_below(rng, 3),
    };
}

/* Page by page, to the end. */
static void check_same(const struct search *search, const struct model *model, struct rng *rng,
                       struct arena *arena, const char *text)
{
    static struct model_hit expected[EVENTS_MAX];
    struct asked asked = random_asked(rng);
    const struct search_hit *after = NULL;
    size_t count = model_find(model, text, &asked, false, expected);

    if (count < SEARCH_ENOUGH)
        count = model_find(model, text, &asked, true, expected);
    for (size_t at = 0;;) {
        const size_t limit = 1 + rng_below(rng, rng_below(rng, 2) == 0 ? 7 : EVENTS_MAX);
        const struct search_query query = {
            .text = str_of(text),
            .limit = limit,
            .keep = keep_asked,
            .arg = &asked,
            .starts_from_ms = asked.starts_from_ms,
            .starts_to_ms = asked.starts_to_ms,
            .ends_after_ms = asked.ends_after_ms,
            .after = after,
        };
        const struct search_hits hits = search_find(search, arena, &query);
        if (hits.count != lesser(limit, count - at))
            print_error("search: %s, from %zu of %zu on\n", text, at, count);
        CHECK_I64(lesser(limit, count - at), hits.count);
        for (size_t i = 0; i < hits.count; i++, at++) {
            const struct uuid id = id_of(expected[at].number);
            if (!uuid_eq(id, hits.hits[i].event))
                print_error("search: %s, hit %zu\n", text, at);
            CHECK(uuid_eq(id, hits.hits[i].event));
        }
        if (hits.count == 0)
            return;
        after = &hits.hits[hits.count - 1];
    }
}

/* So many events, so many steps of some changes and one query. */
static void compare(size_t events, int steps, int changes, uint64_t seed)
{
    struct model *model = mem_new(struct model);
    struct search *search = search_open();
    struct arena *arena = arena_open(0);
    struct rng_seeded rng;
    char text[TEXT_SIZE];

    model->count = events;
    rng_seeded_init(&rng, seed);
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < changes; i++)
            change(search, model, &rng.rng);
        if (rng_below(&rng.rng, 8) == 0) /* a whole name */
            memcpy(text, model->events[rng_below(&rng.rng, events)].texts[0], TEXT_SIZE);
        else
            random_text(&rng.rng, 3, text);
        if (text[0] != '\0')
            check_same(search, model, &rng.rng, arena, text);
        arena_reset(arena);
    }
    for (size_t i = 0; i < events; i++)
        search_remove(search, id_of(i));
    CHECK_I64(0, search_term_count(search));
    CHECK_I64(0, search_event_count(search));
    arena_close(arena);
    search_close(search);
    mem_free(model);
}

TEST(after_any_changes_the_index_finds_what_a_plain_search_finds)
{
    compare(60, 2000, 1, 2026);
}

/* So that there are lists of several leaves, and unions. */
TEST(the_same_among_many_events)
{
    compare(EVENTS_MAX, 120, 60, 7);
}
