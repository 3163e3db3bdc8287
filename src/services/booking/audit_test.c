/* booking/audit_test.c - the audit is silent about what the service did, and finds each kind of
 * tampering. */

#include "services/booking/booking.h"

#include <string.h>

#include "support/booking_node.h"
#include "support/test.h"
#include "support/test_database.h"

#define PRICE     INT64_C(25000)
#define MINUTE_MS INT64_C(60000)

static err audit(struct booking_node *node, str *ret_found)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;
    err e = ERR_OK;

    booking_node_call(node, &call);
    e = booking_audit(&call, &found);
    *ret_found = arena_str(node->arena, found);
    return e;
}

/* Two orders of an event with two types: one held, one paid for, with a ticket. */
static void sell(struct booking_node *node)
{
    static const struct given_type types[] = {
        {.name = "Standard", .price_minor = PRICE, .total = 10},
        {.name = "VIP",      .price_minor = PRICE, .total = 5 },
    };
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = types, .type_count = 2};
    const struct known_event event = booking_add_event(node, &given);

    CHECK_I64(201, booking_book(node, node->arena, "customer-1", "held", &event, 2).status);
    CHECK_I64(201, booking_book(node, node->arena, "customer-2", "paid", &event, 1).status);
    booking_exec(
        node,
        "UPDATE order_state SET status = 2, attempt_state = 3 WHERE idem_key = 'paid';"
        "INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)"
        " SELECT i.ticket_type_id, i.order_id, 3, 0, 0 FROM order_item i"
        " JOIN order_state s ON s.id = i.order_id WHERE s.status = 2;"
        "INSERT INTO ticket (id, order_id, event_id, ticket_type_id, user_id, status, generation,"
        " price_minor) SELECT s.id, s.id, s.event_id, i.ticket_type_id, s.user_id, 0, 1, 25000"
        " FROM order_state s JOIN order_item i ON i.order_id = s.id WHERE s.status = 2;");
}

TEST(what_the_service_did_adds_up)
{
    CLEANUP(booking_node_close) struct booking_node node;
    str found = STR_ABSENT;

    booking_node_open(&node, NULL);
    CHECK_OK(audit(&node, &found));
    sell(&node);
    CHECK_OK(audit(&node, &found));
    clock_manual_advance(&node.clock, 20 * MINUTE_MS); /* nobody has expired the hold yet */
    CHECK_OK(audit(&node, &found));
    node_run_due(node.node);
    CHECK_OK(audit(&node, &found));
    CHECK(found.ptr == NULL);
}

