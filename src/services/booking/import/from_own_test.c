/* booking/import/from_own_test.c - events in the shape of our own API, alone, in lists and in exports. */
#include "services/booking/import/import_lab.h"

#include <string.h>

#define SHOWN                                                                                  \
    "{\"id\":\"evt_01kbs3y5hhe2ja6thvjcqkq9xd\",\"slug\":\"gala\",\"name\":\"Gala\","          \
    "\"type\":\"concert\",\"status\":\"draft\",\"description\":\"Two\\nlines\",\"url\":null,"  \
    "\"starts_at\":\"2026-12-05T18:00:00Z\",\"ends_at\":\"2026-12-05T21:00:00Z\","             \
    "\"timezone\":\"Africa/Cairo\",\"whole_day\":false,\"online\":false,"                      \
    "\"venue\":{\"id\":\"ven_x\",\"name\":\"Opera\",\"city\":\"Cairo\",\"country\":\"Egypt\"," \
    "\"address\":\"1 Main Street\",\"lat\":30.0444,\"lon\":31.2357},"                          \
    "\"artists\":[{\"id\":\"art_x\",\"name\":\"Ana\"}],\"currency\":\"EUR\","                  \
    "\"ticket_types\":[{\"id\":\"tty_x\",\"name\":\"Stalls\",\"price\":{\"amount\":2850,"      \
    "\"currency\":\"EUR\"},\"max_per_order\":4,\"sales_start\":\"2026-10-01T00:00:00Z\","      \
    "\"sales_end\":null,\"quantity\":0}],\"payment_methods\":[{\"type\":\"card\"}],"           \
    "\"policies\":{\"refundable\":false,\"refund_until\":null},"                               \
    "\"limits\":{\"per_order\":6,\"per_user\":null,\"one_active_hold\":true},"                 \
    "\"checkin_opens_at\":\"2026-12-05T17:00:00Z\",\"images\":[],\"version\":3}"
#define HEARD                                                                                  \
    " Gala starts=2026-12-05T18:00:00Z ends=2026-12-05T21:00:00Z doors=2026-12-05T17:00:00Z "  \
    "zone=Africa/Cairo venue=Opera address=1 Main Street city=Cairo country=Egypt artist=Ana " \
    "type=concert description=Two\nlines offer=Stalls price=2850 EUR quantity=0 "              \
    "from=2026-10-01T00:00:00Z uid=evt_01kbs3y5hhe2ja6thvjcqkq9xd draft at=30.0444;31.2357\n"

