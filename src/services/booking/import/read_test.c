/* services/booking/import/read_test.c - files as vendors have them: good, odd and broken. */
#include "services/booking/import/import_lab.h"

#include <string.h>

#include "base/rng.h"

/* --- CSV --- */

TEST(a_csv_file_has_its_columns_in_any_order)
{
    check_read(import_read_csv, ERR_OK,
               "\xEF\xBB\xBF"
               "CITY, Name ,starts_at,price,Currency,colour,quantity,ARTISTS,online\r\n"
               "Cairo,Jazz Night,2026-12-05T20:00,250.00,EGP,red,500,Amr Diab; Angham ;;,\r\n"
               "\r\n"
               ",\"Talk, \"\"live\"\"\",2026-12-06,,,,,,\r\n"
               ",,,,,,,,\r\n"
               "Oslo,Hybrid,2026-12-07,,,,,,yes\r\n",
               "~1 unknown column \"colour\"\n"
               "2 Jazz Night starts=2026-12-05T20:00:00 city=Cairo artist=Amr Diab artist=Angham "
               "price=25000 EGP quantity=500\n"
               "4 Talk, \"live\" starts=2026-12-06 online\n"
               "6 Hybrid starts=2026-12-07 city=Oslo online\n");
}

TEST(a_csv_row_may_say_everything)
{
    check_read(
        import_read_csv, ERR_OK,
        "name,starts_at,ends_at,timezone,venue,address,city,country,artists,type,description,url,"
        "online,price,currency,quantity\n"
        "Gala,2026-05-01T19:30,2026-05-01T23:00:30,Africa/Cairo,Opera House,1 Gezira "
        "St,Cairo,Egypt,"
        "Fairuz,concert,\"Two\r\nlines\",https://example.org/gala?a=1,no,12.5,kwd,1\n",
        "2 Gala starts=2026-05-01T19:30:00 ends=2026-05-01T23:00:30 zone=Africa/Cairo "
        "venue=Opera House address=1 Gezira St city=Cairo country=Egypt artist=Fairuz type=concert "
        "description=Two\nlines url=https://example.org/gala?a=1 price=12500 KWD quantity=1\n");
}

TEST(a_broken_csv_line_is_reported_and_the_rest_is_read)
{
    check_read(import_read_csv, ERR_OK,
               "name,starts_at\n"
               "One,2026-01-01\n"
               "\"Two,2026-01-02\n"
               "Three,2026-01-03,more\n"
               "Four\n"
               ",2026-01-05\n"
               "Six\xFF,2026-01-06\n"
               "Seven,2026-02-30\n"
               "Eight,2026-01-08\n",
               "2 One starts=2026-01-01 online\n"
               "!3 a quote is never closed\n"
               "!4 more fields than columns\n"
               "!5 starts_at: missing\n"
               "!6 name: missing\n"
               "!7 name: not UTF-8\n"
               "!8 starts_at: neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM, with or without an offset, "
               "or there is no such time\n"
               "9 Eight starts=2026-01-08 online\n");
}

TEST(a_csv_file_that_makes_no_sense_is_malformed)
{
    static const char header[] = "!1 the first line must name the columns, separated by commas, "
                                 "with name and starts_at among them\n";

    check_read(import_read_csv, ERR_MALFORMED, "", "!1 the file is empty\n");
    check_read(import_read_csv, ERR_MALFORMED, "\n\r\n", "!3 the file is empty\n");
    check_read(import_read_csv, ERR_MALFORMED, "name\nx\n", header);
    check_read(import_read_csv, ERR_MALFORMED, "\xFF\xFE\nx\n", header);
    check_read(import_read_csv, ERR_MALFORMED, "name,starts_at,NAME\nx,2026-01-01,y\n",
               "!1 a column is there twice\n");
    check_read(import_read_csv, ERR_MALFORMED, "name,\"starts_at\nx,2026-01-01\n",
               "!1 a quote is never closed\n");
    check_read(import_read_csv, ERR_MALFORMED, "name,starts_at\n,\nx,y\n",
               "!3 starts_at: neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM, with or without an offset, "
               "or there is no such time\n");
    check_read(import_read_csv, ERR_OK, "name,starts_at\n", "");
}

