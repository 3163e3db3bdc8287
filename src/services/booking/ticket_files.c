/* booking/ticket_files.c - codes as SVG and PNG, tickets as PDF, for their holder alone.
 *
 * Whoever has the code gets in, so not even the event's vendor sees it: these paths do not exist
 * for him. A code says all that is in its file, so it makes the entity tag too: a browser that
 * has the picture keeps it until the ticket changes. */
#include "services/booking/ticket_files.h"

#include "platform/crypto/crypto.h"
#include "services/booking/catalog.h"
#include "services/booking/event_page.h"
#include "services/booking/state.h"
#include "services/booking/ticket_pdf.h"
#include "services/identity/identity.h"

enum { TAG_BYTES = 16 };

bool ticket_has_code(const struct ticket *ticket)
{
    return ticket->order_status != ORDER_HELD &&
           (ticket->status == TICKET_VALID || ticket->status == TICKET_USED);
}

err ticket_qr(struct call *call, const struct ticket *ticket, const struct event *event,
              str *ret_code, struct qr *ret_qr)
{
    TRY(ticket_code_of(call, ticket, event, ret_code));
    return qr_make(call->arena, *ret_code, ret_qr);
}

/* --- Printing --- */

/* Who sells the event; absent where that cannot be found out now: a ticket is good without it. */
static str vendor_name(struct call *call, const struct event *event)
{
    const struct identity_vendor_find in = {.vendor = {event->vendor}};
    struct identity_vendor_found found = {0};
    const struct problem before = call->problem;

    if (identity_vendor_find(call, &in, &found) == ERR_OK)
        return found.name;
    (void)err_trail_take();
    call->problem = before;
    return STR_ABSENT;
}

static void print_event(struct call *call, const struct event *event, struct ticket_print *print)
{
    print->event_name = event->name;
    print->when = event_when(call, event);
    print->online = event->online;
    if (event->venue == NULL)
        return;
    print->venue_name = event->venue->name;
    print->address = event->venue->address;
    print->city = event->venue->city;
    print->country = event->venue->country;
}

static err print_ticket(struct call *call, const struct ticket *ticket, const struct event *event,
                        struct ticket_print *print)
{
    struct arena *arena = call->arena;
    const struct ticket_type *type = event != NULL ? event_ticket_type(event, ticket->type) : NULL;
    const struct money price = {ticket->price_minor, ticket->currency};
    const struct money due = {ticket->due_minor, ticket->currency};

    TRY(ticket_code_of(call, ticket, event, &print->code));
    print->type_name = type != NULL ? type->name : STR_ABSENT;
    print->attendee_name = ticket->attendee_name;
    print->price_text = price_words(arena, price);
    print->order_text = arena_str(arena, str_of(id_format(ORDER_PREFIX, ticket->order.uuid).text));
    print->ticket_text = arena_str(arena, str_of(id_format(TICKET_PREFIX, ticket->id.uuid).text));
    if (ticket->due_minor > 0)
        print->note = arena_printf(arena, "%s are to be paid at the entrance for this order",
                                   money_format(due).text);
    return ERR_OK;
}

err tickets_print(struct call *call, const struct ticket *tickets, size_t count,
                  const struct event *event, str *ret_pdf)
{
    struct ticket_print *prints = arena_new_array(call->arena, struct ticket_print, count + 1);
    struct ticket_print common = {0};
    size_t printed = 0;

    if (event != NULL) {
        print_event(call, event, &common);
        common.vendor_name = vendor_name(call, event);
    }
    for (size_t i = 0; i < count; i++) {
        if (!ticket_has_code(&tickets[i]))
            continue;
        prints[printed] = common;
        TRY(print_ticket(call, &tickets[i], event, &prints[printed++]));
    }
    return ticket_pdf(booking_of(call)->printer, call->arena, prints, printed, call->now_ms,
                      ret_pdf);
}

/* --- Handlers --- */

/* The ticket in the path with its code, if the caller may show it. */
static err own_ticket(struct req *req, struct ticket *ret, const struct event **ret_event)
{
    struct call *call = &req->call;
    ticket_id id;

    TRY(req_param_id(req, "ticket", TICKET_PREFIX, &id.uuid));
    TRY(ticket_get_visible(call, id, ret, ret_event));
    if (!uuid_eq(call->caller.user, ret->user) && call->caller.role != ROLE_ADMIN)
        return ERR_NOT_FOUND;
    if (!ticket_has_code(ret))
        return call_explain(call, ERR_TICKET_CANCELLED, "the ticket is %s: it has no code",
                            ticket_status_names[ret->status]);
    return ERR_OK;
}

