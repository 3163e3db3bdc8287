/* booking/ticket_pdf_test.c - e-tickets as poppler and zbar read them from the page. */

#include "services/booking/ticket_pdf.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "services/booking/qr.h"
#include "support/test.h"
#include "support/tool.h"

/* "2026-11-05T18:00:00Z" */
#define CREATED_AT_MS INT64_C(1793901600000)

/* As long as a ticket's code. */
#define CODE_TAIL                                                                     \
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:0123456789ABCDEFGHIJKLMNOPQRSTUVWX" \
    "YZ $%*+-./:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:0123456789ABCDEFGHIJKLMN"
#define CODE "T1:0000" CODE_TAIL

#define CAIRO_AR    "\xd8\xa7\xd9\x84\xd9\x82\xd8\xa7\xd9\x87\xd8\xb1\xd8\xa9"
#define MUHAMMAD_AR "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf"
#define EVENING_RU  "\xd0\x92\xd0\xb5\xd1\x87\xd0\xb5\xd1\x80"
#define WHEN        "Saturday, 5 December 2026, 20:00 \xe2\x80\x93 23:00"

static struct ticket_print jazz(void)
{
    return (struct ticket_print){
        .event_name = STR("Cairo Jazz Night"),
        .vendor_name = STR("Blue Nile Concerts"),
        .when = STR(WHEN " (EET, Africa/Cairo)"),
        .venue_name = STR("Opera House"),
        .address = STR("El Borg Gezira"),
        .city = STR("Cairo"),
        .country = STR("Egypt"),
        .type_name = STR("Balcony"),
        .attendee_name = STR("Ana Lindqvist"),
        .price_text = STR("EGP 250.00"),
        .order_text = STR("ord_01h455vb4pex5vsknk084sn02q"),
        .ticket_text = STR("tkt_01h455vb4pex5vsknk084sn02r"),
        .note = STR("Pay EGP 250.00 at the entrance"),
        .code = STR(CODE),
    };
}

struct fixture {
    struct arena *arena;
    struct ticket_printer *printer;
};

static struct fixture open_fixture(void)
{
    struct fixture fixture = {.arena = arena_open(0)};

    CHECK_OK(ticket_printer_open(&fixture.printer));
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    ticket_printer_close(fixture->printer);
    arena_close(fixture->arena);
}

static str pdf_of(struct fixture *fixture, const struct ticket_print *tickets, size_t count)
{
    str pdf = STR_ABSENT;

    CHECK_OK(ticket_pdf(fixture->printer, fixture->arena, tickets, count, CREATED_AT_MS, &pdf));
    return pdf;
}

static const char *print(struct fixture *fixture, const struct ticket_print *tickets, size_t count)
{
    return tool_file(fixture->arena, pdf_of(fixture, tickets, count), "ticket.pdf");
}

/* What a scanner reads from a page that was printed at 150 dpi in black and white. */
static str scan(struct fixture *fixture, const char *pdf, int page)
{
    return str_trim(tool_output(fixture->arena,
                                "pdftoppm -r 150 -mono -singlefile -f %d %s %s && "
                                "zbarimg --nodbus -Sdisable -Sqrcode.enable -q --raw %s.pbm",
                                page, pdf, pdf, pdf));
}

static const char *text_of(struct fixture *fixture, const char *pdf)
{
    return arena_cstr(fixture->arena,
                      tool_output(fixture->arena, "pdftotext -enc UTF-8 %s -", pdf));
}

TEST(code_and_texts_are_read_back_from_the_page)
{
    static const char *const texts[] = {
        "Cairo Jazz Night",
        "Blue Nile Concerts",
        WHEN,
        "EET, Africa/Cairo",
        "Opera House",
        "El Borg Gezira, Cairo, Egypt",
        "Balcony",
        "Ana Lindqvist",
        "EGP 250.00",
        "ord_01h455vb4pex5vsknk084sn02q",
        "tkt_01h455vb4pex5vsknk084sn02r",
        "Pay EGP 250.00 at the entrance",
        "E-TICKET",
        "DATE",
        "VENUE",
        "NAME",
        "PRICE",
        "ORDER",
    };
    struct fixture fixture = open_fixture();
    const struct ticket_print ticket = jazz();
    const char *pdf = print(&fixture, &ticket, 1);
    const char *text = text_of(&fixture, pdf);

    CHECK_STR(CODE, scan(&fixture, pdf, 1));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strstr(text, texts[i]) == NULL)
            print_error("not on the page: %s\n", texts[i]);
        CHECK(strstr(text, texts[i]) != NULL);
    }
    CHECK(strstr(text, "1 / 1") == NULL);
    close_fixture(&fixture);
}

