/* chaos/crowd.c - see crowd.h. */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES_MAX = 12000, PAUSE_US = 5000 }; /* a minute */

struct way {
    const char *method; /* NULL: books and thinks better of it */
    const char *token;
    long status;       /* of POST /payment */
    const char *order; /* what the order ends as if the payment succeeds */
    enum act act;
};
static const struct way ways[] = {
    {"card",            "tok_visa",               200, "confirmed",          ACT_NONE   },
    {"card",            "tok_timeout",            200, "confirmed",          ACT_NONE   },
    {"card",            "tok_mastercard",         200, "refunded",           ACT_REFUND },
    {"card",            "tok_slow",               200, "confirmed",          ACT_NONE   },
    {"card",            "tok_visa",               200, "confirmed",          ACT_ADMIT  },
    {NULL,              NULL,                     0,   NULL,                 ACT_NONE   },
    {"card",            "tok_visa",               200, "partially_refunded", ACT_CANCEL },
    {"card",            "tok_3ds",                200, "confirmed",          ACT_APPROVE},
    {"cash_on_arrival", NULL,                     200, "confirmed",          ACT_SETTLE },
    {"card",            "tok_declined",           402, NULL,                 ACT_NONE   },
    {"bank_transfer",   NULL,                     200, "confirmed",          ACT_SETTLE },
    {"card",            "tok_insufficient_funds", 402, NULL,                 ACT_NONE   },
    {"cash_on_arrival", NULL,                     200, NULL,                 ACT_NONE   },
    {"card",            "tok_error",              503, NULL,                 ACT_NONE   },
    {"bank_transfer",   NULL,                     200, NULL,                 ACT_NONE   },
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void surprise(struct crowd *crowd, const char *what, const struct answer *answer)
{
    crowd->surprises++;
    printf("# %s: %ld %.*s\n", what, answer->status,
           (int)(answer->body.size < 300 ? answer->body.size : 300), answer->body.ptr);
}

/* --- JSON --- */

static json_t *parse(const struct answer *answer)
{
    return json_loadb(answer->body.ptr, answer->body.size, 0, NULL);
}

/* The text at "a/b" or, below lists, "a/0/b"; "" if it is not there. */
static const char *text_at(json_t *json, const char *path)
{
    char name[32];

    while (*path != '\0' && json != NULL) {
        const size_t size = strcspn(path, "/");

        (void)snprintf(name, sizeof(name), "%.*s", (int)size, path);
        path += size + (path[size] == '/');
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
                                   : json_object_get(json, name);
    }
    return json_is_string(json) ? json_string_value(json) : "";
}

static void copy_at(char ret[48], json_t *json, const char *path)
{
    (void)snprintf(ret, 48, "%s", text_at(json, path));
}

/* --- Requests --- */

static bool has_code(const struct answer *answer, const char *code)
{
    json_t *got = parse(answer);
    const bool has = strcmp(text_at(got, "code"), code) == 0;

    json_decref(got);
    return has;
}

/* Until it is answered, also across a restart: the key makes it one order, one payment. Gives how often it was sent. */
static int send(struct person *person, const char *method, const char *path, const char *token,
                const char *key, str body, struct answer *ret)
{
    char header[128];
    const char *headers[] = {key != NULL ? header : NULL, NULL};

    (void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key != NULL ? key : "");
    for (int i = 1; i <= TRIES_MAX; i++) {
        if (client_try(&person->scenario, str_of(method), str_of(path), str_of(token), headers,
                       body, ret)) {
            if (ret->status < 500)
                return i;
            if (ret->status != 503 || answer_header(ret, STR("Retry-After")).ptr == NULL)
                surprise(person->crowd, path, ret);
            /* The sandbox that is down is an answer; after a kill it may be one for others. */
            if (body.ptr != NULL && strstr(body.ptr, "tok_error") != NULL &&
                has_code(ret, "provider_unavailable"))
                return i;
            person->crowd->unavailable++;
        } else {
            person->crowd->cut_off += i == 1;
        }
        (void)usleep(PAUSE_US);
    }
    surprise(person->crowd, "no answer", ret);
    return TRIES_MAX;
}

static str key_of(struct person *person, const char *what, int number)
{
    return arena_printf(person->scenario.arena, "%s-%d-%d", what, person->number, number);
}

static long pay(struct person *person, const struct bought *bought, struct answer *ret)
{
    struct arena *arena = person->scenario.arena;
    const struct way *way = bought->way;
    const str token =
        way->token != NULL ? arena_printf(arena, ",\"token\":\"%s\"", way->token) : STR("");
    const str body = arena_printf(arena, "{\"order_id\":\"%s\",\"method\":\"%s\"%.*s}",
                                  bought->order, way->method, STR_ARG(token));

    (void)send(person, "POST", "/payment", person->token, key_of(person, "pay", bought->number).ptr,
               body, ret);
    return ret->status;
}

/* --- What they do with an order --- */

static bool refund(struct person *person, const struct bought *bought)
{
    struct answer answer;
    const str body = arena_printf(person->scenario.arena, "{\"order_id\":\"%s\"}", bought->order);

    (void)send(person, "POST", "/tickets/refund", person->token,
               key_of(person, "refund", bought->number).ptr, body, &answer);
    if (answer.status != 200)
        surprise(person->crowd, "refund", &answer);
    return answer.status == 200;
}

/* Has no key: who asks twice may hear that it was done already. */
static bool act_once(struct person *person, const char *method, const char *path, const char *token,
                     long status)
{
    struct answer answer;
    const int tries = send(person, method, path, token, NULL, STR_ABSENT, &answer);
    const bool done = answer.status == status || (tries > 1 && answer.status == 409);

    if (!done)
        surprise(person->crowd, path, &answer);
    return done;
}

static bool approve(struct person *person, json_t *paid)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/approve", text_at(paid, "payment/redirect_url"));
    return act_once(person, "POST", path, person->token, 303);
}

