/* services/booking/search_words.c - what is a word: letters, digits, and a few signs that matter.
 *
 * - & between words is the word "and".
 * - . - ' & / _ between two letters make a compound: "R&B", "CI/CD". Between digits they separate.
 * - ++ and # behind a word belong to it: "c++" is "cpp", "c#" is "csharp". ".net" is "dotnet".
 * - "VoxxedDays" is also found by "days", and "القاهرة" by the word without its article. */

#include "services/booking/search_words.h"

#include <string.h>

#include "services/booking/search_fold.h"

enum {
    HUMP_LETTERS_MIN = 3, /* "iOS" and "McX" have no humps worth a search */
    ARTICLE_LETTERS = 2,
    WITH_ARTICLE_LETTERS_MIN = 5,
    ALEF = 0x0627,
    LAM = 0x0644,
};

struct scan {
    str rest;
    void (*fn)(void *arg, const struct word *word, unsigned flags);
    void *arg;
    struct word part;   /* being read */
    struct word joined; /* all letters of the compound */
    size_t part_count;  /* of the compound, finished */
    size_t hump;        /* where the last hump of `part` begins */
    uint32_t before;    /* the code point before, 0 at the start */
};

/* --- Emitting --- */

static void add_letter(struct word *word, uint32_t letter)
{
    if (word->count < WORD_LETTERS_MAX)
        word->letters[word->count++] = letter;
}

static void add_letters(struct scan *scan, const uint32_t *letters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_letter(&scan->part, letters[i]);
        add_letter(&scan->joined, letters[i]);
    }
}

static void add_ascii(struct scan *scan, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const uint32_t letter = (uint8_t)*letters;
        add_letters(scan, &letter, 1);
    }
}

static void emit_ascii(const struct scan *scan, const char *letters, unsigned flags)
{
    struct word word = {0};

    for (; *letters != '\0'; letters++)
        add_letter(&word, (uint8_t)*letters);
    scan->fn(scan->arg, &word, flags);
}

/* The part from letter `from` on, as another way to find it. */
static void emit_tail(const struct scan *scan, size_t from)
{
    struct word tail = {.count = scan->part.count - from};

    memcpy(tail.letters, scan->part.letters + from, tail.count * sizeof(tail.letters[0]));
    scan->fn(scan->arg, &tail, 0);
}

static void end_hump(struct scan *scan)
{
    if (scan->hump > 0 && scan->part.count >= scan->hump + HUMP_LETTERS_MIN)
        emit_tail(scan, scan->hump);
    scan->hump = scan->part.count;
}

static void end_part(struct scan *scan, bool compound)
{
    const struct word *part = &scan->part;

    if (part->count == 0)
        return;
    end_hump(scan);
    if (part->count >= WITH_ARTICLE_LETTERS_MIN && part->letters[0] == ALEF &&
        part->letters[1] == LAM)
        emit_tail(scan, ARTICLE_LETTERS);
    scan->fn(scan->arg, part,
             compound || scan->part_count > 0 ? WORD_PART : WORD_PART | WORD_WHOLE);
    scan->part_count++;
    scan->part.count = 0;
    scan->hump = 0;
}

static void end_compound(struct scan *scan)
{
    end_part(scan, false);
    if (scan->part_count > 1)
        scan->fn(scan->arg, &scan->joined, WORD_WHOLE);
    scan->part_count = 0;
    scan->joined.count = 0;
}

/* --- Reading --- */

/* The next code point that is not dropped, 0 at the end. */
static uint32_t peek(str rest)
{
    while (rest.size > 0) {
        const uint32_t code = fold_next_code_point(&rest);
        if (fold(code).kind != FOLD_DROPPED)
            return code;
    }
    return 0;
}

static bool is_letter(uint32_t code)
{
    return code != 0 && fold(code).kind == FOLD_LETTERS;
}

