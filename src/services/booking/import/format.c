/* booking/import/format.c - finds out in which format a file of events is. */
#include "services/booking/import/format.h"

#include <string.h>

/* JSON-LD says so with its first keywords. */
static bool is_linked(str text)
{
    const str head = str_slice(text, 0, 65536);

    return memmem(head.ptr, head.size, "\"@type\"", 7) != NULL ||
           memmem(head.ptr, head.size, "\"@graph\"", 8) != NULL ||
           memmem(head.ptr, head.size, "\"@context\"", 10) != NULL;
}

import_read *import_format(str path, str text)
{
    static const struct {
        const char *end;
        import_read *read;
    } formats[] = {
        {".csv",    import_read_csv },
        {".json",   import_read_json},
        {".jsonld", import_read_ld  },
        {".html",   import_read_ld  },
        {".htm",    import_read_ld  },
        {".ics",    import_read_ics },
        {".ical",   import_read_ics },
    };
    const str begin =
        str_trim(str_slice(text, str_starts(text, STR("\xEF\xBB\xBF")) ? 3 : 0, 4096));

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const str end = str_of(formats[i].end);

        if (path.size >= end.size &&
            str_eq_nocase(str_slice(path, path.size - end.size, path.size), end))
            return formats[i].read == import_read_json && is_linked(text) ? import_read_ld
                                                                          : formats[i].read;
    }
    if (str_eq_nocase(str_slice(begin, 0, 15), STR("BEGIN:VCALENDAR")))
        return import_read_ics;
    if (str_starts(begin, STR("[")) || str_starts(begin, STR("{")))
        return is_linked(text) ? import_read_ld : import_read_json;
    return str_starts(begin, STR("<")) ? import_read_ld : NULL;
}
