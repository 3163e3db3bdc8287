/* booking/hold_many_test.c - many orders at once are what one after the other would have been; on
 * PostgreSQL only, as there is no such way on SQLite. */

#include "services/booking/hold_many.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "platform/db/db_postgres.h"
#include "services/booking/booking.h"
#include "services/booking/catalog.h"
#include "services/booking/hold.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"
#include "support/test_database.h"

enum { BATCHES = 60, BATCH_MAX = 40, EVENTS = 5, USERS = 4, KEYS = 30 };

/* There is nothing to compare elsewhere. */
#define TEST_OF_POSTGRES(name)                                            \
    static void test_##name(void **state);                                \
    __attribute__((constructor)) static void test_##name##_register(void) \
    {                                                                     \
        if (test_on_postgres())                                           \
            test_register(#name, test_##name);                            \
    }                                                                     \
    static void test_##name([[maybe_unused]] void **state)

/* --- The world of the comparison --- */

struct lab {
    struct booking_node node;
    struct rng_seeded rng;
    struct known_event known[EVENTS];
    struct event events[EVENTS]; /* as orders are priced by them */
    int64_t now_ms;
};

static uint64_t below(struct lab *lab, uint64_t n)
{
    return rng_u64(&lab->rng.rng) % n;
}

static void release_event(void *event)
{
    event_release(event);
}

static void lab_open(struct lab *lab)
{
    static const struct given_type types[] = {
        {.name = "One",   .price_minor = 100, .total = 200},
        {.name = "Two",   .price_minor = 200, .total = 60 },
        {.name = "Three", .price_minor = 300, .total = 3  },
    };

    booking_node_open(&lab->node, NULL);
    rng_seeded_init(&lab->rng, 20261123);
    for (int i = 0; i < EVENTS; i++) {
        const struct given_event given = {
            .vendor = 1,
            .status = i == 1 ? EVENT_DRAFT : EVENT_PUBLISHED,
            .types = types,
            .type_count = 3,
            .limits = {.per_user = i == 3 ? 9 : 0, .one_active_hold = i == 4},
        };
        const struct event *event;

        lab->known[i] = booking_add_event(&lab->node, &given);
        event =
            catalog_find(((struct booking *)lab->node.booking->state)->catalog, lab->known[i].id);
        arena_on_reset(lab->node.arena, release_event, mem_unconst(event));
        lab->events[i] = *event;
        if (i == 2)
            lab->events[i].version++; /* has changed since: stale */
    }
    lab->now_ms = BOOKING_NODE_START_MS;
}

static void lab_close(struct lab *lab)
{
    booking_node_close(&lab->node);
}

/* A third costs something else than the list price. */
static struct booking_money_line money_of(struct lab *lab, const struct order_item *item)
{
    struct booking_money_line money = {
        .ticket_type = item->type.uuid,
        .quantity = item->quantity,
        .face_minor = item->quantity * item->unit_price_minor,
    };

    if (below(lab, 3) == 0) {
        money.discount_minor = (int64_t)below(lab, 2);
        money.buyer_fee_minor = (int64_t)below(lab, 3);
        money.vendor_fee_minor = (int64_t)below(lab, 4);
        money.tax_minor = (int64_t)below(lab, 5);
        money.tax_included_minor = (int64_t)below(lab, 6);
    }
    return money;
}

static struct order_item *items_of(struct lab *lab, struct arena *arena, const struct event *event,
                                   size_t *ret_count)
{
    struct order_item *items = arena_new_array(arena, struct order_item, 3);
    const uint64_t mask = 1 + below(lab, 7);

    for (size_t i = 0; i < 3; i++)
        if ((mask >> i & 1) != 0) {
            items[*ret_count] = (struct order_item){
                .type = event->ticket_types[i].id,
                .quantity = 1 + (int64_t)below(lab, 4),
                .unit_price_minor = event->ticket_types[i].price.minor,
            };
            items[*ret_count].money = money_of(lab, &items[*ret_count]);
            (*ret_count)++;
        }
    return items;
}

/* A random order: of few people with few keys, so that they repeat; some change what they ask. */
static void make_try(struct lab *lab, struct arena *arena, struct hold_try *ret)
{
    const struct event *event = &lab->events[below(lab, 8) < 4 ? 0 : below(lab, EVENTS)];
    struct req *req = arena_new(arena, struct req);
    const int user = (int)below(lab, USERS);

    call_init(&req->call, lab->node.booking, "test");
    req->call.caller.user = booking_user(user);
    req->call.now_ms = ++lab->now_ms;
    *ret = (struct hold_try){
        .req = req,
        .event = event,
        .key = arena_printf(arena, "key-%d", (int)below(lab, KEYS) * (int)(1 + below(lab, 20))),
        .digest = {(uint8_t)below(lab, 2)},
        .refusal = below(lab, 8) == 0 ? ERR_NOT_ON_SALE : ERR_OK,
    };
    if (ret->refusal != ERR_OK && below(lab, 2) == 0)
        ret->event = NULL; /* not even that is known */
    ret->order = (struct order){
        .id.uuid = call_uuid(&req->call),
        .user = req->call.caller.user,
        .event = event->id,
        .expires_at_ms = lab->now_ms + 600000,
        .hold_ms = 600000,
        .total = {.currency = event->currency},
        .created_at_ms = lab->now_ms,
        .attendees = below(lab, 3) == 0 ? STR("[{\"name\":\"Ann\"}]") : STR_ABSENT,
    };
    ret->order.items = items_of(lab, arena, event, &ret->order.item_count);
    for (size_t i = 0; i < ret->order.item_count; i++)
        ret->order.total.minor += price_paid(&ret->order.items[i].money);
    ret->write.many = hold_many_fits(ret);
}

/* --- What became of it --- */

/* All that holds write, without the numbers that a rollback uses up. */
static const char dump_sql[] =
    "SELECT string_agg(line, E'\\n') FROM ("
    " SELECT 1 AS place, o::text AS line FROM order_state o"
    " UNION ALL SELECT 2, i::text FROM order_item i"
    " UNION ALL SELECT 3, d::text FROM order_detail d"
    " UNION ALL SELECT 3, m::text FROM order_item_money m"
    " UNION ALL SELECT 4, s::text FROM ticket_type_stock s"
    " UNION ALL SELECT 5, b::text FROM event_buyer b"
    " UNION ALL SELECT 6, row_number() OVER (ORDER BY seq)"
    "  || ROW(ticket_type_id, order_id, kind, quantity, at_ms)::text FROM stock_ledger"
    " ORDER BY 1, 2) AS lines";

static str dump(struct tx *tx, struct arena *arena)
{
    PGresult *result;
    str text;

    postgres_enter(tx->connection);
    CHECK_OK(postgres_await(tx->connection, NULL)); /* what was only sent */
    result = postgres_run(tx->connection, dump_sql);
    CHECK(PQresultStatus(result) == PGRES_TUPLES_OK);
    text = arena_str(arena, str_of(PQgetvalue(result, 0, 0)));
    PQclear(result);
    return text;
}

struct outcome {
    err result;
    bool replayed;
    struct uuid order;
    stock_level levels[3];
};

static struct outcome outcome_of(const struct hold_try *try)
{
    struct outcome outcome = {
        .result = try->write.result, .replayed = try->replayed, .order = try->order.id.uuid};

    for (size_t i = 0; outcome.result == ERR_OK && !try->replayed && i < try->order.item_count; i++)
        outcome.levels[i] = try->levels[i];
    return outcome;
}

static void check_same(const struct outcome *one, const struct outcome *many)
{
    CHECK_ERR(one->result, many->result);
    CHECK(one->replayed == many->replayed);
    CHECK(uuid_eq(one->order, many->order));
    for (int i = 0; i < 3; i++)
        CHECK_I64(one->levels[i], many->levels[i]);
}

static void apply_one_by_one(struct hold_try *tries, size_t count, struct tx *tx)
{
    for (size_t i = 0; i < count; i++) {
        tries[i].levels = NULL;
        tries[i].write.result = hold_place(tx, &tries[i].req->call, &tries[i]);
    }
}

/* As the desk does: those that go together, and the others by themselves. */
static void apply_together(struct lab *lab, struct hold_try *tries, size_t count, struct tx *tx)
{
    struct batch_write *writes[BATCH_MAX];
    size_t run = 0;

    for (size_t i = 0; i < count; i++)
        tries[i].levels = NULL;
    for (size_t i = 0; i < count; i++) {
        if (tries[i].write.many)
            writes[run++] = &tries[i].write;
        if (run > 0 && (i + 1 == count || !tries[i + 1].write.many)) {
            CHECK_OK(hold_many(lab->node.booking, writes, run, tx));
            run = 0;
        }
        if (!tries[i].write.many)
            tries[i].write.result = hold_place(tx, &tries[i].req->call, &tries[i]);
    }
}

/* The ids of orders, which a replay changes. */
static void restore(struct hold_try *tries, const struct uuid *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tries[i].order.id.uuid = ids[i];
}

struct tally {
    int placed;
    int replayed;
    int refused;
};

static void compare_batch(struct lab *lab, struct tally *tally)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const size_t count = 1 + below(lab, BATCH_MAX);
    struct hold_try *tries = arena_new_array(arena, struct hold_try, count);
    struct uuid *ids = arena_new_array(arena, struct uuid, count);
    struct outcome *outcomes = arena_new_array(arena, struct outcome, count);
    struct tx tx = {0};
    str one;

    for (size_t i = 0; i < count; i++) {
        make_try(lab, arena, &tries[i]);
        ids[i] = tries[i].order.id.uuid;
    }
    CHECK_OK(tx_begin(&tx, lab->node.booking->db));
    apply_one_by_one(tries, count, &tx);
    one = dump(&tx, arena);
    tx_rollback(&tx);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = outcome_of(&tries[i]);
    restore(tries, ids, count);

    CHECK_OK(tx_begin(&tx, lab->node.booking->db));
    apply_together(lab, tries, count, &tx);
    CHECK_STR(one.ptr, dump(&tx, arena));
    for (size_t i = 0; i < count; i++) {
        const struct outcome many = outcome_of(&tries[i]);

        check_same(&outcomes[i], &many);
        tally->placed += many.result == ERR_OK && !many.replayed;
        tally->replayed += many.replayed;
        tally->refused += many.result != ERR_OK;
        call_done(&tries[i].req->call);
    }
    CHECK_OK(tx_commit(&tx));
}

