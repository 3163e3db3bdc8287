/* booking/slug.c - folds names with the table that search uses, so that both agree on what is the same. */
#include "services/booking/slug.h"

#include "base/buf.h"
#include "services/booking/search/fold.h"

enum { FOLDED_SIZE_MAX = 8192 };

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        buf_add_char(out, (char)(0xC0 | (c >> 6)));
        buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_add_char(out, (char)(0xE0 | (c >> 12)));
        buf_add_char(out, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_add_char(out, (char)(0xF0 | (c >> 18)));
        buf_add_char(out, (char)(0x80 | ((c >> 12) & 0x3F)));
        buf_add_char(out, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    }
}

str name_fold(struct arena *arena, str name)
{
    struct buf out = buf_in(arena, FOLDED_SIZE_MAX);
    bool gap = false;

    while (name.size > 0) {
        const struct folded folded = fold(fold_next_code_point(&name));

        if (folded.kind == FOLD_DROPPED)
            continue;
        if (folded.kind == FOLD_SEPARATOR) {
            gap = true;
            continue;
        }
        if (gap && out.size > 0)
            buf_add_char(&out, ' ');
        gap = false;
        for (size_t i = 0; i < folded.count; i++)
            add_utf8(&out, folded.letters[i]);
    }
    return out.size > 0 ? buf_str(&out) : STR("");
}

bool name_begins_with(str text, str prefix)
{
    return prefix.size > 0 && str_starts(text, prefix) &&
           (text.size == prefix.size || text.ptr[prefix.size] == ' ');
}

str slug_of(struct arena *arena, str name, str fallback)
{
    const str folded = name_fold(arena, name);
    struct buf out = buf_in(arena, SLUG_SIZE_MAX);
    bool gap = false;

    for (size_t i = 0; i < folded.size && out.size + 2 < SLUG_SIZE_MAX; i++) {
        const char c = folded.ptr[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            if (gap && out.size > 0)
                buf_add_char(&out, '-');
            gap = false;
            buf_add_char(&out, c);
        } else {
            gap = true;
        }
    }
    return out.size > 0 ? buf_str(&out) : fallback;
}