/* --- JSON --- */

TEST(a_json_list_of_conferences_is_read)
{
    check_read(
        import_read_json, ERR_OK,
        "[\n{\n"
        "\"name\": \"Voxxed Days Z\\u00fcrich\",\n\"url\": \"https://example.org/\",\n"
        "\"startDate\": \"2025-01-15\",\n\"endDate\": \"2025-01-16\",\n"
        "\"city\": \"Geneva\", \"country\": \"Switzerland\", \"online\": false,\n"
        "\"locales\": \"EN\", \"topics\": [\"general\", \"]}\"], \"cfp\": {\"url\": null}\n"
        "},\n"
        "{\"name\": \"SymfonyOnline\", \"startDate\": \"2025-01-16\", \"online\": true},\n"
        "{\"name\": \"Nowhere\", \"startDate\": \"2025-01-17\", \"city\": null, \"url\": \"\"},\n"
        "{\"name\": \"Gig\", \"startDate\": \"2025-01-17T20:00\", \"type\": \"concert\",\n"
        " \"artists\": [\"A\", 7, \" B \"], \"venue\": \"Hall\", \"timezone\": \"Asia/Tokyo\"}\n"
        "]\n",
        "2 Voxxed Days Zürich starts=2025-01-15 ends=2025-01-16 city=Geneva "
        "country=Switzerland type=conference url=https://example.org/\n"
        "10 SymfonyOnline starts=2025-01-16 type=conference online\n"
        "11 Nowhere starts=2025-01-17 type=conference online\n"
        "12 Gig starts=2025-01-17T20:00:00 zone=Asia/Tokyo venue=Hall artist=A artist=B "
        "type=concert\n");
}

TEST(a_broken_json_element_is_reported_and_the_rest_is_read)
{
    check_read(import_read_json, ERR_OK,
               "[{\"name\":\"One\",\"startDate\":\"2025-01-01\"},\n"
               "{\"name\":\"Two\",\"startDate\":20250101},\n"
               "{\"name\":\"Three\" \"startDate\":\"2025-01-01\"},\n"
               "7, [], \n"
               "{\"name\":\"Four\",\"name\":\"Four\",\"startDate\":\"2025-01-01\"},\n"
               "{\"name\":\"Five\",\"startDate\":\"2025-01-01\",\"online\":\"yes\"}\n"
               "{\"name\":\"Si\\\"x]\",\"startDate\":\"2025-01-01\"}},\n"
               "{\"startDate\":\"2025-01-01\"},\n"
               "] and more",
               "1 One starts=2025-01-01 type=conference online\n"
               "!2 startDate: not a text\n"
               "!3 not JSON: '}' expected near '\"startDate\"'\n"
               "!4 not an object\n"
               "!4 not an object\n"
               "!5 not JSON: duplicate object key near '\"name\"'\n"
               "!6 online: neither true nor false\n"
               "7 Si\"x] starts=2025-01-01 type=conference online\n"
               "~7 a bracket too many\n"
               "!8 name: missing\n"
               "~9 what stands behind the list\n");
}

TEST(a_json_file_that_makes_no_sense_is_malformed)
{
    check_read(import_read_json, ERR_MALFORMED, "", "!1 not a list of events\n");
    check_read(import_read_json, ERR_MALFORMED, "\n\"name\"", "!2 not a list of events\n");
    check_read(import_read_json, ERR_MALFORMED, "[", "!1 the list is not closed\n");
    check_read(import_read_json, ERR_MALFORMED, "[{\"name\": \"x\n",
               "!1 not JSON: premature end of input near '\"x'\n!2 the list is not closed\n");
    check_read(import_read_json, ERR_OK, "\xEF\xBB\xBF[ ]\n", "");
}

/* --- Limits and errors --- */

TEST(a_file_has_a_maximum_size)
{
    CLEANUP(heard_done) struct heard heard = heard_new();
    const str text = {"", IMPORT_FILE_SIZE_MAX + 1}; /* never looked at */

    CHECK_ERR(ERR_TOO_LARGE, read_as(import_read_csv, text, &heard));
    CHECK_ERR(ERR_TOO_LARGE, read_as(import_read_json, text, &heard));
    CHECK_I64(0, heard.refused);
}

