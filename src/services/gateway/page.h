/* gateway/page.h - the first pages: a list of events to search, and an event to buy from. */
#pragma once

#include "base/buf.h"
#include "platform/http/http.h"

/* Adds `text` so that it is text anywhere in HTML, also inside a quoted attribute. Absent adds nothing. */
void page_add_text(struct buf *html, str text);

extern const struct route_table page_routes;
