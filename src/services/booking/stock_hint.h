/* booking/stock_hint.h - what stock.c and stock_hint.c share: the events that a transaction has changed. */
#pragma once

#include "services/booking/stock.h"

enum {
    STOCK_NEWS_EVENTS_MAX = 512
}; /* of one "inventory.changed", so that it stays below 32 KiB */

/* Notes that the open transaction changed an event's stock. What it notes may outlive a rollback: one event too many is told of, never one too few. */
void stock_changed(struct stock *stock, event_id event);
bool stock_has_changed(struct stock *stock);
/* The noted events, each once, in `arena`; none is noted from then on. */
size_t stock_take_changed(struct stock *stock, struct arena *arena, event_id **ret);
