/* booking/event.h - an event as it is offered: the immutable value that browsing and selling share. */
#pragma once

#include "base/money.h"
#include "platform/json/json.h"
#include "services/booking/booking.h"
#include "services/booking/ids.h"
#include "services/booking/price.h"

struct blob;

enum {
    EVENT_TICKET_TYPES_MAX = 50,
    EVENT_ARTISTS_MAX = 50,
    EVENT_METHODS_MAX = 20,
    EVENT_PER_ORDER_STANDARD = 10,
    TICKET_TYPE_QUANTITY_MAX = 10000000,
    REFUND_HOURS_MAX = 24 * 366,
    TAX_RATE_PPM_MAX = 1000000, /* 100 % */
};

enum event_status { EVENT_DRAFT, EVENT_PUBLISHED, EVENT_CANCELLED };
enum event_type {
    EVENT_CONCERT,
    EVENT_CONFERENCE,
    EVENT_GAMING,
    EVENT_EDUCATIONAL,
    EVENT_SPORTS,
    EVENT_THEATRE,
    EVENT_FESTIVAL,
    EVENT_OTHER,
};
extern const char *const event_status_names[];
extern const char *const event_type_names[];
extern const char *const event_bearer_names[]; /* enum fee_bearer */

struct venue {
    venue_id id;
    str name;
    str city;
    str country;
    str address;
    double lat; /* NaN: absent */
    double lon;
};
struct artist {
    artist_id id;
    str name;
};
struct ticket_type {
    ticket_type_id id;
    str name;
    struct money price;
    struct money
        all_in; /* what one costs the buyer: with the fee that he bears and the tax on top */
    int64_t tax_rate_ppm;   /* JSON_NULL: the event's */
    int64_t total;          /* as offered; what remains is stock.h's */
    int64_t max_per_order;  /* JSON_NULL: only the event's limit */
    int64_t sales_start_ms; /* JSON_NULL: from publication */
    int64_t sales_end_ms;   /* JSON_NULL: until the event ends */
};
struct event_tax {
    str name;         /* "VAT"; absent: not said */
    int64_t rate_ppm; /* 19 %: 190000 */
    bool on_top;      /* else the prices have it in them */
    int rounding;     /* enum price_rounding */
    int per;          /* enum price_per */
};
struct event_policies {
    bool refundable;         /* by the buyer; the vendor may always */
    int64_t refund_until_ms; /* JSON_NULL: until the event starts */
    int64_t
        refund_hours; /* so many before it starts; JSON_NULL: none. The earlier of both counts */
    int64_t refund_percent; /* of what was paid, from 1 to 100 */
    bool refund_fees;       /* of the platform, alike; else they are kept */
    int fee_bearer;         /* enum fee_bearer; negative: as the platform says */
    struct event_tax *tax;  /* NULL: none */
};
enum fee_bearer { BEARER_BUYER, BEARER_VENDOR };
#define EVENT_POLICIES_STANDARD                                                      \
    (struct event_policies)                                                          \
    {                                                                                \
        .refundable = true, .refund_until_ms = JSON_NULL, .refund_hours = JSON_NULL, \
        .refund_percent = 100, .refund_fees = true, .fee_bearer = -1, .tax = NULL    \
    }
struct event_limits {
    int64_t per_order;
    int64_t per_user; /* JSON_NULL: none */
    bool one_active_hold;
};

struct event {
    event_id id;
    struct uuid vendor;
    int status; /* enum event_status */
    int type;   /* enum event_type */
    int64_t version;
    str slug;
    str name;
    str description;
    str url;
    str timezone;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    bool whole_day;
    bool online;
    struct venue *venue; /* NULL: online */
    struct artist *artists;
    size_t artist_count;
    struct currency currency;
    struct ticket_type *ticket_types; /* in the vendor's order */
    size_t ticket_type_count;
    struct booking_accepted *accepted;
    size_t accepted_count;
    struct event_policies policies;
    struct price_rules rules; /* what policies and the platform make of a price */
    struct event_limits limits;
    int64_t checkin_opens_at_ms; /* JSON_NULL: any time */
    int64_t created_at_ms;
    struct blob *document; /* as the API shows it: rendered once, by the catalog */
    str json;              /* its body */
    uint64_t digest;       /* of its body */
};

/* Is this type sold at `now_ms`? Pure. */
bool ticket_type_on_sale(const struct event *event, const struct ticket_type *type, int64_t now_ms);
/* NULL if the event has no such type. */
const struct ticket_type *event_ticket_type(const struct event *event, ticket_type_id id);
/* Is it a type of payment method that events may take? */
bool event_method_is_known(str type);
/* Gives what is not said of a tax its standard. False: it has no rate. */
bool event_tax_complete(struct event_tax *tax);
/* The rate that its price is taxed by, in millionths. */
int64_t event_tax_rate(const struct event *event, const struct ticket_type *type);
/* Sets the rules, and what each type costs by them. The platform's fee: so much of the event's currency, and so many basis points of the price. */
struct price_platform {
    str fee_fixed; /* the setting: price_fixed_fee */
    int64_t fee_basis_points;
    int fee_bearer; /* enum fee_bearer: where the event does not say */
};
void event_set_prices(const struct price_platform *platform, struct event *event);
/* The event's entity tag, with quotes. */
str event_etag(struct arena *arena, const struct event *event);
/* The event as the API shows it: what `json` holds. */
str event_render(struct arena *arena, const struct event *event);
/* The same, with the `quantity` of each ticket type: as its vendor may take it elsewhere. */
str event_render_counted(struct arena *arena, const struct event *event);
extern const struct json_shape event_accepted_shape; /* struct booking_accepted */
extern const struct json_shape event_policies_shape; /* struct event_policies */
extern const struct json_shape event_limits_shape;   /* struct event_limits */
/* "Saturday, 5 December 2026, 20:00 – 23:00 (EET, Africa/Cairo)" and "Opera House, Cairo, Egypt" or "Online". */
str event_when(struct call *call, const struct event *event);
str event_place(struct arena *arena, const struct event *event);
/* The event as an .ics file (RFC 5545). */
err event_calendar(struct call *call, const struct event *event, str *ret);
