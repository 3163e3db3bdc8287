/* booking/settle.h - POST /orders/{order}/settle: the vendor has got the cash, or the transfer. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table settle_routes;
