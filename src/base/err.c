/* base/err.c - the tables behind the error enum, and the trail that a debug build keeps.
 *
 * The trail is a ring per thread: pushing costs three stores, so that refusals (which are ordinary
 * answers) stay cheap. It holds the newest places only and is emptied by whoever logs it. */

#include "base/err.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    int status;
    const char *name;
    const char *title;
};

#define ERR_ROW(code, status, name, title) [ERR_##code] = {(status), (name), (title)},
static const struct err_row rows[] = {ERR_MAP(ERR_ROW)};
#undef ERR_ROW

static const struct err_row *row_of(err e)
{
    assert((size_t)e < sizeof(rows) / sizeof(rows[0]));
    return &rows[e];
}

int err_status(err e)
{
    return row_of(e)->status;
}

const char *err_name(err e)
{
    return row_of(e)->name;
}

const char *err_title(err e)
{
    return row_of(e)->title;
}

/* --- The trail --- */

enum { TRAIL_SIZE = 16, TRAIL_PLACE_SIZE_MAX = 64 };

struct trail_place {
    const char *file;
    int line;
};

struct trail {
    struct trail_place places[TRAIL_SIZE];
    size_t pushed; /* since it was emptied; the ring keeps the last TRAIL_SIZE */
    char text[TRAIL_SIZE * TRAIL_PLACE_SIZE_MAX];
};

static _Thread_local struct trail trail;

void err_trail_push(err e, const char *file, int line)
{
    assert(e != ERR_OK);
    trail.places[trail.pushed % TRAIL_SIZE] = (struct trail_place){file, line};
    trail.pushed++;
}

/* The compiler saw "../../src/base/err.c"; people want "src/base/err.c". */
static const char *without_dots(const char *file)
{
    while (strncmp(file, "../", 3) == 0)
        file += 3;
    return file;
}

const char *err_trail_take(void)
{
    const size_t from = trail.pushed > TRAIL_SIZE ? trail.pushed - TRAIL_SIZE : 0;
    size_t size = 0;

    trail.text[0] = '\0';
    for (size_t i = from; i < trail.pushed; i++) {
        const struct trail_place *place = &trail.places[i % TRAIL_SIZE];
        const size_t room = sizeof(trail.text) - size;
        const int written = snprintf(trail.text + size, room, "%s%s:%d", size > 0 ? " " : "",
                                     without_dots(place->file), place->line);

        if (written < 0 || (size_t)written >= room) {
            trail.text[size] = '\0'; /* whole places only */
            break;
        }
        size += (size_t)written;
    }
    trail.pushed = 0;
    return trail.text;
}
