/* booking/event_cancel.h - what becomes of the orders of a cancelled event. */
#pragma once

#include "platform/http/http.h"
#include "platform/node/node.h"

#define EVENT_CANCEL_JOB "cancel_event_orders"
enum {
    EVENT_CANCEL_ORDERS = 50,      /* in one write of the desk, and in one job */
    EVENT_CANCEL_AGAIN_MS = 60000, /* orders with money on its way are looked at again */
    EVENT_CANCEL_TRIES_MAX = 100,
    EVENT_CANCEL_BACKOFF_S = 1,
};

/* The job EVENT_CANCEL_JOB: {"event_id", "after"?}. Ends the next orders behind `after`, in the
 * order of their ids, and leaves a job for those behind them. */
err event_cancel_orders(struct call *call, str payload);

/* GET /events/{event}/cancellation: how far it is. */
extern const struct route_table event_cancel_routes;
