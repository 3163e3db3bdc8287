/* booking/redeem.h - orders that are paid with loyalty points, whole or in part. The points are
 * payment's (payment/points.h). */
#pragma once

#include "services/booking/order.h"

enum { REDEEM_TICKETS_MAX = 50 }; /* of an event that upgrades are shown for */

/* What points go by. Pure. */
enum booking_fate redeem_fate(enum order_status status);
