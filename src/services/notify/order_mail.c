/* notify/order_mail.c - words and layout of the mails about an order.
 *
 * The text part says everything by itself; the HTML shows the same with the QR codes in place; the
 * PDF is for printers. What comes from people is escaped in HTML and kept to one line in
 * headers. */
#include "services/notify/order_mail.h"

#include "platform/crypto/crypto.h"

enum { PART_SIZE_MAX = 256 * 1024 };

static const struct words {
    const char *subject; /* before the event's name */
    const char *opening;
} words[] = {
    [ORDER_CONFIRMED] = {"Your tickets: ", "your order is confirmed. Here are your tickets."                      },
    [ORDER_PENDING] = {"Your booking: ", "your booking is made. It is paid as said below."                      },
    [ORDER_CANCELLED] =
        {"Cancelled: ",
                         "your order has been cancelled. Whatever you have paid for it is on its way back to you."},
};

/* --- Text --- */

static void add_line(struct buf *text, const char *label, str value)
{
    if (value.size > 0)
        buf_printf(text, "%s%.*s\n", label, STR_ARG(value));
}

#define ASK_VENDOR "The organizer will tell you which account to send it to."

static void add_transfer_text(struct buf *text, const struct booking_documents *documents)
{
    if (!documents->by_transfer)
        return;
    buf_add_cstr(
        text,
        "\nPlease send it by bank transfer. Your tickets come by mail when it has arrived.\n");
    if (documents->account_count == 0)
        buf_add_cstr(text, ASK_VENDOR "\n");
    for (size_t i = 0; i < documents->account_count; i++)
        buf_printf(text, "%.*s: %.*s\n", STR_ARG(documents->account[i].label),
                   STR_ARG(documents->account[i].value));
    buf_printf(text, "Reference: %.*s\n", STR_ARG(documents->order));
}

static err write_text(struct arena *arena, const struct order_mail *in, str *ret)
{
    const struct booking_documents *documents = in->documents;
    struct buf text = buf_in(arena, PART_SIZE_MAX);

    buf_printf(&text, "Hello %.*s,\n\n%s\n\n", STR_ARG(in->buyer_name), words[in->news].opening);
    add_line(&text, "", documents->event_name);
    add_line(&text, "", documents->when);
    add_line(&text, "", documents->place);
    buf_add_char(&text, '\n');
    for (size_t i = 0; i < documents->line_count; i++)
        buf_printf(&text, "%lld x %.*s  %.*s\n", (long long)documents->lines[i].quantity,
                   STR_ARG(documents->lines[i].name), STR_ARG(documents->lines[i].price));
    add_line(&text, "Total: ", documents->total);
    add_line(&text, "To be paid: ", documents->due);
    add_transfer_text(&text, documents);
    buf_add_char(&text, '\n');
    for (size_t i = 0; i < documents->ticket_count; i++)
        buf_printf(&text, "Ticket %.*s\n%.*s\n\n", STR_ARG(documents->tickets[i].type_name),
                   STR_ARG(documents->tickets[i].code));
    add_line(&text, "Order: ", documents->order);
    if (in->public_url.size > 0)
        buf_printf(&text, "Event: %.*s%.*s\n", STR_ARG(in->public_url),
                   STR_ARG(documents->event_path));
    *ret = buf_str(&text);
    return text.overflow ? ERR_INVALID : ERR_OK;
}

/* --- HTML --- */

static void add_escaped(struct buf *html, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        switch (text.ptr[i]) {
        case '<':
            buf_add_cstr(html, "&lt;");
            break;
        case '>':
            buf_add_cstr(html, "&gt;");
            break;
        case '&':
            buf_add_cstr(html, "&amp;");
            break;
        case '"':
            buf_add_cstr(html, "&quot;");
            break;
        default:
            buf_add_char(html, text.ptr[i]);
        }
    }
}

static void add_element(struct buf *html, const char *open, str text, const char *close)
{
    if (text.size == 0)
        return;
    buf_add_cstr(html, open);
    add_escaped(html, text);
    buf_add_cstr(html, close);
}

static str content_id(struct arena *arena, const struct booking_document_ticket *ticket)
{
    return arena_printf(arena, "%.*s@boxoffice", STR_ARG(ticket->ticket));
}

