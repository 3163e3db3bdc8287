/* support/scratch.h - directories for tests of what is kept in files. */
#pragma once

#include "base/arena.h"

/* The path of a new, empty directory, mode 0700; it is gone with all it holds once the arena is
 * reset. */
const char *scratch_dir(struct arena *arena);
