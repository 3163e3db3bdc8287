/* payment/provider.h - what a payment provider can do. A provider is one file behind this table.
 *
 * Every call carries a key that we made and stored before: the same key has its effect once,
 * however often it is sent. ERR_PROVIDER_UNAVAILABLE says that nothing has happened; any other
 * error of 500 and above, that nobody knows: ask `find` later. A refusal is an answer, not an
 * error. */
#pragma once

#include "base/money.h"
#include "platform/node/call.h"
#include "services/payment/payment.h"

enum charge_status {
    CHARGE_PROCESSING,      /* look again at look_again_ms */
    CHARGE_REQUIRES_ACTION, /* the buyer has something to do at redirect_url */
    CHARGE_AUTHORISED,
    CHARGE_CAPTURED,
    CHARGE_VOIDED,
    CHARGE_DECLINED, /* see failure */
};

struct charge_request {
    str key;
    struct money amount;
    str token;           /* absent: the buyer pays on a page of the provider's */
    str payment;         /* TypeID of the attempt */
    str order;           /* TypeID */
    str brands;          /* "visa mastercard": what the event takes; absent: any */
    int64_t begun_at_ms; /* the same whenever this request comes again */
};
struct charge {
    enum charge_status status;
    err failure;
    str brand;
    str redirect_url;
    int64_t look_again_ms; /* 0: the provider does not say */
};

struct refund_request {
    str key;
    str charge_key;
    struct money amount;
};

struct provider {
    const char *name;
    bool
        has_page; /* `authorise` without a token makes a page to pay on, and may be repeated until it has */
    int64_t action_life_s; /* so long a buyer has for what is asked of him */
    int64_t look_ms; /* how often to look at what takes a while, at first; 0: it tells us itself */
    /* ERR_INVALID: the token is none of this provider's (explained); nothing has happened. *ret_brand
     * absent: it is known once the card is charged. */
    err (*check_token)(struct call *call, str token, str *ret_brand);
    /* ERR_METHOD_NOT_ACCEPTED (explained): it cannot charge that amount, or that currency. */
    err (*check_amount)(struct call *call, struct money amount);
    err (*authorise)(struct call *call, const struct charge_request *request, struct charge *ret);
    /* ERR_NOT_FOUND: the key has not come so far. It may be on its way: only `cancel` makes
     * sure. */
    err (*find)(struct call *call, str key, struct charge *ret);
    err (*capture)(struct call *call, str key, struct charge *ret);
    /* Gives an authorisation back; from then on the key charges nothing, also if it never came.
     * What was captured stays so. */
    err (*cancel)(struct call *call, str key, struct charge *ret);
    /* *ret_status REFUND_PENDING: it is under way; REFUND_FAILED: it was under way and came to nothing,
     * and the next call begins anew. ERR_NOT_REFUNDABLE: refused. */
    err (*refund)(struct call *call, const struct refund_request *request,
                  enum refund_status *ret_status);
};

extern const struct provider sandbox_provider;
extern const struct provider stripe_provider;

/* The provider of that name; NULL: none is known by it. */
const struct provider *provider_find(str name);
/* Who charges cards from now on: payment.card_provider. */
const struct provider *provider_of_cards(const struct call *call);
/* Is `brand` one of `brands` ("visa mastercard"; absent: any)? Pure. */
bool provider_takes_brand(str brands, str brand);