TEST(a_file_has_a_maximum_of_rows)
{
    CLEANUP(buf_done) struct buf csv = buf_on_heap(8 << 20);
    CLEANUP(buf_done) struct buf json = buf_on_heap(16 << 20);
    CLEANUP(heard_done) struct heard heard = heard_new();

    buf_add_cstr(&csv, "name,starts_at\n");
    buf_add_char(&json, '[');
    for (int i = 0; i < IMPORT_ROWS_MAX + 5; i++) {
        buf_add_cstr(&csv, "a,2026-01-01\n");
        buf_add_cstr(&json, "{\"name\":\"a\",\"startDate\":\"2026-01-01\"},\n");
    }
    buf_add_cstr(&json, "7]");
    CHECK_OK(read_as(import_read_csv, buf_str(&csv), &heard));
    CHECK_I64(IMPORT_ROWS_MAX, heard.rows);
    CHECK_I64(1, heard.refused);
    CHECK_OK(read_as(import_read_json, buf_str(&json), &heard));
    CHECK_I64(INT64_C(2) * IMPORT_ROWS_MAX, heard.rows);
    CHECK_I64(2, heard.refused);
}

TEST(an_error_of_the_caller_ends_the_reading)
{
    CLEANUP(heard_done) struct heard heard = heard_new();

    heard.answer = ERR_UNAVAILABLE;
    CHECK_ERR(
        ERR_UNAVAILABLE,
        read_as(import_read_csv, STR("name,starts_at\na,2026-01-01\nb,2026-01-01\n"), &heard));
    CHECK_I64(1, heard.rows);
    CHECK_ERR(ERR_UNAVAILABLE,
              read_as(import_read_json, STR("[{\"name\":\"a\",\"startDate\":\"2026-01-01\"},{}]"),
                      &heard));
    CHECK_I64(2, heard.rows);
    CHECK_I64(0, heard.refused);
}

/* Damaged anywhere, a file is read to its end and never past it. */
TEST(any_damage_is_survived)
{
    static const char csv[] = "name,starts_at,price,currency,artists,description\n"
                              "\"A \"\"b\"\"\",2026-01-01T20:00Z,12.50,EUR,x;y,\"two\nlines\"\n"
                              "B,2026-01-02,,,,\n";
    static const char json[] = "[{\"name\":\"A \\\"b\\\"\",\"startDate\":\"2026-01-01\","
                               "\"artists\":[\"x\",\"y\"],\"online\":true},\n"
                               "{\"name\":\"B\",\"startDate\":\"2026-01-02\",\"city\":\"C\"}]\n";
    static const char letters[] = "\"\\,;[]{}:\n\r0aZ \xFF\x01";
    struct rng_seeded rng;
    size_t rows = 0;

    rng_seeded_init(&rng, 5);
    for (int round = 0; round < 4000; round++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        CLEANUP(heard_done) struct heard heard = heard_new();
        const bool is_csv = round % 2 == 0;
        const str whole = is_csv ? STR(csv) : STR(json);
        const size_t size =
            rng_below(&rng.rng, 4) == 0 ? rng_below(&rng.rng, whole.size) : whole.size;
        char *text = memcpy(arena_alloc(arena, size), whole.ptr, size);

        for (size_t i = 0; size > 0 && i < 3; i++)
            text[rng_below(&rng.rng, size)] = letters[rng_below(&rng.rng, sizeof(letters) - 1)];
        const err result =
            read_as(is_csv ? import_read_csv : import_read_json, (str){text, size}, &heard);
        CHECK((result == ERR_OK) == (heard.rows > 0 || heard.refused == 0));
        rows += heard.rows;
    }
    CHECK(rows > 1000);
}

TEST(a_reason_is_text_whatever_it_is_about)
{
    check_read(import_read_json, ERR_MALFORMED, "[\"\\\xEF\xBB\xBF",
               "!1 not JSON\n!1 the list is not closed\n");
}