static const struct {
    const char *sql;
    const char *found; /* is part of the finding */
} tamperings[] = {
  /* The ledger */
    {"DELETE FROM stock_ledger WHERE kind = 0 AND quantity = 10",                             "cannot come here"                         },
    {"UPDATE stock_ledger SET kind = 9 WHERE kind = 1",                                       "kind 9"                                   },
    {"UPDATE stock_ledger SET quantity = 1 WHERE kind = 1",                                   "kind 1 with quantity 1"                   },
    {"UPDATE stock_ledger SET order_id = NULL WHERE kind = 1",                                "cannot come here"                         },
    {"UPDATE stock_ledger SET quantity = 1 WHERE kind = 3",                                   "kind 3 with quantity 1"                   },
    {"UPDATE stock_ledger SET quantity = -11 WHERE quantity = -2",                            "leaves -1 remaining of 10"                },
    {"INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)"
     " SELECT ticket_type_id, order_id, 2, 9, 0 FROM order_item LIMIT 1",                "leaves 16 remaining of 10"                },
 /* The stock */
    {"UPDATE ticket_type_stock SET remaining = 8 WHERE total = 10",
     "remaining is 8, its ledger sums up to 7"                                                                                           },
    {"UPDATE ticket_type_stock SET total = 11 WHERE total = 10",
     "total is 11, its ledger opened 10"                                                                                                 },
    {"INSERT INTO ticket_type_stock (id, event_id, total, remaining) VALUES (randomblob(16), "
     "randomblob(16), 1, "
     "1)",                                                                               "has stock, but no ledger"                 },
    {"DELETE FROM ticket_type_stock WHERE total = 5",                                         "has no stock, but its ledger sums up to 5"},
 /* Orders against their ledger and tickets */
    {"UPDATE order_state SET status = 3 WHERE idem_key = 'held'",                             "is expired: the ledger has 2 x"           },
    {"UPDATE order_item SET quantity = 3, unit_price_minor = 0 WHERE quantity = 2",
     "is held: the ledger has 2 x"                                                                                                       },
    {"UPDATE order_state SET status = 2 WHERE idem_key = 'held'",                             "is confirmed, but of 2 x"                 },
    {"UPDATE order_state SET status = 4 WHERE idem_key = 'paid'",                             "is cancelled, but of 1 x"                 },
    {"UPDATE ticket SET status = 2",                                                          "is confirmed: the ledger has 1 x"         },
    {"DELETE FROM ticket",                                                                    "is confirmed, but of 1 x"                 },
    {"DELETE FROM stock_ledger WHERE kind = 3",                                               "but its ledger no sale"                   },
    {"UPDATE order_state SET status = 77 WHERE idem_key = 'held'",                            "is unknown"                               },
 /* Sums */
    {"UPDATE order_state SET total_minor = total_minor + 1 WHERE idem_key = 'held'",
     "total is 50001, its items sum up to 50000"                                                                                         },
    {"INSERT INTO order_detail (order_id, refunded_minor) SELECT id, 50001 FROM order_state"
     " WHERE idem_key = 'held'",                                                         "50001 of 50000 are refunded"              },
    {"INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, hold_ms, "
     "total_minor,"
     " currency, idem_key, idem_digest, created_at_ms) VALUES (randomblob(16), randomblob(16), "
     "randomblob(16), 4, "
     "0, 0,"
     " 0, 'EGP', 'k', x'', 0)",                                                          "has no items"                             },
 /* Rows that belong to nothing */
    {"DELETE FROM order_item WHERE quantity = 2;"
     "DELETE FROM order_state WHERE idem_key = 'held'",                                  "a ledger row of tt_"                      },
    {"UPDATE ticket SET ticket_type_id = randomblob(16); UPDATE order_state SET status = 1;",
     "a ticket of tt_"                                                                                                                   },
    {"INSERT INTO order_item (order_id, ticket_type_id, quantity, unit_price_minor)"
     " VALUES (randomblob(16), randomblob(16), 1, 1)",                                   "an order item without the order"          },
};

TEST(each_kind_of_divergence_is_found_and_named)
{
    for (size_t i = 0; i < sizeof(tamperings) / sizeof(tamperings[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        str found = STR_ABSENT;
        err e = ERR_OK;

        booking_node_open(&node, NULL);
        sell(&node);
        booking_exec(&node,
                     arena_printf(node.arena, "%s; %s",
                                  test_on_postgres() ? "SET session_replication_role = replica"
                                                     : "DROP TRIGGER stock_ledger_no_update;"
                                                       "DROP TRIGGER stock_ledger_no_delete",
                                  tamperings[i].sql)
                         .ptr);
        e = audit(&node, &found);
        if (e != ERR_CONFLICT ||
            memmem(found.ptr, found.size, tamperings[i].found, strlen(tamperings[i].found)) == NULL)
            print_error("%s\n  found: %.*s\n", tamperings[i].sql, STR_ARG(found));
        CHECK_ERR(ERR_CONFLICT, e);
        CHECK(memmem(found.ptr, found.size, tamperings[i].found, strlen(tamperings[i].found)) !=
              NULL);
    }
}

TEST(the_ledger_is_append_only)
{
    CLEANUP(booking_node_close) struct booking_node node;
    str found = STR_ABSENT;

    booking_node_open(&node, NULL);
    sell(&node);
    CHECK_I64(test_on_postgres() ? 1 : 2,
              booking_i64(&node, test_on_postgres()
                                     ? "SELECT count(*) FROM pg_trigger"
                                       " WHERE tgrelid = 'stock_ledger'::regclass"
                                     : "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
                                       " AND tbl_name = 'stock_ledger'"));
    CHECK_OK(audit(&node, &found));
}
