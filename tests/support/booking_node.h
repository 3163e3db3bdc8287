/* support/booking_node.h - a node with the booking service behind a real HTTP server, people and events to sell.
 *
 * Nothing of booking is faked: database, desk, catalog and event loops are the real ones. Who sends a request says so in his
 * bearer token; of the other services there is just enough for booking's calls to be answered. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/event.h"
#include "services/booking/stock.h"
#include "support/http_ask.h"

#define BOOKING_NODE_START_MS INT64_C(1795392000000) /* 2026-11-23T00:00:00Z */

struct booking_node {
    struct arena *arena; /* of the test; not thread-safe */
    struct clock_manual clock;
    const struct settings *tables[8];
    struct config *config;
    struct log *log;
    struct node *node;
    struct instance *booking;
    struct http_server *server;
    const char *dir;
    bool joined;     /* others work on its databases */
    int event_count; /* that were added: for their names */
    int key_count;   /* Idempotency-Keys that booking_buy.c has made up */
};

/* In a directory of its own, which survives booking_node_restart. `settings`: "name=value" texts, ended by NULL; may be NULL.
 * The test fails if anything does. */
void booking_node_open(struct booking_node *node, const char *const *settings);
/* Another instance on the databases of `other`, with a clock of its own that shows the same; to be closed before that one. */
void booking_node_join(struct booking_node *node, const struct booking_node *other,
                       const char *const *settings);
void booking_node_close(struct booking_node *node); /* for CLEANUP too */
/* Closes and opens it again, as a restart of the process would: only what is in files is left. */
void booking_node_restart(struct booking_node *node);
/* Moves the clock and does what is due then. */
void booking_node_advance(struct booking_node *node, int64_t by_ms);
/* A call of the booking service on this thread. */
void booking_node_call(struct booking_node *node, struct call *call);

/* --- Who and what --- */

/* Bearer tokens: "customer-7", "vendor-1" (a member of vendor 1), "admin-1". The number tells people apart. */
struct uuid booking_user(int number);
struct uuid booking_vendor(int number);

struct given_type {
    const char *name;
    int64_t price_minor;
    int64_t total;
    int64_t max_per_order;  /* 0: none */
    int64_t sales_start_ms; /* 0: none */
    int64_t sales_end_ms;   /* 0: none */
};
struct given_event {
    int vendor;
    int status;                 /* enum event_status */
    int64_t starts_at_ms;       /* 0: in 30 days */
    const char *currency;       /* NULL: "EGP" */
    struct event_limits limits; /* 0 per order: 10; 0 per user: no limit */
    const struct given_type *types;
    size_t type_count;
    bool by_hand;                /* takes cash on arrival and bank transfers beside cards */
    bool final_sale;             /* the buyer cannot give tickets back */
    int64_t refund_until_ms;     /* 0: until the event starts */
    int64_t checkin_opens_at_ms; /* 0: any time */
};
struct known_event {
    event_id id;
    ticket_type_id types[EVENT_TICKET_TYPES_MAX];
    char id_text[ID_TEXT_SIZE_MAX + 1];
    char type_texts[EVENT_TICKET_TYPES_MAX][ID_TEXT_SIZE_MAX + 1];
};
/* Writes the rows of an event and lets the catalog and the hints know. */
struct known_event booking_add_event(struct booking_node *node, const struct given_event *given);
/* One published event with one type: `total` tickets at `price_minor`. */
struct known_event booking_add_simple(struct booking_node *node, int64_t total,
                                      int64_t price_minor);

/* Runs SQL of a test's own on booking's database, past the service: as somebody with a shell would. */
void booking_exec(struct booking_node *node, const char *sql);
int64_t booking_i64(struct booking_node *node, const char *sql);

/* --- Requests: any thread, each with an arena of its own --- */

struct answer booking_ask(const struct booking_node *node, struct arena *arena,
                          const struct ask *ask);
/* POST /tickets/book of one type. */
struct answer booking_book(const struct booking_node *node, struct arena *arena, const char *who,
                           const char *key, const struct known_event *event, int64_t quantity);
/* Tickets-Available of HEAD /events/{event}/tickets. */
str booking_available(const struct booking_node *node, struct arena *arena,
                      const struct known_event *event);
