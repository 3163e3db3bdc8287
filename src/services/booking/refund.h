/* booking/refund.h - tickets given back: DELETE /tickets/{ticket} and POST /tickets/refund. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/ticket.h"

enum { REFUND_TICKETS_MAX = 100 };

/* May this ticket be given back at call->now_ms? `event` may be NULL: then only by who sells it.
 * Whoever sells it (`sells`: the vendor, an admin) may at any time, the buyer as the event's
 * policies say. ERR_NOT_REFUNDABLE with a sentence. Pure. */
err refund_check(struct call *call, const struct ticket *ticket, const struct event *event,
                 bool sells);

extern const struct route_table refund_routes;
