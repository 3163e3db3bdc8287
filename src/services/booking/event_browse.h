/* booking/event_browse.h - GET /events. */
#pragma once

#include "platform/http/http.h"

enum { LISTS_SIZE_MAX = 32 << 20 }; /* bytes of answers that are kept */

extern const struct route_table event_browse_routes;