static bool admit(struct person *person, const struct bought *bought, const char *code)
{
    struct answer answer;
    const str body = arena_printf(person->scenario.arena,
                                  "{\"code\":\"%s\",\"device_id\":\"door\",\"nonce\":\"%d-%d\"}",
                                  code, person->number, bought->number);

    (void)send(person, "POST", "/checkin", person->crowd->vendor, NULL, body, &answer);
    if (answer.status != 200)
        surprise(person->crowd, "checkin", &answer);
    return answer.status == 200;
}

/* `paid`: the answer to the payment, which has succeeded if `bought` was told so. */
static bool act(struct person *person, struct bought *bought, json_t *paid)
{
    char path[160];

    switch (bought->way->act) {
    case ACT_APPROVE:
        return strcmp(text_at(paid, "payment/status"), "requires_action") == 0 &&
               approve(person, paid);
    case ACT_SETTLE: /* not where the payment was answered before the order was pending */
        (void)snprintf(path, sizeof(path), "/orders/%s/settle", bought->order);
        return strcmp(text_at(paid, "order/status"), "pending") == 0 &&
               act_once(person, "POST", path, person->crowd->vendor, 200);
    case ACT_REFUND:
        return bought->told && refund(person, bought);
    case ACT_CANCEL:
        copy_at(bought->ticket, paid, "tickets/0/id");
        (void)snprintf(path, sizeof(path), "/tickets/%s", bought->ticket);
        return bought->told && act_once(person, "DELETE", path, person->token, 200);
    case ACT_ADMIT:
        copy_at(bought->ticket, paid, "tickets/0/id");
        return bought->told && admit(person, bought, text_at(paid, "tickets/0/code"));
    case ACT_NONE:
        break;
    }
    return false;
}

static void go_on(struct person *person, struct bought *bought)
{
    struct answer answer;

    if (bought->way->method == NULL)
        return;
    bought->answer = pay(person, bought, &answer);
    json_t *paid = parse(&answer);
    /* What takes too long is answered 200, pending, whatever becomes of it. */
    if (bought->answer != bought->way->status &&
        (bought->answer != 200 || strcmp(text_at(paid, "payment/status"), "pending") != 0)) {
        surprise(person->crowd, "payment", &answer);
        json_decref(paid);
        return;
    }
    person->crowd->payments += answer.status == 200;
    copy_at(bought->payment, paid, "payment/id");
    bought->told = strcmp(text_at(paid, "payment/status"), "succeeded") == 0;
    bought->acted = act(person, bought, paid);
    json_decref(paid);
}