TEST(an_event_of_the_api_is_read_alone_in_lists_and_in_exports)
{
    static const struct {
        const char *text;
        const char *heard;
    } cases[] = {
        {SHOWN,                                               "1" HEARD          },
        {"[" SHOWN "]",                                       "1" HEARD          },
        {"\n{\"next_cursor\":null,\n\"data\":[\n" SHOWN "]}", "4" HEARD          },
        {"{\"" EXPORT_MARK "\":1,\"a\":{\"events\":[1]},\"events\":[" SHOWN
         "],\n\"orders\":[{\"x\"",                   "1" HEARD          },
        {"{\"data\":[" SHOWN ",\n" SHOWN "]}",                "1" HEARD "2" HEARD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_read(import_read_json, ERR_OK, cases[i].text, cases[i].heard);
}

TEST(what_post_takes_is_read_too)
{
    check_read(import_read_json, ERR_OK,
               "{\"name\":\"A\",\"starts_at\":\"2026-07-01T20:00:00\",\"timezone\":\"UTC\","
               "\"online\":true,\"artists\":[\"Bo\"],\"currency\":\"JPY\",\"ticket_types\":["
               "{\"name\":\"T\",\"price\":3500,\"quantity\":7},{\"name\":\"U\",\"price\":"
               "{\"amount\":1,\"currency\":\"JPY\"},\"quantity\":8}]}",
               "1 A starts=2026-07-01T20:00:00 zone=UTC artist=Bo online offer=T price=3500 JPY "
               "quantity=7 offer=U price=1 quantity=8\n");
    /* Where the event names no currency, its first price does. */
    check_read(import_read_json, ERR_OK,
               "{\"name\":\"A\",\"starts_at\":\"2026-07-01T20:00:00Z\",\"ticket_types\":["
               "{\"name\":\"T\",\"price\":{\"amount\":1250,\"currency\":\"KWD\"}}]}",
               "1 A starts=2026-07-01T20:00:00Z online offer=T price=1250 KWD\n");
}

TEST(what_does_not_fit_is_refused_by_its_member)
{
    static const struct {
        const char *members;
        const char *why;
    } cases[] = {
        {"\"name\":7",                                                                              "name: not a text"                               },
        {"\"online\":0",                                                                            "online: neither true nor false"                 },
        {"\"venue\":\"Hall\"",                                                                      "venue: not an object"                           },
        {"\"online\":false",                                                                        "venue: missing, though it is not online"        },
        {"\"artists\":\"Bo\"",                                                                      "artists: not a list"                            },
        {"\"artists\":[7]",                                                                         "artists: one is neither a text nor an object"   },
        {"\"venue\":{\"name\":\"H\",\"lat\":\"1\",\"lon\":2}",                                      "lat: not a number"                              },
        {"\"ticket_types\":[7]",                                                                    "ticket_types: one is not an object"             },
        {"\"ticket_types\":[{\"price\":5}]",                                                        "price: without a currency"                      },
        {"\"currency\":\"EUR\",\"ticket_types\":[{\"price\":1.5}]",
         "price: not a whole number from 0 to 1000000000000"                                                                                         },
        {"\"currency\":\"EUR\",\"ticket_types\":[{\"price\":{\"amount\":1,\"currency\":\"JPY\"}}]",
         "price: in another currency than the event"                                                                                                 },
        {"\"currency\":\"XYZ\",\"ticket_types\":[{\"price\":1}]",
         "currency: no currency of ISO 4217"                                                                                                         },
        {"\"ticket_types\":[{\"quantity\":-1}]",                                                    "quantity: not a whole number from 0 to 10000000"},
        {"\"ticket_types\":[{\"max_per_order\":0}]",
         "max_per_order: not a whole number from 1 to 10000000"                                                                                      },
        {"\"ticket_types\":[{\"sales_start\":\"soon\"}]",
         "sales_start: not a time like 2026-12-05T20:00:00Z"                                                                                         },
        {"\"payment_methods\":[{\"label\":\"x\"}]",                                                 "payment_methods: one has no type"               },
        {"\"policies\":[]",                                                                         "policies: not an object"                        },
        {"\"ticket_types\":[{\"tax_rate_ppm\":1000001}]",
         "tax_rate_ppm: not a whole number from 0 to 1000000"                                                                                        },
        {"\"status\":\"sold\"",                                                                     "status: none of draft, published, cancelled"    },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf text = buf_on_heap(4096);
        CLEANUP(buf_done) struct buf heard = buf_on_heap(4096);

        buf_printf(&text, "[{%s\"starts_at\":\"2026-07-01T20:00:00Z\",%s}]",
                   strstr(cases[i].members, "\"name\":7") != NULL ? "" : "\"name\":\"A\",",
                   cases[i].members);
        buf_printf(&heard, "!1 %s\n", cases[i].why);
        check_read(import_read_json, ERR_MALFORMED, text.data, heard.data);
    }
}

TEST(documents_that_are_none_are_refused)
{
    check_read(import_read_json, ERR_MALFORMED, "{\"" EXPORT_MARK "\":2,\"events\":[" SHOWN "]}",
               "!1 an export of another version than 1\n");
    check_read(import_read_json, ERR_OK, "{\"" EXPORT_MARK "\":1,\"events\":[" SHOWN,
               "1" HEARD "!1 the list is not closed\n");
    check_read(import_read_json, ERR_MALFORMED, "{\"data\" [",
               "!1 not JSON: ':' expected near '['\n");
    check_read(import_read_json, ERR_MALFORMED, "{\"x\":1}", "!1 name: missing\n");
    check_read(import_read_json, ERR_MALFORMED, "7", "!1 not a list of events\n");
    check_read(import_read_json, ERR_OK, "{\"data\":[],\"next_cursor\":null}", "");
}
