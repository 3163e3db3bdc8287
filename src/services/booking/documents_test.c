/* booking/documents_test.c - what a mail about an order shows and carries. */

#include "services/booking/documents.h"
#include "services/booking/transfer.h"

#include <string.h>

#include "services/booking/ticket_pdf.h"
#include "support/booking_buy.h"
#include "support/test.h"
#include "support/tool.h"

#define PRICE INT64_C(25000)

static err documents_of(struct booking_node *node, struct call *call, const char *order,
                        struct booking_documents *ret)
{
    struct booking_order_find in = {0};

    booking_node_call(node, call);
    CHECK(id_parse(ORDER_PREFIX, str_of(order), &in.order.uuid));
    return booking_order_documents(call, &in, ret);
}

static const char *file_of(struct booking_node *node, str base64, const char *name)
{
    const char *encoded = tool_file(node->arena, base64, "base64");
    const str path = arena_printf(node->arena, "%s.%s", encoded, name);

    (void)tool_output(node->arena, "base64 -d %s > %s", encoded, path.ptr);
    return path.ptr;
}

TEST(the_documents_of_an_order_say_all_that_a_mail_needs)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct booking_documents documents = {0};
    struct known_event event;
    struct bought bought;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    CHECK_OK(documents_of(&node, &call, bought.order, &documents));

    CHECK(uuid_eq(booking_user(1), documents.user));
    CHECK_STR(bought.order, documents.order);
    CHECK_STR("Event 1", documents.event_name);
    CHECK_STR("/e/event-1", documents.event_path);
    CHECK_STR("Wednesday, 23 December 2026, 00:00 – 03:00 (UTC)", documents.when);
    CHECK_STR("Online", documents.place);
    CHECK_STR("EGP 500.00", documents.total);
    CHECK(documents.due.ptr == NULL);
    CHECK_I64(1, (int64_t)documents.line_count);
    CHECK_STR("Standard", documents.lines[0].name);
    CHECK_I64(2, documents.lines[0].quantity);
    CHECK_STR("EGP 500.00", documents.lines[0].price);
    CHECK_I64(2, (int64_t)documents.ticket_count);
    for (int i = 0; i < 2; i++) {
        CHECK_STR(bought.tickets[i], documents.tickets[i].ticket);
        CHECK_STR(bought.codes[i], documents.tickets[i].code);
        CHECK_STR("Standard", documents.tickets[i].type_name);
        CHECK_STR(bought.codes[i],
                  str_trim(tool_output(node.arena,
                                       "zbarimg --nodbus -Sdisable -Sqrcode.enable -q --raw %s",
                                       file_of(&node, documents.tickets[i].qr_png, "png"))));
    }
    const char *text =
        tool_output(node.arena, "pdftotext %s -", file_of(&node, documents.pdf, "pdf")).ptr;
    CHECK(strstr(text, bought.tickets[0]) != NULL && strstr(text, bought.tickets[1]) != NULL);
    text = tool_output(node.arena, "cat %s", file_of(&node, documents.calendar, "ics")).ptr;
    CHECK(strstr(text, "BEGIN:VCALENDAR\r\n") != NULL);
    CHECK(strstr(text, "SUMMARY:Event 1\r\n") != NULL);
}

TEST(what_is_not_shown_is_not_mailed)
{
    static const struct {
        const char *method; /* NULL: only held */
        bool cancelled;     /* all tickets */
        size_t tickets;
        const char *due;
    } cases[] = {
        {NULL,              false, 0, NULL        },
        {"card",            false, 2, NULL        },
        {"card",            true,  0, NULL        },
        {"cash_on_arrival", false, 2, "EGP 500.00"},
        {"bank_transfer",   false, 0, "EGP 500.00"},
    };
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 10};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &type, .type_count = 1, .by_hand = true};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        CLEANUP(call_done) struct call call = {0};
        struct booking_documents documents = {0};
        struct known_event event;
        struct bought bought = {0};

        booking_node_open(&node, NULL);
        event = booking_add_event(&node, &given);
        if (cases[i].method == NULL)
            bought.order = booking_hold(&node, "customer-1", &event, 2);
        else
            bought = booking_buy(&node, "customer-1", &event, 2, cases[i].method);
        for (int t = 0; cases[i].cancelled && t < bought.count; t++)
            CHECK_I64(200, booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s",
                                        bought.tickets[t])
                               .status);
        CHECK_OK(documents_of(&node, &call, bought.order, &documents));
        CHECK_I64((int64_t)cases[i].tickets, (int64_t)documents.ticket_count);
        CHECK((documents.pdf.ptr != NULL) == (cases[i].tickets > 0));
        CHECK_STR(cases[i].due, documents.due);
        CHECK_STR("EGP 500.00", documents.total);
    }
}

TEST(more_tickets_than_a_file_takes_come_without_it)
{
    enum { TICKETS = TICKET_PDF_TICKETS_MAX + 1 };
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    const struct given_type type = {.name = "Standard", .price_minor = 0, .total = TICKETS};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .types = &type,
                                      .type_count = 1,
                                      .limits = {.per_order = TICKETS}};
    struct booking_documents documents = {0};
    struct known_event event;
    struct bought bought;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    bought = booking_buy(&node, "customer-1", &event, TICKETS, "free");
    CHECK_OK(documents_of(&node, &call, bought.order, &documents));
    CHECK_I64(TICKETS, (int64_t)documents.ticket_count);
    CHECK(documents.pdf.ptr == NULL);
    const struct answer answer =
        booking_send(&node, "customer-1", "GET", NULL, "/orders/%s/tickets.pdf", bought.order);
    check_problem(node.arena, &answer, 409, "conflict");
}

TEST(an_order_that_is_not_there_has_no_documents)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct booking_documents documents = {0};

    booking_node_open(&node, NULL);
    CHECK_ERR(ERR_NOT_FOUND,
              documents_of(&node, &call, "ord_01h455vb4pex5vsknk084sn02q", &documents));
}

TEST(money_is_to_be_sent_for_what_is_promised_by_transfer)
{
    static const struct {
        int status;
        int64_t due_minor;
        const char *method;
        bool due;
    } cases[] = {
        {ORDER_PENDING,   100, "bank_transfer",   true },
        {ORDER_PENDING,   0,   "bank_transfer",   false}, /* all of it was cancelled */
        {ORDER_PENDING,   100, "cash_on_arrival", false},
        {ORDER_HELD,      100, "bank_transfer",   false},
        {ORDER_CONFIRMED, 100, "bank_transfer",   false},
        {ORDER_PENDING,   100, NULL,              false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct order order = {.status = cases[i].status,
                                    .due_minor = cases[i].due_minor,
                                    .payment_method = str_of(cases[i].method)};

        CHECK(cases[i].due == transfer_is_due(&order));
    }
}
