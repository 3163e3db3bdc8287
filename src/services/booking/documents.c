/* booking/documents.c - what a mail about an order shows and carries.
 *
 * Everything is text for people or a file, ready to be laid out, so that who writes mails knows
 * nothing of events, money or QR codes. Files are in base64, for they go through JSON. An order
 * whose tickets are not shown, or gone, has none here. */
#include "services/booking/documents.h"

#include "platform/crypto/crypto.h"
#include "services/booking/catalog.h"
#include "services/booking/event_page.h"
#include "services/booking/order.h"
#include "services/booking/paying.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "services/booking/ticket_files.h"
#include "services/booking/ticket_pdf.h"
#include "services/booking/transfer.h"

enum { TICKETS_MAX = 2000, TEXT_MAX = 4096, PNG_SIZE_MAX = 64 * 1024 };

/* --- Parts --- */

static str price_text(struct arena *arena, int64_t minor, struct currency currency)
{
    return price_words(arena, (struct money){minor, currency});
}

static void add_lines(struct call *call, const struct order *order, const struct event *event,
                      struct booking_documents *documents)
{
    documents->lines =
        arena_new_array(call->arena, struct booking_document_line, order->item_count + 1);
    for (size_t i = 0; i < order->item_count; i++) {
        const struct order_item *item = &order->items[i];
        const struct ticket_type *type =
            event != NULL ? event_ticket_type(event, item->type) : NULL;

        documents->lines[documents->line_count++] = (struct booking_document_line){
            .name = type != NULL ? arena_str(call->arena, type->name) : STR("Ticket"),
            .quantity = item->quantity,
            .price = price_text(call->arena, price_paid(&item->money), order->total.currency),
        };
    }
}

static err add_event(struct call *call, const struct event *event,
                     struct booking_documents *documents)
{
    str ics = STR_ABSENT;

    if (event == NULL)
        return ERR_OK;
    documents->event_name = arena_str(call->arena, event->name);
    documents->event_path = arena_printf(call->arena, "/e/%.*s", STR_ARG(event->slug));
    documents->when = event_when(call, event);
    documents->place = event_place(call->arena, event);
    TRY(event_calendar(call, event, &ics));
    documents->calendar = base64_encode(call->arena, ics);
    return ERR_OK;
}

static err add_ticket(struct call *call, const struct ticket *ticket, const struct event *event,
                      struct booking_documents *documents)
{
    struct booking_document_ticket *document = &documents->tickets[documents->ticket_count++];
    const struct ticket_type *type = event != NULL ? event_ticket_type(event, ticket->type) : NULL;
    struct qr qr;
    str png = STR_ABSENT;

    TRY(ticket_qr(call, ticket, event, &document->code, &qr));
    TRY(qr_png(call->arena, &qr, &png));
    document->ticket =
        arena_str(call->arena, str_of(id_format(TICKET_PREFIX, ticket->id.uuid).text));
    document->type_name = type != NULL ? arena_str(call->arena, type->name) : STR("Ticket");
    document->attendee_name = ticket->attendee_name;
    document->qr_png = base64_encode(call->arena, png);
    return ERR_OK;
}

static err add_tickets(struct call *call, const struct ticket *tickets, size_t count,
                       const struct event *event, struct booking_documents *documents)
{
    str pdf = STR_ABSENT;

    documents->tickets = arena_new_array(call->arena, struct booking_document_ticket, count + 1);
    for (size_t i = 0; i < count; i++)
        if (ticket_has_code(&tickets[i]))
            TRY(add_ticket(call, &tickets[i], event, documents));
    /* Beyond what one file takes the codes above have to do. */
    if (documents->ticket_count == 0 || documents->ticket_count > TICKET_PDF_TICKETS_MAX)
        return ERR_OK;
    TRY(tickets_print(call, tickets, count, event, &pdf));
    documents->pdf = base64_encode(call->arena, pdf);
    if (documents->pdf.size > DOCUMENT_SIZE_MAX)
        documents->pdf = STR_ABSENT;
    return ERR_OK;
}

/* --- The op --- */

