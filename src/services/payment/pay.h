/* payment/pay.h - POST /payment: a buyer pays an order. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table pay_routes;
