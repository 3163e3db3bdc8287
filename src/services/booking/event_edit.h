/* booking/event_edit.h - an event through the API: made, shown, changed, cancelled. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table event_routes;
