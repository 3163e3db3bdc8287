/* booking/ticket_end.h - tickets that admit nobody any more: cancelled or refunded, and their stock on sale again. */
#pragma once

#include "services/booking/desk.h"
#include "services/booking/order.h"
#include "services/booking/ticket.h"

struct tickets_ended {
    int64_t count;
    int64_t price_minor; /* what they cost together */
};

/* Ends those of `tickets` (all of `order`) that are valid: status `to`, the next generation, so that their codes are dead; stock and the buyer's
 * count go back, each ticket is told of as "ticket.cancelled" for `reason` (may be absent). In the desk's transaction. ERR_CONFLICT: one of the
 * valid ones has changed meanwhile. */
err tickets_end(struct tx *tx, struct desk_write *write, const struct order *order,
                const struct ticket *tickets, size_t count, enum ticket_status to, str reason,
                struct tickets_ended *ret);
