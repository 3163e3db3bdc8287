/* booking/refund.h - tickets given back: DELETE /tickets/{ticket} and POST /tickets/refund. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/ticket.h"

enum { REFUND_TICKETS_MAX = 100 };

/* May this ticket be given back at all? ERR_NOT_REFUNDABLE with a sentence. Pure. */
err refund_check(struct call *call, const struct ticket *ticket);

/* How much of a ticket's money comes back to its buyer at call->now_ms: by the policies that it was
 * sold under (`sold`), or by those of today where they give him more. Whoever sells the event, and
 * everybody where it is cancelled, gives all of it back. `event` may be NULL. */
enum { REFUND_TERMS_MAX = 2 };
struct refund_terms {
    struct price_terms items[REFUND_TERMS_MAX]; /* of each ticket what gives most */
    size_t count;
};
/* ERR_NOT_REFUNDABLE with a sentence. Pure. */
err refund_terms_find(struct call *call, const struct event_policies *sold,
                      const struct event *event, bool sells, struct refund_terms *ret);

extern const struct route_table refund_routes;
