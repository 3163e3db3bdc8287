/* booking/state.h - what one running booking instance keeps in memory. Everything in it can be rebuilt from the database. */
#pragma once

#include "platform/db/batch.h"
#include "platform/node/node.h"
#include "platform/zone/zone.h"
#include "services/booking/event.h"

struct catalog;
struct list_cache;
struct seen;
struct stock;
struct ticket_printer;

struct booking {
    struct catalog *catalog;  /* events as they are offered, and the search index */
    struct stock *stock;      /* remaining per ticket type: hints that may refuse, never admit */
    struct list_cache *lists; /* their pages, as they were answered */
    struct seen *seen;  /* Idempotency-Keys that may have an order; NULL: others place some too */
    struct batch *desk; /* the batching writer: whatever changes stock goes through it */
    struct zones *zones;
    struct ticket_printer *printer;
    int64_t hold_ttl_ms;
    struct price_platform platform; /* the fee of who runs this */
};

static inline struct booking *booking_of(const struct call *call)
{
    return (struct booking *)call->self->state;
}
