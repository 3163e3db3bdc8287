/* booking/event_page.h - what pages show of events, as texts for people: the ops booking_event_cards and booking_event_page. */
#pragma once

#include "services/booking/event.h"

/* "from EUR 20.00", "EUR 20.00", "Free", "Sold out", "Not on sale". */
str event_price_text(struct call *call, const struct event *event);
/* "EUR 20.00", "Free". */
str price_words(struct arena *arena, struct money price);
