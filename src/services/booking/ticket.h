/* booking/ticket.h - tickets: made when an order is paid or promised, shown as soon as that is sure. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/event.h"
#include "services/booking/order.h"
#include "services/booking/ticket_status.h"

extern const char *const ticket_status_names[];

struct ticket {
    ticket_id id;
    order_id order;
    event_id event;
    ticket_type_id type;
    struct uuid user;
    int status; /* enum ticket_status */
    int64_t generation;
    str attendee_name;   /* absent: not named */
    int64_t price_minor; /* as it was offered; what it cost: ticket_money_of */
    int64_t used_at_ms;  /* JSON_NULL: not used */
    int order_status;    /* enum order_status: of a held order no ticket is shown */
    int64_t due_minor;   /* of the order: to be paid at the entrance */
    struct currency currency;
};

/* In any transaction. ERR_NOT_FOUND, also while its order is not paid yet. */
err ticket_get(struct tx *tx, struct call *call, ticket_id id, struct ticket *ret);
/* The tickets of an order in the order they were made, shown or not. */
err ticket_list_of_order(struct tx *tx, struct call *call, order_id order, struct ticket **ret,
                         size_t *ret_count);
/* What each of the order's tickets cost: its share of the item it is of. */
err ticket_money_of(struct tx *tx, struct call *call, order_id order, const struct ticket *tickets,
                    size_t count, struct booking_money_line **ret);
/* Makes the tickets of all items of the order. In the desk's transaction. */
err ticket_make_all(struct tx *tx, struct call *call, const struct order *order);
/* The caller's ticket, or one of an event that he sells; ERR_NOT_FOUND for what belongs to others. `event` is a reference that event_release gives back. */
err ticket_get_visible(struct call *call, ticket_id id, struct ticket *ret,
                       const struct event **ret_event);

/* The signed code of the ticket's current generation: valid until a day after the event. */
err ticket_code_of(struct call *call, const struct ticket *ticket, const struct event *event,
                   str *ret);
/* A ticket as the API shows it; with its code for its holder alone. `event` may be NULL. */
str ticket_json(struct call *call, const struct ticket *ticket, const struct event *event,
                bool with_code);
/* A JSON array of an order's tickets, as shown to their holder; "[]" while the order is not paid. */
err ticket_list_json(struct call *call, order_id order, str *ret);

extern const struct route_table ticket_routes;
