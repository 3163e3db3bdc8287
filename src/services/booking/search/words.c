/* services/booking/search/words.c - what is a word: letters, digits, and a few signs that matter.
 *
 * - & between words is the word "and".
 * - . - ' & / _ between two letters make a compound: "R&B", "CI/CD". Between digits they separate.
 * - ++ and # behind a word belong to it: "c++" is "cpp", "c#" is "csharp". ".net" is "dotnet".
 * - "VoxxedDays" is also found by "days", and "القاهرة" by the word without its article. */

#include "services/booking/search/words.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search/fold.h"

enum {
    HUMP_LETTERS_MIN = 3, /* "iOS" and "McX" have no humps worth a search */
    ARTICLE_LETTERS = 2,
    WITH_ARTICLE_LETTERS_MIN = 5,
    ALEF = 0x0627,
    LAM = 0x0644,
    NET_SIZE = 3, /* "net" */
};

/* A word on its way. */
struct spelling {
    struct word word;
    struct letter_source sources[WORD_LETTERS_MAX];
};

struct scan {
    str text;
    str rest;
    word_fn *fn;
    void *arg;
    struct spelling part;   /* being read */
    struct spelling joined; /* the finished parts of the compound, if there is more than one */
    size_t part_count;      /* of the compound, finished */
    size_t hump;            /* where the last hump of `part` begins */
    uint32_t before;        /* the code point before, 0 at the start */
};

/* --- Emitting --- */

static void add_letter(struct spelling *to, uint32_t letter, struct letter_source source)
{
    struct word *word = &to->word;

    if (word->count == WORD_LETTERS_MAX)
        return;
    to->sources[word->count] = source;
    word->letters[word->count++] = letter;
}

static void add_letters(struct scan *scan, const struct folded *folded, struct letter_source source)
{
    for (size_t i = 0; i < folded->count; i++)
        add_letter(&scan->part, folded->letters[i], source);
}

static void add_ascii(struct scan *scan, const char *letters, struct letter_source source)
{
    for (; *letters != '\0'; letters++)
        add_letter(&scan->part, (uint8_t)*letters, source);
}

static void emit(const struct scan *scan, const struct spelling *spelling, unsigned flags)
{
    scan->fn(scan->arg, &spelling->word, spelling->sources, flags);
}

static void emit_ascii(const struct scan *scan, const char *letters, struct letter_source source,
                       unsigned flags)
{
    struct spelling spelling = {.word.count = 0};

    for (; *letters != '\0'; letters++)
        add_letter(&spelling, (uint8_t)*letters, source);
    emit(scan, &spelling, flags);
}

/* The part from letter `from` on, as another way to find it. */
static void emit_tail(const struct scan *scan, size_t from)
{
    const struct spelling *part = &scan->part;
    struct word tail = {.count = part->word.count - from};

    memcpy(tail.letters, part->word.letters + from, tail.count * sizeof(tail.letters[0]));
    scan->fn(scan->arg, &tail, part->sources + from, 0);
}

static void end_hump(struct scan *scan)
{
    const size_t count = scan->part.word.count;

    if (scan->hump > 0 && count >= scan->hump + HUMP_LETTERS_MIN)
        emit_tail(scan, scan->hump);
    scan->hump = count;
}

static void join_part(struct scan *scan)
{
    const struct spelling *part = &scan->part;

    for (size_t i = 0; i < part->word.count; i++)
        add_letter(&scan->joined, part->word.letters[i], part->sources[i]);
}

static void end_part(struct scan *scan, bool compound)
{
    const struct word *part = &scan->part.word;

    if (part->count == 0)
        return;
    end_hump(scan);
    if (part->count >= WITH_ARTICLE_LETTERS_MIN && part->letters[0] == ALEF &&
        part->letters[1] == LAM)
        emit_tail(scan, ARTICLE_LETTERS);
    emit(scan, &scan->part, compound || scan->part_count > 0 ? WORD_PART : WORD_PART | WORD_WHOLE);
    if (compound || scan->part_count > 0)
        join_part(scan);
    scan->part_count++;
    scan->part.word.count = 0;
    scan->hump = 0;
}

