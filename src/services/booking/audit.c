/* booking/audit.c - `boxoffice audit`: does what was written down add up?
 *
 * First the ledger is replayed against the stock rows, type by type, then every order is held
 * against its ledger rows and tickets. Both together say what sums alone cannot: which order,
 * which type. All is read from one snapshot, and nothing is compared with the time: a hold that
 * nobody has expired yet is no divergence, nor is a payment between two of its steps. */

#include "services/booking/booking.h"

#include <assert.h>
#include <inttypes.h>

#include "base/map.h"
#include "services/booking/audit.sql.h"
#include "services/booking/order.h"
#include "services/booking/stock.h"
#include "services/booking/ticket_status.h"

struct audit {
    struct call *call;
    struct tx *tx;
    struct map *tallies; /* ticket type -> struct tally */
    str found;           /* the first divergence */
};

/* What the ledger says of a type, up to some row of it. */
struct tally {
    ticket_type_id type;
    int64_t total;
    int64_t remaining;
    bool has_row; /* in ticket_type_stock */
};

static const char *name_of(struct audit *audit, const char *prefix, struct uuid id)
{
    const struct id_text text = id_format(prefix, id);

    return arena_cstr(audit->call->arena, str_of(text.text));
}

static const char *type_name(struct audit *audit, ticket_type_id type)
{
    return name_of(audit, TICKET_TYPE_PREFIX, type.uuid);
}

static const char *order_name(struct audit *audit, order_id order)
{
    return name_of(audit, ORDER_PREFIX, order.uuid);
}

#define FOUND(audit, ...) \
    ((audit)->found = arena_printf((audit)->call->arena, __VA_ARGS__), ERR_CONFLICT)

/* --- The ledger --- */

struct entry {
    int64_t seq;
    ticket_type_id type;
    order_id order;
    int64_t kind; /* enum stock_kind */
    int64_t quantity;
};

static bool entry_is_sound(const struct entry *entry, const struct tally *tally)
{
    const bool of_order = !uuid_is_zero(entry->order.uuid);

    switch (entry->kind) {
    case STOCK_OPEN:
        return !of_order && tally == NULL && entry->quantity >= 0;
    case STOCK_ADJUST:
        return !of_order && tally != NULL;
    case STOCK_HOLD:
        return of_order && tally != NULL && entry->quantity < 0;
    case STOCK_SALE:
        return of_order && tally != NULL && entry->quantity == 0;
    case STOCK_RELEASE:
    case STOCK_CANCEL:
        return of_order && tally != NULL && entry->quantity > 0;
    default:
        return false;
    }
}

static struct tally *new_tally(struct audit *audit, ticket_type_id type)
{
    struct tally *tally = arena_new(audit->call->arena, struct tally);

    tally->type = type;
    (void)map_put(audit->tallies, (str){(const char *)type.uuid.bytes, sizeof(type.uuid.bytes)},
                  tally);
    return tally;
}

static struct tally *find_tally(const struct audit *audit, ticket_type_id type)
{
    return map_find(audit->tallies, (str){(const char *)type.uuid.bytes, sizeof(type.uuid.bytes)});
}

static err replay_entry(struct audit *audit, const struct entry *entry)
{
    struct tally *tally = find_tally(audit, entry->type);

    if (!entry_is_sound(entry, tally))
        return FOUND(audit,
                     "stock_ledger row %" PRId64 " of %s: kind %" PRId64 " with quantity %" PRId64
                     " cannot come here",
                     entry->seq, type_name(audit, entry->type), entry->kind, entry->quantity);
    if (tally == NULL)
        tally = new_tally(audit, entry->type);
    tally->remaining += entry->quantity;
    if (entry->kind == STOCK_OPEN || entry->kind == STOCK_ADJUST)
        tally->total += entry->quantity;
    if (tally->remaining < 0 || tally->remaining > tally->total)
        return FOUND(audit,
                     "stock_ledger row %" PRId64 " of %s: leaves %" PRId64 " remaining of %" PRId64,
                     entry->seq, type_name(audit, entry->type), tally->remaining, tally->total);
    return ERR_OK;
}

static err replay_ledger(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_LEDGER, NO_ARGS, audit->call->arena));
    while (rows_next(&rows)) {
        const struct entry entry = {
            .seq = row_i64(&rows, 0),
            .type.uuid = row_uuid(&rows, 1),
            .order.uuid = row_uuid(&rows, 2),
            .kind = row_i64(&rows, 3),
            .quantity = row_i64(&rows, 4),
        };

        TRY(replay_entry(audit, &entry));
    }
    return rows_close(&rows);
}

/* --- Stock --- */

static err check_row(struct audit *audit, ticket_type_id type, int64_t total, int64_t remaining)
{
    struct tally *tally = find_tally(audit, type);

    if (tally == NULL)
        return FOUND(audit, "%s: has stock, but no ledger", type_name(audit, type));
    tally->has_row = true;
    if (tally->remaining != remaining)
        return FOUND(audit, "%s: remaining is %" PRId64 ", its ledger sums up to %" PRId64,
                     type_name(audit, type), remaining, tally->remaining);
    if (tally->total != total)
        return FOUND(audit, "%s: total is %" PRId64 ", its ledger opened %" PRId64,
                     type_name(audit, type), total, tally->total);
    return ERR_OK;
}

/* A type without a row has left the offer: nothing of it may be left. */
static void check_closed(void *arg, [[maybe_unused]] str key, void *value)
{
    struct audit *audit = arg;
    const struct tally *tally = value;

    if (audit->found.ptr == NULL && !tally->has_row && tally->remaining != 0)
        audit->found =
            arena_printf(audit->call->arena, "%s: has no stock, but its ledger sums up to %" PRId64,
                         type_name(audit, tally->type), tally->remaining);
}

