/* platform/db/snapshot.h - copies of SQLite files, all of one moment, while others read and write them. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct snapshot_file {
    const char *from;
    const char *to; /* is made; nothing may be there */
};

enum { SNAPSHOT_FILES_MAX = 16 };

/* Copies every file as it was at one moment at which no transaction was under way in any of them, so
 * together they are what a crash at that moment would have left. Writers wait for milliseconds, readers
 * not at all; the copying itself holds up nobody. Each copy is checked and on disk when this returns.
 * ERR_UNAVAILABLE with *ret_why in `arena`: a file cannot be read or written, or a writer did not
 * let go within 5 s; what was made is removed. */
err snapshot_take(const struct snapshot_file *files, size_t count, struct arena *arena,
                  str *ret_why);
