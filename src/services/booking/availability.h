/* booking/availability.h - what can be bought right now: GET and HEAD /events/{event}/tickets. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table availability_routes;