static void add_qr(struct buf *html, struct arena *arena,
                   const struct booking_document_ticket *ticket)
{
    buf_printf(html,
               "<img src=\"cid:%.*s\" width=\"220\" height=\"220\" alt=\"QR code of this ticket\" "
               "style=\"margin:8px 0\">",
               STR_ARG(content_id(arena, ticket)));
}

static void add_ticket(struct buf *html, struct arena *arena,
                       const struct booking_document_ticket *ticket, bool has_qr)
{

    buf_add_cstr(html, "<tr><td style=\"border:1px solid "
                       "#ddd;border-radius:8px;padding:16px;text-align:center\">");
    add_element(html, "<div style=\"font-weight:600\">", ticket->type_name, "</div>");
    add_element(html, "<div style=\"color:#555\">", ticket->attendee_name, "</div>");
    if (has_qr)
        add_qr(html, arena, ticket);
    else
        buf_add_cstr(html, "<div style=\"margin:8px 0\">The QR code is in tickets.pdf.</div>");
    add_element(html, "<div style=\"font:11px monospace;color:#777\">", ticket->ticket,
                "</div></td></tr>\n");
}

static void add_account_row(struct buf *html, str label, str value)
{
    add_element(html, "<tr><td style=\"padding:4px 12px 4px 0;color:#555\">", label, "</td>");
    add_element(html, "<td><bdi>", value, "</bdi></td></tr>\n");
}

static void add_transfer(struct buf *html, const struct booking_documents *documents)
{
    if (!documents->by_transfer)
        return;
    buf_add_cstr(
        html, "<p>Please send it by bank transfer. Your tickets come by mail when it has arrived.");
    if (documents->account_count == 0)
        buf_add_cstr(html, " " ASK_VENDOR);
    buf_add_cstr(html, "</p><table style=\"border-collapse:collapse;margin:8px 0\">");
    for (size_t i = 0; i < documents->account_count; i++)
        add_account_row(html, documents->account[i].label, documents->account[i].value);
    add_account_row(html, STR("Reference"), documents->order);
    buf_add_cstr(html, "</table>");
}

static void add_lines(struct buf *html, const struct booking_documents *documents)
{
    buf_add_cstr(html, "<table width=\"100%\" style=\"border-collapse:collapse;margin:16px 0\">");
    for (size_t i = 0; i < documents->line_count; i++) {
        buf_printf(html, "<tr><td style=\"padding:4px 0\">%lld &times; ",
                   (long long)documents->lines[i].quantity);
        add_element(html, "<bdi>", documents->lines[i].name, "</bdi>");
        add_element(html, "</td><td align=\"right\" style=\"white-space:nowrap\">",
                    documents->lines[i].price, "</td></tr>\n");
    }
    add_element(html,
                "<tr><td style=\"border-top:1px solid #ddd;padding:4px 0\"><b>Total</b></td><td "
                "align=\"right\" style=\"border-top:1px solid #ddd\"><b>",
                documents->total, "</b></td></tr>\n");
    buf_add_cstr(html, "</table>");
    add_element(html,
                "<p style=\"background:#fff4d6;padding:12px;border-radius:6px\">To be paid: <b>",
                documents->due, "</b></p>");
    add_transfer(html, documents);
}

