/* services/booking/search/fold.c - folds letters, so that people find what they spell otherwise.
 *
 * "Zürich", "ZÜRICH" and "zurich" become one word, and so do the ways of writing an alef. Folding
 * is a choice of this search, not a standard: it goes further than Unicode's case folding, and
 * drops every combining mark of the alphabets below, so that composed and decomposed text
 * are the same.
 * What no table names is a letter as it is: unknown scripts can be searched exactly. */

#include "services/booking/search/fold.h"

#include "services/booking/search/fold_table.h"

enum {
    REPLACEMENT = 0xFFFD,
    FULL_WIDTH_FIRST = 0xFF01, /* the ASCII characters from '!' to '~' once more */
    FULL_WIDTH_LAST = 0xFF5E,
    FULL_WIDTH_OFFSET = 0xFEE0,
};

/* --- UTF-8 --- */

/* Bytes of the sequence that `lead`, which is not ASCII, begins; 0: it begins none. */
static size_t sequence_size(uint8_t lead)
{
    if (lead >= 0xC2 && lead < 0xE0)
        return 2;
    if (lead >= 0xE0 && lead < 0xF0)
        return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

uint32_t fold_next_code_point(str *rest)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t lead = (uint8_t)rest->ptr[0];

    if (lead < 0x80) {
        rest->ptr++;
        rest->size--;
        return lead;
    }
    const size_t size = sequence_size(lead);
    uint32_t code = REPLACEMENT;
    size_t taken = 1;

    if (size > 0) { /* where it is broken, what there is of it is one character */
        code = lead & 0xFFu >> (size + 1);
        while (taken < size && taken < rest->size && ((uint8_t)rest->ptr[taken] & 0xC0) == 0x80)
            code = code << 6 | ((uint8_t)rest->ptr[taken++] & 0x3F);
        if (taken < size || code < least[size] || code > 0x10FFFF ||
            (code >= 0xD800 && code < 0xE000))
            code = REPLACEMENT;
    }
    *rest = str_slice(*rest, taken, rest->size);
    return code;
}

/* --- Tables --- */

static const struct {
    uint32_t code;
    char letters[FOLD_LETTERS_MAX];
} expansions[] = {
    {0x00C6, "ae" },
    {0x00DE, "th" },
    {0x00DF, "ss" },
    {0x00E6, "ae" },
    {0x00FE, "th" },
    {0x0132, "ij" },
    {0x0133, "ij" },
    {0x0152, "oe" },
    {0x0153, "oe" },
    {0x01C4, "dz" },
    {0x01C5, "dz" },
    {0x01C6, "dz" },
    {0x01C7, "lj" },
    {0x01C8, "lj" },
    {0x01C9, "lj" },
    {0x01CA, "nj" },
    {0x01CB, "nj" },
    {0x01CC, "nj" },
    {0x01E2, "ae" },
    {0x01E3, "ae" },
    {0x01F1, "dz" },
    {0x01F2, "dz" },
    {0x01F3, "dz" },
    {0x01FC, "ae" },
    {0x01FD, "ae" },
    {0x1E9E, "ss" },
    {0xFB00, "ff" },
    {0xFB01, "fi" },
    {0xFB02, "fl" },
    {0xFB03, "ffi"},
    {0xFB04, "ffl"},
    {0xFB05, "st" },
    {0xFB06, "st" },
};

enum range_kind { SEPARATORS, DROPPED, SHIFTED, ALL_TO, IDEOGRAPHS };

