/* payment/drive.c - the way of an attempt from its first step to its end.
 *
 * The same code runs for a request and, after a crash or a lost answer, for the reconciler: each
 * step is written before it is taken, and taking it twice does no harm (the provider by its key,
 * booking by the attempt's id). */
#include "services/payment/drive.h"

#include <assert.h>

#include "services/payment/desk.h"
#include "services/payment/refund.h"
#include "services/payment/state.h"

enum {
    LOST_LOOK_MS = 2000,
    LOOK_MS_MAX = 30000,
    LOOKS_IN_AGE = 8, /* what has taken so long is looked at again after an eighth of it */
    RETRY_MS = 1000,
    RETRY_MS_MAX = 60000,
};

/* --- Rules: no I/O --- */

/* When to look again at what a provider has under way. */
static int64_t next_look_ms(const struct call *call, const struct attempt *attempt,
                            const struct provider *provider, const struct charge *charge)
{
    const int64_t patience_ms = (call->now_ms - attempt->created_at_ms) / LOOKS_IN_AGE;
    int64_t ms = patience_ms > provider->look_ms ? patience_ms : provider->look_ms;

    if (charge->look_again_ms > 0)
        return charge->look_again_ms;
    if (ms > LOOK_MS_MAX)
        ms = LOOK_MS_MAX;
    return call->now_ms + ms;
}

/* Until when the buyer has to do what is asked of him. */
static int64_t action_end_ms(const struct attempt *attempt, const struct provider *provider)
{
    return attempt->created_at_ms + provider->action_life_s * 1000;
}

/* --- Steps: each takes one and writes the next state --- */

static err end_without_money(struct call *call, struct attempt *attempt, err why)
{
    attempt->failure = str_of(err_name(why));
    return attempt_move(call, attempt, ATTEMPT_ABORTING);
}

static err make_void_for(struct call *call, struct attempt *attempt, err why)
{
    attempt->failure = str_of(err_name(why));
    return attempt_move(call, attempt, ATTEMPT_VOIDING);
}

static err await_buyer(struct call *call, struct attempt *attempt, const struct provider *provider,
                       const struct charge *charge)
{
    const int64_t end_ms = action_end_ms(attempt, provider);
    const int64_t look_ms = next_look_ms(call, attempt, provider, charge);

    attempt->redirect_url = charge->redirect_url;
    if (attempt->state == ATTEMPT_AUTHORISING)
        TRY(attempt_move(call, attempt, ATTEMPT_REQUIRES_ACTION));
    return attempt_look_again(call, attempt,
                              provider->look_ms > 0 && look_ms < end_ms ? look_ms : end_ms);
}

/* What the provider says of the charge, as the attempt's next state. */
static err take_charge(struct call *call, struct attempt *attempt, const struct provider *provider,
                       const struct charge *charge)
{
    if (charge->brand.size > 0)
        attempt->brand = charge->brand;
    switch (charge->status) {
    case CHARGE_PROCESSING:
        return attempt_look_again(call, attempt, next_look_ms(call, attempt, provider, charge));
    case CHARGE_REQUIRES_ACTION:
        return await_buyer(call, attempt, provider, charge);
    case CHARGE_AUTHORISED:
    case CHARGE_CAPTURED:
        if (!provider_takes_brand(attempt->brands, attempt->brand))
            return make_void_for(call, attempt, ERR_METHOD_NOT_ACCEPTED);
        return attempt_move(call, attempt, ATTEMPT_AUTHORISED);
    case CHARGE_VOIDED:
    case CHARGE_DECLINED:
        break;
    }
    return end_without_money(call, attempt,
                             charge->failure != ERR_OK ? charge->failure : ERR_CARD_DECLINED);
}

static err authorise(struct call *call, struct attempt *attempt, const struct provider *provider,
                     str token)
{
    struct charge charge = {0};
    const struct charge_request request = {
        .key = attempt_key(call->arena, attempt->id),
        .amount = attempt->amount,
        .token = token,
        .payment = arena_str(call->arena, str_of(id_format(PAYMENT_PREFIX, attempt->id.uuid).text)),
        .order = arena_str(call->arena, str_of(id_format(ORDER_PREFIX, attempt->order.uuid).text)),
        .brands = attempt->brands,
        .begun_at_ms = attempt->created_at_ms,
    };
    const err e = token.ptr != NULL || attempt->hosted
                      ? provider->authorise(call, &request, &charge)
                      : provider->find(call, request.key, &charge);

    if (e == ERR_OK)
        return take_charge(call, attempt, provider, &charge);
    if (e == ERR_PROVIDER_UNAVAILABLE && attempt->hosted) /* nobody has seen a page */
        return make_void_for(call, attempt, e);
    if (e == ERR_PROVIDER_UNAVAILABLE && token.ptr != NULL) /* nothing has happened there */
        return end_without_money(call, attempt, e);
    if (e == ERR_NOT_FOUND) /* nor here, unless the first call is still on its way */
        return make_void_for(call, attempt, ERR_PROVIDER_UNAVAILABLE);
    if (token.ptr == NULL)
        return e;
    /* Nobody knows yet: that is waiting, not failing. */
    return attempt_look_again(call, attempt, call->now_ms + LOST_LOOK_MS);
}

