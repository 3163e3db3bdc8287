/* support/sql_watch.h - which tables the statements touch that SQLite runs, in any thread of this process. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"

/* Before the node is opened: it sees the connections that are opened from then on. */
void sql_watch_open(void);
/* Forgets what was run so far. */
void sql_watch_begin(void);
/* The tables that were read or written since then in databases whose file ends with `file`, as "a b c" in order of the alphabet, with
 * those that triggers touch. In `arena`. */
str sql_watch_tables(struct arena *arena, const char *file);
