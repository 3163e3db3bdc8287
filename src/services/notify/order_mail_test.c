/* notify/order_mail_test.c - what a buyer reads, as another implementation reads it. */
#include "services/notify/order_mail.h"

#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/mail/test_reading.h"
#include "support/test.h"

enum { TICKETS_MAX = 40, LONG_SIZE = 524288 };

/* Two tickets, a PDF and a calendar; `tickets` has room for TICKETS_MAX. */
struct sample {
    struct booking_document_line lines[2];
    struct booking_document_ticket tickets[TICKETS_MAX];
    struct booking_documents documents;
    struct order_mail mail;
};

static str base64_of(struct arena *arena, const char *bytes)
{
    return base64_encode(arena, str_of(bytes));
}

static void fill(struct arena *arena, struct sample *sample)
{
    *sample = (struct sample){
        .lines = {{STR("Standard"), 2, STR("EGP 100.00")}, {STR("Early"), 1, STR("EGP 40.00")}},
        .documents =
            {
                  .order = STR("ord_01h455vb4pex5vsknk084sn02q"),
                  .event_name = STR("Nile Jazz"),
                  .event_path = STR("/e/nile-jazz"),
                  .when = STR("Thursday, 24 December 2026, 18:00"),
                  .place = STR("Opera House, Cairo, Egypt"),
                  .total = STR("EGP 140.00"),
                  .lines = sample->lines,
                  .line_count = 2,
                  .tickets = sample->tickets,
                  .ticket_count = 2,
                  .pdf = base64_of(arena, "%PDF-1.7 \xff\xfe\xfb"),
                  .calendar = base64_of(arena, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
                  },
    };
    for (int i = 0; i < TICKETS_MAX; i++)
        sample->tickets[i] = (struct booking_document_ticket){
            .ticket = arena_printf(arena, "tkt_%026d", i),
            .type_name = STR("Standard"),
            .attendee_name = i == 0 ? STR("Ana") : STR_ABSENT,
            .code = arena_printf(arena, "T1:CODE%d", i),
            .qr_png = base64_of(arena, arena_printf(arena, "png %d \xfb\xff?>", i).ptr),
        };
    sample->mail = (struct order_mail){
        .news = ORDER_CONFIRMED,
        .documents = &sample->documents,
        .buyer_name = STR("Ana"),
        .buyer_email = STR("ana@example.org"),
        .from = STR("Boxoffice <tickets@example.org>"),
        .public_url = STR("https://tickets.example.org"),
        .at_ms = INT64_C(1795382533123),
    };
}

static struct mail written(struct arena *arena, const struct sample *sample)
{
    struct mail mail = {0};

    CHECK_OK(order_mail_write(arena, &sample->mail, &mail));
    return mail;
}

static bool contains(str text, const char *what)
{
    return text.ptr != NULL && memmem(text.ptr, text.size, what, strlen(what)) != NULL;
}

static int count(str text, const char *what)
{
    int found = 0;

    for (size_t i = 0; i < text.size; i++)
        found += str_starts(str_slice(text, i, text.size), str_of(what));
    return found;
}

TEST(the_text_says_everything_by_itself)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    CHECK_STR("Hello Ana,\n"
              "\n"
              "your order is confirmed. Here are your tickets.\n"
              "\n"
              "Nile Jazz\n"
              "Thursday, 24 December 2026, 18:00\n"
              "Opera House, Cairo, Egypt\n"
              "\n"
              "2 x Standard  EGP 100.00\n"
              "1 x Early  EGP 40.00\n"
              "Total: EGP 140.00\n"
              "\n"
              "Ticket Standard\n"
              "T1:CODE0\n"
              "\n"
              "Ticket Standard\n"
              "T1:CODE1\n"
              "\n"
              "Order: ord_01h455vb4pex5vsknk084sn02q\n"
              "Event: https://tickets.example.org/e/nile-jazz\n",
              written(arena, &sample).text);
}

