/* services/booking/search/search_lab.c - puts events and compares hits, so that a test is a table. */
#include "services/booking/search/search_lab.h"

#include "base/buf.h"

void lab_close(struct search **search)
{
    search_close(*search);
}

/* An event's id is its number in the last bytes. */
struct uuid lab_id(unsigned number)
{
    struct uuid id = {0};

    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

unsigned lab_number(struct uuid id)
{
    return (unsigned)id.bytes[14] << 8 | id.bytes[15];
}

size_t lab_put(struct search *search, const struct row *row)
{
    const str artist = str_of(row->artist);
    const struct search_event said = {
        .name = str_of(row->name),
        .venue = str_of(row->venue),
        .city = str_of(row->city),
        .artists = &artist,
        .artist_count = row->artist != NULL,
        .starts_at_ms = row->starts_at_ms,
        .ends_at_ms = row->starts_at_ms + LAB_LENGTH_MS,
    };
    size_t slot = SIZE_MAX;

    CHECK_OK(search_put(search, lab_id(row->number), &said, &slot));
    return slot;
}

struct search *lab_search(const struct row *rows, size_t count)
{
    struct search *search = search_open();

    for (size_t i = 0; i < count; i++)
        (void)lab_put(search, &rows[i]);
    return search;
}

/* The numbers of the hits as text: "3 1 2". */
void lab_check_query(const struct search *search, const char *expected,
                     const struct search_query *query)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(buf_done) struct buf buf = buf_on_heap(4096);
    const struct search_hits hits = search_find(search, arena, query);

    for (size_t i = 0; i < hits.count; i++)
        buf_printf(&buf, "%s%u", i > 0 ? " " : "", lab_number(hits.hits[i].event));
    if (!str_eq(str_of(expected), buf.size > 0 ? buf_str(&buf) : STR("")))
        print_error("search: %.*s\n", STR_ARG(query->text));
    CHECK_STR(expected, buf.size > 0 ? buf_str(&buf) : STR(""));
    CHECK(hits.count <= query->limit);
}

void lab_check(const struct search *search, const char *expected, const char *text)
{
    lab_check_query(search, expected, &SEARCH_QUERY(.text = str_of(text), .limit = LAB_LIMIT));
}

void lab_check_all(const struct search *search, const struct found *founds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lab_check(search, founds[i].expected, founds[i].text);
}
