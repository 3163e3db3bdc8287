/* booking/export/get.h - GET /vendors/{vendor}/export: one table of a vendor's data, a page at a time. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table export_routes;
