/* booking/ids.h - kinds of ids that booking gives out, and the attempt's, which payment does. */
#pragma once

#include "base/id.h"

typedef struct event_id {
    struct uuid uuid;
} event_id;
typedef struct venue_id {
    struct uuid uuid;
} venue_id;
typedef struct artist_id {
    struct uuid uuid;
} artist_id;
typedef struct ticket_type_id {
    struct uuid uuid;
} ticket_type_id;
typedef struct order_id {
    struct uuid uuid;
} order_id;
typedef struct ticket_id {
    struct uuid uuid;
} ticket_id;
typedef struct attempt_id { /* of a payment: "pay_..." */
    struct uuid uuid;
} attempt_id;
typedef struct refund_id {
    struct uuid uuid;
} refund_id;

#define EVENT_PREFIX          "evt"
#define VENUE_PREFIX          "ven"
#define ARTIST_PREFIX         "art"
#define TICKET_TYPE_PREFIX    "tt"
#define ORDER_PREFIX          "ord"
#define TICKET_PREFIX         "tkt"
#define PAYMENT_PREFIX        "pay"
#define REFUND_PREFIX         "rf"
#define PAYMENT_METHOD_PREFIX "pm"
