/* payment/payment.c - the payment service: its ops, tables and what it keeps in memory. */
#include "services/payment/payment.h"

#include "base/mem.h"
#include "platform/zone/zone.h"
#include "services/payment/attempt.sql.h"
#include "services/payment/demo_money.sql.h"
#include "services/payment/desk.h"
#include "services/payment/drive.h"
#include "services/payment/ledger.sql.h"
#include "services/payment/ledger_adopt.h"
#include "services/payment/ledger_adopt.sql.h"
#include "services/payment/ledger_seal.h"
#include "services/payment/ledger_seal.sql.h"
#include "services/payment/method.h"
#include "services/payment/method.sql.h"
#include "services/payment/migrations.h"
#include "services/payment/pay.h"
#include "services/payment/payment_audit.sql.h"
#include "services/payment/points.h"
#include "services/payment/points.sql.h"
#include "services/payment/points_earn.sql.h"
#include "services/payment/points_get.h"
#include "services/payment/points_get.sql.h"
#include "services/payment/points_news.h"
#include "services/payment/points_redeem.h"
#include "services/payment/points_redeem.sql.h"
#include "services/payment/points_vendor.h"
#include "services/payment/points_vendor.sql.h"
#include "services/payment/provider.h"
#include "services/payment/refund.h"
#include "services/payment/refund.sql.h"
#include "services/payment/sale.sql.h"
#include "services/payment/sales.h"
#include "services/payment/sales.sql.h"
#include "services/payment/sandbox.sql.h"
#include "services/payment/sandbox_page.h"
#include "services/payment/state.h"
#include "services/payment/stripe.sql.h"
#include "services/payment/stripe_api.h"
#include "services/payment/stripe_event.h"
#include "services/payment/stripe_event.sql.h"
#include "services/payment/unresolved.h"
#include "services/payment/unresolved.sql.h"
#include "services/payment/webhook.h"

const char *const refund_status_names[] = {"pending", "succeeded", "failed", NULL};

/* --- Ops --- */

