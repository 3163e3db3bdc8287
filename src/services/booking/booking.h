/* booking/booking.h - events, stock, orders and tickets: the contract of the booking service. */
#pragma once

#include "base/clock.h"
#include "base/money.h"
#include "platform/node/node.h"
#include "services/booking/ids.h"

/* --- What is paid, and what for --- */

/* So many tickets of one type, and their money in minor units of the order's currency, each from 0 to MONEY_MINOR_MAX. The buyer pays
 * face - discount + buyer fee + tax (price_paid in price.h). */
struct booking_money_line {
    struct uuid ticket_type;
    int64_t quantity;
    int64_t face_minor; /* list price x quantity */
    int64_t discount_minor;
    int64_t buyer_fee_minor; /* of the platform: on top of the price */
    int64_t
        vendor_fee_minor; /* of the platform: taken from what the vendor gets; the buyer does not see it */
    int64_t tax_minor;          /* on top of the price */
    int64_t tax_included_minor; /* a part of face - discount, said beside the sum */
};
enum { BOOKING_LINES_MAX = 200 };
extern const struct json_shape booking_money_line_shape;

/* --- What payment asks of an order --- */

/* Begins to pay: the caller's own order (an admin's call is the reconciler's), held, unexpired, without another live attempt. Extends the hold while the
 * attempt lives. Idempotent for the same attempt. ERR_NOT_FOUND, ERR_ORDER_EXPIRED, ERR_ALREADY_PAID, ERR_CONFLICT (another attempt is live; `live_attempt` is in the problem's
 * members). */
struct booking_payment_begin {
    order_id order;
    attempt_id attempt;
};
struct booking_accepted { /* one of the payment methods that the event takes */
    str type;             /* "card", "visa", "mastercard", "cash_on_arrival", "bank_transfer" */
    str label;
    struct uuid payment_method; /* zero: none yet */
};
struct booking_payment_begun {
    order_id order;
    event_id event;
    struct uuid vendor;
    struct uuid user;
    struct money total;
    int64_t expires_at_ms;
    str timezone; /* IANA, of the event */
    struct booking_accepted *accepted;
    size_t accepted_count;
    struct booking_money_line *lines; /* sum up to the total, one for each ticket type */
    size_t line_count;
};
OP_DECLARE(booking_payment_begin, struct booking_payment_begin, struct booking_payment_begun);

/* Makes the tickets, not yet shown (BOOKING_CARD: until booking_settle), or leaves the order `pending` (cash: tickets at once; bank transfer: none yet). An order that has
 * expired meanwhile takes its stock again, all or nothing: ERR_ORDER_EXPIRED if it is gone. Idempotent per attempt. */
enum booking_confirm_as { BOOKING_CARD, BOOKING_CASH, BOOKING_TRANSFER, BOOKING_FREE };
struct booking_confirm {
    order_id order;
    attempt_id attempt;
    int confirm_as;
};
struct booking_view { /* as POST /payment shows them */
    str order;        /* JSON */
    str tickets;      /* JSON array; empty where none are shown */
};
OP_DECLARE(booking_confirm, struct booking_confirm, struct booking_view);

/* The money is there: the order is confirmed, its tickets are shown and mailed. Idempotent per attempt. */
struct booking_settle {
    order_id order;
    attempt_id attempt;
};
struct booking_settled {
    struct money paid; /* what was due: of a promised order some may have been cancelled before */
    struct booking_money_line *lines; /* sum up to it, one for each ticket type */
    size_t line_count;
};
OP_DECLARE(booking_settle, struct booking_settle, struct booking_settled);

/* The attempt has ended without money: the order is held again (and a little longer), or, where tickets were made already, they are cancelled and the stock is
 * back. Idempotent per attempt. */
struct booking_payment_abort {
    order_id order;
    attempt_id attempt;
    str reason; /* err_name: "card_declined" */
};
OP_DECLARE(booking_payment_abort, struct booking_payment_abort, struct booking_view);

/* --- What an event takes --- */

/* Of an event that is published, or the caller's own. ERR_NOT_FOUND. */
struct booking_event_accepts {
    event_id event;
};
struct booking_event_accepted {
    bool is_own; /* the caller may change it */
    struct booking_accepted *accepted;
    size_t accepted_count;
};
OP_DECLARE(booking_event_accepts, struct booking_event_accepts, struct booking_event_accepted);

/* The caller's event takes the method from now on, under its id where it took that type already without one. Idempotent. ERR_NOT_FOUND: not his event;
 * ERR_CONFLICT: another method of that type, or too many. */
