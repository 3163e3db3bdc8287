/* bench/pgbench_holds.h - the limit beside hold_bench on PostgreSQL: one transaction a hold. */
#pragma once

#include "support/booking_node.h"

/* Has pgbench place holds of the event's first type in the node's own tables, a transaction each,
 * with a few numbers of clients, `seconds` each, and prints the figures beside `ours` (holds/s). The
 * books do not balance afterwards. */
void pgbench_holds(struct booking_node *node, const struct known_event *event, int seconds,
                   double ours);