static void buy(struct person *person)
{
    struct crowd *crowd = person->crowd;
    const int number = ++person->next;
    struct bought bought = {
        .way = &ways[(person->number + number) % WAYS],
        .number = number,
        .quantity = 2 + number % 2,
    };
    struct answer answer;

    /* Nobody gives of the scarce ones back, so that they stay sold out. */
    bought.few = bought.way->act == ACT_NONE && number % 2 == 0;
    const str body = arena_printf(
        person->scenario.arena,
        "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":%d}]}",
        crowd->event, crowd->types[bought.few], bought.quantity);
    (void)send(person, "POST", "/tickets/book", person->token, key_of(person, "book", number).ptr,
               body, &answer);
    if (answer.status == 409 && bought.few && has_code(&answer, "sold_out")) {
        crowd->sold_out++;
        return;
    }
    if (answer.status != 201) {
        surprise(crowd, "booking", &answer);
        return;
    }
    json_t *got = parse(&answer);
    copy_at(bought.order, got, "order/id");
    json_decref(got);
    crowd->bookings++;
    go_on(person, &bought);
    person->bought[person->count++] = bought;
}

static void *run_person(void *arg)
{
    struct person *person = arg;

    while (!person->crowd->stop && person->count < CROWD_ORDERS_MAX) {
        buy(person);
        arena_reset(person->scenario.arena);
    }
    return NULL;
}

void crowd_start(struct crowd *crowd)
{
    for (int i = 0; i < CROWD; i++)
        (void)pthread_create(&crowd->people[i].thread, NULL, run_person, &crowd->people[i]);
}

void crowd_join(struct crowd *crowd)
{
    for (int i = 0; i < CROWD; i++)
        (void)pthread_join(crowd->people[i].thread, NULL);
}

/* --- What must be true afterwards --- */

/* The order as it ends if its payment succeeds, comes to nothing, or is still expected. */
static const char *order_wanted(const struct bought *bought, const char *payment)
{
    if (strcmp(payment, "pending") == 0)
        return strcmp(bought->way->method, "card") != 0 ? "pending" : "(none may be pending)";
    if (strcmp(payment, "succeeded") != 0)
        return "held";
    if (bought->way->act == ACT_REFUND || bought->way->act == ACT_CANCEL)
        return bought->acted ? bought->way->order : "confirmed";
    return "confirmed";
}

/* What it must have become, whatever the payment was answered first. */
static bool is_as_told(const struct bought *bought, const char *payment)
{
    const bool succeeded = strcmp(payment, "succeeded") == 0;
    const enum act act = bought->way->act;

    if (bought->told || (bought->acted && (act == ACT_APPROVE || act == ACT_SETTLE)))
        return succeeded;
    return bought->answer == 200 || !succeeded;
}

static bool ticket_is(struct person *person, const struct bought *bought, const char *status)
{
    struct answer answer;
    char path[96];

    (void)snprintf(path, sizeof(path), "/tickets/%s", bought->ticket);
    (void)send(person, "GET", path, person->token, NULL, STR_ABSENT, &answer);
    json_t *got = parse(&answer);
    const bool is = strcmp(text_at(got, "status"), status) == 0;
    json_decref(got);
    if (!is)
        surprise(person->crowd, path, &answer);
    return is;
}

/* The payment's status as its key tells it again; "": there was none. */
static void read_payment(struct person *person, const struct bought *bought, char ret[48])
{
    struct answer answer;

    ret[0] = '\0';
    if (bought->answer != 200 && bought->answer != 402)
        return;
    if (pay(person, bought, &answer) != bought->answer ||
        answer_header(&answer, STR("Idempotency-Replayed")).ptr == NULL)
        surprise(person->crowd, "replay", &answer);
    json_t *got = parse(&answer);
    copy_at(ret, got, "payment/status");
    if (strcmp(text_at(got, "payment/id"), bought->payment) != 0)
        surprise(person->crowd, "replay with another payment", &answer);
    json_decref(got);
}

static void read_order(struct person *person, const struct bought *bought, char ret[48],
                       struct answer *answer)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "/orders/%s", bought->order);
    (void)send(person, "GET", path, person->token, NULL, STR_ABSENT, answer);
    json_t *got = parse(answer);
    copy_at(ret, got, "status");
    json_decref(got);
}

/* What of it still keeps others from a ticket once holds are over. */
static int64_t kept(const struct bought *bought, const char *order)
{
    if (strcmp(order, "held") == 0 || strcmp(order, "refunded") == 0)
        return 0;
    return bought->quantity - (strcmp(order, "partially_refunded") == 0);
}