struct booking_method_attach {
    event_id event;
    struct booking_accepted method;
};
struct booking_method_done {
    int64_t event_count; /* that were changed */
};
OP_DECLARE(booking_method_attach, struct booking_method_attach, struct booking_method_done);

/* The vendor's events that are not over take the method no longer. Idempotent. ERR_IN_USE: an order needs it, or an event on sale takes nothing else. */
struct booking_method_detach {
    struct uuid vendor;
    struct uuid method;
};
OP_DECLARE(booking_method_detach, struct booking_method_detach, struct booking_method_done);

struct booking_order_find {
    order_id order;
};
OP_DECLARE(booking_order_view, struct booking_order_find, struct booking_view);

/* What an order was for when it was made, and where its event is. ERR_NOT_FOUND. */
struct booking_order_lines_found {
    str timezone; /* IANA */
    struct booking_money_line *lines;
    size_t line_count;
};
OP_DECLARE(booking_order_lines, struct booking_order_find, struct booking_order_lines_found);

/* --- What loyalty points need --- */

/* What has become of an order. Never ERR_NOT_FOUND: an order that is not there says so. */
enum booking_fate {
    BOOKING_FATE_NONE,  /* there is no such order */
    BOOKING_FATE_HELD,  /* may still be paid */
    BOOKING_FATE_TAKEN, /* promised or paid, also if given back since */
    BOOKING_FATE_OVER,  /* came to nothing */
};
struct booking_fated {
    int fate; /* enum booking_fate */
};
OP_DECLARE(booking_order_fate, struct booking_order_find, struct booking_fated);

/* What an event sells, and for how much. ERR_NOT_FOUND. */
struct booking_redeemable {
    event_id event;
};
struct booking_redeemable_type {
    ticket_type_id ticket_type;
    str name;
    int64_t price_minor;
    bool on_sale;
};
struct booking_redeemables {
    struct uuid vendor;
    struct money zero; /* in the event's currency */
    struct booking_redeemable_type *types;
    size_t type_count;
};
OP_DECLARE(booking_redeemable, struct booking_redeemable, struct booking_redeemables);

/* --- What a confirmation mail needs --- */

struct booking_document_line {
    str name;
    int64_t quantity;
    str price; /* for people */
};
struct booking_document_ticket {
    str ticket; /* TypeID */
    str type_name;
    str attendee_name;
    str code;
    str qr_png; /* base64 */
};
struct booking_account_line { /* of a bank account that money is to be sent to */
    str label;                /* "IBAN" */
    str value;
};
struct booking_documents {
    struct uuid user;
    str order; /* TypeID */
    str event_name;
    str event_path; /* "/e/slug" */
    str when;       /* for people, in the event's zone */
    str place;
    str total; /* for people */
    str due;   /* what is still to be paid, at the entrance or by transfer; absent: nothing */
    bool by_transfer;                     /* it is to be sent, by the order's id as reference */
    struct booking_account_line *account; /* there; none: the vendor has not said */
    size_t account_count;
    struct booking_document_line *lines;
    size_t line_count;
    struct booking_document_ticket *tickets;
    size_t ticket_count;
    str pdf;      /* base64: one page a ticket */
    str calendar; /* base64: an .ics file */
};
OP_DECLARE(booking_order_documents, struct booking_order_find, struct booking_documents);

/* --- What a page shows: texts for people --- */

/* The published events that GET /events answers for the same query string ("search=jazz&city=cairo"). ERR_UNKNOWN_FIELD, ERR_INVALID. */
struct booking_event_cards_in {
    str query;
};
struct booking_card {
    str slug;
    str name;
    str when;  /* in the event's zone */
    str place; /* "Opera House, Cairo, Egypt", "Online" */
    str price; /* "from EUR 20.00", "Free", "Sold out", "Not on sale" */
};
struct booking_cards {
    struct booking_card *cards;
    size_t card_count;
    str next_cursor; /* absent: no more */
};
OP_DECLARE(booking_event_cards, struct booking_event_cards_in, struct booking_cards);

/* One published or cancelled event by its slug. ERR_NOT_FOUND. */
struct booking_event_page_in {
    str slug;
};
struct booking_offer {
    ticket_type_id ticket_type;
    str name;
    struct money price;
    str price_text;
    str status;           /* "on_sale", "sold_out", "not_on_sale" */
    int64_t quantity_max; /* in one order */
};
struct booking_page {
    event_id event;
    str name;
    str description;
    str url;
    str when;
    str place;
    str artists; /* "The Copper Quartet, Lena Okafor"; empty: none */
    str venue_name;
    str city;
    str country;
    str status; /* "published", "cancelled" */
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    bool online;
    struct booking_offer *offers;
    size_t offer_count;
    struct booking_accepted *accepted;
    size_t accepted_count;
};
OP_DECLARE(booking_event_page, struct booking_event_page_in, struct booking_page);