/* What is in a file of one code does not change while the code does not. */
static void reply_code_tag(struct req *req, str code)
{
    uint8_t digest[SHA256_SIZE];

    sha256(code, digest);
    const str hex = hex_encode(req->call.arena, (str){(const char *)digest, TAG_BYTES});
    reply_etag(req, arena_printf(req->call.arena, "\"%.*s\"", STR_ARG(hex)));
}

static void reply_private(struct req *req)
{
    reply_header(req, "cache-control", STR("private, max-age=0, must-revalidate"));
}

static err get_svg(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct ticket ticket;
    struct qr qr;
    str code = STR_ABSENT;

    TRY(own_ticket(req, &ticket, &event));
    TRY(ticket_qr(&req->call, &ticket, event, &code, &qr));
    reply_private(req);
    reply_code_tag(req, code);
    return reply_text(req, 200, STR("image/svg+xml"),
                      qr_svg(req->call.arena, &qr, STR("QR code of the ticket")));
}

static err get_png(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct ticket ticket;
    struct qr qr;
    str code = STR_ABSENT;
    str png = STR_ABSENT;

    TRY(own_ticket(req, &ticket, &event));
    TRY(ticket_qr(&req->call, &ticket, event, &code, &qr));
    TRY(qr_png(req->call.arena, &qr, &png));
    reply_private(req);
    reply_code_tag(req, code);
    return reply_text(req, 200, STR("image/png"), png);
}

static err reply_pdf(struct req *req, const char *what, const struct event *event, str pdf)
{
    const str slug = event != NULL ? event->slug : STR("event");

    reply_private(req);
    reply_header(
        req, "content-disposition",
        arena_printf(req->call.arena, "inline; filename=\"%s-%.*s.pdf\"", what, STR_ARG(slug)));
    return reply_text(req, 200, STR("application/pdf"), pdf);
}

static err get_pdf(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct ticket ticket;
    str pdf = STR_ABSENT;

    TRY(own_ticket(req, &ticket, &event));
    TRY(tickets_print(&req->call, &ticket, 1, event, &pdf));
    return reply_pdf(req, "ticket", event, pdf);
}

/* The order in the path and its tickets, if it is the caller's own. */
static err own_tickets(struct req *req, struct order *order, struct ticket **ret, size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct call *call = &req->call;
    order_id id;

    TRY(req_param_id(req, "order", ORDER_PREFIX, &id.uuid));
    TRY(tx_read(&tx, call_db(call)));
    TRY(order_get(&tx, call, id, order));
    if (!uuid_eq(call->caller.user, order->user) && call->caller.role != ROLE_ADMIN)
        return ERR_NOT_FOUND;
    return ticket_list_of_order(&tx, call, id, ret, ret_count);
}

static err get_order_pdf(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct ticket *tickets = NULL;
    struct order order;
    size_t count = 0;
    size_t shown = 0;
    str pdf = STR_ABSENT;

    TRY(own_tickets(req, &order, &tickets, &count));
    for (size_t i = 0; i < count; i++)
        if (ticket_has_code(&tickets[i]))
            tickets[shown++] = tickets[i];
    if (shown == 0)
        return call_explain(&req->call, ERR_CONFLICT, "the order has no tickets %s",
                            count > 0 && order.status != ORDER_HELD ? "any more" : "yet");
    if (shown > TICKET_PDF_TICKETS_MAX)
        return call_explain(&req->call, ERR_CONFLICT,
                            "one file takes %d tickets: print them one by one",
                            TICKET_PDF_TICKETS_MAX);
    event = catalog_find(booking_of(&req->call)->catalog, order.event);
    TRY(tickets_print(&req->call, tickets, shown, event, &pdf));
    return reply_pdf(req, "tickets", event, pdf);
}

static const struct route routes[] = {
    {METHOD_GET, "/tickets/{ticket}/qr.svg",     get_svg,       AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/tickets/{ticket}/qr.png",     get_png,       AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/tickets/{ticket}/ticket.pdf", get_pdf,       AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/orders/{order}/tickets.pdf",  get_order_pdf, AUTH_USER, NO_BODY, UNKEYED,
     ON_WORKER                                                                                        },
};
const struct route_table ticket_file_routes = ROUTE_TABLE(routes);