static bool check_one(struct person *person, const struct bought *bought, int64_t sold[2])
{
    struct answer answer;
    char payment[48];
    char order[48];
    bool right = true;

    read_payment(person, bought, payment);
    read_order(person, bought, order, &answer);
    right = strcmp(order, order_wanted(bought, payment)) == 0 && is_as_told(bought, payment);
    if (!right) {
        printf("# way %d, payment %s, acted %d\n", (int)(bought->way - ways), payment,
               bought->acted);
        surprise(person->crowd, bought->order, &answer);
    }
    if (right && bought->acted && bought->way->act == ACT_ADMIT)
        right = ticket_is(person, bought, "used");
    if (right && bought->acted && bought->way->act == ACT_CANCEL)
        right = ticket_is(person, bought, "cancelled");
    sold[bought->few] += kept(bought, order);
    return right;
}

int crowd_check(struct crowd *crowd, int64_t sold[2])
{
    int wrong = 0;

    for (int i = 0; i < CROWD; i++)
        for (size_t b = 0; b < crowd->people[i].count; b++) {
            wrong += !check_one(&crowd->people[i], &crowd->people[i].bought[b], sold);
            arena_reset(crowd->people[i].scenario.arena);
        }
    return wrong;
}

int crowd_check_expired(struct crowd *crowd)
{
    int wrong = 0;

    for (int i = 0; i < CROWD; i++)
        for (size_t b = 0; b < crowd->people[i].count; b++) {
            struct person *person = &crowd->people[i];
            struct answer answer;
            char order[48];

            read_order(person, &person->bought[b], order, &answer);
            wrong += strcmp(order, "held") == 0;
            arena_reset(person->scenario.arena);
        }
    return wrong;
}

/* --- The set-up --- */

static bool ask(struct person *person, const char *path, const char *token, str body, json_t **ret)
{
    struct answer answer;

    (void)send(person, "POST", path, token, NULL, body, &answer);
    if (answer.status != 201)
        surprise(person->crowd, path, &answer);
    *ret = answer.status == 201 ? parse(&answer) : NULL;
    return answer.status == 201;
}

/* A name of its own: the database may have seen others before. */
static bool sign_up(struct person *person, const char *role, char token[64])
{
    json_t *got = NULL;
    const str body = arena_printf(
        person->scenario.arena,
        "{\"email\":\"%s%d-%d@example.test\",\"password\":\"correct horse\",\"name\":\"Some "
        "Body\",\"role\":\"%s\"}",
        role, (int)getpid(), person->number, role);

    if (!ask(person, "/register", NULL, body, &got))
        return false;
    (void)snprintf(token, 64, "%s", text_at(got, "access_token"));
    json_decref(got);
    return true;
}

static bool make_event(struct person *person, int many, int few)
{
    struct crowd *crowd = person->crowd;
    json_t *event = NULL;
    const str body = arena_printf(
        person->scenario.arena,
        "{\"name\":\"Rush\",\"type\":\"concert\",\"starts_at\":\"2099-01-01T20:00:00Z\",\"ends_"
        "at\":\"2099-01-01T23:00:00Z\",\"timezone\":\"UTC\",\"online\":true,\"payment_methods\":"
        "[{\"type\":\"card\"},{\"type\":\"cash_on_arrival\"},{\"type\":\"bank_transfer\"}],"
        "\"currency\":\"EUR\",\"ticket_types\":[{\"name\":\"Many\",\"price\":1000,\"quantity\":%d},"
        "{\"name\":\"Few\",\"price\":9000,\"quantity\":%d}],\"status\":\"published\"}",
        many, few);

    if (!sign_up(person, "vendor", crowd->vendor) ||
        !ask(person, "/events", crowd->vendor, body, &event))
        return false;
    copy_at(crowd->event, event, "id");
    copy_at(crowd->types[0], event, "ticket_types/0/id");
    copy_at(crowd->types[1], event, "ticket_types/1/id");
    json_decref(event);
    return true;
}

bool crowd_open(struct crowd *crowd, const struct scenario *scenario, int many, int few)
{
    bool ready = true;

    for (int i = 0; i < CROWD; i++) {
        struct person *person = &crowd->people[i];

        *person = (struct person){.scenario = *scenario, .crowd = crowd, .number = i};
        person->scenario.arena = arena_open(0);
        person->bought = calloc(CROWD_ORDERS_MAX, sizeof(*person->bought));
        ready = ready && person->bought != NULL && sign_up(person, "customer", person->token);
    }
    return ready && make_event(&crowd->people[0], many, few);
}

void crowd_close(struct crowd *crowd)
{
    for (int i = 0; i < CROWD; i++) {
        arena_close(crowd->people[i].scenario.arena);
        free(crowd->people[i].bought);
    }
}