/* --- What to put before somebody: see event_rank.h --- */

enum { BOOKING_RANKED_MAX = 100, BOOKING_CANDIDATES_MAX = 500 };
enum booking_rank_reason { RANK_SOONEST, RANK_POPULAR, RANK_TRENDING };
extern const char *const booking_rank_reason_names[]; /* "soonest", "popular", "trending" */

struct booking_candidate { /* an event that trends */
    event_id event;
    double trend; /* > 0 */
};
struct booking_event_rank {
    str city;         /* what is there comes first; absent: none does */
    bool only_city;   /* nothing else comes */
    struct uuid user; /* who has tickets for some already; zero: nobody */
    int64_t limit;    /* 1 to BOOKING_RANKED_MAX */
    struct booking_candidate *candidates;
    size_t candidate_count;
};
struct booking_ranked {
    str event;    /* JSON, as GET /events/{event} shows it */
    double score; /* in [0, 1), falling */
    int reason;   /* enum booking_rank_reason */
    str city;     /* of the event; absent: it is online */
    bool in_city; /* that is the city that was asked for */
};
struct booking_event_ranked {
    struct booking_ranked *events;
    size_t event_count;
};
OP_DECLARE(booking_event_rank, struct booking_event_rank, struct booking_event_ranked);

extern const struct service booking_service;

/* --- The command line --- */

struct booking_import {
    const char *path;
    struct uuid vendor;
    bool publish;
    int64_t price_minor; /* -1: as the file says, else free */
    struct currency currency;
    int64_t quantity;                                      /* -1: as the file says, else 100 */
    str timezone;                                          /* absent: as the file says, else UTC */
    void (*report)(void *arg, int line, const char *text); /* a refused or changed line */
    void *arg;
};
struct booking_imported {
    int64_t created;
    int64_t updated;
    int64_t unchanged;
    int64_t refused;
};
/* ERR_MALFORMED where nothing could be read. */
err booking_import_events(struct call *call, const struct booking_import *in,
                          struct booking_imported *ret);
/* Everything of a vendor, as docs/export.md has it: a CSV file a table, or one JSON document. */
struct booking_export {
    struct uuid vendor;
    bool json;
    /* What comes next of the table's file; `table` is NULL for the document. False: no more, it cannot
     * be kept. */
    bool (*write)(void *arg, const char *table, str text);
    void *arg;
};
/* ERR_NOT_FOUND: no such vendor. ERR_UNAVAILABLE: `write` has said no. */
err booking_export(struct call *call, const struct booking_export *in);
/* Replays the stock ledger and holds orders, tickets and stock against it. ERR_CONFLICT with the first divergence in *ret_found. */
err booking_audit(struct call *call, str *ret_found);

/* --- `boxoffice demo`: invented events and sales --- */

struct booking_demo {
    size_t events;
    size_t tickets;
    const struct uuid *vendors;
    size_t vendor_count;
    const struct uuid *users;
    size_t user_count;
    struct clock_manual *clock; /* the node's: sales go on from where it stands until `now_ms` */
    int64_t now_ms;
};

/* What payment has to know of an order that somebody tried to pay. */
enum booking_demo_paid {
    DEMO_PAID,     /* captured */
    DEMO_WAITING,  /* cash or transfer */
    DEMO_DECLINED, /* nothing was charged */
};
struct booking_demo_sale {
    order_id order;
    attempt_id attempt;
    struct uuid user;
    event_id event;
    struct uuid vendor;
    const char *method; /* "card", "cash_on_arrival", "bank_transfer", "free" */
    const char *brand;  /* of a card */
    enum booking_demo_paid paid;
    struct money amount;
    refund_id refund; /* zero: none */
    int64_t refunded_minor;
    int64_t at_ms;
    str timezone; /* good until it has been heard, like the lines */
    struct booking_money_line *lines;
    size_t line_count;
    struct booking_money_line *refund_lines;
    size_t refund_line_count;
};
/* Their texts are constants. An error ends the making. */
typedef err booking_demo_hear(void *arg, const struct booking_demo_sale *sales, size_t count);

/* ERR_CONFLICT, explained: there are events already. */
err booking_demo_make(struct call *call, struct arena *arena, const struct booking_demo *in,
                      booking_demo_hear *hear, void *arg);