/* Pixels of pure black, which only the code is: texts are a shade lighter. */
static int64_t black_pixels(struct fixture *fixture, const char *pdf, int dpi)
{
    const str pgm =
        tool_output(fixture->arena, "pdftoppm -r %d -gray -aaVector no -singlefile %s", dpi, pdf);
    int width = 0;
    int height = 0;
    int64_t count = 0;

    CHECK_I64(2, sscanf(pgm.ptr, "P5 %d %d 255", &width, &height));
    CHECK(pgm.size > (size_t)width * (size_t)height);
    for (size_t i = pgm.size - (size_t)width * (size_t)height; i < pgm.size; i++)
        count += pgm.ptr[i] == 0;
    return count;
}

TEST(the_code_is_large_enough_for_any_scanner)
{
    enum { DPI = 150, WIDTH_MM_MIN = 45 };
    static const char *const codes[] = {"A", "T1:HELLO WORLD", CODE, CODE CODE, CODE CODE CODE};
    struct fixture fixture = open_fixture();

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct ticket_print ticket = jazz();
        struct qr qr = {0};
        int64_t dark = 0;
        double module_mm = 0;

        ticket.code = str_of(codes[i]);
        CHECK_OK(qr_make(fixture.arena, ticket.code, &qr));
        for (int module = 0; module < qr.width * qr.width; module++)
            dark += qr.modules[module];
        module_mm =
            sqrt((double)black_pixels(&fixture, print(&fixture, &ticket, 1), DPI) / (double)dark) *
            25.4 / DPI;
        CHECK(module_mm * (qr.width + 2 * QR_QUIET) >= WIDTH_MM_MIN);
        CHECK(module_mm * (qr.width + 2 * QR_QUIET) <= 70);
    }
    close_fixture(&fixture);
}

TEST(every_ticket_has_its_own_page)
{
    enum { COUNT = 12 };
    struct fixture fixture = open_fixture();
    struct ticket_print tickets[COUNT];
    const char *pdf = NULL;

    for (size_t i = 0; i < COUNT; i++) {
        tickets[i] = jazz();
        tickets[i].code = arena_printf(fixture.arena, "T1:%04zu%s", i, CODE_TAIL);
    }
    pdf = print(&fixture, tickets, COUNT);
    const str info = tool_output(fixture.arena, "pdfinfo -isodates %s | grep -v Producer", pdf);
    CHECK(strstr(info.ptr, "Pages:           12\n") != NULL);
    CHECK(strstr(info.ptr, "(A4)\n") != NULL);
    CHECK(strstr(info.ptr, "Title:           Tickets: Cairo Jazz Night\n") != NULL);
    CHECK(strstr(info.ptr, "Author:          Blue Nile Concerts\n") != NULL);
    CHECK(strstr(info.ptr, "CreationDate:    2026-11-05T18:00:00Z\n") != NULL);
    for (size_t i = 0; i < COUNT; i++)
        CHECK_STR(tickets[i].code.ptr, scan(&fixture, pdf, (int)i + 1));
    CHECK(strstr(text_of(&fixture, pdf), "3 / 12\n") != NULL);
    close_fixture(&fixture);
}

TEST(the_same_tickets_are_the_same_bytes)
{
    struct fixture one = open_fixture();
    struct fixture other = open_fixture();
    const struct ticket_print tickets[] = {jazz(), jazz()};
    const str first = pdf_of(&one, tickets, 2);
    str later = STR_ABSENT;

    CHECK(str_eq(first, pdf_of(&one, tickets, 2)));
    CHECK(str_eq(first, pdf_of(&other, tickets, 2)));
    CHECK_OK(ticket_pdf(one.printer, one.arena, tickets, 2, CREATED_AT_MS + 1000, &later));
    CHECK_I64((int64_t)first.size, (int64_t)later.size);
    CHECK(!str_eq(first, later));
    close_fixture(&other);
    close_fixture(&one);
}

