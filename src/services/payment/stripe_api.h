/* payment/stripe_api.h - one question to Stripe's API, and what its answer means.
 *
 * Source: docs.stripe.com/api (errors, idempotent requests, versioning). */
#pragma once

#include "platform/fetch/fetch.h"
#include "platform/node/node.h"

enum { STRIPE_SECRETS_MAX = 4, STRIPE_FORM_SIZE_MAX = 8192 };

struct stripe {
    struct fetcher *fetcher;
    struct arena *arena; /* of what is below */
    str base;            /* "https://api.stripe.com" */
    str authorization;   /* "Bearer sk_..."; absent: no key is named */
    str webhook_secrets[STRIPE_SECRETS_MAX];
    size_t webhook_secret_count;
    int64_t retry_ms;
};

/* From the settings payment.stripe.*; *ret NULL: no secret is named. ERR_INVALID (explained): a
 * file cannot be read, is readable for everybody, or is empty; the address is not https. */
err stripe_open(struct call *call, struct stripe **ret);
void stripe_close(struct stripe *stripe); /* NULL is accepted */
/* The one of this instance, if it can ask anything. ERR_UNAVAILABLE (explained): it has no key. */
err stripe_of(struct call *call, struct stripe **ret);

struct stripe_question {
    const char *method;
    str path; /* "/v1/..." */
    str form; /* absent: none */
    str key;  /* Idempotency-Key; absent: none */
};
struct stripe_error {
    str type; /* "card_error", "invalid_request_error", "idempotency_error", ... */
    str code; /* "card_declined", "payment_intent_unexpected_state", ... */
    str decline_code;
    str param;
};
struct stripe_answer {
    int status;
    str body;
    struct stripe_error error;
    bool is_saved; /* it is what Stripe has kept for this Idempotency-Key, and will always give */
};

/* Tries a few times, with growing pauses, what can be tried again under the same key. ERR_OK: 2xx. ERR_CONFLICT: refused, see
 * ret->error; nothing has happened. ERR_PROVIDER_UNAVAILABLE: nothing has happened either, but it may
 * later (not reached, 409, 429, our key is not taken). ERR_UNAVAILABLE: nobody knows. How long Stripe
 * asks to wait is in call->problem.retry_after_s. */
err stripe_ask(struct call *call, const struct stripe_question *question,
               struct stripe_answer *ret);