static err check_stock(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_STOCK, NO_ARGS, audit->call->arena));
    while (rows_next(&rows))
        TRY(check_row(audit, (ticket_type_id){row_uuid(&rows, 0)}, row_i64(&rows, 1),
                      row_i64(&rows, 2)));
    TRY(rows_close(&rows));
    map_each(audit->tallies, check_closed, audit);
    return audit->found.ptr == NULL ? ERR_OK : ERR_CONFLICT;
}

/* --- Orders --- */

struct item {
    order_id order;
    ticket_type_id type;
    int64_t quantity;
    int64_t status; /* enum order_status */
    int64_t taken;  /* of stock, by the ledger */
    int64_t sales;  /* rows of the ledger */
    int64_t made;   /* tickets in any state */
    int64_t good;   /* tickets that admit */
};

/* How many tickets this item should be keeping from the others. */
static int64_t expected_taken(const struct item *item)
{
    if (item->made > 0)
        return item->good;
    return item->status == ORDER_HELD || item->status == ORDER_PENDING ? item->quantity : 0;
}

static bool status_fits_tickets(const struct item *item)
{
    switch (item->status) {
    case ORDER_HELD: /* tickets: of a payment that is between two steps */
    case ORDER_PENDING:
        return true;
    case ORDER_CONFIRMED:
    case ORDER_PARTIALLY_REFUNDED:
        return item->made >= item->quantity;
    case ORDER_EXPIRED:
    case ORDER_CANCELLED:
    case ORDER_REFUNDED:
        return item->good == 0;
    default:
        return false;
    }
}

static const char *status_name(int64_t status)
{
    return status >= ORDER_HELD && status <= ORDER_PARTIALLY_REFUNDED ? order_status_names[status]
                                                                      : "unknown";
}

static err check_item(struct audit *audit, const struct item *item)
{
    if (!status_fits_tickets(item))
        return FOUND(audit,
                     "%s is %s, but of %" PRId64 " x %s %" PRId64 " tickets are made, %" PRId64
                     " of them good",
                     order_name(audit, item->order), status_name(item->status), item->quantity,
                     type_name(audit, item->type), item->made, item->good);
    if (item->made > 0 && item->sales == 0)
        return FOUND(audit, "%s: has tickets of %s, but its ledger no sale",
                     order_name(audit, item->order), type_name(audit, item->type));
    if (item->taken != expected_taken(item))
        return FOUND(audit,
                     "%s is %s: the ledger has %" PRId64 " x %s taken for it, it keeps %" PRId64,
                     order_name(audit, item->order), status_name(item->status), item->taken,
                     type_name(audit, item->type), expected_taken(item));
    return ERR_OK;
}

static err check_items(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_ITEMS, ARGS(I64(TICKET_VALID), I64(TICKET_USED)),
                  audit->call->arena));
    while (rows_next(&rows)) {
        const struct item item = {
            .order.uuid = row_uuid(&rows, 0),
            .type.uuid = row_uuid(&rows, 1),
            .quantity = row_i64(&rows, 2),
            .status = row_i64(&rows, 3),
            .taken = row_i64(&rows, 4),
            .sales = row_i64(&rows, 5),
            .made = row_i64(&rows, 6),
            .good = row_i64(&rows, 7),
        };

        TRY(check_item(audit, &item));
    }
    return rows_close(&rows);
}

static err check_totals(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_TOTALS, NO_ARGS, audit->call->arena));
    while (rows_next(&rows)) {
        const order_id order = {row_uuid(&rows, 0)};
        const int64_t total = row_i64(&rows, 1);
        const int64_t sum = row_i64(&rows, 2);
        const int64_t refunded = row_i64(&rows, 4);

        if (row_i64(&rows, 3) == 0)
            return FOUND(audit, "%s: has no items", order_name(audit, order));
        if (total != sum)
            return FOUND(audit, "%s: total is %" PRId64 ", its items sum up to %" PRId64,
                         order_name(audit, order), total, sum);
        if (refunded < 0 || refunded > total)
            return FOUND(audit, "%s: %" PRId64 " of %" PRId64 " are refunded",
                         order_name(audit, order), refunded, total);
    }
    return rows_close(&rows);
}

/* Rows that belong to nothing: order, type. */
static err check_strays(struct audit *audit, const struct sql *sql, const char *what)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const err e = rows_first(&rows, audit->tx, sql, NO_ARGS, audit->call->arena);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    return FOUND(audit, "%s: %s of %s, which it has no item of",
                 order_name(audit, (order_id){row_uuid(&rows, 0)}), what,
                 type_name(audit, (ticket_type_id){row_uuid(&rows, 1)}));
}

static err check_orders(struct audit *audit)
{
    TRY(check_items(audit));
    TRY(check_totals(audit));
    TRY(check_strays(audit, &SQL_AUDIT_STRAY_LEDGER, "a ledger row"));
    TRY(check_strays(audit, &SQL_AUDIT_STRAY_TICKET, "a ticket"));
    return check_strays(audit, &SQL_AUDIT_STRAY_ITEM, "an order item without the order");
}

static void close_map(struct map **map)
{
    map_close(*map);
}

err booking_audit(struct call *call, str *ret_found)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(close_map) struct map *tallies = map_open();
    struct audit audit = {.call = call, .tx = &tx, .tallies = tallies};
    err e = ERR_OK;

    TRY(tx_read(&tx, call_db(call)));
    e = replay_ledger(&audit);
    if (e == ERR_OK)
        e = check_stock(&audit);
    if (e == ERR_OK)
        e = check_orders(&audit);
    if (e == ERR_CONFLICT) {
        assert(audit.found.ptr != NULL);
        *ret_found = audit.found;
    }
    return e;
}
