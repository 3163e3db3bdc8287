/* payment/sandbox_page.c - the sandbox's 3-D Secure page: its two buttons stand for the buyer's
 * bank.
 *
 * Whoever has the address may answer, as with a bank's page: the payment's id is in no other hands
 * than the buyer's. */
#include "services/payment/sandbox_page.h"

#include "services/payment/drive.h"
#include "services/payment/sandbox.h"

static err get_challenge(struct req *req)
{
    struct attempt attempt = {0};
    attempt_id id = {0};

    TRY(req_param_id(req, "payment", PAYMENT_PREFIX, &id.uuid));
    TRY(attempt_find(&req->call, id, &attempt));
    reply_header(req, "content-security-policy",
                 STR("default-src 'none'; form-action 'self'; frame-ancestors 'none'"));
    return reply_text(
        req, 200, STR("text/html; charset=utf-8"),
        arena_printf(req->call.arena,
                     "<!doctype html><html lang=\"en\"><title>Sandbox 3-D "
                     "Secure</title><h1>Sandbox 3-D Secure</h1>"
                     "<p>Pay %s?</p><form method=\"post\" "
                     "action=\"/sandbox/3ds/%s/approve\"><button>Approve</button></form>"
                     "<form method=\"post\" "
                     "action=\"/sandbox/3ds/%s/decline\"><button>Decline</button></form></html>",
                     money_format(attempt.amount).text, id_format(PAYMENT_PREFIX, id.uuid).text,
                     id_format(PAYMENT_PREFIX, id.uuid).text));
}

static err answer_challenge(struct req *req, bool approved)
{
    struct call *call = &req->call;
    struct attempt attempt = {0};
    attempt_id id = {0};

    TRY(req_param_id(req, "payment", PAYMENT_PREFIX, &id.uuid));
    TRY(attempt_find(call, id, &attempt));
    if (attempt.state != ATTEMPT_REQUIRES_ACTION)
        return call_explain(call, ERR_CONFLICT, "this payment does not wait for you");
    TRY(sandbox_answer_challenge(call, attempt_key(call->arena, id), approved));
    attempt_drive_or_leave(call, &attempt, STR_ABSENT);
    reply_header(
        req, "location",
        arena_printf(call->arena, "/?order=%s", id_format(ORDER_PREFIX, attempt.order.uuid).text));
    return reply_empty(req, 303);
}

static err post_approve(struct req *req)
{
    return answer_challenge(req, true);
}

static err post_decline(struct req *req)
{
    return answer_challenge(req, false);
}

static const struct route routes[] = {
    {METHOD_GET,  "/sandbox/3ds/{payment}",         get_challenge, AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_POST, "/sandbox/3ds/{payment}/approve", post_approve,  AUTH_NONE, NO_BODY, UNKEYED,
     ON_WORKER                                                                                           },
    {METHOD_POST, "/sandbox/3ds/{payment}/decline", post_decline,  AUTH_NONE, NO_BODY, UNKEYED,
     ON_WORKER                                                                                           },
};
const struct route_table sandbox_page_routes = ROUTE_TABLE(routes);
