/* platform/config/nearest.c - the distance between what was written and what there is. */

#include "platform/config/nearest.h"

enum { SIZE_MAX_COMPARED = 96 };

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

size_t edit_distance(str a, str b)
{
    size_t
        row[SIZE_MAX_COMPARED + 1]; /* distances from the first i characters of `a` to all of `b` */

    a = str_slice(a, 0, SIZE_MAX_COMPARED);
    b = str_slice(b, 0, SIZE_MAX_COMPARED);
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            const size_t replaced = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));

            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[b.size];
}
