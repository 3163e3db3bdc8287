/* booking/ticket_files.h - tickets as files: QR codes and PDFs. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/qr.h"
#include "services/booking/ticket.h"

/* Does the ticket admit somebody, or has it? Only those have a code to show. */
bool ticket_has_code(const struct ticket *ticket);
/* The ticket's code as a picture. */
err ticket_qr(struct call *call, const struct ticket *ticket, const struct event *event,
              str *ret_code, struct qr *ret_qr);
/* One page for each of the tickets that has a code, `count` of them at least 1 and at most
 * TICKET_PDF_TICKETS_MAX. */
err tickets_print(struct call *call, const struct ticket *tickets, size_t count,
                  const struct event *event, str *ret_pdf);

extern const struct route_table ticket_file_routes;
