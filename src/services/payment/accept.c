/* payment/accept.c - holds what the buyer wants to pay with against what the event takes.
 *
 * An event takes "card", which is any, or cards by their brand. Where the brand is known only once the
 * card is charged, the brands go with the attempt and are compared then. */
#include "services/payment/accept.h"

enum { BRANDS_SIZE_MAX = 1024 };

static bool is_card_type(str type)
{
    return !str_eq(type, STR("cash_on_arrival")) && !str_eq(type, STR("bank_transfer")) &&
           !str_eq(type, STR("free"));
}

/* Is it the method that was asked for, as far as the request says which? */
static bool is_meant(const struct booking_accepted *accepted, struct uuid payment_method)
{
    return uuid_is_zero(payment_method) || uuid_eq(accepted->payment_method, payment_method);
}

/* "visa mastercard"; absent: any; empty: none. */
static str card_brands(struct arena *arena, const struct booking_payment_begun *begun,
                       struct uuid payment_method)
{
    struct buf brands = buf_in(arena, BRANDS_SIZE_MAX);

    for (size_t i = 0; i < begun->accepted_count; i++) {
        const str type = begun->accepted[i].type;

        if (!is_meant(&begun->accepted[i], payment_method) || !is_card_type(type))
            continue;
        if (str_eq(type, STR("card")))
            return STR_ABSENT;
        buf_add_cstr(&brands, brands.size > 0 ? " " : "");
        buf_add(&brands, type);
    }
    return brands.size > 0 ? buf_str(&brands) : STR("");
}

static bool takes_card(const struct attempt *attempt)
{
    if (attempt->brands.ptr == NULL || attempt->brand.size == 0)
        return attempt->brands.ptr == NULL || attempt->brands.size > 0;
    return provider_takes_brand(attempt->brands, attempt->brand);
}

static bool takes_method(const struct booking_payment_begun *begun, struct uuid payment_method,
                         str method)
{
    for (size_t i = 0; i < begun->accepted_count; i++)
        if (is_meant(&begun->accepted[i], payment_method) &&
            str_eq(begun->accepted[i].type, method))
            return true;
    return false;
}

err accept_payment(struct call *call, const struct booking_payment_begun *begun,
                   struct uuid payment_method, struct attempt *attempt)
{
    const struct provider *provider = provider_find(attempt->provider);
    const bool is_free = str_eq(attempt->method, STR("free"));
    bool taken =
        is_free == (begun->total.minor == 0); /* nothing to pay needs no method of the event */

    if (provider != NULL)
        attempt->brands = card_brands(call->arena, begun, payment_method);
    if (taken && !is_free)
        taken = provider != NULL ? takes_card(attempt)
                                 : takes_method(begun, payment_method, attempt->method);
    if (!taken)
        return call_explain(call, ERR_METHOD_NOT_ACCEPTED,
                            "this event does not take that payment method for this order");
    return provider != NULL ? provider->check_amount(call, begun->total) : ERR_OK;
}
