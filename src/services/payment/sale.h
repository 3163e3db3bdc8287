/* payment/sale.h - what an attempt pays for, line by line: kept from when it begins until it is
 * posted, and for its refunds. */
#pragma once

#include "services/payment/attempt.h"

struct sale {
    str timezone; /* IANA, of the event; empty: UTC */
    const struct booking_money_line *lines;
    size_t line_count; /* BOOKING_LINES_MAX at most */
};

/* Keeps what an attempt is going to pay, once; ERR_DUPLICATE: that was done. More lines than
 * BOOKING_LINES_MAX: ERR_INTERNAL. */
err sale_keep(struct tx *tx, attempt_id id, const struct sale *sale);
/* Other lines than it began with: what was paid by hand in the end. */
err sale_change(struct tx *tx, attempt_id id, const struct sale *sale);
/* An attempt that was begun before there were sales has an empty one. */
err sale_find(struct tx *tx, struct call *call, attempt_id id, struct sale *ret);
