/* booking/ticket_files_test.c - tickets as pictures and papers, read back by other people's
 * programs. */

#include "services/booking/ticket_files.h"

#include <string.h>

#include "support/booking_buy.h"
#include "support/test.h"
#include "support/tool.h"

#define PRICE INT64_C(25000)

#define ZBAR "zbarimg --nodbus -Sdisable -Sqrcode.enable -q --raw"

/* "/tickets/{id}/qr.png" for the file "qr.png" of an id of "tickets". */
static struct answer get(struct booking_node *node, const char *who, const char *of, const char *id,
                         const char *file, const char *headers)
{
    const struct ask ask = {.who = who,
                            .method = "GET",
                            .path = arena_printf(node->arena, "/%s/%s/%s", of, id, file).ptr,
                            .headers = headers};

    return booking_ask(node, node->arena, &ask);
}

static struct answer get_as(struct booking_node *node, const char *type, const char *of,
                            const char *id, const char *file)
{
    const struct answer answer = get(node, "customer-1", of, id, file, NULL);

    if (answer.status != 200)
        print_error("%.*s\n", STR_ARG(answer.body));
    CHECK_I64(200, answer.status);
    CHECK_STR(type, answer_header(&answer, "Content-Type"));
    CHECK_STR("private, max-age=0, must-revalidate", answer_header(&answer, "Cache-Control"));
    return answer;
}

TEST(the_pictures_of_a_ticket_are_its_code)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    for (int i = 0; i < bought.count; i++) {
        answer = get_as(&node, "image/png", "tickets", bought.tickets[i], "qr.png");
        CHECK_STR(bought.codes[i],
                  str_trim(tool_output(node.arena, ZBAR " %s",
                                       tool_file(node.arena, answer.body, "code.png"))));
        answer = get_as(&node, "image/svg+xml", "tickets", bought.tickets[i], "qr.svg");
        CHECK_STR(bought.codes[i],
                  str_trim(tool_output(node.arena, "rsvg-convert -w 400 %s | " ZBAR " PNG:-",
                                       tool_file(node.arena, answer.body, "code.svg"))));
    }
}

TEST(a_picture_that_is_known_is_not_sent_again_until_the_code_changes)
{
    static const char *const files[] = {"qr.svg", "qr.png"};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    for (size_t i = 0; i < 2; i++) {
        answer = get(&node, "customer-1", "tickets", bought.tickets[0], files[i], NULL);
        const str tag = answer_header(&answer, "ETag");
        const char *known = arena_printf(node.arena, "If-None-Match: %.*s\r\n", STR_ARG(tag)).ptr;

        CHECK_I64(304,
                  get(&node, "customer-1", "tickets", bought.tickets[0], files[i], known).status);
        CHECK_I64(200,
                  get(&node, "customer-1", "tickets", bought.tickets[1], files[i], known).status);
        booking_exec(&node, "UPDATE ticket SET generation = generation + 1");
        CHECK_I64(200,
                  get(&node, "customer-1", "tickets", bought.tickets[0], files[i], known).status);
    }
}

static const char *printed(struct booking_node *node, str pdf)
{
    return tool_output(node->arena, "pdftotext -layout -enc UTF-8 %s -",
                       tool_file(node->arena, pdf, "tickets.pdf"))
        .ptr;
}

/* The codes that are on the pages of a PDF, in any order: one for each line. */
static const char *codes_of(struct booking_node *node, str pdf)
{
    const char *path = tool_file(node->arena, pdf, "tickets.pdf");

    (void)tool_output(node->arena, "pdftoppm -r 150 -gray %s %s", path, path);
    return tool_output(node->arena, ZBAR " %s-*.pgm", path).ptr;
}

