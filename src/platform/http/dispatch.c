/* platform/http/dispatch.c - runs a request through its checks and its handler, on whichever thread
 * has it.
 *
 *   new -> route 404, 405 -> authenticate 401 -> role 403 -> admit 429 -> handler -> answered
 *                               |                                     |
 *                               |                                     +-- ERR_PARKED: stands until
 *                               |                                         req_resume
 *                               +-- ERR_WOULD_BLOCK (here or in the handler): the same step
 *                                   again on a worker, or 503
 *
 * A request belongs to one thread at a time; what hands it on must not touch it any more.
 * Parking is the one place where two sides meet: the runner, whose handler has returned
 * ERR_PARKED, and the resumer, who may be faster. Each sets its bit in `park`, and whoever finds
 * the other's bit set goes on with the request. */

#include <assert.h>

#include "platform/http/internal.h"

/* --- The steps --- */

static err check_role(struct req *req)
{
    const enum role role = req->call.caller.role;

    switch (req->route->auth) {
    case AUTH_NONE:
    case AUTH_OPTIONAL:
        return ERR_OK;
    case AUTH_USER:
        return role != ROLE_ANONYMOUS ? ERR_OK : ERR_UNAUTHENTICATED;
    case AUTH_CUSTOMER:
    case AUTH_VENDOR:
    case AUTH_ADMIN:
        break;
    }
    if (role == ROLE_ANONYMOUS)
        return ERR_UNAUTHENTICATED;
    const bool is_allowed = req->route->auth == AUTH_CUSTOMER ? role == ROLE_CUSTOMER
                            : req->route->auth == AUTH_VENDOR
                                ? role == ROLE_VENDOR || role == ROLE_ADMIN
                                : role == ROLE_ADMIN;
    return is_allowed ? ERR_OK : ERR_FORBIDDEN;
}

static err authenticate(struct exchange *exchange)
{
    const struct http_server *server = exchange->server;
    struct req *req = &exchange->req;

    if (req->route->auth == AUTH_NONE)
        return ERR_OK;
    if (exchange->authorization_is_malformed)
        return call_explain(&req->call, ERR_UNAUTHENTICATED,
                            "The Authorization header is not \"Bearer TOKEN\".");
    const err e = server->authenticate != NULL ? server->authenticate(req) : ERR_OK;
    if (e == ERR_UNAUTHENTICATED && req->route->auth == AUTH_OPTIONAL &&
        req->authorization.ptr == NULL) {
        req->call.caller = (struct caller){0};
        req->call.problem = (struct problem){0};
        return ERR_OK;
    }
    TRY(e);
    return check_role(req);
}

static err run_steps(struct exchange *exchange)
{
    struct req *req = &exchange->req;

    if (exchange->stage == STAGE_AUTHENTICATE) {
        TRY(authenticate(exchange));
        exchange->stage = STAGE_ADMIT;
    }
    if (exchange->stage == STAGE_ADMIT) {
        if (exchange->server->admit != NULL)
            TRY(exchange->server->admit(req));
        exchange->stage = STAGE_HANDLER;
    }
    if (exchange->then_on == ON_WORKER && !req->call.may_block)
        return ERR_WOULD_BLOCK;
    return exchange->then(req);
}

/* --- What comes of them --- */

static void answer(struct exchange *exchange, err e)
{
    if (e == ERR_OK && exchange->reply.status == 0)
        e = call_explain(&exchange->req.call, ERR_INTERNAL, "the handler gave no reply");
    if (e != ERR_OK)
        problem_reply(exchange, e);
    reply_finish(exchange);
    if (exchange->req.call.may_block) {
        meter_place(exchange, PLACE_HANDOVER);
        loop_post(exchange->loop, exchange, MESSAGE_ANSWER);
    } else {
        exchange_send(exchange);
    }
}

/* What a first try left behind must not show in the second; what came before a park is kept. */
static void move_to_worker(struct exchange *exchange)
{
    struct workers *workers = exchange->server->workers;

    if (!exchange->was_parked)
        exchange->reply = (struct reply){0};
    exchange->req.call.problem = (struct problem){0};
    exchange->req.call.may_block = true; /* before it is offered: from then on it is not ours */
    meter_place(exchange, PLACE_QUEUE);
    if (exchange->was_parked ? workers_add(workers, exchange) : workers_offer(workers, exchange))
        return;
    exchange->req.call.may_block = false;
    meter_place(exchange, PLACE_LOOP);
    answer(exchange, exchange->was_parked ? ERR_UNAVAILABLE : ERR_OVERLOADED);
}

