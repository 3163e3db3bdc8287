/* notify/order_mail_test.c - what a buyer is mailed, read back by another parser. */
#include "services/notify/order_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/crypto/crypto.h"
#include "support/test.h"

static struct booking_document_line lines[] = {
    {STR("Standard <b>"), 2, STR("EUR 85.00")}
};

static struct mail write_mail(struct arena *arena, enum order_news news, str event_name)
{
    struct booking_document_ticket *tickets =
        arena_new_array(arena, struct booking_document_ticket, 2);
    const str png = base64_encode(arena, STR("\x89PNG\r\n\x1a\n not really"));
    struct mail mail = {0};

    for (size_t i = 0; i < 2; i++)
        tickets[i] = (struct booking_document_ticket){.ticket = arena_printf(arena, "tkt_%zu", i),
                                                      .type_name = STR("Standard"),
                                                      .attendee_name = STR("أنا & Co"),
                                                      .code = STR("T1:CODE"),
                                                      .qr_png = png};
    const struct booking_documents documents = {
        .order = STR("ord_1"),
        .event_name = event_name,
        .event_path = STR("/e/jazz"),
        .when = STR("Saturday"),
        .place = STR("Waldbühne"),
        .total = STR("EUR 85.00"),
        .due = news == ORDER_PENDING ? STR("EUR 85.00 at the entrance") : STR_ABSENT,
        .lines = lines,
        .line_count = 1,
        .tickets = tickets,
        .ticket_count = news == ORDER_CANCELLED ? 0 : 2,
        .pdf = base64_encode(arena, STR("%PDF-1.7 not really")),
        .calendar = base64_encode(arena, STR("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")),
    };
    const struct order_mail in = {
        .news = news,
        .documents = &documents,
        .buyer_name = STR("Ana <script>"),
        .buyer_email = STR("ana@example.test"),
        .from = STR("Boxoffice <tickets@example.test>"),
        .public_url = STR("https://tickets.example.test"),
        .at_ms = INT64_C(1795392000000),
    };
    CHECK_OK(order_mail_write(arena, &in, &mail));
    return mail;
}

static bool holds(str text, const char *part)
{
    return memmem(text.ptr, text.size, part, strlen(part)) != NULL;
}

TEST(the_mail_of_a_confirmed_order_says_it_all_in_both_parts)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct mail mail = write_mail(arena, ORDER_CONFIRMED, STR("Jazz"));
    static const char *const said[] = {"Jazz",      "Saturday",
                                       "Waldbühne", "EUR 85.00",
                                       "ord_1",     "https://tickets.example.test/e/jazz"};

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        CHECK(holds(mail.text, said[i]));
        CHECK(holds(mail.html, said[i]));
    }
    CHECK(holds(mail.text, "T1:CODE"));
    CHECK_I64(2, (int64_t)mail.inline_count);
    CHECK_I64(2, (int64_t)mail.attachment_count);
    CHECK_STR("%PDF-1.7 not really", mail.attachments[0].body);
    CHECK(holds(mail.attachments[1].body, "BEGIN:VCALENDAR"));
    CHECK_STR("ord_1.confirmed@boxoffice", mail.message_id);
    CHECK(!holds(mail.text, "To be paid"));
}

TEST(what_people_named_is_text_in_the_html)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct mail mail =
        write_mail(arena, ORDER_CONFIRMED, STR("</h1><img src=x onerror=\"alert(1)\">"));

    CHECK(!holds(mail.html, "<script>"));
    CHECK(!holds(mail.html, "<img src=x"));
    CHECK(!holds(mail.html, "Standard <b>"));
    CHECK(holds(mail.html, "Ana &lt;script&gt;"));
    CHECK(holds(mail.html, "أنا &amp; Co"));
}

TEST(a_pending_order_says_what_is_due_and_a_cancelled_one_has_no_tickets)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct mail pending = write_mail(arena, ORDER_PENDING, STR("Jazz"));
    const struct mail cancelled = write_mail(arena, ORDER_CANCELLED, STR("Jazz"));

    CHECK(holds(pending.text, "To be paid: EUR 85.00 at the entrance"));
    CHECK(holds(pending.html, "EUR 85.00 at the entrance"));
    CHECK_I64(0, (int64_t)(cancelled.attachment_count + cancelled.inline_count));
    CHECK(holds(cancelled.text, "has been cancelled"));
}

TEST(another_parser_finds_every_part)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct mail mail = write_mail(arena, ORDER_CONFIRMED, STR("Jazz"));
    char command[512];
    char dir[] = "/tmp/boxoffice-mail-XXXXXX";
    str message = STR_ABSENT;

    CHECK_OK(mail_compose(arena, &mail, rng_system(), &message));
    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(command, sizeof(command), "%s/1.eml", dir);
    FILE *file = fopen(command, "we");
    CHECK(file != NULL && fwrite(message.ptr, 1, message.size, file) == message.size &&
          fclose(file) == 0);
    (void)snprintf(command, sizeof(command),
                   "/usr/bin/python3 " CHECK_MAIL " %s ana@example.test 2", dir);
    CHECK_I64(0, system(command)); /* NOLINT(cert-env33-c) */
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    CHECK_I64(0, system(command)); /* NOLINT(cert-env33-c) */
}
