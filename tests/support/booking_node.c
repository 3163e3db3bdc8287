/* support/booking_node.c - opens a node with booking in it, and fills it. */

#include "support/booking_node.h"

#include <string.h>
#include <unistd.h>

#include "services/booking/catalog.h"
#include "services/booking/event_store.h"
#include "services/booking/state.h"
#include "support/booking_others.h"
#include "support/scratch.h"
#include "support/test.h"
#include "support/test_node.h"

enum { LOOPS = 2, WORKERS = 4, HASHER_KIB = 64, CLOSE_GRACE_MS = 2000 };

/* Cheap passwords: a hasher is opened with every node. */
static const struct setting test_rows[] = {
    SETTING_NUMBER("identity.argon2_memory_kib", SETTING_COUNT, RANGE(8, 1048576), HASHER_KIB,
                   "Of a test."),
    SETTING_STRING("public.url", "https://tickets.example.org", "Of a test."),
};
static const struct settings test_settings = SETTINGS(test_rows);

/* --- Who --- */

static struct uuid numbered(uint8_t kind, int number)
{
    struct uuid id = {
        .bytes = {0x01, 0x90, kind, 0, 0, 0, 0x70, 0, 0x80}
    };

    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (uint8_t)((unsigned)number >> (24 - 8 * i));
    return id;
}

struct uuid booking_user(int number)
{
    return numbered(1, number);
}

struct uuid booking_vendor(int number)
{
    return numbered(2, number);
}

/* "customer-7": the number is a person's; a vendor's is his vendor's too. */
static err authenticate(struct req *req)
{
    static const char *const words[] = {
        [ROLE_CUSTOMER] = "customer", [ROLE_VENDOR] = "vendor", [ROLE_ADMIN] = "admin"};
    str rest = req->authorization;
    str word = STR_ABSENT;
    int64_t number = 0;

    if (rest.ptr == NULL)
        return ERR_OK;
    if (!str_split(&rest, '-', &word) || rest.ptr == NULL || !str_to_i64(rest, &number))
        return ERR_TOKEN_REVOKED;
    for (int role = ROLE_CUSTOMER; role <= ROLE_ADMIN; role++)
        if (str_eq(word, str_of(words[role]))) {
            req->call.caller.role = (enum role)role;
            req->call.caller.user = booking_user((int)number + 1000000 * role);
            if (role == ROLE_CUSTOMER)
                req->call.caller.user = booking_user((int)number);
            if (role == ROLE_VENDOR)
                req->call.caller.vendor = booking_vendor((int)number);
            return ERR_OK;
        }
    return ERR_TOKEN_REVOKED;
}

/* --- Opening and closing --- */

static void check_opened(err e, const char *what, str why)
{
    if (e != ERR_OK)
        print_error("%s: %.*s\n", what, STR_ARG(why));
    CHECK_OK(e);
}

static void open_node(struct booking_node *node)
{
    const struct node_options options = {
        .services = booking_services,
        .clock = &node->clock.clock,
        .rng = rng_system(),
        .config = node->config,
        .log = node->log,
        .data_dir = node->dir,
        .alone = !node->joined,
        .prepares = true,
    };
    str why = STR_ABSENT;

    check_opened(node_open(&options, node->arena, &node->node, &why), "node_open", why);
    node->booking = node_find(node->node, "booking");

    const struct http_options http = {
        .node = node->node,
        .address = "127.0.0.1",
        .authenticate = authenticate,
        .loop_count = LOOPS,
        .worker_count = WORKERS,
    };
    check_opened(http_open(&http, node->arena, &node->server, &why), "http_open", why);
}

static void close_node(struct booking_node *node)
{
    if (node->server != NULL)
        http_close(node->server, CLOSE_GRACE_MS);
    if (node->node != NULL)
        node_close(node->node);
    node->server = NULL;
    node->node = NULL;
}

static void set_all(struct booking_node *node, const char *const *settings)
{
    str why = STR_ABSENT;

    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        str value = str_of(settings[i]);
        str name = STR_ABSENT;

        CHECK(str_split(&value, '=', &name));
        check_opened(config_set(node->config, name, value, &why), settings[i], why);
    }
}

/* `other` NULL: on databases of its own. */
static void open_with(struct booking_node *node, const struct booking_node *other,
                      const char *const *settings)
{
    *node = (struct booking_node){
        .arena = arena_open(0),
        .tables = {&node_settings, &test_settings},
        .joined = other != NULL,
    };
    for (size_t i = 0, count = 2; booking_services[i] != NULL; i++)
        if (booking_services[i]->settings != NULL)
            node->tables[count++] = booking_services[i]->settings;
    clock_manual_init(&node->clock,
                      other != NULL ? clock_now_ms(other->node->clock) : BOOKING_NODE_START_MS);
    node->dir = other != NULL ? other->dir : scratch_dir(node->arena);
    node->config = config_open(node->tables);
    test_node_databases(node->config, node->dir, node->arena);
    set_all(node, settings);
    node->log = log_open(STDERR_FILENO, LOG_ERROR, &node->clock.clock);
    open_node(node);
}

void booking_node_open(struct booking_node *node, const char *const *settings)
{
    open_with(node, NULL, settings);
}