TEST(the_papers_of_an_order_have_a_page_for_each_ticket)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 3, "card");
    answer = get_as(&node, "application/pdf", "tickets", bought.tickets[1], "ticket.pdf");
    CHECK_STR("inline; filename=\"ticket-event-1.pdf\"",
              answer_header(&answer, "Content-Disposition"));
    CHECK_STR(bought.codes[1], str_trim(str_of(codes_of(&node, answer.body))));
    const char *text = printed(&node, answer.body);
    CHECK(strstr(text, "Event 1") != NULL);
    CHECK(strstr(text, "EGP 250.00") != NULL);
    CHECK(strstr(text, bought.order) != NULL);
    CHECK(strstr(text, bought.tickets[1]) != NULL);
    CHECK(strstr(text, "Some Stage") != NULL);

    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]).status);
    answer = get_as(&node, "application/pdf", "orders", bought.order, "tickets.pdf");
    CHECK_STR("inline; filename=\"tickets-event-1.pdf\"",
              answer_header(&answer, "Content-Disposition"));
    text = codes_of(&node, answer.body);
    CHECK(strstr(text, bought.codes[0]) == NULL);
    CHECK(strstr(text, bought.codes[1]) != NULL);
    CHECK(strstr(text, bought.codes[2]) != NULL);
}

TEST(a_promised_ticket_says_what_is_to_be_paid)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 10};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &type, .type_count = 1, .by_hand = true};
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    bought = booking_buy(&node, "customer-1", &event, 2, "cash_on_arrival");
    answer = get_as(&node, "application/pdf", "orders", bought.order, "tickets.pdf");
    CHECK(strstr(printed(&node, answer.body), "EGP 500.00") != NULL);
}

TEST(without_identity_a_ticket_is_printed_all_the_same)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    node_find(node.node, "identity")->is_open = false;
    answer = get_as(&node, "application/pdf", "orders", bought.order, "tickets.pdf");
    CHECK(strstr(printed(&node, answer.body), "Some Stage") == NULL);
}

TEST(files_are_for_the_holder_alone)
{
    static const struct {
        const char *who;
        int status;
    } people[] = {
        {"customer-1", 200},
        {"admin-1",    200},
        {"customer-2", 404},
        {"vendor-1",   404}, /* sells the event, but has no business with its codes */
        {"vendor-2",   404},
        {NULL,         401},
    };
    static const struct {
        const char *of;
        const char *file;
        const char *none; /* an id that nobody has */
    } paths[] = {
        {"tickets", "qr.svg",      "tkt_01h455vb4pex5vsknk084sn02q"},
        {"tickets", "qr.png",      "tkt_01h455vb4pex5vsknk084sn02q"},
        {"tickets", "ticket.pdf",  "tkt_01h455vb4pex5vsknk084sn02q"},
        {"orders",  "tickets.pdf", "ord_01h455vb4pex5vsknk084sn02q"},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
        const char *id = strcmp(paths[p].of, "orders") == 0 ? bought.order : bought.tickets[0];

        for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
            CHECK_I64(people[i].status,
                      get(&node, people[i].who, paths[p].of, id, paths[p].file, NULL).status);
        CHECK_I64(404,
                  get(&node, "admin-1", paths[p].of, paths[p].none, paths[p].file, NULL).status);
        CHECK_I64(404, get(&node, "admin-1", paths[p].of, "x", paths[p].file, NULL).status);
    }
}

TEST(dead_tickets_and_unpaid_orders_have_no_files)
{
    static const char *const files[] = {"qr.svg", "qr.png", "ticket.pdf"};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    answer = get(&node, "customer-1", "orders", booking_hold(&node, "customer-1", &event, 1),
                 "tickets.pdf", NULL);
    check_problem(node.arena, &answer, 409, "conflict");
    CHECK_STR("the order has no tickets yet", answer_at(node.arena, &answer, "/detail"));

    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]).status);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        answer = get(&node, "customer-1", "tickets", bought.tickets[0], files[i], NULL);
        check_problem(node.arena, &answer, 409, "cancelled");
    }
    answer = get(&node, "customer-1", "orders", bought.order, "tickets.pdf", NULL);
    check_problem(node.arena, &answer, 409, "conflict");
    CHECK_STR("the order has no tickets any more", answer_at(node.arena, &answer, "/detail"));
}