/* Each font is embedded: the ticket looks the same on a machine that has none of them. */
TEST(texts_of_every_script_are_drawn_with_embedded_fonts)
{
    struct fixture fixture = open_fixture();
    struct ticket_print ticket = jazz();
    const char *pdf = NULL;
    const char *text = NULL;

    ticket.event_name = STR(EVENING_RU);
    ticket.vendor_name = STR("\xce\x94\xce\xb5\xce\xbb\xcf\x86\xce\xbf\xce\xaf");
    ticket.attendee_name = STR(MUHAMMAD_AR);
    ticket.city = STR(CAIRO_AR);
    ticket.address = STR_ABSENT;
    ticket.country = STR_ABSENT;
    pdf = print(&fixture, &ticket, 1);
    text = text_of(&fixture, pdf);
    CHECK(strstr(text, EVENING_RU) != NULL);
    CHECK(strstr(text, "\xce\x94\xce\xb5\xce\xbb\xcf\x86\xce\xbf\xce\xaf") != NULL);
    CHECK(strstr(text, MUHAMMAD_AR) != NULL);
    CHECK(strstr(text, CAIRO_AR) != NULL);
    CHECK_STR(CODE, scan(&fixture, pdf, 1));
    CHECK_STR("yes", str_trim(tool_output(fixture.arena,
                                          "pdffonts %s | tail -n +3 | "
                                          "awk '{print $(NF-4)}' | sort -u",
                                          pdf)));
    close_fixture(&fixture);
}

/* Han, kana and hangul: what has no glyph would be drawn as a box, and be no text. */
TEST(east_asian_texts_are_drawn_with_a_font_that_has_them)
{
    struct fixture fixture = open_fixture();
    struct ticket_print ticket = jazz();

    ticket.event_name = STR("東京ジャズナイト");
    ticket.attendee_name = STR("홍길동");
    ticket.city = STR("上海");
    const char *pdf = print(&fixture, &ticket, 1);
    const char *text = text_of(&fixture, pdf);
    CHECK(strstr(text, "東京ジャズナイト") != NULL);
    CHECK(strstr(text, "홍길동") != NULL);
    CHECK(strstr(text, "上海") != NULL);
    CHECK(tool_output(fixture.arena, "pdffonts %s | grep -c WenQuanYi || true", pdf).ptr[0] != '0');
    close_fixture(&fixture);
}

TEST(emoji_that_no_font_has_are_left_out)
{
    struct fixture fixture = open_fixture();
    struct ticket_print ticket = jazz();
    const char *text = NULL;

    /* U+1FAFE: not assigned, so in no font. */
    ticket.event_name = STR("\xf0\x9f\xab\xbe Party \xf0\x9f\xab\xbe\xf0\x9f\xab\xbe time");
    text = text_of(&fixture, print(&fixture, &ticket, 1));
    CHECK(strstr(text, "\nParty time\n") != NULL);
    close_fixture(&fixture);
}

TEST(an_online_event_has_no_venue)
{
    struct fixture fixture = open_fixture();
    struct ticket_print ticket = jazz();
    const char *text = NULL;

    ticket.online = true;
    text = text_of(&fixture, print(&fixture, &ticket, 1));
    CHECK(strstr(text, "Online") != NULL);
    CHECK(strstr(text, "Opera House") == NULL);
    CHECK(strstr(text, "entrance, on paper") == NULL);
    close_fixture(&fixture);
}

TEST(what_is_absent_leaves_no_trace)
{
    struct fixture fixture = open_fixture();
    const struct ticket_print ticket = {.event_name = STR("Fair"), .code = STR("A")};
    const char *pdf = print(&fixture, &ticket, 1);
    const char *text = text_of(&fixture, pdf);

    CHECK_STR("A", scan(&fixture, pdf, 1));
    CHECK(strstr(text, "Fair") != NULL);
    CHECK(strstr(text, "DATE") == NULL);
    CHECK(strstr(text, "VENUE") == NULL);
    CHECK(strstr(text, "PRICE") == NULL);
    close_fixture(&fixture);
}

/* Every word lies within the card, whose edges are 42 points from the paper's, or below it. */
static void check_within_card(struct fixture *fixture, const char *pdf)
{
    str rest = tool_output(fixture->arena, "pdftotext -bbox %s -", pdf);
    str line = STR_ABSENT;
    int words = 0;

    while (str_split(&rest, '\n', &line)) {
        double left = 0;
        double top = 0;
        double right = 0;
        double bottom = 0;

        if (sscanf(arena_cstr(fixture->arena, line),
                   " <word xMin=\"%lf\" yMin=\"%lf\" xMax=\"%lf\" yMax=\"%lf\"", &left, &top,
                   &right, &bottom) != 4)
            continue;
        words++;
        CHECK(left >= 42 && right <= 595.276 - 42);
        CHECK(top >= 42 && bottom <= 841.89 - 42);
    }
    CHECK(words > 20);
}

