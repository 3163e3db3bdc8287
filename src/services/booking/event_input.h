/* booking/event_input.h - what a vendor says of an event, checked and made into one. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/event.h"

struct event_input;

/* The input that says nothing new: of `current`, or (NULL) of a new event with its defaults. */
struct event_input *event_input_of(struct call *call, const struct event *current);
extern const struct json_shape event_input_shape;
/* Decodes the request's body over the input; checks all of it; gives the event that it describes: ids of new ticket types are made here, those of venue and artists by
 * event_insert. ERR_INVALID with each field's pointer. `current` as above. */
err event_input_read(struct req *req, struct event_input *input, const struct event *current,
                     struct event *ret);
