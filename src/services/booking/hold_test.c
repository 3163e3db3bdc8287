/* booking/hold_test.c - POST /tickets/book over HTTP, on a real database: what is answered, and
 * what is in the tables then. */

#include <semaphore.h>
#include <string.h>

#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

static struct answer ask_book(struct booking_node *node, const char *who, const char *key,
                              const char *body)
{
    const struct ask ask = {
        .who = who, .method = "POST", .path = "/tickets/book", .key = key, .body = body};

    return booking_ask(node, node->arena, &ask);
}

TEST(booked_tickets_are_held)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, PRICE);
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 3);

    CHECK_I64(201, answer.status);
    CHECK(str_starts(answer_at(node.arena, &answer, "/order/id"), STR("ord_")));
    CHECK_STR("held", answer_at(node.arena, &answer, "/order/status"));
    CHECK_STR("2026-11-23T00:10:00Z", answer_at(node.arena, &answer, "/order/expires_at"));
    CHECK_STR("2026-11-23T00:00:00Z", answer_at(node.arena, &answer, "/order/created_at"));
    CHECK_STR(event.id_text, answer_at(node.arena, &answer, "/order/event_id"));
    CHECK_STR(event.type_texts[0], answer_at(node.arena, &answer, "/order/items/0/ticket_type_id"));
    CHECK_STR("Standard", answer_at(node.arena, &answer, "/order/items/0/name"));
    CHECK_I64(3, answer_i64(node.arena, &answer, "/order/items/0/quantity"));
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/order/items/0/unit_price/amount"));
    CHECK_I64(3 * PRICE, answer_i64(node.arena, &answer, "/order/items/0/total/amount"));
    CHECK_I64(3 * PRICE, answer_i64(node.arena, &answer, "/order/subtotal/amount"));
    CHECK_I64(0, answer_i64(node.arena, &answer, "/order/discount/amount"));
    CHECK_I64(0, answer_i64(node.arena, &answer, "/order/fees/amount"));
    CHECK_I64(0, answer_i64(node.arena, &answer, "/order/tax/amount"));
    CHECK_I64(3 * PRICE, answer_i64(node.arena, &answer, "/order/total/amount"));
    CHECK_STR("EGP", answer_at(node.arena, &answer, "/order/total/currency"));
    CHECK_STR("card", answer_at(node.arena, &answer, "/order/payment_methods/0/type"));
    CHECK_STR("97", booking_available(&node, node.arena, &event));
    CHECK_I64(97, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(97, booking_i64(&node, "SELECT sum(quantity) FROM stock_ledger"));
}

TEST(the_change_is_told_once_a_batch)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 3).status);
    CHECK_I64(1,
              booking_i64(&node, arena_cstr(node.arena,
                                            arena_printf(node.arena,
                                                         "SELECT count(*) FROM outbox WHERE kind = "
                                                         "'inventory.changed' AND payload = "
                                                         "'{\"event_ids\":[\"%s\"]}'",
                                                         event.id_text))));
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "k2", &event, 98).status);
    CHECK_I64(1,
              booking_i64(&node, "SELECT count(*) FROM outbox WHERE kind = 'inventory.changed'"));
}

/* --- Limits --- */

TEST(limits_are_named_and_kept)
{
    static const struct given_type types[] = {
        {.name = "Standard",    .price_minor = PRICE, .total = 100      },
        { .name = "VIP", .price_minor = PRICE,         .total = 100, .max_per_order = 2},
    };
    const struct given_event given = {
        .vendor = 1,
        .status = EVENT_PUBLISHED,
        .limits = {.per_order = 6, .per_user = 8},
        .types = types,
        .type_count = 2,
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    answer = booking_book(&node, node.arena, "customer-1", "a", &event, 7);
    check_problem(node.arena, &answer, 409, "limit_exceeded");
    CHECK(memmem(answer.body.ptr, answer.body.size, "per_order", 9) != NULL);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "b", &event, 6).status);
    answer = booking_book(&node, node.arena, "customer-1", "c", &event, 3);
    check_problem(node.arena, &answer, 409, "limit_exceeded");
    CHECK(memmem(answer.body.ptr, answer.body.size, "per_user", 8) != NULL);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "d", &event, 2).status);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-2", "e", &event, 6).status);
    CHECK_STR("186", booking_available(&node, node.arena, &event));
    CHECK_I64(8, booking_i64(&node, "SELECT max(quantity) FROM event_buyer"));
}

TEST(a_limit_that_comes_later_counts_what_was_bought_before)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, PRICE);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "a", &event, 5).status);
    booking_exec(&node, "UPDATE event_document SET limits = "
                        "'{\"per_order\":10,\"per_user\":6,\"one_active_hold\":false}'");
    booking_exec(&node, "UPDATE event_key SET version = version + 1");
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "b", &event, 2).status);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "c", &event, 1).status);
    CHECK_I64(6, booking_i64(&node, "SELECT quantity FROM event_buyer"));
}

