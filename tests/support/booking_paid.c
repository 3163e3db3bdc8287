/* support/booking_paid.c - the services of a booking_node that takes money: payment as it is,
 * with its sandbox provider. */

#include "services/payment/payment.h"
#include "support/booking_others.h"

const struct service *const booking_services[] = {&booking_service, &other_identity,
                                                  &payment_service, NULL};
