/* payment/stripe_event.h - the inbox of what has happened at Stripe: by webhook, or from its list of
 * events, whichever comes first. */
#pragma once

#include "platform/node/node.h"

enum { STRIPE_EVENTS_KEPT_S = 40 * 86400 }; /* Stripe lists them for 30 days */
#define STRIPE_EVENT_CHORE "stripe_inbox"
#define STRIPE_POLL_CHORE  "stripe_events"

/* Keeps an Event (its JSON, verified), once for its id. ERR_OK also for one that is of no use to us. */
err stripe_event_take(struct call *call, str json);
/* Chore: sees to what is in the inbox. */
err stripe_event_run(struct call *call, int64_t *ret_next_ms);
/* Chore: asks for the events since it last did, once a minute, so that none is missed. */
err stripe_event_poll(struct call *call, int64_t *ret_next_ms);