static void end_compound(struct scan *scan)
{
    end_part(scan, false);
    if (scan->part_count > 1)
        emit(scan, &scan->joined, WORD_WHOLE);
    scan->part_count = 0;
    scan->joined.word.count = 0;
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

/* From the byte `from` to where reading stands, and `more` bytes. */
static struct letter_source source_from(const struct scan *scan, uint32_t from, uint32_t more)
{
    return (struct letter_source){from, (uint32_t)(scan->text.size - scan->rest.size) + more};
}

/* ".net" and nothing behind it: the one name that begins with a sign. */
static bool is_dot_net(const struct scan *scan, uint32_t code)
{
    return code == '.' && scan->rest.size >= NET_SIZE &&
           str_eq_nocase(str_slice(scan->rest, 0, NET_SIZE), STR("net")) &&
           !is_letter(peek(str_slice(scan->rest, NET_SIZE, scan->rest.size)));
}

/* "++" or "#" right behind a word and before none; takes it. */
static bool take_suffix(struct scan *scan, uint32_t code, uint32_t from)
{
    const bool plus = code == '+' && scan->rest.size > 0 && scan->rest.ptr[0] == '+';
    const str behind = str_slice(scan->rest, plus ? 1 : 0, scan->rest.size);

    if (scan->part.word.count == 0 || (!plus && code != '#') || is_letter(peek(behind)))
        return false;
    end_hump(scan);
    emit_tail(scan, 0);
    scan->rest = behind;
    add_ascii(scan, plus ? "pp" : "sharp", source_from(scan, from, 0));
    scan->hump = 0;
    return true;
}

static void read_sign(struct scan *scan, uint32_t code, uint32_t from)
{
    const uint32_t next = peek(scan->rest);
    const bool between = scan->part.word.count > 0 && is_letter(next) && is_connector(code) &&
                         !(is_digit(scan->before) && is_digit(next));

    if (take_suffix(scan, code, from))
        return;
    if (between) {
        end_part(scan, true);
        if (is_dot_net(scan, code)) /* ASP.NET */
            emit_ascii(scan, "dotnet", source_from(scan, from, NET_SIZE), 0);
    } else {
        end_compound(scan);
        if (is_dot_net(scan, code)) {
            emit_ascii(scan, "net", source_from(scan, from + 1, NET_SIZE), 0);
            add_ascii(scan, "dot", source_from(scan, from, 0));
        }
    }
    if (is_ampersand(code))
        emit_ascii(scan, "and", source_from(scan, from, 0),
                   between ? WORD_PART : WORD_PART | WORD_WHOLE);
}

/* A mark belongs to the letter before it. */
static void read_mark(struct scan *scan, uint32_t from)
{
    for (size_t at = scan->part.word.count; at > 0; at--) {
        struct letter_source *source = &scan->part.sources[at - 1];

        if (source->to != from)
            break;
        source->to = source_from(scan, from, 0).to;
    }
}

/* Letters and digits of ASCII as fold() has them; 0: it is something else. */
static uint32_t plain_letter(uint8_t byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
        return byte;
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20u : 0;
}

/* Most of most texts is ASCII: a run of its letters needs no decoding and no tables. */
static void read_plain(struct scan *scan)
{
    const char *const end = scan->rest.ptr + scan->rest.size;
    const char *at = scan->rest.ptr;
    uint32_t from = (uint32_t)(scan->text.size - scan->rest.size);
    uint32_t before = scan->before;

    for (; at < end; at++, from++) {
        const uint8_t byte = (uint8_t)*at;
        const uint32_t letter = plain_letter(byte);

        if (letter == 0)
            break;
        if (letter != byte && before >= 'a' && before <= 'z')
            end_hump(scan);
        add_letter(&scan->part, letter, (struct letter_source){from, from + 1});
        before = byte;
    }
    scan->rest = (str){at, (size_t)(end - at)};
    scan->before = before;
}

/* What stands between most words. */
static bool take_blank(struct scan *scan)
{
    if (scan->rest.ptr[0] != ' ')
        return false;
    end_compound(scan);
    scan->before = ' ';
    scan->rest.ptr++;
    scan->rest.size--;
    return true;
}

static void read_other(struct scan *scan)
{
    const uint32_t from = source_from(scan, 0, 0).to;
    const uint32_t code = fold_next_code_point(&scan->rest);
    const struct folded folded = fold(code);

    switch (folded.kind) {
    case FOLD_DROPPED:
        read_mark(scan, from);
        return;
    case FOLD_LETTERS:
        add_letters(scan, &folded, source_from(scan, from, 0));
        break;
    case FOLD_IDEOGRAPH:
        end_compound(scan);
        add_letters(scan, &folded, source_from(scan, from, 0));
        end_compound(scan);
        break;
    case FOLD_SEPARATOR:
        read_sign(scan, code, from);
        break;
    }
    scan->before = code;
}

static void begin(struct scan *scan, str text, word_fn *fn, void *arg)
{
    scan->text = text;
    scan->rest = text;
    scan->fn = fn;
    scan->arg = arg;
    scan->part.word.count = 0;
    scan->joined.word.count = 0;
    scan->part_count = 0;
    scan->hump = 0;
    scan->before = 0;
}

void words_each(str text, word_fn *fn, void *arg)
{
    UNINITIALIZED struct scan scan; /* a kilobyte, of which what is not counted is never read */

    assert(text.size <= UINT32_MAX);
    begin(&scan, text, fn, arg);
    while (scan.rest.size > 0) {
        read_plain(&scan);
        if (scan.rest.size > 0 && !take_blank(&scan))
            read_other(&scan);
    }
    end_compound(&scan);
}

void word_copy(struct word *to, const struct word *from)
{
    to->count = from->count;
    memcpy(to->letters, from->letters, from->count * sizeof(from->letters[0]));
}

uint64_t word_hash(const struct word *word, uint64_t seed)
{
    const str bytes = {(const char *)word->letters, word->count * sizeof(word->letters[0])};

    return (seed + str_hash(bytes)) * UINT64_C(0x9E3779B97F4A7C15);
}
