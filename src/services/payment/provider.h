/* payment/provider.h - what a payment provider can do. A provider is one file behind this table.
 *
 * Every call carries a key that we made and stored before: the same key has its effect once,
 * however often it is sent. ERR_PROVIDER_UNAVAILABLE says that nothing has happened; any other
 * error of 500 and above, that nobody knows: ask `find` later. A refusal is an answer, not an
 * error. */
#pragma once

#include "base/money.h"
#include "platform/node/call.h"

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
    str token;
    str payment; /* TypeID of the attempt */
};
struct charge {
    enum charge_status status;
    err failure;
    str brand;
    str redirect_url;
    int64_t look_again_ms;
};

struct provider {
    const char *name;
    /* ERR_INVALID: the token is none of this provider's (explained); nothing has happened. */
    err (*check_token)(struct call *call, str token, str *ret_brand);
    err (*authorise)(struct call *call, const struct charge_request *request, struct charge *ret);
    /* ERR_NOT_FOUND: the key has not come so far. It may be on its way: only `cancel` makes
     * sure. */
    err (*find)(struct call *call, str key, struct charge *ret);
    err (*capture)(struct call *call, str key, struct charge *ret);
    /* Gives an authorisation back; from then on the key charges nothing, also if it never came.
     * What was captured stays so. */
    err (*cancel)(struct call *call, str key, struct charge *ret);
    /* ERR_NOT_REFUNDABLE: refused for good. */
    err (*refund)(struct call *call, str key, str charge_key, int64_t amount_minor);
};

extern const struct provider sandbox_provider;