static err find(struct call *call, order_id id, struct order *order, struct ticket **ret_tickets,
                size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(order_get(&tx, call, id, order));
    return ticket_list_of_order(&tx, call, id, ret_tickets, ret_count);
}

static err booking_order_documents_run(struct call *call, const struct booking_order_find *in,
                                       struct booking_documents *ret)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct booking_documents documents = {0};
    struct ticket *tickets = NULL;
    struct order order;
    size_t count = 0;

    TRY(find(call, in->order, &order, &tickets, &count));
    event = catalog_find(booking_of(call)->catalog, order.event);
    documents.user = order.user;
    documents.order = arena_str(call->arena, str_of(id_format(ORDER_PREFIX, order.id.uuid).text));
    documents.total = price_text(call->arena, order.total.minor, order.total.currency);
    if (order.due_minor > 0)
        documents.due = price_text(call->arena, order.due_minor, order.total.currency);
    documents.by_transfer = transfer_is_due(&order);
    TRY(transfer_account(call, &order, &documents.account, &documents.account_count));
    add_lines(call, &order, event, &documents);
    TRY(add_event(call, event, &documents));
    TRY(add_tickets(call, tickets, count, event, &documents));
    *ret = documents;
    return ERR_OK;
}

/* --- Its wire form --- */

static const struct json_field line_fields[] = {
    JSON_F_TEXT("name", struct booking_document_line, name, 0, 200, JSON_OPTIONAL),
    JSON_F_I64("quantity", struct booking_document_line, quantity, 1, INT64_MAX, JSON_REQUIRED),
    JSON_F_TEXT("price", struct booking_document_line, price, 0, MONEY_TEXT_SIZE_MAX,
                JSON_OPTIONAL),
};
static const struct json_shape line_shape = JSON_SHAPE(line_fields, struct booking_document_line);
static const struct json_field ticket_fields[] = {
    JSON_F_TOKEN("ticket", struct booking_document_ticket, ticket, 1, ID_TEXT_SIZE_MAX,
                 JSON_REQUIRED),
    JSON_F_TEXT("type_name", struct booking_document_ticket, type_name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("attendee_name", struct booking_document_ticket, attendee_name, 0, 200,
                JSON_OPTIONAL),
    JSON_F_TOKEN("code", struct booking_document_ticket, code, 1, QR_TEXT_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("qr_png", struct booking_document_ticket, qr_png, 1, PNG_SIZE_MAX, JSON_REQUIRED),
};
static const struct json_shape ticket_shape =
    JSON_SHAPE(ticket_fields, struct booking_document_ticket);
static const struct json_field documents_fields[] = {
    JSON_F_ID("user", struct booking_documents, user, "usr", JSON_REQUIRED),
    JSON_F_TOKEN("order", struct booking_documents, order, 1, ID_TEXT_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TEXT("event_name", struct booking_documents, event_name, 0, 200, JSON_OPTIONAL),
    JSON_F_TOKEN("event_path", struct booking_documents, event_path, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("when", struct booking_documents, when, 0, TEXT_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("place", struct booking_documents, place, 0, TEXT_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("total", struct booking_documents, total, 0, MONEY_TEXT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("due", struct booking_documents, due, 0, MONEY_TEXT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_BOOL("by_transfer", struct booking_documents, by_transfer, JSON_OPTIONAL),
    JSON_F_LIST("account", struct booking_documents, account, account_count,
                &booking_account_line_shape, 0, 20, JSON_OPTIONAL),
    JSON_F_LIST("lines", struct booking_documents, lines, line_count, &line_shape, 0,
                EVENT_TICKET_TYPES_MAX, JSON_OPTIONAL),
    JSON_F_LIST("tickets", struct booking_documents, tickets, ticket_count, &ticket_shape, 0,
                TICKETS_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("pdf", struct booking_documents, pdf, 0, DOCUMENT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("calendar", struct booking_documents, calendar, 0, DOCUMENT_SIZE_MAX,
                 JSON_OPTIONAL),
};
static const struct json_shape documents_shape =
    JSON_SHAPE(documents_fields, struct booking_documents);

OP_DEFINE("booking", booking_order_documents, struct booking_order_find, struct booking_documents,
          &booking_order_find_shape, &documents_shape);