/* Ascending. What lies in none and in no table of letters is a letter as it is. */
static const struct range {
    uint32_t first;
    uint32_t last;
    enum range_kind kind;
    uint32_t to; /* SHIFTED: what `first` becomes; ALL_TO: what each becomes */
} ranges[] = {
    {0x00080, 0x0009F,  SEPARATORS, 0     },
    {0x00259, 0x00259,  ALL_TO,     'e'   }, /* schwa: its capital is in the table */
    {0x002B0, 0x002FF,  SEPARATORS, 0     }, /* modifiers; the apostrophe is seen before */
    {0x00300, 0x0036F,  DROPPED,    0     },
    {0x00531, 0x00556,  SHIFTED,    0x0561}, /* Armenian capitals */
    {0x0055A, 0x0055F,  SEPARATORS, 0     },
    {0x00589, 0x0058F,  SEPARATORS, 0     },
    {0x00591, 0x005BD,  DROPPED,    0     }, /* Hebrew points */
    {0x005BE, 0x005BE,  SEPARATORS, 0     },
    {0x005BF, 0x005BF,  DROPPED,    0     },
    {0x005C0, 0x005C0,  SEPARATORS, 0     },
    {0x005C1, 0x005C2,  DROPPED,    0     },
    {0x005C3, 0x005C3,  SEPARATORS, 0     },
    {0x005C4, 0x005C5,  DROPPED,    0     },
    {0x005C6, 0x005C6,  SEPARATORS, 0     },
    {0x005C7, 0x005C7,  DROPPED,    0     },
    {0x005F3, 0x005F4,  DROPPED,    0     }, /* geresh, gershayim: inside abbreviations */
    {0x00600, 0x0060F,  SEPARATORS, 0     },
    {0x00610, 0x0061A,  DROPPED,    0     },
    {0x0061B, 0x0061F,  SEPARATORS, 0     },
    {0x00622, 0x00623,  ALL_TO,     0x0627}, /* alef with madda, with hamza above */
    {0x00624, 0x00624,  ALL_TO,     0x0648}, /* waw with hamza */
    {0x00625, 0x00625,  ALL_TO,     0x0627}, /* alef with hamza below */
    {0x00626, 0x00626,  ALL_TO,     0x064A}, /* yeh with hamza */
    {0x00629, 0x00629,  ALL_TO,     0x0647}, /* teh marbuta: heh */
    {0x00640, 0x00640,  DROPPED,    0     }, /* tatweel */
    {0x00649, 0x00649,  ALL_TO,     0x064A}, /* alef maksura: yeh */
    {0x0064B, 0x0065F,  DROPPED,    0     }, /* harakat, and hamza as a mark */
    {0x00660, 0x00669,  SHIFTED,    '0'   },
    {0x0066A, 0x0066D,  SEPARATORS, 0     },
    {0x00670, 0x00670,  DROPPED,    0     },
    {0x00671, 0x00673,  ALL_TO,     0x0627}, /* alef wasla and others */
    {0x006A9, 0x006A9,  ALL_TO,     0x0643}, /* Persian kaf */
    {0x006BE, 0x006BE,  ALL_TO,     0x0647},
    {0x006C0, 0x006C2,  ALL_TO,     0x0647},
    {0x006CC, 0x006CC,  ALL_TO,     0x064A}, /* Persian yeh */
    {0x006D2, 0x006D3,  ALL_TO,     0x064A},
    {0x006D4, 0x006D4,  SEPARATORS, 0     },
    {0x006D5, 0x006D5,  ALL_TO,     0x0647},
    {0x006D6, 0x006ED,  DROPPED,    0     }, /* signs of the Quran */
    {0x006F0, 0x006F9,  SHIFTED,    '0'   },
    {0x00700, 0x0070D,  SEPARATORS, 0     },
    {0x00964, 0x00965,  SEPARATORS, 0     },
    {0x00966, 0x0096F,  SHIFTED,    '0'   },
    {0x00970, 0x00970,  SEPARATORS, 0     },
    {0x00E4F, 0x00E4F,  SEPARATORS, 0     },
    {0x00E5A, 0x00E5B,  SEPARATORS, 0     },
    {0x00F04, 0x00F14,  SEPARATORS, 0     },
    {0x0104A, 0x0104F,  SEPARATORS, 0     },
    {0x010FB, 0x010FB,  SEPARATORS, 0     },
    {0x01360, 0x01368,  SEPARATORS, 0     },
    {0x017D4, 0x017DA,  SEPARATORS, 0     },
    {0x01800, 0x0180A,  SEPARATORS, 0     },
    {0x01AB0, 0x01AFF,  DROPPED,    0     },
    {0x01C90, 0x01CBA,  SHIFTED,    0x10D0}, /* Georgian capitals */
    {0x01DC0, 0x01DFF,  DROPPED,    0     },
    {0x02000, 0x0200B,  SEPARATORS, 0     },
    {0x0200C, 0x0200F,  DROPPED,    0     }, /* joiners and marks of direction */
    {0x02010, 0x02029,  SEPARATORS, 0     },
    {0x0202A, 0x0202E,  DROPPED,    0     },
    {0x0202F, 0x0205F,  SEPARATORS, 0     },
    {0x02060, 0x0206F,  DROPPED,    0     },
    {0x02070, 0x020CF,  SEPARATORS, 0     },
    {0x020D0, 0x020FF,  DROPPED,    0     },
    {0x02100, 0x02BFF,  SEPARATORS, 0     }, /* symbols, arrows, mathematics, boxes */
    {0x02E00, 0x02E7F,  SEPARATORS, 0     },
    {0x03000, 0x03004,  SEPARATORS, 0     },
    {0x03005, 0x03007,  IDEOGRAPHS, 0     },
    {0x03008, 0x03020,  SEPARATORS, 0     },
    {0x0302A, 0x0302F,  DROPPED,    0     },
    {0x03030, 0x03030,  SEPARATORS, 0     },
    {0x0303D, 0x03040,  SEPARATORS, 0     },
    {0x03041, 0x03096,  IDEOGRAPHS, 0     }, /* Hiragana */
    {0x03099, 0x0309A,  DROPPED,    0     },
    {0x0309B, 0x030A0,  SEPARATORS, 0     },
    {0x030A1, 0x030FA,  IDEOGRAPHS, 0     }, /* Katakana */
    {0x030FB, 0x030FB,  SEPARATORS, 0     },
    {0x030FC, 0x030FF,  IDEOGRAPHS, 0     },
    {0x031F0, 0x031FF,  IDEOGRAPHS, 0     },
    {0x03200, 0x033FF,  SEPARATORS, 0     },
    {0x03400, 0x04DBF,  IDEOGRAPHS, 0     },
    {0x04DC0, 0x04DFF,  SEPARATORS, 0     },
    {0x04E00, 0x09FFF,  IDEOGRAPHS, 0     }, /* Han */
    {0x0E000, 0x0F8FF,  SEPARATORS, 0     }, /* private use */
    {0x0F900, 0x0FAFF,  IDEOGRAPHS, 0     },
    {0x0FD3E, 0x0FD4F,  SEPARATORS, 0     },
    {0x0FE00, 0x0FE0F,  DROPPED,    0     }, /* variation selectors */
    {0x0FE10, 0x0FE1F,  SEPARATORS, 0     },
    {0x0FE20, 0x0FE2F,  DROPPED,    0     },
    {0x0FE30, 0x0FE6F,  SEPARATORS, 0     },
    {0x0FEFF, 0x0FEFF,  DROPPED,    0     },
    {0x0FF5F, 0x0FF65,  SEPARATORS, 0     },
    {0x0FF66, 0x0FF9F,  IDEOGRAPHS, 0     },
    {0x0FFE0, 0x0FFFF,  SEPARATORS, 0     },
    {0x1D000, 0x1D24F,  SEPARATORS, 0     }, /* notes */
    {0x1F000, 0x1FAFF,  SEPARATORS, 0     }, /* pictures */
    {0x20000, 0x3FFFF,  IDEOGRAPHS, 0     },
    {0xE0000, 0xE01EF,  DROPPED,    0     }, /* tags, variation selectors */
    {0xF0000, 0x10FFFF, SEPARATORS, 0     },
};

