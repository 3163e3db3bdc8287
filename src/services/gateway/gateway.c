/* gateway/gateway.c - the gateway service: whose a request is, how often it may come, and the
 * pages. It owns nothing durable. */
#include "services/gateway/gateway.h"

#include "platform/cache/cache.h"
#include "services/gateway/page.h"
#include "services/gateway/rate.h"
#include "services/gateway/recommend.h"
#include "services/identity/identity.h"

/* Generous for people, tight for guessing: an account is one person; a network may be a campus. */
static const struct bucket_limit per_account = {.per_s = 200, .burst = 1000};
static const struct bucket_limit per_network = {.per_s = 2000, .burst = 10000};
static const struct bucket_limit sign_in_per_network = {.per_s = 20, .burst = 400};

static const struct setting setting_rows[] = {
    SETTING_ON_OFF("gateway.rate_limit", 1,
                   "Limits how often an account, or a network that has not signed in, may ask."),
};
static const struct settings gateway_settings = SETTINGS(setting_rows);

err gateway_authenticate(struct req *req)
{
    const struct identity_token_verify in = {.token = req->authorization};
    struct identity_token_verified verified = {0};

    if (req->authorization.ptr == NULL)
        return ERR_OK;
    TRY(identity_token_verify(&req->call, &in, &verified));
    req->call.caller = (struct caller){
        .role = (enum role)verified.role,
        .user = verified.user.uuid,
        .vendor = verified.vendor.uuid,
        .session = verified.session.uuid,
    };
    return ERR_OK;
}

/* Sign-in and registration come from nobody yet, so they count for their network, in a bucket of
 * their own. */
static bool is_sign_in(const struct req *req)
{
    const str path = str_of(req->route->path);

    return req->method == METHOD_POST &&
           (str_eq(path, STR("/login")) || str_eq(path, STR("/register")));
}

err gateway_admit(struct req *req)
{
    const struct bucket_limit *limit = &per_network;
    uint64_t key = 0;
    int wait_s = 0;

    if (req->call.self == NULL) /* the server's own: health checks are never refused */
        return ERR_OK;
    const struct node *node = req->call.self->node;
    if (!config_on(node->config, "gateway.rate_limit"))
        return ERR_OK;
    if (!uuid_is_zero(req->call.caller.user)) {
        limit = &per_account;
        key = uuid_hash(req->call.caller.user);
    } else {
        key = rate_network_key(req->remote_address);
        if (is_sign_in(req)) {
            limit = &sign_in_per_network;
            key = ~key;
        }
    }
    const err e =
        cache_take(node->cache, key, limit, req->call.now_ms, req->call.may_block, &wait_s);
    if (e != ERR_RATE_LIMITED)
        return e;
    req->call.problem.retry_after_s = wait_s;
    return call_explain(&req->call, e, "at most %d requests a second, with bursts of %d",
                        limit->per_s, limit->burst);
}

static const struct route_table *const routes[] = {&page_routes, &recommend_routes, NULL};

const struct service gateway_service = {
    .name = "gateway",
    .routes = routes,
    .settings = &gateway_settings,
};