static err await_action(struct call *call, struct attempt *attempt, const struct provider *provider)
{
    struct charge charge = {0};

    TRY(provider->find(call, attempt_key(call->arena, attempt->id), &charge));
    if (charge.status == CHARGE_REQUIRES_ACTION && call->now_ms >= action_end_ms(attempt, provider))
        return make_void_for(call, attempt, ERR_CARD_DECLINED);
    return take_charge(call, attempt, provider, &charge);
}

static err confirm(struct call *call, struct attempt *attempt)
{
    struct booking_view view = {0};
    const bool cash = str_eq(attempt->method, STR("cash_on_arrival"));
    const bool transfer = str_eq(attempt->method, STR("bank_transfer"));
    const bool card = attempt->provider.ptr != NULL;
    const struct booking_confirm in = {
        .order = attempt->order,
        .attempt = attempt->id,
        .confirm_as = card       ? BOOKING_CARD
                      : cash     ? BOOKING_CASH
                      : transfer ? BOOKING_TRANSFER
                                 : BOOKING_FREE,
    };
    const err e = booking_confirm(call, &in, &view);

    if (err_status(e) >= 500)
        return e;
    if (e != ERR_OK) {
        attempt->failure = str_of(err_name(ERR_ORDER_EXPIRED));
        return attempt_move(call, attempt, card ? ATTEMPT_VOIDING : ATTEMPT_ABORTING);
    }
    return attempt_move(call, attempt,
                        card               ? ATTEMPT_CAPTURING
                        : cash || transfer ? ATTEMPT_WAITING
                                           : ATTEMPT_CAPTURED);
}

static err capture(struct call *call, struct attempt *attempt, const struct provider *provider)
{
    struct charge charge = {0};

    TRY(provider->capture(call, attempt_key(call->arena, attempt->id), &charge));
    switch (charge.status) {
    case CHARGE_CAPTURED:
        return attempt_move(call, attempt, ATTEMPT_CAPTURED);
    case CHARGE_PROCESSING:
        return attempt_look_again(call, attempt, next_look_ms(call, attempt, provider, &charge));
    case CHARGE_VOIDED:
    case CHARGE_DECLINED:
        return end_without_money(call, attempt, ERR_CARD_DECLINED);
    case CHARGE_AUTHORISED:
    case CHARGE_REQUIRES_ACTION:
        break;
    }
    return ERR_UNAVAILABLE; /* neither taken nor refused: ask again */
}

/* The order is held again, or gone: either way nothing is left to let go of. */
static err tell_aborted(struct call *call, const struct attempt *attempt)
{
    struct booking_view view = {0};
    const struct booking_payment_abort in = {attempt->order, attempt->id, attempt->failure};
    const err e = booking_payment_abort(call, &in, &view);

    return err_status(e) >= 500 ? e : ERR_OK;
}

static err make_void(struct call *call, struct attempt *attempt, const struct provider *provider)
{
    struct charge charge = {0};

    TRY(provider->cancel(call, attempt_key(call->arena, attempt->id), &charge));
    if (charge.status == CHARGE_PROCESSING)
        return attempt_look_again(call, attempt, next_look_ms(call, attempt, provider, &charge));
    if (charge.status == CHARGE_CAPTURED) /* past us, by somebody at the provider */
        return attempt_move(call, attempt, ATTEMPT_CAPTURED);
    TRY(tell_aborted(call, attempt));
    return attempt_move(call, attempt, ATTEMPT_VOIDED);
}

static err abort_order(struct call *call, struct attempt *attempt)
{
    TRY(tell_aborted(call, attempt));
    return attempt_move(call, attempt, ATTEMPT_FAILED);
}

