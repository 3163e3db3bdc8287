/* booking/ticket_pdf.h - e-tickets to print or to show: one A4 page a ticket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    TICKET_PDF_TICKETS_MAX = 500,
    TICKET_PDF_SIZE_MAX = 64 * 1024 * 1024,
    TICKET_PDF_TEXT_SIZE_MAX = 1024, /* bytes of one text; what is longer is cut */
};

/* Texts in UTF-8, already in words for people; what is absent or empty is left out. */
struct ticket_print {
    str event_name;
    str vendor_name;
    str when; /* when_text; the zone in brackets at its end is set below it */
    str venue_name;
    str address;
    str city;
    str country;
    bool online; /* the venue is then left out */
    str type_name;
    str attendee_name;
    str price_text; /* "EGP 250.00" */
    str order_text; /* the ids as TypeIDs */
    str ticket_text;
    str note; /* what the holder has to do: "Pay EGP 250.00 at the entrance" */
    str code; /* ticket_code_make */
};

/* The fonts of one instance. Pango and fontconfig are not to be used by several threads at once, so
 * a printer draws one document at a time; callers may come from any thread. */
struct ticket_printer;

/* ERR_UNAVAILABLE if the machine has no fonts. */
err ticket_printer_open(struct ticket_printer **ret);
void ticket_printer_close(struct ticket_printer *printer); /* NULL is accepted */

/* The same bytes for the same arguments, on a machine with the same fonts. `count` is at least 1.
 * ERR_TOO_LARGE beyond TICKET_PDF_TICKETS_MAX or TICKET_PDF_SIZE_MAX; ERR_INVALID for a text that
 * is not UTF-8, and for a code that is none (qr_make). */
err ticket_pdf(struct ticket_printer *printer, struct arena *arena,
               const struct ticket_print *tickets, size_t count, int64_t created_at_ms, str *ret);