static const struct json_field refund_fields[] = {
    JSON_F_ID("refund", struct payment_refund, refund, REFUND_PREFIX, JSON_REQUIRED),
    JSON_F_ID("order", struct payment_refund, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_MONEY("amount", struct payment_refund, amount, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_TEXT("reason", struct payment_refund, reason, 0, 500, JSON_OPTIONAL),
    JSON_F_LIST("lines", struct payment_refund, lines, line_count, &booking_money_line_shape, 0,
                BOOKING_LINES_MAX, JSON_OPTIONAL),
};
static const struct json_shape refund_shape = JSON_SHAPE(refund_fields, struct payment_refund);
static const struct json_field refunded_fields[] = {
    JSON_F_ENUM("status", struct payment_refunded, status, refund_status_names, JSON_REQUIRED),
};
static const struct json_shape refunded_shape =
    JSON_SHAPE(refunded_fields, struct payment_refunded);

static err payment_refund_run(struct call *call, const struct payment_refund *in,
                              struct payment_refunded *ret)
{
    return refund_begin(call, in, ret);
}
OP_DEFINE("payment", payment_refund, struct payment_refund, struct payment_refunded, &refund_shape,
          &refunded_shape);

static const struct json_field settle_fields[] = {
    JSON_F_ID("order", struct payment_settle_manual, order, ORDER_PREFIX, JSON_REQUIRED),
};
static const struct json_shape settle_shape =
    JSON_SHAPE(settle_fields, struct payment_settle_manual);
static const struct json_field settled_fields[] = {
    JSON_F_ID("attempt", struct payment_settled, attempt, PAYMENT_PREFIX, JSON_REQUIRED),
};
static const struct json_shape settled_shape = JSON_SHAPE(settled_fields, struct payment_settled);

static err payment_settle_manual_run(struct call *call, const struct payment_settle_manual *in,
                                     struct payment_settled *ret)
{
    struct attempt attempt = {0};

    const err e = attempt_by_hand_of(call, in->order, &attempt);
    if (e == ERR_NOT_FOUND)
        return call_explain(call, ERR_CONFLICT, "nothing is due for this order");
    TRY(e);
    if (attempt.state ==
        ATTEMPT_CONFIRMING) /* booking has it pending, and that is not written here yet */
        TRY(attempt_drive(call, &attempt, STR_ABSENT));
    if (attempt.state == ATTEMPT_WAITING) {
        const err moved = attempt_move(call, &attempt, ATTEMPT_CAPTURED);
        if (moved == ERR_CONFLICT) /* a colleague was faster: drive on from where he is */
            TRY(attempt_find(call, attempt.id, &attempt));
        else
            TRY(moved);
    }
    TRY(attempt_drive(call, &attempt, STR_ABSENT));
    if (attempt.state == ATTEMPT_ABORTING || attempt.state == ATTEMPT_FAILED)
        return call_explain(call, ERR_CONFLICT, "the order is gone: nothing is due for it");
    ret->attempt = attempt.id;
    return ERR_OK;
}
OP_DEFINE("payment", payment_settle_manual, struct payment_settle_manual, struct payment_settled,
          &settle_shape, &settled_shape);

/* --- News of booking --- */

/* What was promised for an order that is cancelled is not owed any more. */
static err follow_orders(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct payment_settle_manual cancelled = {0};
    static const struct json_field fields[] = {
        JSON_F_ID("order_id", struct payment_settle_manual, order, ORDER_PREFIX, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct payment_settle_manual);

    TRY(json_read(call->arena, event->payload, &shape, &cancelled));
    return attempt_forgo(tx, call, cancelled.order);
}

/* --- The service --- */

static err begin_ledger(struct call *call)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(ledger_seal_begin(&tx));
    return tx_commit(&tx);
}

static err fill(struct instance *self, struct call *call, struct payment *payment)
{
    const char *why = NULL;

    if (points_rules_read(self->node->config, &payment->points, &why) != ERR_OK)
        return call_explain(call, ERR_INVALID, "%s", why);
    /* Nobody else can be working on these rows, so what is unfinished is nobody's. */
    if (self->node->background && self->node->alone)
        TRY(attempt_all_due(call));
    TRY(begin_ledger(call));
    TRY(stripe_open(call, &payment->stripe));
    if (provider_of_cards(call) == &stripe_provider &&
        (payment->stripe == NULL || payment->stripe->authorization.ptr == NULL))
        return call_explain(call, ERR_INVALID,
                            "payment.card_provider is stripe: payment.stripe.secret_key_file must "
                            "name the file of its key");
    payment->desk = desk_open(self);
    return payment->desk != NULL ? ERR_OK : ERR_UNAVAILABLE;
}

static err open_payment(struct instance *self, struct call *call)
{
    struct payment *payment = mem_new(struct payment);

    payment->zones = zones_open(NULL);
    const err e = fill(self, call, payment);
    if (e == ERR_OK) {
        self->state = payment;
    } else {
        stripe_close(payment->stripe);
        zones_close(payment->zones);
        mem_free(payment);
    }
    return e;
}

static void close_payment(struct instance *self)
{
    struct payment *payment = self->state;

    desk_close(payment->desk);
    stripe_close(payment->stripe);
    zones_close(payment->zones);
    mem_free(payment);
    self->state = NULL;
}

static const struct setting setting_rows[] = {
    SETTING_ONE_OF("payment.card_provider", "sandbox stripe", "sandbox", "Who charges cards."),
    SETTING_STRING("payment.stripe.api_base", "https://api.stripe.com",
                   "What is put before Stripe's /v1/...; in the clear to this machine alone."),
    SETTING_STRING("payment.stripe.secret_key_file", "",
                   "The file with Stripe's secret key; nobody else may read it."),
    SETTING_STRING("payment.stripe.webhook_secret_file", "",
                   "The file with the signing secrets of the webhook, one a line."),
    SETTING_NUMBER("payment.stripe.timeout_ms", SETTING_MS, RANGE(100, 60000), 8000,
                   "How long one request to Stripe may take."),
    SETTING_NUMBER(
        "payment.stripe.retry_ms", SETTING_MS, RANGE(1, 2000), 300,
        "The first pause before a request to Stripe is sent again; each is twice as long."),
    POINTS_SETTING_ROWS,
};
static const struct settings payment_settings = SETTINGS(setting_rows);
static const struct route_table *const routes[] = {
    &method_routes,        &pay_routes,     &points_routes,
    &points_vendor_routes, &sales_routes,   &sandbox_page_routes,
    &unresolved_routes,    &webhook_routes, NULL,
};
static const struct op *const ops[] = {
    &payment_refund_op,         &payment_settle_manual_op,
    &payment_method_find_op,    &payment_methods_find_op,
    &payment_payee_find_op,     &payment_points_reserve_op,
    &payment_points_release_op, NULL,
};
static const struct sql_list *const statements[] = {
    &attempt_sql,       &demo_money_sql,    &ledger_sql,       &ledger_adopt_sql, &ledger_seal_sql,
    &method_sql,        &payment_audit_sql, &points_sql,       &points_earn_sql,  &points_get_sql,
    &points_redeem_sql, &points_vendor_sql, &refund_sql,       &sale_sql,         &sales_sql,
    &sandbox_sql,       &stripe_sql,        &stripe_event_sql, &unresolved_sql,   NULL,
};
static const struct chore chores[] = {
    {DESK_CHORE,          desk_answer_late    },
    {ATTEMPT_CHORE,       attempt_reconcile   },
    {REFUND_CHORE,        refund_retry        },
    {SEAL_CHORE,          ledger_seal         },
    {ADOPT_CHORE,         ledger_adopt        },
    {POINTS_EXPIRY_CHORE, points_expire       },
    {POINTS_FATE_CHORE,   points_redeem_settle},
    {STRIPE_EVENT_CHORE,  stripe_event_run    },
    {STRIPE_POLL_CHORE,   stripe_event_poll   },
    {NULL,                NULL                },
};

static const struct consumer consumers[] = {
    {"booking", "order.cancelled",   CONSUMER_DURABLE,  follow_orders        },
    {"booking", POINTS_ORDER_NEWS,   CONSUMER_DURABLE,  points_follow_orders },
    {"booking", "ticket.checked_in", CONSUMER_DURABLE,  points_follow_tickets},
    {NULL,      NULL,                CONSUMER_VOLATILE, NULL                 },
};

const struct service payment_service = {
    .name = "payment",
    .routes = routes,
    .ops = ops,
    .statements = statements,
    .migrations = &payment_migrations,
    .settings = &payment_settings,
    .chores = chores,
    .consumers = consumers,
    .open = open_payment,
    .close = close_payment,
};
