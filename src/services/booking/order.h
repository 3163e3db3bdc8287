/* booking/order.h - an order: its states, its rows, and how the API shows it. */
#pragma once

#include "platform/db/db.h"
#include "platform/http/http.h"
#include "services/booking/booking.h"
#include "services/booking/ids.h"

/* The numbers are in the database. */
enum order_status {
    ORDER_HELD,    /* also while a payment is under way */
    ORDER_PENDING, /* cash on arrival, bank transfer: promised, not paid */
    ORDER_CONFIRMED,
    ORDER_EXPIRED,
    ORDER_CANCELLED,
    ORDER_REFUNDED,
    ORDER_PARTIALLY_REFUNDED,
};
enum order_attempt {
    ATTEMPT_NONE,
    ATTEMPT_LIVE,      /* payment has begun: the hold does not expire */
    ATTEMPT_CONFIRMED, /* tickets are made, not shown: neither does this one */
    ATTEMPT_SETTLED,
    ATTEMPT_ABORTED,
};
extern const char *const order_status_names[];

enum { ORDER_REFUNDS_MAX = 1000 }; /* that are shown */

/* The state machine (drawn in order.c). */
bool order_may_become(enum order_status from, enum order_status to);

struct order_item {
    ticket_type_id type;
    int64_t quantity;
    int64_t unit_price_minor;
    struct booking_money_line money; /* of all of them */
};

/* Money of the order on its way back, or there. */
struct order_money_back {
    refund_id id;
    int status; /* enum refund_status of payment.h */
    struct money amount;
};

struct order {
    order_id id;
    struct uuid user;
    event_id event;
    int status;         /* enum order_status, as in the row; see order_shown_status */
    attempt_id attempt; /* the live or the last one; zero: none */
    int attempt_state;  /* enum order_attempt */
    int64_t expires_at_ms;
    int64_t hold_ms; /* how long it was held at first */
    struct money total;
    int64_t points; /* that pay the discount; 0: none do */
    int64_t created_at_ms;
    int64_t event_version;    /* that it was priced by, and is given back by */
    struct order_item *items; /* by ticket type */
    size_t item_count;
    str attendees;           /* JSON array [{name, email?}]; absent: none named */
    int64_t confirmed_at_ms; /* JSON_NULL: not yet */
    str payment_method;      /* absent: none chosen */
    int64_t due_minor;
    int64_t refunded_minor; /* promised to be given back, whether or not it is there already */
    struct order_money_back *refunds;
    size_t refund_count;
    ticket_id *tickets; /* all of them, shown or not, in the order they were made */
    size_t ticket_count;
};

/* Everything of one order, in any transaction. ERR_NOT_FOUND. */
err order_get(struct tx *tx, struct call *call, order_id id, struct order *ret);
/* What people are told: a hold whose time is over is expired, whether or not that is written down yet. */
enum order_status order_shown_status(const struct order *order, int64_t now_ms);
int64_t order_ticket_quantity(const struct order *order); /* of all items */
/* The money of its items, in their order; as many as there are items. */
struct booking_money_line *order_lines(struct arena *arena, const struct order *order);
/* The owner, the event's vendor and admins. */
bool order_is_visible_to(const struct call *call, const struct order *order);

/* The only way a status changes. order_may_become(from, to) is asserted. ERR_CONFLICT if the row is not in `from` (any more): nothing was written. */
err order_become(struct tx *tx, order_id id, enum order_status from, enum order_status to);

/* The order as GET /orders/{id} shows it at call->now_ms. */
str order_json(struct call *call, const struct order *order);
/* As it was answered first: held, with its first expires_at. */
str order_json_first(struct call *call, const struct order *order);

extern const struct route_table order_routes;