TEST(one_active_hold_is_all_that_some_events_allow)
{
    static const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 100};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .limits = {.one_active_hold = true},
                                      .types = &type,
                                      .type_count = 1};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "a", &event, 1).status);
    answer = booking_book(&node, node.arena, "customer-1", "b", &event, 1);
    check_problem(node.arena, &answer, 409, "limit_exceeded");
    CHECK_I64(201, booking_book(&node, node.arena, "customer-2", "c", &event, 1).status);
    clock_manual_advance(&node.clock,
                         INT64_C(600000)); /* over, whether or not that is written down */
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "d", &event, 1).status);
}

/* --- Several types --- */

TEST(several_types_are_taken_all_or_not_at_all)
{
    static const struct given_type types[] = {
        {.name = "Standard", .price_minor = 100, .total = 10},
        {.name = "VIP",      .price_minor = 500, .total = 1 },
    };
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = types, .type_count = 2};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *body = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    body = arena_cstr(
        node.arena,
        arena_printf(node.arena,
                     "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":1},"
                     "{\"ticket_type_id\":\"%s\",\"quantity\":3}],"
                     "\"attendees\":[{\"name\":\"Ana\",\"email\":\"ana@example.com\"},"
                     "{\"name\":\"Bo \\\"B\\\"\"}]}",
                     event.id_text, event.type_texts[1], event.type_texts[0]));
    answer = ask_book(&node, "customer-1", "a", body);
    CHECK_I64(201, answer.status);
    CHECK_I64(800, answer_i64(node.arena, &answer, "/order/total/amount"));
    CHECK_STR("Standard", answer_at(node.arena, &answer, "/order/items/0/name"));
    CHECK_STR("VIP", answer_at(node.arena, &answer, "/order/items/1/name"));
    CHECK_STR("Bo \"B\"", answer_at(node.arena, &answer, "/order/attendees/1/name"));
    CHECK_STR("7", booking_available(&node, node.arena, &event));

    answer = ask_book(&node, "customer-2", "a", body);
    check_problem(node.arena, &answer, 409, "sold_out");
    CHECK_STR("7", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state"));
    CHECK_I64(7, booking_i64(&node, "SELECT sum(remaining) FROM ticket_type_stock"));
}

/* --- Events that change --- */

TEST(a_price_that_has_changed_is_the_one_that_counts)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    booking_exec(&node, "UPDATE ticket_type SET price_minor = 70000;"
                        "UPDATE event_key SET version = version + 1;");
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    CHECK_I64(201, answer.status);
    CHECK_I64(140000, answer_i64(node.arena, &answer, "/order/total/amount"));
}

TEST(an_event_that_was_withdrawn_meanwhile_is_not_on_sale)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    booking_exec(&node, "UPDATE event_key SET status = 2, version = version + 1");
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    check_problem(node.arena, &answer, 409, "not_on_sale");
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM order_state"));
}

/* --- What else can be sent --- */

#define ITEM "{\"ticket_type_id\":\"TYPE\",\"quantity\":1}"
static const struct {
    int status;
    const char *code;
    const char *body;
} hostile[] = {
    {400, "malformed",     ""                                                                      },
    {400, "malformed",     "{"                                                                     },
    {400, "malformed",     "{\"event_id\":\"EVENT\",\"event_id\":\"EVENT\",\"items\":[" ITEM "]}"  },
    {422, "invalid_field", "[]"                                                                    },
    {422, "invalid_field", "{}"                                                                    },
    {422, "invalid_field", "{\"event_id\":\"EVENT\",\"items\":[]}"                                 },
    {422, "invalid_field", "{\"event_id\":\"EVENT\",\"items\":{}}"                                 },
    {422, "invalid_field", "{\"event_id\":7,\"items\":[" ITEM "]}"                                 },
    {422, "invalid_field", "{\"event_id\":\"TYPE\",\"items\":[" ITEM "]}"                          },
    {422, "invalid_field", "{\"event_id\":\"EVENT\",\"items\":[" ITEM "," ITEM "]}"                },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":0}]}"           },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":-1}]}"          },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":1.5}]}"         },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":\"1\"}]}"       },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":"
     "9223372036854775807}]}"                                                                      },
    {422, "invalid_field", "{\"event_id\":\"EVENT\",\"items\":[" ITEM "],\"code\":\"X\"}"          },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[" ITEM "],\"redeem\":{\"kind\":\"discount\"}}"            },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[{\"ticket_type_id\":\"TYPE\",\"quantity\":1,"
     "\"seats\":[\"A1\"]}]}"                                                                       },
    {422, "invalid_field",
     "{\"event_id\":\"EVENT\",\"items\":[" ITEM "],\"attendees\":[{\"name\":\"A\"},"
     "{\"name\":\"B\"}]}"                                                                          },
    {400, "unknown_field", "{\"event_id\":\"EVENT\",\"items\":[" ITEM "],\"price\":1}"             },
    {404, "not_found",     "{\"event_id\":\"evt_01h455vb4pex5vsknk084sn02q\",\"items\":[" ITEM "]}"},
    {201, NULL,
     "{\"event_id\":\"EVENT\",\"items\":[" ITEM "],\"code\":null,\"redeem\":null,"
     "\"attendees\":null}"                                                                         },
};
#undef ITEM

