/* booking/buyer.h - how many tickets of an event a user holds or has bought, where the event limits it. */
#pragma once

#include "platform/db/db.h"
#include "services/booking/ids.h"

/* In a write transaction, before stock is taken: counts `quantity` more, up to `quantity_max` in all. Tickets from before the event had a limit count too.
 * ERR_LIMIT_EXCEEDED: nothing was written. */
err buyer_take(struct tx *tx, struct uuid user, event_id event, int64_t quantity,
               int64_t quantity_max);
/* Tickets went back (expired, cancelled, refunded). Nothing happens where the user is not counted for the event. */
err buyer_give_back(struct tx *tx, struct uuid user, event_id event, int64_t quantity);