/* True: whoever resumes it has it now. False: it has been resumed already, so we go on. */
static bool stays_parked(struct exchange *exchange)
{
    struct metric *parked = exchange->server->meter.parked;

    assert(exchange->stage == STAGE_HANDLER);
    metric_add(parked, 1);
    const enum place place = exchange->place;
    meter_place(exchange, PLACE_PARKED);
    if ((atomic_fetch_or(&exchange->park, PARK_WAITS) & PARK_RESUMED) == 0)
        return true;
    metric_add(parked, -1);
    meter_place(exchange, place);
    atomic_store(&exchange->park, 0);
    exchange->was_parked = true;
    return false;
}

static void note_spent(struct exchange *exchange)
{
    int64_t spent_ns[SPENT_KINDS];

    spent_take(spent_ns);
    for (int i = 0; i < SPENT_KINDS; i++)
        exchange->component_ns[i] += spent_ns[i];
}

void dispatch_run(struct exchange *exchange)
{
    int64_t spent_ns[SPENT_KINDS];

    for (;;) {
        (void)err_trail_take(); /* of whatever this thread did before */
        spent_take(spent_ns);
        const err e = run_steps(exchange);
        note_spent(exchange); /* it is ours still: a resumer waits for PARK_WAITS */

        if (e == ERR_PARKED) {
            if (stays_parked(exchange))
                return;
        } else if (e == ERR_WOULD_BLOCK && !exchange->req.call.may_block) {
            move_to_worker(exchange);
            return;
        } else {
            answer(exchange, e);
            return;
        }
    }
}

/* --- A new one --- */

static err take_params(struct exchange *exchange, const struct route_match *match)
{
    struct req *req = &exchange->req;

    for (size_t i = 0; i < match->value_count; i++) {
        req->params[i].name = match->entry->names[i];
        TRY(segment_decode(req->call.arena, match->values[i], &req->params[i].value));
    }
    req->param_count = match->value_count;
    return ERR_OK;
}

void dispatch_new(struct exchange *exchange)
{
    struct req *req = &exchange->req;
    struct route_match match;

    err e = routes_match(exchange->server->routes, req->method, req->path, &match);
    exchange->entry = match.entry;
    req->route = match.entry->route;
    if (e == ERR_OK)
        e = take_params(exchange, &match);
    if (e == ERR_METHOD_NOT_ALLOWED)
        reply_header(req, "allow", match.allow);
    if (e != ERR_OK) {
        answer(exchange, e);
        return;
    }
    if (match.entry->instance != ROUTE_OWN)
        req->call.self = &exchange->server->node->instances[match.entry->instance];
    exchange->then = req->route->handler;
    exchange->then_on = req->route->run_on;
    request_read_body(exchange);
    dispatch_run(exchange);
}

/* --- Parking --- */

err req_park(struct req *req)
{
    assert(exchange_of(req)->stage == STAGE_HANDLER);
    return ERR_PARKED;
}

void req_resume(struct req *req, err (*then)(struct req *), enum run_on where)
{
    struct exchange *exchange = exchange_of(req);

    exchange->then = then;
    exchange->then_on = where;
    const unsigned before = atomic_fetch_or(&exchange->park, PARK_RESUMED);
    assert((before & PARK_RESUMED) == 0);
    if (before == 0)
        return; /* its handler is still running, and goes on itself */
    if (before == PARK_ORPHANED) {
        exchange_free(exchange);
        return;
    }
    metric_add(exchange->server->meter.parked, -1);
    atomic_store(&exchange->park, 0);
    exchange->was_parked = true;
    exchange->req.call.may_block = where == ON_WORKER;
    meter_place(exchange, where == ON_LOOP ? PLACE_HANDOVER : PLACE_QUEUE);
    if (where == ON_LOOP)
        loop_post(exchange->loop, exchange, MESSAGE_RUN);
    else if (!workers_add(exchange->server->workers, exchange))
        loop_post(exchange->loop, exchange, MESSAGE_DROP);
}
