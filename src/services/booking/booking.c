/* booking/booking.c - the booking service as the node sees it: its tables, and what it keeps in
 * memory.
 *
 * Each slice of the service brings its own tables (routes, statements, chores); they are
 * collected here and nowhere else. Everything in struct booking can be rebuilt from the
 * database, and is, each time the service opens. */

#include "services/booking/booking.h"

#include "base/mem.h"
#include "services/booking/audit.sql.h"
#include "services/booking/availability.h"
#include "services/booking/buyer.sql.h"
#include "services/booking/catalog.h"
#include "services/booking/checkin.h"
#include "services/booking/checkin.sql.h"
#include "services/booking/demo_sales.sql.h"
#include "services/booking/event_browse.h"
#include "services/booking/event_cancel.h"
#include "services/booking/event_cancel.sql.h"
#include "services/booking/event_edit.h"
#include "services/booking/event_methods.h"
#include "services/booking/event_methods.sql.h"
#include "services/booking/event_store.sql.h"
#include "services/booking/expiry.h"
#include "services/booking/expiry.sql.h"
#include "services/booking/export/export.sql.h"
#include "services/booking/export/get.h"
#include "services/booking/hold.h"
#include "services/booking/hold.sql.h"
#include "services/booking/hold_many.h"
#include "services/booking/list_cache.h"
#include "services/booking/migrations.h"
#include "services/booking/order.h"
#include "services/booking/order.sql.h"
#include "services/booking/order_refund.h"
#include "services/booking/order_refund.sql.h"
#include "services/booking/paying.sql.h"
#include "services/booking/redeem.sql.h"
#include "services/booking/refund.h"
#include "services/booking/search/event.h"
#include "services/booking/seen.h"
#include "services/booking/settle.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"
#include "services/booking/stock.sql.h"
#include "services/booking/ticket.h"
#include "services/booking/ticket.sql.h"
#include "services/booking/ticket_end.sql.h"
#include "services/booking/ticket_files.h"
#include "services/booking/ticket_pdf.h"
#include "services/booking/transfer.h"

static const struct route_table *const route_tables[] = {
    &availability_routes, &checkin_routes,      &event_routes,
    &event_browse_routes, &event_cancel_routes, &export_routes,
    &hold_routes,         &order_routes,        &refund_routes,
    &settle_routes,       &suggest_routes,      &ticket_file_routes,
    &ticket_routes,       &transfer_routes,     NULL,
};

static const struct op *const ops[] = {
    &booking_event_cards_op,     &booking_event_page_op,
    &booking_payment_begin_op,   &booking_confirm_op,
    &booking_settle_op,          &booking_payment_abort_op,
    &booking_event_accepts_op,   &booking_method_attach_op,
    &booking_method_detach_op,   &booking_order_view_op,
    &booking_order_documents_op, &booking_event_rank_op,
    &booking_order_lines_op,     &booking_order_fate_op,
    &booking_redeemable_op,      NULL,
};

static const struct sql_list *const statements[] = {
    &event_methods_sql, &audit_sql,  &buyer_sql,  &checkin_sql, &demo_sales_sql, &event_cancel_sql,
    &event_store_sql,   &expiry_sql, &export_sql, &hold_sql,    &order_sql,      &order_refund_sql,
    &paying_sql,        &redeem_sql, &stock_sql,  &ticket_sql,  &ticket_end_sql, NULL,
};

static const struct setting setting_rows[] = {
    SETTING_NUMBER("booking.hold_ttl_s", SETTING_SECONDS, RANGE(30, 3600), 600,
                   "How long tickets are held for a buyer who has not paid."),
    SETTING_STRING("booking.fee_fixed", NULL,
                   "The platform's fee for each ticket that costs anything, in minor units of each "
                   "currency, like EUR:50 JPY:80; none for a currency that is not named."),
    SETTING_NUMBER("booking.fee_basis_points", SETTING_COUNT, RANGE(0, 10000), 0,
                   "The platform's fee for each ticket in hundredths of a percent of its price, "
                   "beside the fixed one."),
    SETTING_ONE_OF("booking.fee_bearer", "buyer vendor", "buyer",
                   "Who bears the platform's fee where the event does not say: the buyer on top of "
                   "the price, or the vendor out of it."),
};
static const struct settings settings = SETTINGS(setting_rows);

