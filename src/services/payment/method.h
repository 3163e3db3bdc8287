/* payment/method.h - what vendors can be paid by: their payment methods, with a configuration that
 * is sealed in the database. */
#pragma once

#include "platform/http/http.h"

enum {
    METHODS_MAX = 100, /* of one vendor */
    METHOD_LABEL_MAX = 100,
    METHOD_CONFIG_MAX = 4096, /* bytes of JSON */
};

/* The configuration of a vendor's method, unsealed: JSON, absent if there is none. ERR_NOT_FOUND. */
err method_config(struct call *call, struct uuid vendor, struct uuid id, str *ret);

extern const struct route_table method_routes;