TEST_OF_POSTGRES(many_at_once_are_what_one_after_the_other_would_have_been)
{
    CLEANUP(lab_close) struct lab lab = {0};
    CLEANUP(call_done) struct call call = {0};
    struct tally tally = {0};
    str found = STR_ABSENT;

    lab_open(&lab);
    for (int i = 0; i < BATCHES; i++)
        compare_batch(&lab, &tally);
    CHECK(tally.placed > 50);
    CHECK(tally.replayed > 50);
    CHECK(tally.refused > 50);
    booking_node_call(&lab.node, &call);
    CHECK_OK(booking_audit(&call, &found));
}

/* --- Two processes, one row --- */

enum { RACERS = 2, ORDERS_EACH = 300, TICKETS = 400 };

/* A desk as another process has one: only the database is common to both. */
struct racer {
    pthread_t thread;
    struct booking_node *node;
    const struct event *event;
    struct batch *desk;
    int number;
    int held;
    int sold_out;
    int other;
};

static err apply_try(struct batch_write *write, struct tx *tx)
{
    struct hold_try *try = hold_try_of(write);

    return hold_place(tx, &try->req->call, try);
}

static void ignore([[maybe_unused]] struct batch_write *write)
{
}

static void race_try(struct racer *racer, struct arena *arena, int number, struct hold_try *ret)
{
    struct req *req = arena_new(arena, struct req);
    struct order_item *items = arena_new_array(arena, struct order_item, 2);

    call_init(&req->call, racer->node->booking, "test");
    req->call.caller.user = booking_user(racer->number * ORDERS_EACH + number);
    *ret = (struct hold_try){.req = req, .event = racer->event, .key = STR("key")};
    /* Half of them want two types, each racer the other way round. */
    items[0] = (struct order_item){.type = racer->event->ticket_types[racer->number].id,
                                   .quantity = 1,
                                   .unit_price_minor = 100};
    items[1] = (struct order_item){.type = racer->event->ticket_types[1 - racer->number].id,
                                   .quantity = 1,
                                   .unit_price_minor = 100};
    ret->order = (struct order){
        .id.uuid = call_uuid(&req->call),
        .user = req->call.caller.user,
        .event = racer->event->id,
        .expires_at_ms = req->call.now_ms + 600000,
        .hold_ms = 600000,
        .total = {.minor = 100 * (1 + number % 2), .currency = racer->event->currency},
        .created_at_ms = req->call.now_ms,
        .items = items,
        .item_count = 1 + (size_t)number % 2,
    };
    ret->write = (struct batch_write){.apply = apply_try, .done = ignore, .many = true};
}

