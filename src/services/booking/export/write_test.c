/* booking/export/write_test.c - values as spreadsheets and programs read them. */
#include "services/booking/export/write.h"

#include <math.h>

#include "support/test.h"

static const char *const names[] = {"held", "sold", NULL};
static const struct export_column columns[] = {
    {.name = "text",  .kind = EXPORT_TEXT},
    {.name = "word",  .kind = EXPORT_WORD},
    {.name = "n",     .kind = EXPORT_I64 },
    {.name = "id",    .kind = EXPORT_ID,   .prefix = "tkt"},
    {.name = "at",               .kind = EXPORT_TIME                      },
    {.name = "is",               .kind = EXPORT_BOOL},
    {.name = "state",               .kind = EXPORT_NAME,                    .names = names},
    {.name = "lat", .kind = EXPORT_REAL},
};
static const struct export_table table = {
    .name = "t", .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0])};
static const struct export_table one_text = {.name = "t", .columns = columns, .column_count = 1};

TEST(a_row_has_a_value_of_each_kind)
{
    CLEANUP(buf_done) struct buf csv = buf_on_heap(4096);
    CLEANUP(buf_done) struct buf json = buf_on_heap(4096);
    const struct uuid id = {{1}};
    const struct value cells[] = {TEXT(STR("Ana")), TEXT(STR("EUR")), I64(-5), UUID(id),
                                  I64(0),           I64(1),           I64(1),  REAL(-33.25)};
    const struct value nothing[] = {NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL};

    export_csv_names(&csv, &table);
    export_csv_row(&csv, &table, cells);
    export_csv_row(&csv, &table, nothing);
    CHECK_STR("text,word,n,id,at,is,state,lat\r\n"
              "Ana,EUR,-5,tkt_01000000000000000000000000,1970-01-01T00:00:00Z,true,sold,-33.25\r\n"
              ",,,,,,,\r\n",
              buf_str(&csv));
    export_json_row(&json, &table, cells);
    export_json_row(&json, &table, nothing);
    CHECK_STR(
        "{\"text\":\"Ana\",\"word\":\"EUR\",\"n\":-5,\"id\":\"tkt_01000000000000000000000000\","
        "\"at\":\"1970-01-01T00:00:00Z\",\"is\":true,\"state\":\"sold\",\"lat\":-33.25}"
        "{\"text\":null,\"word\":null,\"n\":null,\"id\":null,\"at\":null,\"is\":null,"
        "\"state\":null,\"lat\":null}",
        buf_str(&json));
}

TEST(what_would_split_a_line_is_quoted_and_what_would_run_is_guarded)
{
    static const struct {
        const char *text;
        const char *field;
    } cases[] = {
        {"plain",               "plain"                       },
        {"a,b",                 "\"a,b\""                     },
        {"a \"b\"",             "\"a \"\"b\"\"\""             },
        {"a\nb",                "\"a\nb\""                    },
        {"a\r\nb",              "\"a\r\nb\""                  },
        {"=1+1",                "'=1+1"                       },
        {"+49 30",              "'+49 30"                     },
        {"-5",                  "'-5"                         },
        {"@SUM(A1)",            "'@SUM(A1)"                   },
        {"\t=1",                "'\t=1"                       },
        {"\r=1",                "\"'\r=1\""                   },
        {"=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""},
        {"a=b",                 "a=b"                         },
        {"'a",                  "'a"                          },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf csv = buf_on_heap(4096);
        CLEANUP(buf_done) struct buf line = buf_on_heap(4096);
        const struct value cell = TEXT(str_of(cases[i].text));

        export_csv_row(&csv, &one_text, &cell);
        buf_printf(&line, "%s\r\n", cases[i].field);
        CHECK_STR(line.data, buf_str(&csv));
    }
}
