/* services/booking/import/from_ld.h - the parts of reading JSON-LD; for import_ld*.c alone. */
#pragma once

#include <jansson.h>

#include "base/mem.h"
#include "services/booking/import/row.h"

/* Is it an object with a @type of Event or below? */
bool ld_is_event(const json_t *node);
/* What the event says. NULL, or why it is none. Notes go to the run's reader. */
const char *ld_event_read(struct import_run *run, const json_t *event, struct import_draft *draft);
/* Its offers as ticket types, and their currency. */
const char *ld_offers_read(struct import_run *run, const json_t *event, struct import_draft *draft);

/* The text of a value: a string, a number, {"@value": ...}, {"name": ...}, or the first of a list of these. Absent: it has none. */
str ld_text(struct arena *arena, const json_t *value);
/* "EventCancelled" of "https://schema.org/EventCancelled"; what stands behind the last of "/#:". */
str ld_word(str text);
/* A date or time as import_row reads it: offsets such as +0200 get their colon. */
str ld_when(struct arena *arena, str text);
