/* booking/transfer.h - where the money for an order is to be sent, for whoever has promised it. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/booking.h"
#include "services/booking/order.h"

/* The account that a promised order is paid into: what the vendor has said of it, to be shown to the
 * buyer of this order alone. Empty where nothing is due by transfer, or the vendor has not said. Not
 * within a transaction. */
err transfer_account(struct call *call, const struct order *order,
                     struct booking_account_line **ret_lines, size_t *ret_count);
/* Is the order promised, and to be paid by bank transfer? */
bool transfer_is_due(const struct order *order);

extern const struct route_table transfer_routes;
extern const struct json_shape booking_account_line_shape;