static const struct chore chores[] = {
    {EXPIRY_CHORE, expire_holds},
    {NULL,         NULL        },
};

static const struct job_kind jobs[] = {
    {EVENT_CANCEL_JOB, event_cancel_orders, EVENT_CANCEL_TRIES_MAX, EVENT_CANCEL_BACKOFF_S},
    {GIVE_BACK_JOB,    order_refund_run,    GIVE_BACK_TRIES_MAX,    GIVE_BACK_BACKOFF_S   },
    {NULL,             NULL,                0,                      0                     },
};

static const struct consumer consumers[] = {
    {"payment", "payment_method.changed",                                    CONSUMER_DURABLE,  event_methods_follow},
    {"payment", "refund.succeeded refund.failed",                            CONSUMER_DURABLE,  order_refund_follow },
    {"booking", "event.created event.updated event.cancelled event.deleted", CONSUMER_VOLATILE,
     catalog_follow                                                                                                 },
    {"booking", "inventory.changed",                                         CONSUMER_VOLATILE, stock_follow        },
    {NULL,      NULL,                                                        CONSUMER_VOLATILE, NULL                },
};

/* --- What it keeps in memory --- */

static void close_booking(struct instance *self)
{
    struct booking *booking = self->state;

    if (booking == NULL)
        return;
    if (booking->desk != NULL)
        batch_close(booking->desk); /* first: what waits still needs the rest */
    ticket_printer_close(booking->printer);
    zones_close(booking->zones);
    if (booking->catalog != NULL)
        catalog_close(booking->catalog);
    list_cache_close(booking->lists);
    seen_free(booking->seen);
    stock_free(booking->stock);
    mem_free(booking);
    self->state = NULL;
}

static err read_platform(struct instance *self, struct call *call, struct booking *booking)
{
    const struct config *config = self->node->config;
    int64_t unused = 0;

    booking->platform = (struct price_platform){
        .fee_fixed = config_text(config, "booking.fee_fixed"),
        .fee_basis_points = config_i64(config, "booking.fee_basis_points"),
        .fee_bearer = str_eq(config_text(config, "booking.fee_bearer"), STR("vendor"))
                          ? BEARER_VENDOR
                          : BEARER_BUYER,
    };
    if (price_fixed_fee(booking->platform.fee_fixed, (struct currency){0}, &unused))
        return ERR_OK;
    return call_explain(call, ERR_INVALID,
                        "booking.fee_fixed must be words like EUR:50, from 0 to 10^9 minor units");
}

static err fill(struct instance *self, struct call *call, struct booking *booking)
{
    struct outbox_position outbox_end = {0};

    booking->hold_ttl_ms = config_i64(self->node->config, "booking.hold_ttl_s") * 1000;
    TRY(read_platform(self, call, booking));
    booking->zones = zones_open(NULL);
    booking->lists = list_cache_open(LISTS_SIZE_MAX);
    booking->stock = stock_new();
    TRY(ticket_printer_open(&booking->printer));
    TRY(catalog_load(call, &booking->catalog, &outbox_end));
    outbox_follow_from(self, "booking", outbox_end);
    TRY(stock_load(call, booking->stock, NULL));
    /* Where others place orders too, only the database knows all keys. */
    if (self->node->alone) {
        booking->seen = seen_new(call->now_ms);
        TRY(seen_load(call, booking->seen));
    }
    TRY(batch_open(self->db, "desk", stock_seal, self, self->node->metrics, &booking->desk));
    if (db_has_arrays(self->db))
        batch_set_many(booking->desk, hold_many);
    return ERR_OK;
}

static err open_booking(struct instance *self, struct call *call)
{
    err e = ERR_OK;

    self->state = mem_new(struct booking);
    e = fill(self, call, self->state);
    if (e != ERR_OK)
        close_booking(self);
    return e;
}

const struct service booking_service = {
    .name = "booking",
    .routes = route_tables,
    .ops = ops,
    .statements = statements,
    .migrations = &booking_migrations,
    .one_writer = true,
    .settings = &settings,
    .chores = chores,
    .jobs = jobs,
    .consumers = consumers,
    .open = open_booking,
    .close = close_booking,
};
