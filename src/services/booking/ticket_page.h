/* booking/ticket_page.h - the drawing of one ticket on one page: a part of ticket_pdf. */
#pragma once

#include <pango/pangocairo.h>

#include "services/booking/qr.h"
#include "services/booking/ticket_pdf.h"

/* A4 in points of 1/72 inch. */
#define TICKET_PAGE_WIDTH  595.276
#define TICKET_PAGE_HEIGHT 841.890

/* Of one text: three parts make an address. */
enum { TICKET_PAGE_TEXT_SIZE_MAX = 3 * (TICKET_PDF_TEXT_SIZE_MAX + 2) };

struct ticket_page {
    struct ticket_print ticket; /* its texts are UTF-8, without control characters, and bounded */
    str address;                /* "El Borg Gezira, Cairo, Egypt" */
    str zone;                   /* "EET, Africa/Cairo", no longer in ticket.when */
    struct qr qr;
    size_t number; /* from 1 */
    size_t count;
};

/* Draws, but does not end the page. Errors stay in the cairo context. `layout` serves all texts. */
void ticket_page_draw(const struct ticket_page *page, cairo_t *cairo, PangoLayout *layout);