void booking_node_join(struct booking_node *node, const struct booking_node *other,
                       const char *const *settings)
{
    open_with(node, other, settings);
}

void booking_node_restart(struct booking_node *node)
{
    close_node(node);
    open_node(node);
}

void booking_node_close(struct booking_node *node)
{
    if (node->arena == NULL)
        return;
    close_node(node);
    log_close(node->log);
    config_close(node->config);
    arena_close(node->arena);
    *node = (struct booking_node){0};
}

void booking_node_advance(struct booking_node *node, int64_t by_ms)
{
    clock_manual_advance(&node->clock, by_ms);
    node_run_due(node->node);
}

void booking_node_call(struct booking_node *node, struct call *call)
{
    call_init(call, node->booking, "test");
}

/* --- Events --- */

/* 0 stands for none where it cannot mean anything else. */
static int64_t or_null(int64_t n)
{
    return n > 0 ? n : JSON_NULL;
}

static struct ticket_type type_of(struct call *call, const struct given_type *given,
                                  struct currency currency)
{
    return (struct ticket_type){
        .id.uuid = call_uuid(call),
        .name = str_of(given->name),
        .price = {.minor = given->price_minor, .currency = currency},
        .total = given->total,
        .max_per_order = or_null(given->max_per_order),
        .sales_start_ms = or_null(given->sales_start_ms),
        .sales_end_ms = or_null(given->sales_end_ms),
        .tax_rate_ppm = JSON_NULL,
    };
}

static struct event event_of(struct booking_node *node, struct call *call,
                             const struct given_event *given)
{
    const str name = arena_printf(call->arena, "Event %d", ++node->event_count);
    const int64_t starts_at_ms =
        given->starts_at_ms > 0 ? given->starts_at_ms : call->now_ms + 30 * DAY_MS;
    struct event event = {
        .id.uuid = call_uuid(call),
        .vendor = booking_vendor(given->vendor),
        .status = given->status,
        .type = EVENT_CONCERT,
        .version = 1,
        .name = name,
        .timezone = STR("UTC"),
        .starts_at_ms = starts_at_ms,
        .ends_at_ms = starts_at_ms + INT64_C(3) * 3600 * 1000,
        .online = true,
        .ticket_types = arena_new_array(call->arena, struct ticket_type, given->type_count + 1),
        .ticket_type_count = given->type_count,
        .accepted = arena_new_array(call->arena, struct booking_accepted, 3),
        .accepted_count = given->by_hand ? 3 : 1,
        .policies = EVENT_POLICIES_STANDARD,
        .limits = given->limits,
        .checkin_opens_at_ms = or_null(given->checkin_opens_at_ms),
        .created_at_ms = call->now_ms,
    };

    CHECK(
        currency_parse(str_of(given->currency != NULL ? given->currency : "EGP"), &event.currency));
    event.policies.refundable = !given->final_sale;
    event.policies.refund_until_ms = or_null(given->refund_until_ms);
    event.accepted[0].type = STR("card");
    event.accepted[1].type = STR("cash_on_arrival");
    event.accepted[2].type = STR("bank_transfer");
    if (event.limits.per_order == 0)
        event.limits.per_order = EVENT_PER_ORDER_STANDARD;
    if (event.limits.per_user == 0)
        event.limits.per_user = JSON_NULL;
    for (size_t i = 0; i < given->type_count; i++)
        event.ticket_types[i] = type_of(call, &given->types[i], event.currency);
    return event;
}

static struct known_event known(const struct event *event)
{
    struct known_event known = {.id = event->id};

    memcpy(known.id_text, id_format(EVENT_PREFIX, event->id.uuid).text, sizeof(known.id_text));
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        known.types[i] = event->ticket_types[i].id;
        memcpy(known.type_texts[i],
               id_format(TICKET_TYPE_PREFIX, event->ticket_types[i].id.uuid).text,
               sizeof(known.type_texts[i]));
    }
    return known;
}

struct known_event booking_add_event(struct booking_node *node, const struct given_event *given)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct event event;

    booking_node_call(node, &call);
    event = event_of(node, &call, given);
    CHECK_OK(tx_begin(&tx, node->booking->db));
    CHECK_OK(event_insert(&tx, &call, &event, STR_ABSENT));
    CHECK_OK(tx_commit(&tx));
    CHECK_OK(catalog_refresh(&call, event.id));
    CHECK_OK(stock_load(&call, booking_of(&call)->stock, &event.id));
    return known(&event);
}

struct known_event booking_add_simple(struct booking_node *node, int64_t total, int64_t price_minor)
{
    const struct given_type type = {.name = "Standard", .price_minor = price_minor, .total = total};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &type, .type_count = 1};

    return booking_add_event(node, &given);
}

/* --- Past the service --- */

static struct test_node past(const struct booking_node *node)
{
    return (struct test_node){node->config, node->dir, "booking", node->arena};
}

void booking_exec(struct booking_node *node, const char *sql)
{
    const struct test_node booking = past(node);

    test_node_exec(&booking, sql);
}

int64_t booking_i64(struct booking_node *node, const char *sql)
{
    const struct test_node booking = past(node);

    return test_node_i64(&booking, sql);
}
