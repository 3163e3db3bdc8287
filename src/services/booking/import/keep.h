/* booking/import/keep.h - an imported event beside the one that it is known as; for import.c alone.
 *
 * In what was read, a price or a total of -1 and a currency without a code were not said. */
#pragma once

#include "services/booking/event.h"
#include "services/booking/import/read.h"

/* Standards for what is new and was not said. */
void import_complete(struct event *event);
/* Gives `event` what the file does not say: ids, stock ids, what was published, what people are told about refunds, ticket types of the vendor's own.
 * `says_offers`: the file names prices, quantities or types. */
void import_keep(const struct event *old, struct event *event, bool says_offers);
/* What the file says of policies and limits, over what the event has. False: it cannot be read. */
bool import_terms_apply(struct arena *arena, const struct import_terms *terms, struct event *event);
/* The payment methods of a new event: what the file names, else cards. False: one of them is unknown. */
bool import_methods(struct arena *arena, const struct import_terms *terms, struct event *event);
/* Compares what both show, but for the ids of venue and artists, which writing finds. */
bool import_is_same(struct arena *arena, const struct event *old, struct event *event);