TEST(a_confirmation_carries_qr_codes_pdf_and_calendar)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    const struct mail mail = written(arena, &sample);
    CHECK_I64(2, mail.inline_count);
    CHECK_STR("png 0 \xfb\xff?>", mail.inlines[0].body); /* the bytes, out of base64 */
    CHECK_STR("png 1 \xfb\xff?>", mail.inlines[1].body);
    CHECK_I64(2, mail.attachment_count);
    CHECK_STR("%PDF-1.7 \xff\xfe\xfb", mail.attachments[0].body);
    CHECK_STR("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", mail.attachments[1].body);

    const str told = description(arena, &mail);
    CHECK_STR("\"Your tickets: Nile Jazz\"", value_of(told, "subject "));
    CHECK_STR("\"Ana\" \"ana@example.org\"", value_of(told, "to "));
    CHECK_STR("\"Boxoffice\" \"tickets@example.org\"", value_of(told, "from "));
    CHECK_STR("\"<ord_01h455vb4pex5vsknk084sn02q.confirmed@boxoffice>\"",
              value_of(told, "message-id "));
    CHECK(contains(told, " image/png encoding=base64 size=10 "));
    CHECK(contains(told, "cid=<tkt_00000000000000000000000000@boxoffice>"));
    CHECK(contains(told, "cid=<tkt_00000000000000000000000001@boxoffice>"));
    CHECK(contains(told, " application/pdf encoding=base64 size=12 "));
    CHECK(contains(told, "disposition=attachment file=\"tickets.pdf\""));
    CHECK(contains(told, "disposition=attachment file=\"event.ics\""));
    CHECK(contains(mail.html, "src=\"cid:tkt_00000000000000000000000000@boxoffice\""));
    CHECK(contains(mail.html, "src=\"cid:tkt_00000000000000000000000001@boxoffice\""));
}

TEST(each_news_has_its_words)
{
    static const struct {
        enum order_news news;
        const char *subject;
        const char *opening;
        const char *message_id;
        size_t attachments;
    } cases[] = {
        {ORDER_CONFIRMED, "\"Your tickets: Nile Jazz\"", "your order is confirmed",       ".confirmed@",
         2                                                                                                },
        {ORDER_PENDING,   "\"Your booking: Nile Jazz\"", "your booking is made",          ".pending@",   2},
        {ORDER_CANCELLED, "\"Cancelled: Nile Jazz\"",    "your order has been cancelled",
         ".cancelled@",                                                                                  0},
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample;

        fill(arena, &sample);
        sample.mail.news = cases[i].news;
        sample.documents.due = STR("EGP 140.00 in cash");
        if (cases[i].attachments == 0) /* a cancelled order has no tickets to show */
            sample.documents.ticket_count = 0;
        const struct mail mail = written(arena, &sample);
        const str told = description(arena, &mail);
        CHECK_STR(cases[i].subject, value_of(told, "subject "));
        CHECK(contains(value_of(told, "message-id "), cases[i].message_id));
        CHECK(contains(mail.text, cases[i].opening));
        CHECK(contains(mail.html, cases[i].opening));
        CHECK(contains(mail.text, "To be paid: EGP 140.00 in cash\n"));
        CHECK(contains(mail.html, "To be paid: <b>EGP 140.00 in cash</b>"));
        CHECK_I64(cases[i].attachments, mail.attachment_count);
        CHECK_I64(cases[i].attachments > 0 ? 2 : 0, mail.inline_count);
    }
}

/* As people, not programs, may be called. */
#define HOSTILE \
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\r\nBcc: x@example.org"

TEST(names_of_people_who_mean_harm_are_names)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    sample.documents.event_name = STR(HOSTILE);
    sample.documents.place = STR(HOSTILE);
    sample.documents.when = STR(HOSTILE);
    sample.documents.event_path = STR("/e/\"><script>");
    sample.lines[0].name = STR(HOSTILE);
    sample.tickets[0].type_name = STR(HOSTILE);
    sample.tickets[0].attendee_name = STR(HOSTILE);
    sample.mail.buyer_name = STR(HOSTILE);
    const struct mail mail = written(arena, &sample);
    CHECK_I64(0, count(mail.html, "<script"));
    CHECK_I64(0, count(mail.html, "<img src=x"));
    CHECK_I64(2, count(mail.html, "<img "));
    CHECK(count(mail.html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;") >= 7);

    /* No header can be added, and what comes is what was meant. */
    const str told = description(arena, &mail);
    CHECK_STR(NULL, value_of(told, "bcc "));
    CHECK_STR("\"Your tickets: <script>alert(1)</script>\\\"'><img src=x "
              "onerror=alert(2)>&amp;  Bcc: x@example.org\"",
              value_of(told, "subject "));
    CHECK(contains(value_of(told, "to "), "\"ana@example.org\""));
}

TEST(names_in_any_script_arrive)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    sample.documents.event_name =
        STR("\u0644\u064a\u0644\u0629 \u062c\u0627\u0632 \xf0\x9f\x8e\xb7");
    sample.mail.buyer_name = STR("\u0622\u0646\u0627 \u00c5ngstr\u00f6m");
    const struct mail mail = written(arena, &sample);
    const str told = description(arena, &mail);
    CHECK_STR("\"Your tickets: \u0644\u064a\u0644\u0629 \u062c\u0627\u0632 \xf0\x9f\x8e\xb7\"",
              value_of(told, "subject "));
    CHECK_STR("\"\u0622\u0646\u0627 \u00c5ngstr\u00f6m\" \"ana@example.org\"",
              value_of(told, "to "));
}