static str repeat(struct arena *arena, const char *text, size_t count)
{
    str all = STR("");

    for (size_t i = 0; i < count; i++)
        all = arena_printf(arena, "%.*s%s", STR_ARG(all), text);
    return all;
}

TEST(texts_of_any_length_stay_in_their_places)
{
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"Symphony ",                                                 8  },
        {"Symphony ",                                                 200},
        {"Donaudampfschifffahrtsgesellschaft",                        60 },
        {CAIRO_AR " ",                                                100},
        {"\xf0\x9f\x8e\xab",                                          300},
        {"e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x86\xcc\x87\xcc\x88", 80 }, /* stacked marks */
        {"e\xcc\x81",                                                 500},
        {"\xe2\x80\xae"
         "drawkcab ",                                        50 }, /* an override */
        {"line\nfeed\ttab\r\x01\x7f ",                                50 },
        {"\xe2\x80\xa9",                                              300}, /* paragraphs */
    };
    struct fixture fixture = open_fixture();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str text = repeat(fixture.arena, cases[i].text, cases[i].count);
        struct ticket_print ticket = jazz();
        const char *pdf = NULL;

        ticket.event_name = ticket.vendor_name = ticket.venue_name = ticket.address = text;
        ticket.city = ticket.country = ticket.type_name = ticket.attendee_name = text;
        ticket.price_text = ticket.note = ticket.when = text;
        pdf = print(&fixture, &ticket, 1);
        CHECK_STR(CODE, scan(&fixture, pdf, 1));
        check_within_card(&fixture, pdf);
        CHECK(strstr(tool_output(fixture.arena, "pdfinfo %s", pdf).ptr, "Pages:           1\n") !=
              NULL);
    }
    close_fixture(&fixture);
}

TEST(what_cannot_be_printed_is_refused)
{
    struct fixture fixture = open_fixture();
    struct ticket_print *many =
        arena_new_array(fixture.arena, struct ticket_print, TICKET_PDF_TICKETS_MAX + 1);
    struct ticket_print ticket = jazz();
    str pdf = STR("untouched");

    ticket.attendee_name = STR("\xff");
    CHECK_ERR(ERR_INVALID,
              ticket_pdf(fixture.printer, fixture.arena, &ticket, 1, CREATED_AT_MS, &pdf));
    ticket = jazz();
    ticket.code = STR("lower case");
    CHECK_ERR(ERR_INVALID,
              ticket_pdf(fixture.printer, fixture.arena, &ticket, 1, CREATED_AT_MS, &pdf));
    ticket.code = STR_ABSENT;
    CHECK_ERR(ERR_INVALID,
              ticket_pdf(fixture.printer, fixture.arena, &ticket, 1, CREATED_AT_MS, &pdf));
    CHECK_ERR(ERR_TOO_LARGE, ticket_pdf(fixture.printer, fixture.arena, many,
                                        TICKET_PDF_TICKETS_MAX + 1, CREATED_AT_MS, &pdf));
    CHECK_STR("untouched", pdf);
    close_fixture(&fixture);
}

struct order {
    struct ticket_printer *printer;
    str expected;
    bool same;
};

static void *print_in_thread(void *ptr)
{
    struct order *order = ptr;
    const struct ticket_print ticket = jazz();
    struct arena *arena = arena_open(0);
    str pdf = STR_ABSENT;

    order->same = true;
    for (int i = 0; i < 10 && order->same; i++) {
        order->same =
            ticket_pdf(order->printer, arena, &ticket, 1, CREATED_AT_MS, &pdf) == ERR_OK &&
            str_eq(order->expected, pdf);
        arena_reset(arena);
    }
    arena_close(arena);
    return NULL;
}

TEST(threads_share_a_printer)
{
    enum { THREADS = 4 };
    struct fixture fixture = open_fixture();
    const struct ticket_print ticket = jazz();
    const str expected = pdf_of(&fixture, &ticket, 1);
    struct order orders[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        orders[i] = (struct order){fixture.printer, expected, false};
        CHECK_I64(0, pthread_create(&threads[i], NULL, print_in_thread, &orders[i]));
    }
    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_join(threads[i], NULL));
    for (size_t i = 0; i < THREADS; i++)
        CHECK(orders[i].same);
    close_fixture(&fixture);
}
