/* booking/import/words.c - guesses, in one place.
 *
 * Calendars have one line for a place and any word for a kind. A guess that fails costs little: what was not understood is shown as it stood. */
#include "services/booking/import/words.h"

enum { PARTS_MAX = 16, WORD_SIZE_MAX = 64 };

str import_one_line(struct arena *arena, str text)
{
    if (text.ptr == NULL)
        return text;
    char *copy = arena_alloc(arena, text.size + 1);

    for (size_t i = 0; i < text.size; i++) {
        copy[i] = text.ptr[i];
        if (copy[i] == '\n' || copy[i] == '\r' || copy[i] == '\t')
            copy[i] = ' ';
    }
    return (str){copy, text.size};
}

bool import_is_web(str text)
{
    return str_eq_nocase(str_slice(text, 0, 7), STR("http://")) ||
           str_eq_nocase(str_slice(text, 0, 8), STR("https://"));
}

static bool contains_nocase(str text, str part)
{
    for (size_t i = 0; i + part.size <= text.size; i++)
        if (str_eq_nocase(str_slice(text, i, i + part.size), part))
            return true;
    return false;
}

str import_type(str word)
{
    static const struct {
        const char *part; /* of the word, in any case */
        const char *type;
    } kinds[] = {
        {"festival",    "festival"   },
        {"concert",     "concert"    },
        {"music",       "concert"    },
        {"gig",         "concert"    },
        {"theater",     "theatre"    },
        {"theatre",     "theatre"    },
        {"comedy",      "theatre"    },
        {"dance",       "theatre"    },
        {"opera",       "theatre"    },
        {"esport",      "gaming"     },
        {"gaming",      "gaming"     },
        {"sport",       "sports"     },
        {"education",   "educational"},
        {"courseinsta", "educational"},
        {"workshop",    "educational"},
        {"lecture",     "educational"},
        {"training",    "educational"},
        {"conference",  "conference" },
        {"business",    "conference" },
        {"meetup",      "conference" },
        {"summit",      "conference" },
        {"hackathon",   "conference" },
    };

    if (word.size > WORD_SIZE_MAX)
        return STR_ABSENT;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (contains_nocase(word, str_of(kinds[i].part)))
            return str_of(kinds[i].type);
    return STR_ABSENT;
}

static bool has_digit(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            return true;
    return false;
}

void import_place(struct arena *arena, str line, struct import_draft *draft)
{
    str parts[PARTS_MAX];
    str rest = line;
    size_t count = 0;
    str part;

    while (count < PARTS_MAX && str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (part.size > 0)
            parts[count++] = part;
    }
    if (count == 0)
        return;
    draft->texts[IMPORT_VENUE] = parts[0];
    if (count == 1)
        return;
    if (count == PARTS_MAX || rest.ptr != NULL) { /* no address has so many: a sentence */
        draft->texts[IMPORT_VENUE] = line;
        return;
    }
    size_t end = count;
    if (count > 2 && !has_digit(parts[count - 1]))
        draft->texts[IMPORT_COUNTRY] = parts[--end];
    draft->texts[IMPORT_CITY] = parts[--end];
    for (size_t i = 1; i < end; i++)
        draft->texts[IMPORT_ADDRESS] =
            i == 1 ? parts[1]
                   : arena_printf(arena, "%.*s, %.*s", STR_ARG(draft->texts[IMPORT_ADDRESS]),
                                  STR_ARG(parts[i]));
}
