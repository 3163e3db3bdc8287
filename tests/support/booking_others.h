/* support/booking_others.h - the services beside booking in a booking_node, as far as tests need them. */
#pragma once

#include "platform/node/node.h"

/* Knows everybody: "usr_..." is user@example.com by the name of "Some Body", every vendor is "Some Stage". */
extern const struct service other_identity;

/* What runs in a booking_node, ended by NULL: booking_unpaid.c or booking_paid.c, whichever is linked, says so. */
extern const struct service *const booking_services[];
