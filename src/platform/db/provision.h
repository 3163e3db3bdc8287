/* platform/db/provision.h - roles and databases on a PostgreSQL server, before anybody uses them.
 *
 * Each name is a role that may not log in and a database that it owns and nobody else may connect
 * to. Who connects as the URL's user acts as that role (SET ROLE), so that user becomes a member of
 * it. What is there already is left as it is: a role may have been given a login and a password,
 * a database may have been made by somebody with more rights. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct provisioned {
    int role_count;     /* made now */
    int database_count; /* made now */
};

/* `url` is "postgresql://..."; its database is where it connects first ("postgres" if it names
 * none). `names` are lower-case identifiers. Two that run at once wait for each other. ERR_INVALID,
 * ERR_UNAVAILABLE (nobody answers): *ret_why says in one line what is missing, without a
 * password. */
err provision(const char *url, const char *const *names, size_t count, struct arena *arena,
              struct provisioned *ret, str *ret_why);
/* Are the role and the database there? The errors of provision: it could not be asked. */
err provision_find(const char *url, const char *name, struct arena *arena, bool *ret);
