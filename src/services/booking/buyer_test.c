/* booking/buyer_test.c - the counter behind a limit per person. */

#include "services/booking/buyer.h"

#include "support/booking_node.h"
#include "support/test.h"
#include "support/test_database.h"

TEST(a_buyer_takes_up_to_the_limit_and_gives_back)
{
    static const struct {
        bool take;
        int user;
        int64_t quantity;
        err expected;
        int64_t counted; /* of user 1 afterwards */
    } steps[] = {
        {true,  1, 5, ERR_LIMIT_EXCEEDED, 0},
        {true,  1, 3, ERR_OK,             3},
        {true,  1, 2, ERR_LIMIT_EXCEEDED, 3},
        {true,  2, 4, ERR_OK,             3},
        {true,  1, 1, ERR_OK,             4},
        {false, 1, 2, ERR_OK,             2},
        {true,  1, 3, ERR_LIMIT_EXCEEDED, 2},
        {true,  1, 2, ERR_OK,             4},
        {false, 1, 9, ERR_OK,             0},
        {false, 3, 1, ERR_OK,             0},
        {true,  1, 4, ERR_OK,             4},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, 100);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        CLEANUP(tx_rollback) struct tx tx = {0};
        const struct uuid user = booking_user(steps[i].user);

        CHECK_OK(tx_begin(&tx, node.booking->db));
        CHECK_ERR(steps[i].expected, steps[i].take
                                         ? buyer_take(&tx, user, event.id, steps[i].quantity, 4)
                                         : buyer_give_back(&tx, user, event.id, steps[i].quantity));
        CHECK_OK(tx_commit(&tx));
        CHECK_I64(steps[i].counted,
                  booking_i64(&node, test_on_postgres()
                                         ? "SELECT coalesce(sum(quantity), 0) FROM event_buyer "
                                           "WHERE user_id::text LIKE '%01'"
                                         : "SELECT coalesce(sum(quantity), 0) FROM event_buyer "
                                           "WHERE hex(user_id) LIKE '%01'"));
    }
}
