/* booking/ticket_end.h - tickets that admit nobody any more: cancelled or refunded, and their
 * stock on sale again. */
#pragma once

#include "services/booking/desk.h"
#include "services/booking/order.h"
#include "services/booking/ticket.h"

struct tickets_end {
    const struct order *order;
    const struct ticket *tickets; /* of the order; those that are not valid stay as they are */
    size_t count;
    enum ticket_status to; /* cancelled or refunded */
    str reason;            /* absent: none */
};
/* Ends the valid ones: their status, the next generation, so that their codes are dead; stock and
 * the buyer's count go back, each is told of as "ticket.cancelled". In the desk's transaction.
 * ERR_CONFLICT: one of them has changed since it was read. */
err tickets_end(struct tx *tx, struct desk_write *write, const struct tickets_end *in,
                size_t *ret_count);