TEST(what_is_not_known_leaves_no_gap)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    sample.documents.place = STR_ABSENT;
    sample.documents.pdf = STR_ABSENT;
    sample.documents.calendar = STR_ABSENT;
    sample.documents.ticket_count = 0;
    sample.mail.public_url = STR_ABSENT;
    const struct mail mail = written(arena, &sample);
    CHECK_I64(0, mail.attachment_count);
    CHECK_I64(0, mail.inline_count);
    CHECK(!contains(mail.text, "To be paid"));
    CHECK(!contains(mail.text, "Event:"));
    CHECK(!contains(mail.html, "<a "));
    (void)description(arena, &mail);
}

TEST(more_tickets_than_pictures_fit_refer_to_the_pdf)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    fill(arena, &sample);
    sample.documents.ticket_count = TICKETS_MAX;
    const struct mail mail = written(arena, &sample);
    CHECK_I64(MAIL_ATTACHMENTS_MAX, mail.inline_count);
    CHECK_I64(MAIL_ATTACHMENTS_MAX, count(mail.html, "<img "));
    CHECK_I64(TICKETS_MAX - MAIL_ATTACHMENTS_MAX,
              count(mail.html, "The QR code is in tickets.pdf."));
    CHECK_I64(TICKETS_MAX, count(mail.text, "T1:CODE"));
    (void)description(arena, &mail);
}

TEST(documents_that_cannot_be_read_are_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;
    struct mail mail = {0};

    fill(arena, &sample);
    sample.documents.pdf = STR("not base64!");
    CHECK_ERR(ERR_INVALID, order_mail_write(arena, &sample.mail, &mail));
    fill(arena, &sample);
    sample.tickets[1].qr_png = STR("A");
    CHECK_ERR(ERR_INVALID, order_mail_write(arena, &sample.mail, &mail));

    fill(arena, &sample);
    char *long_name = arena_alloc(arena, LONG_SIZE);
    memset(long_name, 'x', LONG_SIZE);
    sample.documents.event_name = (str){long_name, LONG_SIZE};
    CHECK_ERR(ERR_INVALID, order_mail_write(arena, &sample.mail, &mail));
    CHECK_I64(0, mail.inline_count); /* and nothing was written */
}

TEST(a_mail_says_where_to_send_the_money)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct booking_account_line account[] = {
        {STR("Account holder"), STR("Nile <Stage>")                 },
        {STR("IBAN"),           STR("EG380019000500000000263180002")},
    };
    struct sample sample;

    fill(arena, &sample);
    sample.mail.news = ORDER_PENDING;
    sample.documents.ticket_count = 0;
    sample.documents.due = STR("EGP 140.00");
    sample.documents.by_transfer = true;
    struct mail mail = written(arena, &sample);
    CHECK(contains(mail.text, "The organizer will tell you which account to send it to."));
    CHECK(contains(mail.html, "The organizer will tell you which account to send it to."));
    CHECK(contains(mail.text, "\nReference: ord_01h455vb4pex5vsknk084sn02q\n"));

    sample.documents.account = account;
    sample.documents.account_count = 2;
    mail = written(arena, &sample);
    CHECK(contains(mail.text, "To be paid: EGP 140.00\n\nPlease send it by bank transfer. Your "
                              "tickets come by mail when it has arrived.\n"
                              "Account holder: Nile <Stage>\n"
                              "IBAN: EG380019000500000000263180002\n"
                              "Reference: ord_01h455vb4pex5vsknk084sn02q\n"));
    CHECK(!contains(mail.text, "organizer"));
    CHECK(contains(mail.html, "<bdi>Nile &lt;Stage&gt;</bdi>"));
    CHECK(contains(mail.html, "<bdi>EG380019000500000000263180002</bdi>"));
    CHECK(contains(mail.html, ">Reference</td><td><bdi>ord_01h455vb4pex5vsknk084sn02q</bdi>"));

    /* Cash is not sent anywhere. */
    sample.documents.by_transfer = false;
    sample.documents.account_count = 0;
    mail = written(arena, &sample);
    CHECK(!contains(mail.text, "bank transfer") && !contains(mail.html, "Reference"));
}