static err settle(struct call *call, struct attempt *attempt)
{
    struct booking_settled settled = {0};
    const struct booking_settle in = {attempt->order, attempt->id};
    const err e = booking_settle(call, &in, &settled);

    if (err_status(e) >= 500)
        return e;
    if (e == ERR_OK) {
        if (attempt->provider.ptr == NULL) { /* whoever takes it by hand takes what is due */
            attempt->amount = settled.paid;
            attempt->lines = settled.lines;
            attempt->line_count = settled.line_count;
        }
        return attempt_move(call, attempt, ATTEMPT_SUCCEEDED);
    }
    /* The order is gone although its tickets had been made: what was charged for it goes back. */
    if (attempt->provider.ptr == NULL)
        return end_without_money(call, attempt, ERR_ORDER_EXPIRED);
    attempt->failure = str_of(err_name(ERR_ORDER_EXPIRED));
    return refund_whole(call, attempt);
}

static err step(struct call *call, struct attempt *attempt, str token)
{
    const struct provider *provider = provider_find(attempt->provider);

    assert(provider != NULL || attempt->provider.ptr == NULL);
    switch (attempt->state) {
    case ATTEMPT_CREATED: /* the request that made it has died before booking answered */
        return end_without_money(call, attempt, ERR_UNAVAILABLE);
    case ATTEMPT_AUTHORISING:
        return authorise(call, attempt, provider, token);
    case ATTEMPT_REQUIRES_ACTION:
        return await_action(call, attempt, provider);
    case ATTEMPT_AUTHORISED:
    case ATTEMPT_CONFIRMING:
        return confirm(call, attempt);
    case ATTEMPT_CAPTURING:
        return capture(call, attempt, provider);
    case ATTEMPT_CAPTURED:
        return settle(call, attempt);
    case ATTEMPT_VOIDING:
        return make_void(call, attempt, provider);
    case ATTEMPT_ABORTING:
        return abort_order(call, attempt);
    case ATTEMPT_WAITING:
    case ATTEMPT_SUCCEEDED:
    case ATTEMPT_FAILED:
    case ATTEMPT_VOIDED:
    case ATTEMPT_REFERRED:
    case ATTEMPT_STATES:
        break;
    }
    return ERR_OK;
}

/* --- Driving --- */

err attempt_drive(struct call *call, struct attempt *attempt, str token)
{
    for (;;) {
        const enum attempt_state before = attempt->state;
        const err e = step(call, attempt, token);

        if (e == ERR_CONFLICT)
            return attempt_find(call, attempt->id, attempt); /* somebody else drives it */
        TRY(e);
        if (attempt->state == before)
            return ERR_OK;
        token = STR_ABSENT;
    }
}

/* Twice as long each time; a quarter of it is chance, so that what failed together does not come back
 * together. Never sooner than the provider has asked for, never later than RETRY_MS_MAX. */
static int64_t retry_ms(const struct call *call, int tries)
{
    const int64_t asked_ms = call->problem.retry_after_s * INT64_C(1000);
    int64_t ms = tries < 16 ? (int64_t)RETRY_MS << tries : RETRY_MS_MAX;

    if (ms > RETRY_MS_MAX)
        ms = RETRY_MS_MAX;
    ms -= (int64_t)rng_below(call->self->node->rng, (uint64_t)(ms / 4) + 1);
    if (ms < asked_ms)
        ms = asked_ms;
    return ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX;
}

void attempt_drive_or_leave(struct call *call, struct attempt *attempt, str token)
{
    const err e = attempt_drive(call, attempt, token);

    if (e != ERR_OK) {
        log_event(call->self->node->log, LOG_WARN, "payment.unfinished",
                  LOG_CSTR("payment", id_format(PAYMENT_PREFIX, attempt->id.uuid).text),
                  LOG_TEXT("request", call->request_id), LOG_TEXT("error", call_failure(call, e)),
                  LOG_I64("tries", attempt->tries));
        /* If even this fails, the lease of the attempt ends by itself. */
        (void)!attempt_look_again(call, attempt, call->now_ms + retry_ms(call, attempt->tries));
    }
    desk_wake(payment_of(call)->desk, attempt->id);
}

/* Looks at least as often as leases end: an attempt that its request has left behind is nobody's
 * then, and nobody wakes us for it. */
err attempt_reconcile(struct call *call, int64_t *ret_next_ms)
{
    struct desk *desk = payment_of(call)->desk;
    struct attempt attempt = {0};
    err e = attempt_take_due(call, &attempt, ret_next_ms);

    while (e == ERR_OK && !chores_stopping(call->self)) {
        desk_reconcile(desk, &attempt);
        call_next(call);
        e = attempt_take_due(call, &attempt, ret_next_ms);
    }
    desk_reconciled(desk);
    const int64_t latest_ms = call->now_ms + ATTEMPT_LEASE_MS;
    if (*ret_next_ms == CLOCK_NEVER_MS || *ret_next_ms > latest_ms)
        *ret_next_ms = latest_ms;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
