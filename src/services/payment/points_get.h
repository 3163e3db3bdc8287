/* payment/points_get.h - GET /loyalty-points: one's points, where they come from, and what they
 * are good for. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table points_routes;
