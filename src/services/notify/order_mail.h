/* notify/order_mail.h - what a buyer is mailed about an order: the tickets, or that it was
 * cancelled. */
#pragma once

#include "platform/mail/mail.h"
#include "services/booking/booking.h"

enum order_news { ORDER_CONFIRMED, ORDER_PENDING, ORDER_CANCELLED };

/* The message about an order, in words and with its tickets: text, HTML, PDF, calendar and a QR
 * code each (of the first MAIL_ATTACHMENTS_MAX). Pure: what it says is in its arguments.
 * ERR_INVALID: a document that cannot be read, or one too long for a mail. */
struct order_mail {
    enum order_news news;
    const struct booking_documents *documents;
    str buyer_name;
    str buyer_email;
    str from;       /* "Boxoffice <tickets@example.org>" */
    str public_url; /* without a slash at its end; absent: no links */
    int64_t at_ms;
};
err order_mail_write(struct arena *arena, const struct order_mail *in, struct mail *ret);
