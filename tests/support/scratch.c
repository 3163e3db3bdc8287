/* support/scratch.c - makes directories below $TMPDIR and takes them away again. */

#include "support/scratch.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

enum { FDS_MAX = 8 };

static int remove_entry(const char *path, [[maybe_unused]] const struct stat *status,
                        [[maybe_unused]] int type, [[maybe_unused]] struct FTW *walk)
{
    return remove(path);
}

static void remove_tree(void *path)
{
    /* What cannot be removed stays in the temporary directory: no reason to fail a test. */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): it walks by full paths, without chdir. */
    (void)nftw(path, remove_entry, FDS_MAX, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_dir(struct arena *arena)
{
    const char *parent =
        getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile */
    char *path = arena_alloc(arena, PATH_MAX);
    const int size =
        snprintf(path, PATH_MAX, "%s/boxoffice-test-XXXXXX", parent != NULL ? parent : "/tmp");

    CHECK(size > 0 && size < PATH_MAX);
    CHECK(mkdtemp(path) != NULL);
    arena_on_reset(arena, remove_tree, path);
    return path;
}