static void *race(void *arg)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct racer *racer = arg;
    struct hold_try *tries = arena_new_array(arena, struct hold_try, ORDERS_EACH);

    for (int i = 0; i < ORDERS_EACH; i++) {
        race_try(racer, arena, i, &tries[i]);
        if (i % 50 == 49)
            (void)!batch_run(racer->desk, &tries[i].write); /* in several batches */
        else if (batch_submit(racer->desk, &tries[i].write) != ERR_OK)
            racer->other++;
    }
    batch_close(racer->desk); /* finishes them */
    for (int i = 0; i < ORDERS_EACH; i++) {
        racer->held += tries[i].write.result == ERR_OK ? (int)tries[i].order.item_count : 0;
        racer->sold_out += tries[i].write.result == ERR_SOLD_OUT;
        racer->other += tries[i].write.result != ERR_OK && tries[i].write.result != ERR_SOLD_OUT;
        call_done(&tries[i].req->call);
    }
    return NULL;
}

TEST_OF_POSTGRES(two_desks_race_for_the_last_tickets_without_a_deadlock)
{
    static const struct given_type types[] = {
        {.name = "One", .price_minor = 100, .total = TICKETS / 2},
        {.name = "Two", .price_minor = 100, .total = TICKETS / 2},
    };
    static const char *const names[RACERS] = {"race-0", "race-1"};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = types, .type_count = 2};
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct racer racers[RACERS];
    struct known_event known;
    str found = STR_ABSENT;
    int held = 0;

    booking_node_open(&node, NULL);
    known = booking_add_event(&node, &given);
    event = catalog_find(((struct booking *)node.booking->state)->catalog, known.id);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.node = &node, .event = event, .number = i};
        CHECK_OK(batch_open(node.booking->db, names[i], NULL, node.booking, node.node->metrics,
                            &racers[i].desk));
        batch_set_many(racers[i].desk, hold_many);
    }
    for (int i = 0; i < RACERS; i++)
        CHECK(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0);
    for (int i = 0; i < RACERS; i++) {
        CHECK(pthread_join(racers[i].thread, NULL) == 0);
        CHECK_I64(0, racers[i].other);
        CHECK(racers[i].sold_out > 0);
        CHECK_I64(0, metric_value(metrics_counter(
                         node.node->metrics, "boxoffice_db_batch_restarts_total",
                         arena_printf(node.arena, "batch=\"%s\"", names[i]).ptr, "")));
        held += racers[i].held;
    }
    CHECK_I64(TICKETS, held);
    CHECK_I64(0, booking_i64(&node, "SELECT sum(remaining)::bigint FROM ticket_type_stock"));
    CHECK_I64(-TICKETS,
              booking_i64(&node, "SELECT sum(quantity)::bigint FROM stock_ledger WHERE kind = 1"));
    booking_node_call(&node, &call);
    CHECK_OK(booking_audit(&call, &found));
}
