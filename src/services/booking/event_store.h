/* booking/event_store.h - events in the database: read whole, written whole. */
#pragma once

#include "platform/db/db.h"
#include "services/booking/event.h"

/* Reads one event; its texts live in call's arena. ERR_NOT_FOUND. */
err event_read(struct tx *tx, struct call *call, event_id id, struct event *ret);
/* The ids of all events. */
err event_ids(struct tx *tx, struct call *call, event_id **ret, size_t *ret_count);

/* Writes a new event: finds or makes its venue and artists (and gives event the ids it found), makes the slug unique, opens its stock, tells the outbox. */
err event_insert(struct tx *tx, struct call *call, struct event *event, str import_key);
/* Writes what changed from `old` (whose version its row must still have: ERR_STALE) to `event`, with the version that follows; moves its stock along: ERR_CONFLICT, explained,
 * where that cannot be. */
err event_update(struct tx *tx, struct call *call, const struct event *old, struct event *event);
/* Removes a draft; its ticket types must never have been held or sold (ERR_CONFLICT). */
err event_delete(struct tx *tx, struct call *call, const struct event *event);
/* What the event's policies were in that version. ERR_NOT_FOUND. */
err event_policies_at(struct tx *tx, struct call *call, event_id id, int64_t version,
                      struct event_policies *ret);
/* Does any order of the event exist? */
err event_has_orders(struct tx *tx, event_id id, bool *ret);
/* The event that was imported under this key. ERR_NOT_FOUND. */
err event_of_import(struct tx *tx, struct call *call, str key, event_id *ret);
