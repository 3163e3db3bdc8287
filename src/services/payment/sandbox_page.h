/* payment/sandbox_page.h - the page on which the sandbox asks a buyer what a bank would ask him. */
#pragma once

#include "platform/http/http.h"

extern const struct route_table sandbox_page_routes;
