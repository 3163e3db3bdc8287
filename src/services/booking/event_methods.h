/* booking/event_methods.h - which of a vendor's payment methods an event takes; the methods themselves
 * are payment's. */
#pragma once

#include "platform/node/node.h"
#include "services/booking/event.h"

/* The event's list with the method in it: under its id if its type was there without one. False:
 * that type has another method, or the list is full. Pure, but for the arena. */
bool event_methods_add(struct arena *arena, const struct event *event,
                       const struct booking_accepted *method, struct event *ret);
/* The list without it; false: it is not in there. */
bool event_methods_remove(struct arena *arena, const struct event *event, struct uuid method,
                          struct event *ret);

/* Consumer of payment's "payment_method.changed": events show its new label. */
err event_methods_follow(struct call *call, struct tx *tx, const struct feed_event *news);
