/* platform/db/statements.h - numbers every statement of a database, so that connections keep them
 * in arrays. */
#pragma once

#include "platform/db/db.h"

struct statements {
    const struct sql **items; /* by slot */
    size_t count;
    uint32_t *table; /* slot + 1, by hash of the pointer; 0: free */
    unsigned bits;   /* the table has 1 << bits places */
};

/* First those of `own`, then those of `lists` (NULL-terminated, may be NULL); what comes twice is
 * there once. */
void statements_init(struct statements *statements, const struct sql_list *own,
                     const struct sql_list *const *lists);
void statements_done(struct statements *statements);

/* The slot of a statement that is there: another one was not given to db_open, which is a bug
 * (asserted). */
size_t statements_slot(const struct statements *statements, const struct sql *sql);
