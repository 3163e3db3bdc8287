/* payment/sales.h - GET /vendors/{vendor}/sales: what a vendor has sold, from the ledger. */
#pragma once

#include "platform/http/http.h"
#include "services/payment/ledger.h"

/* Of one group. All in minor units of the report's currency. */
struct sales_figures {
    struct money gross;   /* face value less discount, of what was paid */
    struct money fees;    /* what the vendor bears of the platform's, less what he got back */
    struct money refunds; /* of `gross`, what is given back, and disputes that were lost */
    struct money net;     /* gross - refunds - fees */
    int64_t tickets_sold; /* also those that were given back later */
    int64_t tickets_refunded;
};
struct sales_group {
    struct uuid event;
    struct uuid ticket_type; /* zero: none is known */
    int64_t day;             /* 20261231 */
    str date;                /* "2026-12-31" */
    struct sales_figures figures;
};
enum { SALES_CURRENCIES_MAX = 32, SALES_LAST_DAY = 99991231 };
enum sales_grouping { SALES_BY_DAY, SALES_BY_EVENT, SALES_BY_TICKET_TYPE };

struct sales_query {
    struct uuid vendor;
    struct uuid event; /* zero: all */
    int64_t from_day;  /* both included; 0 and SALES_LAST_DAY: all */
    int64_t to_day;
    int group_by; /* enum sales_grouping */
    struct currency currency;
};
struct sales_report {
    struct sales_figures totals;
    struct sales_group *series; /* by day, or by event and ticket type */
    size_t series_count;
    struct sales_group *events; /* by their ids: oldest first */
    size_t event_count;
};

/* One snapshot: exactly what is in the ledger when it is taken. */
err sales_read(struct call *call, const struct sales_query *query, struct sales_report *ret);

/* The currencies that he has sold in, by their codes. */
err sales_currencies(struct call *call, struct uuid vendor, str ret[SALES_CURRENCIES_MAX],
                     size_t *ret_count);

extern const struct route_table sales_routes;
