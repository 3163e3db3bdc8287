/* platform/db/statements.c - numbers every statement of a database.
 *
 * A statement is known by the address of its constant. The table is built when the database is
 * opened and never changes, so that all threads read it without a lock. */

#include "platform/db/statements.h"

#include <assert.h>

#include "base/mem.h"

enum { TABLE_BITS_MIN = 4 };

static size_t hash(const struct statements *statements, const struct sql *sql)
{
    /* Fibonacci hashing: the high bits of the product are spread best. */
    return (size_t)(((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - statements->bits));
}

/* The place of `sql` in the table, or the free one where it belongs. */
static uint32_t *place_of(const struct statements *statements, const struct sql *sql)
{
    const size_t mask = ((size_t)1 << statements->bits) - 1;
    size_t i = hash(statements, sql);

    while (statements->table[i] != 0 && statements->items[statements->table[i] - 1] != sql)
        i = (i + 1) & mask;
    return &statements->table[i];
}

static void add_list(struct statements *statements, const struct sql_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        uint32_t *place = place_of(statements, list->items[i]);

        if (*place != 0)
            continue;
        statements->items[statements->count++] = list->items[i];
        *place = (uint32_t)statements->count;
    }
}

void statements_init(struct statements *statements, const struct sql_list *own,
                     const struct sql_list *const *lists)
{
    size_t count = own->count;

    for (size_t i = 0; lists != NULL && lists[i] != NULL; i++)
        count += lists[i]->count;
    *statements = (struct statements){.bits = TABLE_BITS_MIN};
    while (((size_t)1 << statements->bits) < 2 * count)
        statements->bits++;
    statements->items = mem_alloc((count + 1) * sizeof(const struct sql *));
    statements->table = mem_alloc(((size_t)1 << statements->bits) * sizeof(uint32_t));
    add_list(statements, own);
    for (size_t i = 0; lists != NULL && lists[i] != NULL; i++)
        add_list(statements, lists[i]);
}

void statements_done(struct statements *statements)
{
    mem_free(statements->items);
    mem_free(statements->table);
    *statements = (struct statements){0};
}

size_t statements_slot(const struct statements *statements, const struct sql *sql)
{
    const uint32_t place = *place_of(statements, sql);

    assert(place != 0);
    return place - 1;
}
