/* services/booking/search/search_lab.h - events by number, for the tests of the search. */
#pragma once

#include "services/booking/search/search.h"

#include "support/test.h"

enum { LAB_LIMIT = 50, LAB_LENGTH_MS = 50 /* of every event */ };

/* An event whose id is made of its number. */
struct row {
    unsigned number;
    int64_t starts_at_ms;
    const char *name;
    const char *artist;
    const char *venue;
    const char *city;
};

struct uuid lab_id(unsigned number);
unsigned lab_number(struct uuid id);
size_t lab_put(struct search *search, const struct row *row); /* gives the slot */
struct search *lab_search(const struct row *rows, size_t count);
#define SEARCH_OF(rows) lab_search((rows), sizeof(rows) / sizeof((rows)[0]))
void lab_close(struct search **search); /* for CLEANUP */

/* `expected` are the numbers of the hits, best first: "3 1 2". */
void lab_check_query(const struct search *search, const char *expected,
                     const struct search_query *query);
void lab_check(const struct search *search, const char *expected, const char *text);

struct found {
    const char *text;
    const char *expected;
};
void lab_check_all(const struct search *search, const struct found *founds, size_t count);
#define CHECK_FOUND(search, founds) \
    lab_check_all((search), (founds), sizeof(founds) / sizeof((founds)[0]))
