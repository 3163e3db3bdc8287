/* payment/payment.h - money: the contract of the payment service. */
#pragma once

#include "base/money.h"
#include "platform/node/node.h"
#include "services/booking/booking.h"

/* Gives money of an order's captured payment back. The refund's id is the caller's and makes it
 * idempotent. `pending`: it ends in the background. An order that was free or not paid yet has
 * nothing to give back: ERR_NOT_REFUNDABLE. */
enum refund_status { REFUND_PENDING, REFUND_SUCCEEDED, REFUND_FAILED };
extern const char *const refund_status_names[]; /* "pending", "succeeded", "failed" */
struct payment_refund {
    refund_id refund;
    order_id order;
    struct money amount;
    str reason;
    /* What the amount is for, one for each ticket type: what the buyer paid in them sums up to it. Besides, the vendor's fee says how much of it the
     * vendor gets back. */
    struct booking_money_line *lines;
    size_t line_count;
};
struct payment_refunded {
    int status; /* enum refund_status */
};
OP_DECLARE(payment_refund, struct payment_refund, struct payment_refunded);

/* Staff took the cash, or the transfer has arrived. Idempotent. ERR_CONFLICT: nothing was due. */
struct payment_settle_manual {
    order_id order;
};
struct payment_settled {
    attempt_id attempt;
};
OP_DECLARE(payment_settle_manual, struct payment_settle_manual, struct payment_settled);

/* A vendor's payment method. ERR_NOT_FOUND: he has none by that id. */
struct payment_method_find {
    struct uuid vendor;
    struct uuid method;
};
struct payment_method_found {
    str type;
    str label; /* absent: none */
};
OP_DECLARE(payment_method_find, struct payment_method_find, struct payment_method_found);

/* Of a vendor's bank account what buyers need to send money there, in the order to show it: of the
 * method's configuration account_holder, bank, iban, bic, account_number, sort_code, routing_number, branch and
 * instructions, where they are texts. Whom it may be shown to is for the caller to know. ERR_NOT_FOUND. */
struct payment_payee_find {
    struct uuid vendor;
    struct uuid method;
};
struct payment_payee_found {
    struct booking_account_line *lines;
    size_t line_count;
};
OP_DECLARE(payment_payee_find, struct payment_payee_find, struct payment_payee_found);

/* All of a vendor's payment methods, in the order they were made, without their configuration. */
struct payment_methods_find {
    struct uuid vendor;
};
struct payment_methods_found {
    struct booking_accepted *methods;
    size_t method_count;
};
OP_DECLARE(payment_methods_find, struct payment_methods_find, struct payment_methods_found);

/* --- Loyalty points --- */

enum payment_redeem { REDEEM_DISCOUNT, REDEEM_FREE_TICKET };
extern const char *const payment_redeem_names[]; /* "discount", "free_ticket" */

/* Sets points of a user aside for an order that is about to be held: of `points`, as many as `price` is worth; without `points` what `price` costs. They
 * are spent once the order is promised or paid, and given back once it comes to nothing: payment hears of both, and asks booking from `expires_at_ms` on
 * (booking_order_fate). Idempotent per order. ERR_INSUFFICIENT_POINTS; ERR_NOT_REDEEMABLE: not in this currency, not by this vendor, or for nothing. */
struct payment_points_reserve {
    order_id order;
    struct uuid user;
    struct uuid vendor;
    int kind;       /* enum payment_redeem */
    int64_t points; /* JSON_NULL: what it costs */
    struct money price;
    int64_t expires_at_ms;
};
struct payment_points_reserved {
    int64_t points;
    struct money discount; /* price at most */
};
OP_DECLARE(payment_points_reserve, struct payment_points_reserve, struct payment_points_reserved);

/* The order was not held after all. Nothing happens where nothing is reserved for it. */
struct payment_points_release {
    order_id order;
};
struct payment_points_released {
    int64_t points;
};
OP_DECLARE(payment_points_release, struct payment_points_release, struct payment_points_released);

extern const struct service payment_service;

/* What needs somebody (unresolved.h), a line each; empty: nothing does. */
err payment_unresolved(struct call *call, str *ret_report);
/* Holds attempts, sandbox charges and refunds against each other. ERR_CONFLICT with the first
 * divergence in *ret_found. */
err payment_audit(struct call *call, str *ret_found);
/* Only the ledger in itself: its chain, and its sums. */
err payment_audit_ledger(struct call *call, str *ret_found);

/* --- `boxoffice demo`: the money of invented sales --- */

/* Writes an attempt for each sale, with the sandbox's charge and the refund that belong to it, in one transaction. */
err payment_demo_write(struct call *call, const struct booking_demo_sale *sales, size_t count);
