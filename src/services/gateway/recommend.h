/* gateway/recommend.h - GET /recommendations: what to go to. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table recommend_routes;
