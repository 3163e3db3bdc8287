/* booking/split_test.c - what is asked most touches the hot and narrow tables only, whatever the cold and wide ones beside them hold.
 *
 *     hot                                              cold
 *     event_key                                        event_document, event_artist, venue, artist
 *     ticket_type_stock, stock_ledger                  ticket_type
 *     order_state, order_item, event_buyer, ticket     order_detail, order_refund
 *     scan
 *
 * The statements are those that really run: SQLite tells them. */
#include "support/booking_buy.h"
#include "support/json_at.h"
#include "support/sql_watch.h"
#include "support/test.h"
#include "support/test_database.h"

static void open_watched(struct booking_node *node)
{
    sql_watch_open();
    booking_node_open(node, NULL);
}

static void check_tables(struct booking_node *node, const char *expected)
{
    CHECK_STR(expected, sql_watch_tables(node->arena, "booking.db"));
    sql_watch_begin();
}

TEST(a_hold_touches_hot_tables_only)
{
    if (test_on_postgres())
        return; /* SQLite tells which tables are touched */

    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct known_event limited;
    const struct given_type type = {.name = "Stalls", .price_minor = 1000, .total = 10};

    open_watched(&node);
    event = booking_add_simple(&node, 10, 1000);
    limited = booking_add_event(&node, &(struct given_event){
                                           .vendor = 1,
                                           .status = EVENT_PUBLISHED,
                                           .limits = {.per_user = 4, .one_active_hold = true},
                                           .types = &type,
                                           .type_count = 1
    });

    sql_watch_begin();
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "a", &event, 2).status);
    check_tables(&node, "event_key order_item order_state outbox stock_ledger ticket_type_stock");
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "b", &limited, 2).status);
    check_tables(&node, "event_buyer event_key order_item order_state outbox stock_ledger "
                        "ticket ticket_type_stock");
    /* Sold out is said from memory to who has never sent this key. */
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "c", &event, 9).status);
    check_tables(&node, "");
}

TEST(looking_asks_no_database)
{
    if (test_on_postgres())
        return; /* SQLite tells which tables are touched */

    static const char *const paths[] = {"/events", "/events?search=event", "/events?sort=price_asc",
                                        "/events?city=cairo&available=true"};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    open_watched(&node);
    event = booking_add_simple(&node, 10, 1000);
    sql_watch_begin();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        CHECK_I64(200, booking_send(&node, NULL, "GET", NULL, "%s", paths[i]).status);
    CHECK_I64(200, booking_send(&node, NULL, "GET", NULL, "/events/%s", event.id_text).status);
    CHECK_I64(200, booking_send(&node, NULL, "HEAD", NULL, "/events/%s", event.id_text).status);
    CHECK_I64(200,
              booking_send(&node, NULL, "GET", NULL, "/events/%s/tickets", event.id_text).status);
    CHECK_STR("10", booking_available(&node, node.arena, &event));
    check_tables(&node, "");
}

TEST(the_door_touches_hot_tables_only)
{
    if (test_on_postgres())
        return; /* SQLite tells which tables are touched */

    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;

    open_watched(&node);
    event = booking_add_simple(&node, 10, 1000);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    sql_watch_begin();
    const str scan = arena_printf(
        node.arena, "{\"code\":\"%s\",\"device_id\":\"gate-1\",\"nonce\":\"1\"}", bought.codes[0]);
    CHECK_I64(200, booking_send(&node, "vendor-1", "POST", scan.ptr, "/checkin").status);
    check_tables(&node, "order_state outbox scan ticket");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "HEAD", NULL, "/tickets/%s", bought.tickets[0]).status);
    check_tables(&node, "order_state ticket");
}
