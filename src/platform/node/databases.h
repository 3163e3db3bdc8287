/* platform/node/databases.h - where the databases of the services are; private to this folder. */
#pragma once

#include "platform/node/node.h"

enum database_place { IN_MEMORY, IN_FILES, ON_SERVER };

struct databases {
    enum database_place place;
    str dir;    /* IN_FILES */
    str url;    /* ON_SERVER: of the server, as the operator gave it; may hold a password */
    str prefix; /* ON_SERVER: of the names of databases and roles */
};

/* By database.url and database.prefix. The texts lie in `arena`. ERR_INVALID, ERR_UNAVAILABLE: *ret_why. */
err databases_find(const struct node *node, struct arena *arena, struct databases *ret,
                   str *ret_why);
/* ON_SERVER: the name of the service's database and of its role. */
str databases_name(const struct databases *where, const char *service, struct arena *arena);
/* What db_open takes. */
str databases_url(const struct databases *where, const struct node *node, const char *service,
                  struct arena *arena);
/* ON_SERVER: makes roles and databases of all services of the node that have one. */
err databases_provision(const struct databases *where, struct node *node, struct arena *arena,
                        str *ret_why);
/* Why could the service's database not be opened, as far as the server says? Changes *why where it
 * is not there. */
void databases_explain(const struct databases *where, const char *service, struct arena *arena,
                       str *why);

/* `url` ("postgresql://[user[:password]@][host][/database][?parameters]", RFC 3986 as libpq reads
 * it) with another database, for who acts as the role of the same name. Pure. */
str postgres_url_for(str url, str name, struct arena *arena);

/* Makes it, for our eyes only, unless it is there. ERR_UNAVAILABLE: *ret_why begins with `what`. */
err make_private_dir(const char *dir, const char *what, struct arena *arena, str *ret_why);
