/* services/booking/search/highlight.c - cuts an event's texts once more and compares words.
 *
 * The words come with the bytes that they were read from (words.h), so folding needs no way
 * back. The readings of the query are tried in their order, first without and then with
 * misspellings; the first of which each word is found is what is shown. */

#include "services/booking/search/highlight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search/fold.h"
#include "services/booking/search/index.h"
#include "services/booking/search/query.h"
#include "services/booking/search/typo.h"

enum { NOT_FOUND = 255, UTF16_ONE_MAX = 0xFFFF };

struct search_pattern {
    size_t count;
    struct reading readings[];
};

/* Bytes [from, to) of a text that a word of the query has found with so many edits. */
struct mark {
    uint32_t text; /* index */
    uint32_t from;
    uint32_t to;
    uint8_t word; /* of the reading */
    uint8_t edits;
};

/* One attempt: one reading over one event. */
struct attempt {
    const struct reading *reading;
    bool with_typos;
    uint32_t text;
    uint8_t edits[SEARCH_QUERY_WORDS_MAX]; /* the fewest, by word; NOT_FOUND */
    struct mark marks[HIGHLIGHT_RANGES_MAX];
    size_t mark_count;
};

const struct search_pattern *search_pattern_new(const struct search *search, struct arena *arena,
                                                str text)
{
    UNINITIALIZED struct readings readings;

    readings_of(&search->terms, text, &readings);
    struct search_pattern *pattern =
        arena_alloc(arena, sizeof(*pattern) + readings.count * sizeof(struct reading));
    pattern->count = readings.count;
    for (size_t i = 0; i < readings.count; i++)
        reading_copy(&pattern->readings[i], &readings.list[i]);
    return pattern;
}

/* --- Comparing --- */

static bool begins(const struct word *word, const struct word *term)
{
    return word->count <= term->count &&
           memcmp(word->letters, term->letters, word->count * sizeof(word->letters[0])) == 0;
}

/* What a better one makes pointless is dropped here, so that it takes no place. */
static void add_mark(struct attempt *attempt, size_t word, unsigned edits, uint32_t from,
                     uint32_t to)
{
    size_t kept = 0;

    if (edits > attempt->edits[word])
        return;
    if (edits < attempt->edits[word]) {
        for (size_t i = 0; i < attempt->mark_count; i++)
            if (attempt->marks[i].word != word)
                attempt->marks[kept++] = attempt->marks[i];
        attempt->mark_count = kept;
        attempt->edits[word] = (uint8_t)edits;
    }
    if (attempt->mark_count < HIGHLIGHT_RANGES_MAX)
        attempt->marks[attempt->mark_count++] =
            (struct mark){attempt->text, from, to, (uint8_t)word, (uint8_t)edits};
}

static void compare(void *arg, const struct word *term, const struct letter_source *sources,
                    [[maybe_unused]] unsigned flags)
{
    struct attempt *attempt = arg;
    const struct reading *reading = attempt->reading;

    for (size_t i = 0; i < reading->count; i++) {
        const struct word *word = &reading->words[i];
        struct typo typo;

        if (begins(word, term))
            add_mark(attempt, i, 0, sources[0].from, sources[word->count - 1].to);
        else if (attempt->with_typos && attempt->edits[i] > 0 &&
                 typo_compare(word, term, i + 1 == reading->count, &typo))
            add_mark(attempt, i, typo.edits, sources[0].from, sources[term->count - 1].to);
    }
}

static bool read_event(struct attempt *attempt, const struct search_highlight *texts, size_t count)
{
    memset(attempt->edits, NOT_FOUND, sizeof(attempt->edits));
    attempt->mark_count = 0;
    for (size_t i = 0; i < count; i++) {
        attempt->text = (uint32_t)i;
        words_each(texts[i].text, compare, attempt);
    }
    for (size_t i = 0; i < attempt->reading->count; i++)
        if (attempt->edits[i] == NOT_FOUND)
            return false;
    return true;
}

static bool find_reading(struct attempt *attempt, const struct search_pattern *pattern,
                         const struct search_highlight *texts, size_t count)
{
    for (int with_typos = 0; with_typos <= 1; with_typos++)
        for (size_t i = 0; i < pattern->count; i++) {
            attempt->reading = &pattern->readings[i];
            attempt->with_typos = with_typos == 1;
            if (!(attempt->with_typos && attempt->reading->respaced) &&
                read_event(attempt, texts, count))
                return true;
        }
    return false;
}

/* --- Ranges --- */

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a;
    const struct mark *y = b;

    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* Makes one of marks that overlap or touch. */
static void merge(struct attempt *attempt)
{
    size_t kept = 0;

    qsort(attempt->marks, attempt->mark_count, sizeof(attempt->marks[0]), compare_marks);
    for (size_t i = 0; i < attempt->mark_count; i++) {
        const struct mark *mark = &attempt->marks[i];
        struct mark *before = kept > 0 ? &attempt->marks[kept - 1] : NULL;

        if (before == NULL || before->text != mark->text || before->to < mark->from)
            attempt->marks[kept++] = *mark;
        else if (before->to < mark->to)
            before->to = mark->to;
    }
    attempt->mark_count = kept;
}

static uint32_t utf16_units(str text)
{
    uint32_t units = 0;

    while (text.size > 0)
        units += fold_next_code_point(&text) > UTF16_ONE_MAX ? 2 : 1;
    return units;
}

/* The ranges of the marks [at, end), which are all of one text. */
static const struct search_range *ranges_of(const struct attempt *attempt, size_t at, size_t end,
                                            str text, struct arena *arena)
{
    struct search_range *ranges = arena_new_array(arena, struct search_range, end - at);
    uint32_t read = 0; /* bytes */
    uint32_t units = 0;

    for (size_t i = at; i < end; i++) {
        const struct mark *mark = &attempt->marks[i];

        assert(mark->from >= read && mark->from < mark->to && mark->to <= text.size);
        units += utf16_units(str_slice(text, read, mark->from));
        ranges[i - at].start = units;
        ranges[i - at].length = utf16_units(str_slice(text, mark->from, mark->to));
        units += ranges[i - at].length;
        read = mark->to;
    }
    return ranges;
}

size_t search_highlights(const struct search_pattern *pattern, struct arena *arena,
                         const struct search_event *said, const struct search_highlight **ret)
{
    struct search_highlight *texts =
        arena_new_array(arena, struct search_highlight, said->artist_count + 3);
    UNINITIALIZED struct attempt attempt;
    size_t count = 0;
    size_t kept = 0;

    *ret = texts;
    texts[count++] = (struct search_highlight){.field = "name", .text = said->name};
    for (size_t i = 0; i < said->artist_count; i++)
        texts[count++] = (struct search_highlight){.field = "artist", .text = said->artists[i]};
    texts[count++] = (struct search_highlight){.field = "venue", .text = said->venue};
    texts[count++] = (struct search_highlight){.field = "city", .text = said->city};
    if (!find_reading(&attempt, pattern, texts, count))
        return 0;
    merge(&attempt);
    for (size_t at = 0, end; at < attempt.mark_count; at = end) {
        struct search_highlight highlight = texts[attempt.marks[at].text];

        for (end = at + 1;
             end < attempt.mark_count && attempt.marks[end].text == attempt.marks[at].text;)
            end++;
        highlight.ranges = ranges_of(&attempt, at, end, highlight.text, arena);
        highlight.range_count = end - at;
        texts[kept++] = highlight; /* never before what is still to be read */
    }
    return kept;
}
