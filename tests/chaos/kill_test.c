/* chaos/kill_test.c - kill -9 in the middle of bookings and payments, again and again: nothing that was acknowledged is lost, nothing is oversold, every charge
 * ends in tickets or a refund, and the server is back in time. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "scenario.h"

enum {
    BUYERS = 16,
    ROUNDS = 4,
    ORDERS_MAX = 4096, /* of one buyer */
    STOCK = 100000,    /* of one type: never the limit ... */
    SCARCE = 60,       /* ... and of the other, which sells out */
#ifdef __SANITIZE_ADDRESS__
    RESTART_MS_MAX = 6000, /* a sanitized program starts several times slower */
#else
    RESTART_MS_MAX = 2000,
#endif
};

struct bought {
    char order[64];
    bool paid; /* POST /payment said succeeded */
};

struct buyer {
    struct scenario scenario; /* its client */
    pthread_t thread;
    int number;
    char token[64];
    struct bought *bought; /* what was acknowledged */
    size_t count;
    int next_key;
    const char *event;
    const char *types[2];
};

static _Atomic bool stop;
static _Atomic int surprises;

static void surprise(const char *what, const struct answer *answer)
{
    surprises++;
    printf("# %s: %ld %.*s\n", what, answer->status,
           (int)(answer->body.size < 300 ? answer->body.size : 300), answer->body.ptr);
}

static json_t *parse(const struct answer *answer)
{
    return json_loadb(answer->body.ptr, answer->body.size, 0, NULL);
}

/* Until it is answered, also across a restart: the key makes it one order, one payment. False: the test is over and there is no answer. */
static bool send_until_answered(struct buyer *buyer, const char *path, const char *key, str body,
                                struct answer *ret)
{
    char header[128];
    const char *headers[] = {header, NULL};

    (void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
    for (;;) {
        if (client_try(&buyer->scenario, STR("POST"), str_of(path), str_of(buyer->token), headers,
                       body, ret) &&
            ret->status < 500)
            return true;
        if (ret->status >= 500 && ret->status != 503)
            surprise(path, ret);
        if (stop)
            return false;
        (void)usleep(5000);
    }
}

static void pay(struct buyer *buyer, struct bought *bought, const char *key)
{
    static const char *const tokens[] = {"tok_visa", "tok_visa", "tok_timeout", "tok_mastercard",
                                         "tok_declined"};
    struct answer answer;
    const char *token = tokens[buyer->next_key % 5];
    const str body = arena_printf(buyer->scenario.arena,
                                  "{\"order_id\":\"%s\",\"method\":\"card\",\"token\":\"%s\"}",
                                  bought->order, token);

    if (!send_until_answered(buyer, "/payment", key, body, &answer))
        return;
    json_t *got = parse(&answer);
    const char *status =
        json_string_value(json_object_get(json_object_get(got, "payment"), "status"));
    if (answer.status == 200 && status != NULL)
        bought->paid = strcmp(status, "succeeded") == 0;
    else if (answer.status != 402 && answer.status != 410)
        surprise("payment", &answer);
    json_decref(got);
}

static void buy(struct buyer *buyer)
{
    char key[64];
    struct answer answer;
    const char *type = buyer->types[buyer->next_key % 8 == 0];

    (void)snprintf(key, sizeof(key), "b%d-%d", buyer->number, buyer->next_key);
    const str body = arena_printf(
        buyer->scenario.arena,
        "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":%d}]}",
        buyer->event, type, 1 + buyer->next_key % 3);
    if (!send_until_answered(buyer, "/tickets/book", key, body, &answer))
        return;
    if (answer.status == 201) {
        json_t *got = parse(&answer);
        struct bought *bought = &buyer->bought[buyer->count++];

        (void)snprintf(bought->order, sizeof(bought->order), "%s",
                       json_string_value(json_object_get(json_object_get(got, "order"), "id")));
        json_decref(got);
        key[0] = 'p';
        if (buyer->next_key % 3 != 0)
            pay(buyer, bought, key);
    } else if (answer.status != 409) {
        surprise("booking", &answer);
    }
}

