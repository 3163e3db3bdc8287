/* payment/provider.c - the providers that there are, and which of them takes cards here. */
#include "services/payment/provider.h"

const struct provider *provider_find(str name)
{
    static const struct provider *const providers[] = {&sandbox_provider, &stripe_provider};

    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
        if (str_eq(name, str_of(providers[i]->name)))
            return providers[i];
    return NULL;
}

const struct provider *provider_of_cards(const struct call *call)
{
    return provider_find(config_text(call->self->node->config, "payment.card_provider"));
}

bool provider_takes_brand(str brands, str brand)
{
    str rest = brands;
    str taken = STR_ABSENT;

    if (brands.ptr == NULL)
        return true;
    while (str_split(&rest, ' ', &taken))
        if (str_eq(taken, brand))
            return true;
    return false;
}
