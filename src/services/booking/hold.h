/* booking/hold.h - POST /tickets/book: a claim on tickets while the buyer pays. */
#pragma once

#include <stddef.h>

#include "platform/db/batch.h"
#include "platform/http/http.h"
#include "services/booking/order.h"
#include "services/booking/redeem.h"
#include "services/booking/stock.h"

enum {
    HOLD_ITEMS_MAX = 50,
    HOLD_ATTENDEES_MAX = 1000,
    HOLD_BODY_SIZE_MAX = 64 * 1024,
    HOLD_TRIES_MAX = 3, /* an event that changes faster than it can be read is a conflict */
};

struct hold_item {
    ticket_type_id type;
    int64_t quantity;
    str seats; /* JSON */
};
struct hold_attendee {
    str name;
    str email;
};
/* The body. */
struct hold_request {
    event_id event;
    struct hold_item *items;
    size_t item_count;
    struct hold_attendee *attendees;
    size_t attendee_count;
    str code;
    struct redeem *redeem; /* NULL: no points */
};
extern const struct json_shape hold_request_shape;

/* What can be said without the event. ERR_INVALID with the fields. Pure. */
err hold_check(struct call *call, const struct hold_request *asked);
/* Prices it by `event` (NULL: there is none) for call->caller at call->now_ms: fills the order's event, items and total. Pure.
 * ERR_NOT_FOUND, ERR_INVALID, ERR_NOT_ON_SALE, ERR_LIMIT_EXCEEDED. */
err hold_price(struct call *call, const struct hold_request *asked, const struct event *event,
               struct order *order);

/* Its fees, taxes and total anew, once there is a discount in its items. Pure. ERR_INVALID: too much. */
err hold_price_all(struct call *call, const struct event *event, struct order *order);

/* ERR_SOLD_OUT with a sentence. */
err hold_sold_out(struct call *call, const struct event *event, ticket_type_id id);
/* A JSON array; absent if none are named. */
str hold_attendees_json(struct call *call, const struct hold_request *asked);

/* One order on its way through the desk. */
struct hold_try {
    struct batch_write write;
    struct req *req;
    struct hold_request asked;
    const struct event *event; /* what it is priced by; NULL: there is none */
    str key;
    uint8_t digest[32];
    err refusal; /* ERR_OK, or what is answered unless the key has an order already */
    int tries;
    struct order order;
    stock_level *levels; /* by item, once it is placed */
    bool replayed;       /* order.id is the one that the key has */
    order_id reserved;   /* whose points are set aside; zero: none are */
};

static inline struct hold_try *hold_try_of(struct batch_write *write)
{
    return (struct hold_try *)((char *)write - offsetof(struct hold_try, write));
}

/* In the desk's transaction: places try->order or finds the first of its key (try->replayed). ERR_STALE: the event has changed since it was
 * priced. Other refusals as they are answered. Whatever it refuses, it has written nothing. */
err hold_place(struct tx *tx, struct call *call, struct hold_try *try);

struct desk_write;
/* Gives back what an order without tickets keeps from others: its stock and its share of the buyer's limit. In a write of the desk (desk.h). What the
 * order becomes is the caller's to write. */
err hold_release(struct tx *tx, struct desk_write *write, const struct order *order);

extern const struct route_table hold_routes;
