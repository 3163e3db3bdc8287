/* payment/stripe_object.h - Stripe's objects, as far as we read them, and what they say of a charge.
 *
 * Source: docs.stripe.com/api, of the version in stripe_api.c. */
#pragma once

#include "services/payment/provider.h"

/* A PaymentIntent, with `latest_charge` expanded. Absent: null, or not there. */
struct stripe_failure {
    str code;
    str decline_code;
};
struct stripe_redirect {
    str url;
};
struct stripe_action {
    struct stripe_redirect *redirect_to_url;
};
struct stripe_card {
    str brand;
};
struct stripe_details {
    struct stripe_card *card;
};
struct stripe_charge {
    struct stripe_details *details;
};
struct stripe_metadata {
    str payment; /* our id of it */
    str refund;
};
struct stripe_intent {
    str id;
    str status;
    struct stripe_failure *failure;
    struct stripe_action *action;
    struct stripe_charge *charge;
    struct stripe_metadata *metadata;
};
/* A Checkout Session, with `payment_intent.latest_charge` expanded. */
struct stripe_session {
    str id;
    str url;
    str status; /* "open", "complete", "expired" */
    struct stripe_intent *intent;
};
struct stripe_refund {
    str id;
    str status; /* "pending", "requires_action", "succeeded", "failed", "canceled" */
    struct stripe_metadata *metadata;
};
struct stripe_refunds { /* a list */
    struct stripe_refund *items;
    size_t count;
    bool has_more;
};

extern const struct json_shape stripe_details_shape; /* a PaymentMethod reads like one, too */
extern const struct json_shape stripe_intent_shape;
extern const struct json_shape stripe_session_shape;
extern const struct json_shape stripe_refund_shape;
extern const struct json_shape stripe_refunds_shape;

/* Is it waiting for somebody to confirm it, and nobody ever has? */
bool stripe_is_unconfirmed(const struct stripe_intent *intent);
/* Can it still be made void? */
bool stripe_is_cancellable(const struct stripe_intent *intent);
/* Of an intent that was confirmed once. */
struct charge stripe_intent_charge(const struct stripe_intent *intent);
struct charge stripe_session_charge(const struct stripe_session *session);
/* What the buyer is told: ERR_CARD_DECLINED or ERR_INSUFFICIENT_FUNDS. */
err stripe_refusal(str code, str decline_code);
enum refund_status stripe_refund_status(const struct stripe_refund *refund);
