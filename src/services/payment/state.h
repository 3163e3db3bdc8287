/* payment/state.h - what one running payment instance keeps in memory. */
#pragma once

#include "platform/node/node.h"
#include "services/payment/points_rules.h"

struct desk;
struct stripe;
struct zones;

struct payment {
    struct desk *desk;
    struct stripe *stripe; /* NULL: not set up */
    struct zones *zones;   /* where events are */
    struct points_rules points;
};

static inline struct payment *payment_of(const struct call *call)
{
    return (struct payment *)call->self->state;
}
