/* gateway/page_ld.h - an event as search engines and calendars read it. */
#pragma once

#include "services/booking/booking.h"

/* The event as schema.org Event in JSON-LD. Without '<', '>' and '&', so that it may stand in a
 * script element as it is. `address` is the page's own. */
str page_ld(struct arena *arena, str address, const struct booking_page *event);