static err write_html(struct arena *arena, const struct order_mail *in, str *ret)
{
    const struct booking_documents *documents = in->documents;
    struct buf html = buf_in(arena, PART_SIZE_MAX);

    buf_add_cstr(
        &html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"></head>"
        "<body style=\"margin:0;background:#f4f4f2;font:16px/1.5 sans-serif;color:#1c1c1c\">"
        "<table align=\"center\" width=\"560\" style=\"max-width:100%;background:#fff;margin:24px "
        "auto;table-layout:fixed\"><tr><td "
        "style=\"padding:32px;overflow-wrap:anywhere;word-break:break-word\">");
    add_element(&html, "<p>Hello <bdi>", in->buyer_name, "</bdi>,</p>");
    buf_printf(&html, "<p>%s</p>", words[in->news].opening);
    /* On the side where the event's name begins. */
    add_element(&html,
                "<div dir=\"auto\"><h1 style=\"font-size:24px;line-height:1.2;margin:24px 0 8px\">",
                documents->event_name, "</h1>");
    add_element(&html, "<div><bdi>", documents->when, "</bdi></div>");
    add_element(&html, "<div><bdi>", documents->place, "</bdi></div>");
    buf_add_cstr(&html, "</div>");
    add_lines(&html, documents);
    buf_add_cstr(&html, "<table width=\"100%\" style=\"border-spacing:0 12px\">");
    for (size_t i = 0; i < documents->ticket_count; i++)
        add_ticket(&html, arena, &documents->tickets[i], i < MAIL_ATTACHMENTS_MAX);
    buf_add_cstr(&html, "</table>");
    if (in->public_url.size > 0) {
        add_element(&html, "<p><a style=\"color:#0b57d0\" href=\"", in->public_url, "");
        add_element(&html, "", documents->event_path, "\">About the event</a></p>");
    }
    add_element(&html, "<p style=\"font-size:12px;color:#777\">Order ", documents->order,
                "</p></td></tr></table></body></html>\n");
    *ret = buf_str(&html);
    return html.overflow ? ERR_INVALID : ERR_OK;
}

/* --- Parts --- */

static err from_base64(struct arena *arena, str text, str *ret)
{
    /* base64url without padding is the alphabet that the decoder reads. */
    char *plain = arena_new_array(arena, char, text.size + 1);
    size_t size = 0;

    for (; size < text.size && text.ptr[size] != '='; size++)
        plain[size] = (char)(text.ptr[size] == '+'   ? '-'
                             : text.ptr[size] == '/' ? '_'
                                                     : text.ptr[size]);
    return base64url_decode(arena, (str){plain, size}, ret) == ERR_OK ? ERR_OK : ERR_INVALID;
}

static err attach(struct arena *arena, const struct booking_documents *documents, struct mail *mail)
{
    str bytes = STR_ABSENT;

    for (size_t i = 0; i < documents->ticket_count && i < MAIL_ATTACHMENTS_MAX; i++) {
        TRY(from_base64(arena, documents->tickets[i].qr_png, &bytes));
        mail->inlines[mail->inline_count++] =
            (struct mail_part){.content_type = STR("image/png"),
                               .content_id = content_id(arena, &documents->tickets[i]),
                               .body = bytes};
    }
    if (documents->pdf.size > 0) {
        TRY(from_base64(arena, documents->pdf, &bytes));
        mail->attachments[mail->attachment_count++] = (struct mail_part){
            .content_type = STR("application/pdf"), .file_name = STR("tickets.pdf"), .body = bytes};
    }
    if (documents->calendar.size > 0) {
        TRY(from_base64(arena, documents->calendar, &bytes));
        mail->attachments[mail->attachment_count++] =
            (struct mail_part){.content_type = STR("text/calendar; charset=utf-8"),
                               .file_name = STR("event.ics"),
                               .body = bytes};
    }
    return ERR_OK;
}

/* A header is one line: white space and control characters become a blank. */
static str one_line(struct arena *arena, str text)
{
    char *line = arena_new_array(arena, char, text.size + 1);

    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        line[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
    }
    return str_trim((str){line, text.size});
}

err order_mail_write(struct arena *arena, const struct order_mail *in, struct mail *ret)
{
    static const char *const names[] = {"confirmed", "pending", "cancelled"};
    const str event_name = one_line(arena, in->documents->event_name);
    struct mail mail = {
        .from = in->from,
        .to_name = one_line(arena, in->buyer_name),
        .to_address = in->buyer_email,
        .subject = arena_printf(arena, "%s%.*s", words[in->news].subject, STR_ARG(event_name)),
        .message_id = arena_printf(arena, "%.*s.%s@boxoffice", STR_ARG(in->documents->order),
                                   names[in->news]),
        .at_ms = in->at_ms,
    };

    TRY(write_text(arena, in, &mail.text));
    TRY(write_html(arena, in, &mail.html));
    if (in->news != ORDER_CANCELLED)
        TRY(attach(arena, in->documents, &mail));
    *ret = mail;
    return ERR_OK;
}