enum { RANGE_COUNT = sizeof(ranges) / sizeof(ranges[0]) };

/* --- Folding --- */

static const struct folded separator = {.kind = FOLD_SEPARATOR};
static const struct folded dropped = {.kind = FOLD_DROPPED};

static struct folded one(uint32_t letter)
{
    return (struct folded){.kind = FOLD_LETTERS, .count = 1, .letters = {letter}};
}

static struct folded fold_ascii(uint32_t code)
{
    if (code >= 'A' && code <= 'Z')
        return one(code + ('a' - 'A'));
    if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9'))
        return one(code);
    return separator;
}

/* False if it is no ligature. */
static bool expand(uint32_t code, struct folded *ret)
{
    for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++) {
        if (expansions[i].code != code)
            continue;
        *ret = (struct folded){.kind = FOLD_LETTERS};
        while (ret->count < FOLD_LETTERS_MAX && expansions[i].letters[ret->count] != '\0') {
            ret->letters[ret->count] = (uint8_t)expansions[i].letters[ret->count];
            ret->count++;
        }
        return true;
    }
    return false;
}

/* What the tables of letters say; 0: nothing. */
static char16_t look_up(uint32_t code)
{
    static const struct {
        uint32_t first;
        uint32_t end;
        const char16_t *folds;
    } tables[] = {
        {0x00A0, 0x0250, fold_latin         },
        {0x0370, 0x0530, fold_greek_cyrillic},
        {0x1E00, 0x2000, fold_extended      },
    };
    _Static_assert(sizeof(fold_latin) == (0x0250 - 0x00A0 + 1) * sizeof(char16_t), "16 a row");
    _Static_assert(sizeof(fold_greek_cyrillic) == (0x0530 - 0x0370 + 1) * sizeof(char16_t), "too");
    _Static_assert(sizeof(fold_extended) == (0x2000 - 0x1E00 + 1) * sizeof(char16_t), "too");

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (code >= tables[i].first && code < tables[i].end)
            return tables[i].folds[code - tables[i].first];
    return 0;
}

static struct folded fold_in_ranges(uint32_t code)
{
    size_t low = 0;
    size_t high = RANGE_COUNT;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == RANGE_COUNT || code < ranges[low].first)
        return one(code);
    switch (ranges[low].kind) {
    case SEPARATORS:
        return separator;
    case DROPPED:
        return dropped;
    case SHIFTED:
        return one(code - ranges[low].first + ranges[low].to);
    case ALL_TO:
        return one(ranges[low].to);
    case IDEOGRAPHS:
        return (struct folded){.kind = FOLD_IDEOGRAPH, .count = 1, .letters = {code}};
    }
    return separator;
}

struct folded fold(uint32_t code_point)
{
    struct folded several;

    if (code_point >= FULL_WIDTH_FIRST && code_point <= FULL_WIDTH_LAST)
        code_point -= FULL_WIDTH_OFFSET;
    if (code_point < 0x80)
        return fold_ascii(code_point);

    const char16_t folded = look_up(code_point);
    if (folded == u' ')
        return separator;
    if (folded == u'-')
        return dropped;
    if (folded != 0 && folded != u'+')
        return one(folded);
    return expand(code_point, &several) ? several : fold_in_ranges(code_point);
}
