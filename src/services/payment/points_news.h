/* payment/points_news.h - what booking tells that matters to points: consumers of "order.*" and
 * "ticket.checked_in". */
#pragma once

#include "platform/node/outbox.h"

#define POINTS_ORDER_NEWS \
    "order.confirmed order.paid order.pending order.refunded order.expired order.cancelled"

err points_follow_orders(struct call *call, struct tx *tx, const struct feed_event *event);
err points_follow_tickets(struct call *call, struct tx *tx, const struct feed_event *event);
