/* fuzz/search_fuzz.c - whatever texts and queries there are, what is marked lies in the text.
 *
 * The input is cut at its NULs into the names of some events, which go into an index, and a last part that is asked for.
 * Folding and cutting must stay within the text, hits must be in order and say what they match, pages must follow one
 * another, and taking all events out again must leave nothing. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "services/booking/search/fold.h"
#include "services/booking/search/highlight.h"
#include "services/booking/search/search.h"
#include "services/booking/search/words.h"

enum { EVENTS_MAX = 16, LIMIT = 50, TEXT_SIZE_MAX = 4096 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct uuid id_of(size_t number)
{
    struct uuid id = {0};

    id.bytes[15] = (uint8_t)number;
    return id;
}

/* --- Texts --- */

static size_t utf16_units(str text)
{
    size_t units = 0;

    while (text.size > 0)
        units += fold_next_code_point(&text) > 0xFFFF ? 2 : 1;
    return units;
}

static void check_word(void *arg, const struct word *word, const struct letter_source *sources,
                       unsigned flags)
{
    const str *text = arg;

    assert(word->count >= 1 && word->count <= WORD_LETTERS_MAX);
    assert(flags <= (WORD_PART | WORD_WHOLE));
    for (size_t i = 0; i < word->count; i++) {
        const struct folded folded = fold(word->letters[i]);

        assert(folded.count == 1 && folded.letters[0] == word->letters[i]);
        assert(sources[i].from < sources[i].to && sources[i].to <= text->size);
        assert(i == 0 || sources[i - 1].from <= sources[i].from);
    }
}

/* --- Queries --- */

static void check_highlights(const struct search_highlight *highlight)
{
    const size_t units = utf16_units(highlight->text);
    size_t end = 0;

    assert(highlight->range_count >= 1);
    for (size_t i = 0; i < highlight->range_count; i++) {
        const struct search_range *range = &highlight->ranges[i];

        assert(range->length >= 1 && (i == 0 || range->start > end));
        end = (size_t)range->start + range->length;
        assert(end <= units);
    }
}

static void check_hits(const struct search *search, struct arena *arena, const str *texts, str text)
{
    struct search_query query = SEARCH_QUERY(.text = text, .limit = LIMIT);
    const struct search_hits all = search_find(search, arena, &query);
    const struct search_pattern *pattern = search_pattern_new(search, arena, text);

    for (size_t i = 0; i < all.count; i++) {
        const struct search_event said = {.name = texts[all.hits[i].event.bytes[15]]};
        const struct search_highlight *highlights = NULL;

        assert(i == 0 || search_hit_compare(&all.hits[i - 1], &all.hits[i]) < 0);
        assert(search_highlights(pattern, arena, &said, &highlights) == 1);
        check_highlights(&highlights[0]);

        query.limit = 1;
        query.after = i > 0 ? &all.hits[i - 1] : NULL;
        const struct search_hits one = search_find(search, arena, &query);
        assert(one.count == 1 && uuid_eq(one.hits[0].event, all.hits[i].event));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct search *search = search_open();
    str rest = {(const char *)data, size < TEXT_SIZE_MAX ? size : TEXT_SIZE_MAX};
    str texts[EVENTS_MAX];
    str part = STR_ABSENT;
    size_t count = 0;
    size_t slot;

    if (arena == NULL)
        arena = arena_open(0);
    while (count < EVENTS_MAX && str_split(&rest, '\0', &part)) {
        words_each(part, check_word, &part);
        texts[count] = part;
        const struct search_event said = {.name = part, .starts_at_ms = (int64_t)(part.size % 3)};
        assert(search_put(search, id_of(count), &said, &slot) == ERR_OK);
        count++;
    }
    if (count > 0)
        check_hits(search, arena, texts, texts[count - 1]);
    if (count > 1)
        check_hits(search, arena, texts, texts[0]);
    for (size_t i = 0; i < count; i++)
        search_remove(search, id_of(i));
    assert(search_event_count(search) == 0 && search_term_count(search) == 0);
    search_close(search);
    arena_reset(arena);
    return 0;
}
