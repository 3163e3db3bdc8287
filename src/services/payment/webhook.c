/* payment/webhook.c - takes what Stripe sends: verified over the raw bytes, kept, answered.
 *
 * Nothing is believed of it but its id and what it is about: that is asked of Stripe again
 * (stripe_event.c), so order, repetition and delay of deliveries do not matter. */
#include "services/payment/webhook.h"

#include <string.h>

#include "platform/crypto/crypto.h"
#include "services/payment/state.h"
#include "services/payment/stripe_api.h"
#include "services/payment/stripe_event.h"

enum { BODY_MAX = 256 * 1024, MAC_TEXT_SIZE = 2 * SHA256_SIZE };

bool webhook_is_signed(str header, str body, str secret, int64_t now_s)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    uint8_t mac[SHA256_SIZE];
    str rest = header;
    str part = STR_ABSENT;
    str stamp = STR_ABSENT;
    int64_t at_s = 0;
    bool is_signed = false;

    while (rest.ptr != NULL && str_split(&rest, ',', &part))
        if (str_starts(part, STR("t=")))
            stamp = str_slice(part, 2, part.size);
    if (secret.size == 0 || !str_to_i64(stamp, &at_s) || at_s < now_s - WEBHOOK_TOLERANCE_S ||
        at_s > now_s + WEBHOOK_TOLERANCE_S)
        return false;
    hmac_sha256(secret, arena_printf(arena, "%.*s.%.*s", STR_ARG(stamp), STR_ARG(body)), mac);
    const str text = hex_encode(arena, (str){(const char *)mac, sizeof(mac)});
    rest = header;
    while (rest.ptr != NULL && str_split(&rest, ',', &part))
        if (str_starts(part, STR("v1=")) && part.size == 3 + MAC_TEXT_SIZE)
            is_signed |= equal_in_constant_time(part.ptr + 3, text.ptr, MAC_TEXT_SIZE);
    return is_signed;
}

static bool is_from_stripe(const struct req *req, const struct stripe *stripe)
{
    const str header = req_header(req, STR("stripe-signature"));
    bool is_signed = false;

    for (size_t i = 0; i < stripe->webhook_secret_count; i++)
        is_signed |= webhook_is_signed(header, req->body, stripe->webhook_secrets[i],
                                       req->call.now_ms / 1000);
    return is_signed;
}

static err post_stripe(struct req *req)
{
    struct call *call = &req->call;
    const struct stripe *stripe = payment_of(call)->stripe;

    if (stripe == NULL || req->body.ptr == NULL || !is_from_stripe(req, stripe))
        return call_explain(call, ERR_MALFORMED, "this is not signed by Stripe for this address");
    TRY(stripe_event_take(call, req->body));
    return reply_text(req, 200, STR("text/plain; charset=utf-8"), STR("taken\n"));
}

static const struct route routes[] = {
    {METHOD_POST, "/webhooks/stripe", post_stripe, AUTH_NONE, BODY(BODY_MAX), UNKEYED, ON_WORKER},
};
const struct route_table webhook_routes = ROUTE_TABLE(routes);