/* With the event's id for EVENT and its type's for TYPE. */
static const char *fill(struct arena *arena, const char *body, const struct known_event *event)
{
    struct buf text = buf_in(arena, 65536);

    while (*body != '\0') {
        const bool is_event = str_starts(str_of(body), STR("EVENT"));
        const bool is_type = str_starts(str_of(body), STR("TYPE"));

        if (is_event || is_type)
            buf_add_cstr(&text, is_event ? event->id_text : event->type_texts[0]);
        else
            buf_add_char(&text, *body);
        body += is_event ? 5 : is_type ? 4 : 1;
    }
    return arena_cstr(arena, text.size > 0 ? buf_str(&text) : STR(""));
}

TEST(hostile_bodies_are_refused_by_kind)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const str key = arena_printf(node.arena, "key-%zu", i);
        const struct answer answer = ask_book(&node, "customer-1", arena_cstr(node.arena, key),
                                              fill(node.arena, hostile[i].body, &event));

        if (answer.status != hostile[i].status)
            print_error("%s\n%.*s\n", hostile[i].body, STR_ARG(answer.body));
        CHECK_I64(hostile[i].status, answer.status);
        if (hostile[i].code != NULL)
            CHECK_STR(hostile[i].code, answer_at(node.arena, &answer, "/code"));
    }
    CHECK_STR("8", booking_available(&node, node.arena, &event));
}

TEST(a_booking_needs_a_user_and_a_key)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    answer = booking_book(&node, node.arena, NULL, "k1", &event, 1);
    check_problem(node.arena, &answer, 401, "unauthenticated");
    answer = booking_book(&node, node.arena, "customer-1", NULL, &event, 1);
    check_problem(node.arena, &answer, 400, "idempotency_key_required");
    CHECK_STR("9", booking_available(&node, node.arena, &event));
}

TEST(a_total_beyond_the_limit_is_an_invalid_field)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, MONEY_MINOR_MAX);
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 2);
    check_problem(node.arena, &answer, 422, "invalid_field");
    answer = booking_book(&node, node.arena, "customer-1", "k2", &event, 1);
    CHECK_I64(201, answer.status);
    CHECK_I64(MONEY_MINOR_MAX, answer_i64(node.arena, &answer, "/order/total/amount"));
}

/* --- Overload --- */

/* A write that changes nothing. The first one blocks the desk until `open` is posted. */
struct filler {
    struct batch_write write;
    sem_t *open; /* NULL: does not block */
    sem_t *begun;
    sem_t *done;
};

static err apply_filler(struct batch_write *write, [[maybe_unused]] struct tx *tx)
{
    const struct filler *filler = (const struct filler *)(void *)write;

    if (filler->open == NULL)
        return ERR_OK;
    CHECK(sem_post(filler->begun) == 0);
    CHECK(sem_wait(filler->open) == 0);
    return ERR_OK;
}

static void filler_done(struct batch_write *write)
{
    CHECK(sem_post(((struct filler *)(void *)write)->done) == 0);
}

/* Submits fillers until the desk takes no more; gives how many it has taken. */
static int fill_desk(struct batch *desk, struct filler *fillers, int filler_count)
{
    for (int i = 0; i < filler_count; i++) {
        fillers[i].write = (struct batch_write){.apply = apply_filler, .done = filler_done};
        if (batch_submit(desk, &fillers[i].write) != ERR_OK)
            return i;
        if (fillers[i].open != NULL)
            CHECK(sem_wait(fillers[i].begun) == 0);
    }
    return filler_count;
}

TEST(an_overloaded_desk_sends_buyers_away_for_a_moment)
{
    enum { FILLERS = BATCH_WAITING_MAX + 2 };
    CLEANUP(booking_node_close) struct booking_node node;
    struct filler *fillers = NULL;
    struct known_event event;
    struct answer answer;
    sem_t open;
    sem_t begun;
    sem_t done;
    int count = 0;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 9, PRICE);
    CHECK(sem_init(&open, 0, 0) == 0 && sem_init(&begun, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
    fillers = arena_new_array(node.arena, struct filler, FILLERS);
    for (int i = 0; i < FILLERS; i++)
        fillers[i].done = &done;
    fillers[0].open = &open;
    fillers[0].begun = &begun;
    count = fill_desk(((struct booking *)node.booking->state)->desk, fillers, FILLERS);
    answer = booking_book(&node, node.arena, "customer-1", "k1", &event, 1);

    CHECK(sem_post(&open) == 0);
    for (int i = 0; i < count; i++)
        CHECK(sem_wait(&done) == 0);
    CHECK(sem_destroy(&open) == 0 && sem_destroy(&begun) == 0 && sem_destroy(&done) == 0);
    CHECK_I64(BATCH_WAITING_MAX + 1, count); /* one that is applied, and those that wait */
    check_problem(node.arena, &answer, 503, "overloaded");
    CHECK(answer_header(&answer, "Retry-After").size > 0);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 1).status);
    CHECK_STR("8", booking_available(&node, node.arena, &event));
}