static void *run_buyer(void *arg)
{
    struct buyer *buyer = arg;

    while (!stop && buyer->count < ORDERS_MAX) {
        buyer->next_key++;
        buy(buyer);
        arena_reset(buyer->scenario.arena);
    }
    return NULL;
}

/* --- What must be true afterwards --- */

static int check_buyer(struct buyer *buyer, int64_t *ret_held)
{
    int lost = 0;

    for (size_t i = 0; i < buyer->count; i++) {
        struct answer answer;
        char path[96];

        (void)snprintf(path, sizeof(path), "/orders/%s", buyer->bought[i].order);
        const bool sent = client_send(&buyer->scenario, STR("GET"), str_of(path),
                                      str_of(buyer->token), NULL, STR_ABSENT, &answer);
        json_t *got = sent ? parse(&answer) : NULL;
        const char *status = json_string_value(json_object_get(got, "status"));
        const size_t tickets = json_array_size(json_object_get(got, "tickets"));

        if (answer.status != 200 || status == NULL ||
            (buyer->bought[i].paid && (strcmp(status, "confirmed") != 0 || tickets == 0)) ||
            (strcmp(status, "confirmed") != 0 && strcmp(status, "held") != 0)) {
            lost++;
            surprise(path, &answer);
        } else {
            json_t *item = json_array_get(json_object_get(got, "items"), 0);
            *ret_held += json_integer_value(json_object_get(item, "quantity"));
        }
        json_decref(got);
        arena_reset(buyer->scenario.arena);
    }
    return lost;
}

static bool audit_is_clean(const struct scenario *scenario)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "%s audit --data %s >&2", scenario->binary,
                   scenario->data_dir);
    return system(command) == 0;
}

/* --- The set-up --- */

static bool ask(struct scenario *scenario, const char *path, const char *token, str body,
                json_t **ret)
{
    struct answer answer;

    if (!client_send(scenario, STR("POST"), str_of(path), str_of(token), NULL, body, &answer) ||
        answer.status != 201) {
        surprise(path, &answer);
        return false;
    }
    *ret = parse(&answer);
    return true;
}

static bool sign_up(struct scenario *scenario, const char *name, const char *role, char token[64])
{
    json_t *got = NULL;
    const str body = arena_printf(scenario->arena,
                                  "{\"email\":\"%s@example.test\",\"password\":\"correct "
                                  "horse\",\"name\":\"%s\",\"role\":\"%s\"}",
                                  name, name, role);

    if (!ask(scenario, "/register", NULL, body, &got))
        return false;
    (void)snprintf(token, 64, "%s", json_string_value(json_object_get(got, "access_token")));
    json_decref(got);
    return true;
}

static json_t *make_event(struct scenario *scenario)
{
    char token[64];
    json_t *event = NULL;
    const str body = arena_printf(
        scenario->arena,
        "{\"name\":\"Rush\",\"type\":\"concert\",\"starts_at\":\"2099-01-01T20:00:00Z\",\"ends_"
        "at\":\"2099-01-01T23:00:00Z\",\"timezone\":\"UTC\",\"online\":true,"
        "\"currency\":\"EUR\",\"ticket_types\":[{\"name\":\"Many\",\"price\":1000,\"quantity\":%d},"
        "{\"name\":\"Few\",\"price\":9000,\"quantity\":%d}],\"status\":\"published\"}",
        STOCK, SCARCE);

    if (!sign_up(scenario, "vera", "vendor", token) ||
        !ask(scenario, "/events", token, body, &event))
        return NULL;
    return event;
}

