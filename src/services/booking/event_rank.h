/* booking/event_rank.h - which events to put before somebody: the contract is booking_event_rank.
 *
 * Best first:  in the city that is asked for  >  what trends  >  what was bought  >  what is soon.
 *
 * An event is worth showing while it can be bought: published, not begun, on sale, not sold out,
 * and not what the user has tickets for already. Of events with one name by one vendor (a series)
 * only the best is shown. */
#pragma once

#include "services/booking/event.h"

/* What speaks for an event. */
struct event_merit {
    bool in_city;
    double trend;         /* distinct buyers, halved with age; 0: it does not trend */
    int64_t sold;         /* tickets held or sold */
    int64_t total;        /* tickets offered */
    int64_t starts_in_ms; /* > 0 */
};
/* Which of the reasons counts: enum rank_reason. Pure. */
int event_rank_reason(const struct event_merit *merit);
/* In [0, 1): a better reason beats a worse one, whatever its measure. Pure. */
double event_rank_score(const struct event_merit *merit);
