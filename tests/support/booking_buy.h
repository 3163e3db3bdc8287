/* support/booking_buy.h - people who buy tickets and pay for them over HTTP, and what is written
 * down of it. */
#pragma once

#include "support/booking_node.h"

enum { BOUGHT_MAX = 16 };

struct bought {
    const char *order; /* TypeIDs */
    const char *tickets[BOUGHT_MAX];
    const char *codes[BOUGHT_MAX];
    int count;
};

/* A request of `who` with a key of its own where it is a POST; the path as printf makes it. The
 * arena is the node's: one thread. */
struct answer booking_send(struct booking_node *node, const char *who, const char *method,
                           const char *body, const char *path, ...)
    __attribute__((format(printf, 5, 6)));

/* Books `quantity` of the event's first type: gives the order's id. */
const char *booking_hold(struct booking_node *node, const char *who,
                         const struct known_event *event, int quantity);
/* POST /payment; `method` "card" pays with `token`, others without one. */
struct answer booking_pay(struct booking_node *node, const char *who, const char *order,
                          const char *method, const char *token);
/* Holds and pays (a card: tok_visa) and reads the tickets that are shown for it. */
struct bought booking_buy(struct booking_node *node, const char *who,
                          const struct known_event *event, int quantity, const char *method);

/* The status of what is at this path, for its owner: GET, "/status". */
const char *booking_status(struct booking_node *node, const char *who, const char *path, ...)
    __attribute__((format(printf, 3, 4)));
/* Events of this kind in booking's outbox whose payload has `text` in it. */
int64_t booking_told(struct booking_node *node, const char *kind, const char *text);
/* Ledgers and rows agree. */
void booking_check_audit(struct booking_node *node);
