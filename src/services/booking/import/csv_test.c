/* services/booking/import/csv_test.c - records and faults, by table and by chance. */
#include "services/booking/import/csv.h"

#include "support/test.h"

#include <string.h>

#include "base/buf.h"
#include "base/rng.h"

/* "1[a|b] 2!fault": records with their lines, fields between bars, faults behind a mark. */
static void show(str text, struct buf *buf)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct csv csv;
    struct csv_record record;
    const char *fault = NULL;
    enum csv_result result;

    csv_open(&csv, text);
    while ((result = csv_next(&csv, arena, &record, &fault)) != CSV_END) {
        if (buf->size > 0)
            buf_add_char(buf, ' ');
        if (result == CSV_BROKEN) {
            buf_printf(buf, "%zu!%s", record.line, fault);
            continue;
        }
        buf_printf(buf, "%zu[", record.line);
        for (size_t i = 0; i < record.count; i++) {
            if (i > 0)
                buf_add_char(buf, '|');
            buf_add(buf, record.fields[i]);
        }
        buf_add_char(buf, ']');
    }
}

TEST(records_are_cut_at_line_ends_and_fields_at_commas)
{
    static const struct {
        const char *text;
        const char *records;
    } cases[] = {
        {"",                    ""                   },
        {"a,b\nc,d\n",          "1[a|b] 2[c|d]"      },
        {"a,b\r\nc,d",          "1[a|b] 2[c|d]"      },
        {"\xEF\xBB\xBF"
         "a,b",        "1[a|b]"             },
        {"a\n\n\r\n b \n",      "1[a] 4[ b ]"        },
        {",\n,,\n",             "1[|] 2[||]"         },
        {"a,",                  "1[a|]"              },
        {"\"a,b\",c",           "1[a,b|c]"           },
        {"\"a\"\"b\"\"\",\"\"", "1[a\"b\"|]"         },
        {"\"a\nb\r\nc\",d\ne",  "1[a\nb\r\nc|d] 4[e]"},
        {"a\rb,c",              "1[a\rb|c]"          },
        {"\"a\"",               "1[a]"               },
        {"\"\"\"\"",            "1[\"]"              },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf buf = buf_on_heap(4096);
        show(str_of(cases[i].text), &buf);
        CHECK_STR(cases[i].records, buf.size > 0 ? buf_str(&buf) : STR(""));
    }
}

#define OPEN   "!a quote is never closed"
#define BEHIND "!something stands behind a closing quote"
#define INSIDE "!a quote stands inside a field that does not begin with one"

TEST(a_broken_record_costs_its_first_line)
{
    static const struct {
        const char *text;
        const char *records;
    } cases[] = {
        {"a\n\"b\nc\nd", "1[a] 2" OPEN " 3[c] 4[d]"    },
        {"\"a\"b,c\nd",  "1" BEHIND " 2[d]"            },
        {"\"a\nb\"c\nd", "1" BEHIND " 2" INSIDE " 3[d]"},
        {"a\"b\nc",      "1" INSIDE " 2[c]"            },
        {"a, \"b\"\nc",  "1" INSIDE " 2[c]"            },
        {"\"",           "1" OPEN                      },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf buf = buf_on_heap(4096);
        show(str_of(cases[i].text), &buf);
        CHECK_STR(cases[i].records, buf_str(&buf));
    }
}

TEST(fields_have_a_maximum_in_number_and_size)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap((size_t)4 * CSV_FIELD_SIZE_MAX);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct csv csv;
    struct csv_record record;
    const char *fault = NULL;

    for (int i = 0; i < CSV_FIELDS_MAX - 1; i++)
        buf_add_char(&text, ',');
    buf_add_cstr(&text, "\n,");
    for (int i = 0; i < CSV_FIELDS_MAX - 1; i++)
        buf_add_char(&text, ',');
    buf_add_char(&text, '\n');
    for (int i = 0; i <= CSV_FIELD_SIZE_MAX; i++)
        buf_add_char(&text, 'x');
    buf_add_cstr(&text, "\nok");

    csv_open(&csv, buf_str(&text));
    CHECK_I64(CSV_RECORD, csv_next(&csv, arena, &record, &fault));
    CHECK_I64(CSV_FIELDS_MAX, record.count);
    CHECK_I64(CSV_BROKEN, csv_next(&csv, arena, &record, &fault));
    CHECK_STR("there are too many fields", str_of(fault));
    CHECK_I64(CSV_BROKEN, csv_next(&csv, arena, &record, &fault));
    CHECK_STR("a field is too long", str_of(fault));
    CHECK_I64(CSV_RECORD, csv_next(&csv, arena, &record, &fault));
    CHECK_I64(4, record.line);
    CHECK_I64(CSV_END, csv_next(&csv, arena, &record, &fault));
}

static void quote(struct buf *buf, str field)
{
    buf_add_char(buf, '"');
    for (size_t i = 0; i < field.size; i++) {
        buf_add_char(buf, field.ptr[i]);
        if (field.ptr[i] == '"')
            buf_add_char(buf, '"');
    }
    buf_add_char(buf, '"');
}

/* What is written by the rules is read as it was. */
TEST(any_fields_survive_quoting)
{
    static const char letters[] = "ab,\"\n\r; ";
    struct rng_seeded rng;

    rng_seeded_init(&rng, 3);
    for (int round = 0; round < 500; round++) {
        CLEANUP(buf_done) struct buf text = buf_on_heap(4096);
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        char fields[4][8];
        struct csv csv;
        struct csv_record record;
        const char *fault = NULL;

        for (size_t i = 0; i < 4; i++) {
            for (size_t j = 0; j < sizeof(fields[i]); j++)
                fields[i][j] = letters[rng_below(&rng.rng, sizeof(letters) - 1)];
            quote(&text, (str){fields[i], sizeof(fields[i])});
            buf_add_char(&text, i < 3 ? ',' : '\n');
        }
        csv_open(&csv, buf_str(&text));
        CHECK_I64(CSV_RECORD, csv_next(&csv, arena, &record, &fault));
        CHECK_I64(4, record.count);
        for (size_t i = 0; i < 4; i++)
            CHECK(str_eq((str){fields[i], sizeof(fields[i])}, record.fields[i]));
        CHECK_I64(CSV_END, csv_next(&csv, arena, &record, &fault));
    }
}

/* Whatever comes, it ends, and lines only go up. */
TEST(any_bytes_are_read_to_their_end)
{
    static const char letters[] = "a,\"\"\n\r ";
    struct rng_seeded rng;

    rng_seeded_init(&rng, 4);
    for (int round = 0; round < 2000; round++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        char *text = arena_alloc(arena, 40);
        const size_t size = rng_below(&rng.rng, 41);
        size_t line = 0;
        struct csv csv;
        struct csv_record record;
        const char *fault = NULL;

        for (size_t i = 0; i < size; i++)
            text[i] = letters[rng_below(&rng.rng, sizeof(letters) - 1)];
        csv_open(&csv, (str){text, size});
        while (csv_next(&csv, arena, &record, &fault) != CSV_END) {
            CHECK(record.line > line);
            line = record.line;
        }
        CHECK(line <= size + 1);
    }
}
