/* payment/stripe_fixture.h - for tests: a till whose cards are charged by the fake Stripe
 * (tests/fake_stripe), a server of its own beside the test. */
#pragma once

#include "platform/fetch/fetch.h"
#include "services/payment/till_fixture.h"
#include "support/beside.h"

#define STRIPE_WEBHOOK_SECRET "whsec_of_a_test"

struct stripe_till {
    struct office office;
    struct arena *arena; /* as long as the till */
    struct beside fake;
    struct fetcher *fetcher;
    const char *base;
    const char *settings[8];
};

void stripe_till_open(struct stripe_till *till);
void stripe_till_close(struct stripe_till *till); /* for CLEANUP too */

/* Sends JSON to the fake's /_control; what it answers. */
str stripe_command(struct stripe_till *till, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The number at "/orders/ORDER/NAME" of it; 0: none. */
int64_t stripe_count(struct stripe_till *till, order_id order, const char *name);
/* One fault of the fake, from now on; `kind` NULL: none any more. */
void stripe_fault(struct stripe_till *till, const char *op, const char *kind, int skip, int count);
/* The buyer pays on the page with that card, or answers his bank ("approve", "decline"), if either
 * waits for him. */
void stripe_pay(struct stripe_till *till, order_id order, const char *card);

/* Where the order's payment has sent him. */
str stripe_page(struct stripe_till *till, order_id order);

/* Both clocks. */
void stripe_advance(struct stripe_till *till, int64_t by_ms);
/* Until nothing can be unfinished for any other reason than that somebody has to do something. */
void stripe_settle_down(struct stripe_till *till);
