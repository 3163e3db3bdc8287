/* payment/stripe_form.c - what Stripe is asked to make, as forms.
 *
 * Each is made of the request and of settings alone, so that it is the same whenever it comes again:
 * Stripe holds what comes under an Idempotency-Key against what came first. */
#include "services/payment/stripe_form.h"

#include <assert.h>

#include "services/payment/stripe_api.h"

enum { PAGE_LIFE_S = 45 * 60 }; /* Stripe wants 30 min at least, from when it has got it */

static str site_of(struct call *call)
{
    str site = config_text(call->self->node->config, "public.url");

    while (str_ends(site, STR("/")))
        site.size--;
    return site;
}

static str page_of(struct call *call, const char *name, str order)
{
    return arena_printf(call->arena, "%.*s/?%s=%.*s", STR_ARG(site_of(call)), name, STR_ARG(order));
}

static str currency_of(struct call *call, struct money money)
{
    char *code = arena_alloc(call->arena, CURRENCY_CODE_SIZE);

    for (size_t i = 0; i < CURRENCY_CODE_SIZE; i++) /* ISO 4217 is A to Z */
        code[i] = (char)(money.currency.code[i] - 'A' + 'a');
    return (str){code, CURRENCY_CODE_SIZE};
}

static str number(struct call *call, int64_t n)
{
    return arena_printf(call->arena, "%lld", (long long)n);
}

static str finish(const struct buf *form)
{
    assert(!form->overflow);
    return buf_str(form);
}

str stripe_intent_form(struct call *call, const struct charge_request *request, int64_t amount)
{
    struct buf form = buf_in(call->arena, STRIPE_FORM_SIZE_MAX);

    fetch_add_form(&form, STR("amount"), number(call, amount));
    fetch_add_form(&form, STR("currency"), currency_of(call, request->amount));
    fetch_add_form(&form, STR("capture_method"), STR("manual"));
    fetch_add_form(&form, STR("payment_method_types[]"), STR("card"));
    fetch_add_form(&form, STR("metadata[payment]"), request->payment);
    fetch_add_form(&form, STR("metadata[order]"), request->order);
    return finish(&form);
}

/* Stripe is told what to refuse, in groups of its own; what is left is compared once the brand is
 * known. */
static void add_blocked_brands(struct buf *form, str brands)
{
    static const struct {
        const char *brand;
        const char *group;
    } groups[] = {
        {"visa",       "visa"                   },
        {"mastercard", "mastercard"             },
        {"amex",       "american_express"       },
        {"discover",   "discover_global_network"},
    };

    for (size_t i = 0; brands.ptr != NULL && i < sizeof(groups) / sizeof(groups[0]); i++)
        if (!provider_takes_brand(brands, str_of(groups[i].brand)))
            fetch_add_form(form,
                           STR("payment_method_options[card][restrictions][brands_blocked][]"),
                           str_of(groups[i].group));
}

str stripe_page_form(struct call *call, const struct charge_request *request, int64_t amount)
{
    struct buf form = buf_in(call->arena, STRIPE_FORM_SIZE_MAX);

    fetch_add_form(&form, STR("mode"), STR("payment"));
    fetch_add_form(&form, STR("client_reference_id"), request->order);
    fetch_add_form(&form, STR("payment_method_types[]"), STR("card"));
    add_blocked_brands(&form, request->brands);
    fetch_add_form(&form, STR("line_items[0][quantity]"), STR("1"));
    fetch_add_form(&form, STR("line_items[0][price_data][currency]"),
                   currency_of(call, request->amount));
    fetch_add_form(&form, STR("line_items[0][price_data][unit_amount]"), number(call, amount));
    fetch_add_form(&form, STR("line_items[0][price_data][product_data][name]"),
                   arena_printf(call->arena, "Tickets, order %.*s", STR_ARG(request->order)));
    fetch_add_form(&form, STR("payment_intent_data[capture_method]"), STR("manual"));
    fetch_add_form(&form, STR("payment_intent_data[metadata][payment]"), request->payment);
    fetch_add_form(&form, STR("payment_intent_data[metadata][order]"), request->order);
    fetch_add_form(&form, STR("metadata[payment]"), request->payment);
    fetch_add_form(&form, STR("expires_at"),
                   number(call, request->begun_at_ms / 1000 + PAGE_LIFE_S));
    fetch_add_form(&form, STR("success_url"), page_of(call, "order", request->order));
    fetch_add_form(&form, STR("cancel_url"), page_of(call, "unpaid", request->order));
    fetch_add_form(&form, STR("expand[]"), STR("payment_intent.latest_charge"));
    return finish(&form);
}

str stripe_confirm_form(struct call *call, const struct charge_request *request)
{
    struct buf form = buf_in(call->arena, STRIPE_FORM_SIZE_MAX);

    fetch_add_form(&form, STR("payment_method"), request->token);
    fetch_add_form(&form, STR("return_url"), page_of(call, "order", request->order));
    fetch_add_form(&form, STR("expand[]"), STR("latest_charge"));
    return finish(&form);
}