static bool set_up(struct scenario *scenario, struct buyer *buyers, json_t **ret_event)
{
    *ret_event = make_event(scenario);
    if (*ret_event == NULL)
        return false;
    for (int i = 0; i < BUYERS; i++) {
        struct buyer *buyer = &buyers[i];
        char name[32];

        (void)snprintf(name, sizeof(name), "buyer%d", i);
        *buyer = (struct buyer){.scenario = *scenario, .number = i};
        buyer->scenario.arena = arena_open(0);
        buyer->bought = calloc(ORDERS_MAX, sizeof(*buyer->bought));
        buyer->event = json_string_value(json_object_get(*ret_event, "id"));
        for (size_t t = 0; t < 2; t++)
            buyer->types[t] = json_string_value(json_object_get(
                json_array_get(json_object_get(*ret_event, "ticket_types"), t), "id"));
        if (!sign_up(&buyer->scenario, name, "customer", buyer->token))
            return false;
    }
    return true;
}

/* Kills and restarts; gives how long the worst restart took. */
static int64_t run_rounds(struct scenario *scenario, struct buyer *buyers)
{
    int64_t worst_ms = 0;
    char port[32];

    (void)snprintf(port, sizeof(port), "--listen 127.0.0.1:%s", strrchr(scenario->url, ':') + 1);
    for (int i = 0; i < BUYERS; i++)
        (void)pthread_create(&buyers[i].thread, NULL, run_buyer, &buyers[i]);
    for (int round = 0; round < ROUNDS; round++) {
        (void)usleep((useconds_t)(300000 + 37000 * round));
        (void)server_stop(scenario, SIGKILL);
        const int64_t began_ns = clock_stopwatch_ns();
        if (!server_start(scenario, str_of(port)))
            break;
        const int64_t took_ms = (clock_stopwatch_ns() - began_ns) / 1000000;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    }
    (void)usleep(300000);
    stop = true;
    for (int i = 0; i < BUYERS; i++)
        (void)pthread_join(buyers[i].thread, NULL);
    return worst_ms;
}

static void report(int number, bool ok, const char *name)
{
    printf("%s %d - %s\n", ok ? "ok" : "not ok", number, name);
}

int main(int argc, char **argv)
{
    struct scenario scenario = {.binary = argc > 1 ? argv[1] : "",
                                .file = "kill",
                                .vars = json_object(),
                                .arena = arena_open(0),
                                .data_dir = "/tmp/boxoffice-kill-XXXXXX"};
    static struct buyer buyers[BUYERS];
    json_t *event = NULL;
    int64_t sold = 0;
    int lost = 0;
    size_t orders = 0;

    printf("1..5\n");
    if (mkdtemp(scenario.data_dir) == NULL || !server_start(&scenario, STR("")) ||
        !set_up(&scenario, buyers, &event)) {
        report(1, false, "set-up");
        return 1;
    }
    const int64_t worst_ms = run_rounds(&scenario, buyers);
    (void)sleep(4); /* a lost answer is looked up again after two seconds */
    for (int i = 0; i < BUYERS; i++) {
        lost += check_buyer(&buyers[i], &sold);
        orders += buyers[i].count;
    }
    printf("# %zu orders acknowledged in %d rounds, worst restart %lld ms\n", orders, ROUNDS,
           (long long)worst_ms);
    report(1, orders > BUYERS, "orders were taken between the kills");
    report(2, lost == 0, "no acknowledged order or payment is lost");
    report(3, surprises == 0, "every answer was one that the contract has");
    const int status = server_stop(&scenario, SIGTERM);
    report(4, status == 0 && audit_is_clean(&scenario),
           "the audit is clean: nothing oversold, every charge accounted for");
    report(5, worst_ms > 0 && worst_ms < RESTART_MS_MAX, "serving again in time");
    const bool ok =
        orders > BUYERS && lost == 0 && surprises == 0 && status == 0 && worst_ms < RESTART_MS_MAX;
    (void)!system(arena_printf(scenario.arena, "rm -rf %s", scenario.data_dir).ptr);
    for (int i = 0; i < BUYERS; i++) {
        arena_close(buyers[i].scenario.arena);
        free(buyers[i].bought);
    }
    json_decref(event);
    json_decref(scenario.vars);
    arena_close(scenario.arena);
    return ok ? 0 : 1;
}