static bool is_digit(uint32_t code)
{
    const struct folded folded = fold(code);

    return folded.count == 1 && folded.letters[0] >= '0' && folded.letters[0] <= '9';
}

static bool is_connector(uint32_t code)
{
    static const uint32_t connectors[] = {'.',    '-',    '\'',   '&',    '/',    '_',
                                          0x2019, 0x02BC, 0x2010, 0x2011, 0x00B7, 0xFF06};

    for (size_t i = 0; i < sizeof(connectors) / sizeof(connectors[0]); i++)
        if (connectors[i] == code)
            return true;
    return false;
}

static bool is_ampersand(uint32_t code)
{
    return code == '&' || code == 0xFF06;
}

/* ".net" and nothing behind it: the one name that begins with a sign. */
static bool is_dot_net(const struct scan *scan, uint32_t code)
{
    return code == '.' && scan->rest.size >= 3 &&
           str_eq_nocase(str_slice(scan->rest, 0, 3), STR("net")) &&
           !is_letter(peek(str_slice(scan->rest, 3, scan->rest.size)));
}

/* "++" or "#" right behind a word and before none; takes it. */
static bool take_suffix(struct scan *scan, uint32_t code)
{
    const bool plus = code == '+' && scan->rest.size > 0 && scan->rest.ptr[0] == '+';
    const str behind = str_slice(scan->rest, plus ? 1 : 0, scan->rest.size);

    if (scan->part.count == 0 || (!plus && code != '#') || is_letter(peek(behind)))
        return false;
    end_hump(scan);
    emit_tail(scan, 0);
    add_ascii(scan, plus ? "pp" : "sharp");
    scan->hump = 0;
    scan->rest = behind;
    return true;
}

static void read_sign(struct scan *scan, uint32_t code)
{
    const uint32_t next = peek(scan->rest);
    const bool between = scan->part.count > 0 && is_letter(next) && is_connector(code) &&
                         !(is_digit(scan->before) && is_digit(next));

    if (take_suffix(scan, code))
        return;
    if (between) {
        end_part(scan, true);
        if (is_dot_net(scan, code)) /* ASP.NET */
            emit_ascii(scan, "dotnet", 0);
    } else {
        end_compound(scan);
        if (is_dot_net(scan, code)) {
            emit_ascii(scan, "net", 0);
            add_ascii(scan, "dot");
        }
    }
    if (is_ampersand(code))
        emit_ascii(scan, "and", between ? WORD_PART : WORD_PART | WORD_WHOLE);
}

static void read_letters(struct scan *scan, uint32_t code, const struct folded *folded)
{
    const bool capital = code >= 'A' && code <= 'Z';
    const bool after_small = scan->before >= 'a' && scan->before <= 'z';

    if (capital && after_small)
        end_hump(scan);
    add_letters(scan, folded->letters, folded->count);
}

void words_each(str text, void (*fn)(void *arg, const struct word *word, unsigned flags), void *arg)
{
    struct scan scan = {.rest = text, .fn = fn, .arg = arg};

    while (scan.rest.size > 0) {
        const uint32_t code = fold_next_code_point(&scan.rest);
        const struct folded folded = fold(code);

        switch (folded.kind) {
        case FOLD_DROPPED:
            continue;
        case FOLD_LETTERS:
            read_letters(&scan, code, &folded);
            break;
        case FOLD_IDEOGRAPH:
            end_compound(&scan);
            add_letters(&scan, folded.letters, folded.count);
            end_compound(&scan);
            break;
        case FOLD_SEPARATOR:
            read_sign(&scan, code);
            break;
        }
        scan.before = code;
    }
    end_compound(&scan);
}

uint64_t word_hash(const struct word *word, uint64_t seed)
{
    const str bytes = {(const char *)word->letters, word->count * sizeof(word->letters[0])};

    return (seed + str_hash(bytes)) * UINT64_C(0x9E3779B97F4A7C15);
}
