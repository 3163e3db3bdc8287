/* chaos/disk_full_test.c - the disk fills up in the middle of the sale: whoever cannot be served hears 503, what was acknowledged stays,
 * what is known can be read, and once there is room again it sells on, without a restart. The disk is a small one of this process' own. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "scenario.h"

enum {
    BUYERS = 4,
    ORDERS_MAX = 8192, /* of one buyer */
    STOCK = 100000,    /* never the limit */
    ROOM_SIZE = 10 << 20,
    REFUSALS_MIN = 25, /* of each buyer, before there is room again */
    FILL_MS_MAX = 120000,
    RECOVER_MS_MAX = 5000,
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
    _Atomic int refused;
    char refused_key[32]; /* of the first booking that was refused */
};

static char event_id[64], type_id[64];
static _Atomic bool stop;
static _Atomic int surprises;
static int points, failures;

static void point(bool ok, const char *name)
{
    failures += !ok;
    printf("%s %d - %s\n", ok ? "ok" : "not ok", ++points, name);
}

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

static void take_text(char *ret, size_t size, json_t *from, const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));

    (void)snprintf(ret, size, "%s", text != NULL ? text : "");
}

static bool post(struct buyer *buyer, const char *path, const char *key, str body,
                 struct answer *ret)
{
    char header[128];
    const char *headers[] = {header, NULL};

    (void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
    return client_send(&buyer->scenario, STR("POST"), str_of(path), str_of(buyer->token), headers,
                       body, ret);
}

/* --- Buying --- */

/* 201 or 503, and nothing else. */
static bool book(struct buyer *buyer, const char *key)
{
    struct answer answer;
    struct bought *bought = &buyer->bought[buyer->count];
    const str body =
        arena_printf(buyer->scenario.arena,
                     "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":1}]}",
                     event_id, type_id);

    if (!post(buyer, "/tickets/book", key, body, &answer))
        return false;
    if (answer.status == 201) {
        json_t *got = parse(&answer);

        take_text(bought->order, sizeof(bought->order), json_object_get(got, "order"), "id");
        json_decref(got);
        buyer->count++;
        return true;
    }
    if (answer.status != 503 || answer_header(&answer, STR("Retry-After")).ptr == NULL)
        surprise("booking", &answer);
    return false;
}

/* 200 or 503, and nothing else. Pending is an answer too: the charge was made but could not be written down yet. */
static bool pay(struct buyer *buyer, struct bought *bought)
{
    struct answer answer;
    char key[80], status[32];
    const str body = arena_printf(
        buyer->scenario.arena, "{\"order_id\":\"%s\",\"method\":\"card\",\"token\":\"tok_visa\"}",
        bought->order);

    (void)snprintf(key, sizeof(key), "p-%s", bought->order);
    if (!post(buyer, "/payment", key, body, &answer))
        return false;
    if (answer.status == 200) {
        json_t *got = parse(&answer);

        take_text(status, sizeof(status), json_object_get(got, "payment"), "status");
        json_decref(got);
        bought->paid = strcmp(status, "succeeded") == 0;
        return true;
    }
    if (answer.status != 503)
        surprise("payment", &answer);
    return false;
}

static void *run_buyer(void *arg)
{
    struct buyer *buyer = arg;
    char key[32];

    while (!stop && buyer->count < ORDERS_MAX) {
        (void)snprintf(key, sizeof(key), "b%d-%d", buyer->number, buyer->next_key++);
        if (!book(buyer, key)) {
            if (buyer->refused++ == 0)
                memcpy(buyer->refused_key, key, sizeof(key));
        } else if (buyer->next_key % 2 == 0) {
            (void)pay(buyer, &buyer->bought[buyer->count - 1]);
        }
        arena_reset(buyer->scenario.arena);
    }
    return NULL;
}

/* Until every buyer has been refused often enough; false if the disk does not fill. */
static bool sell_until_full(struct buyer *buyers)
{
    const int64_t until_ns = clock_stopwatch_ns() + FILL_MS_MAX * INT64_C(1000000);
    int full = 0;

    for (int i = 0; i < BUYERS; i++)
        (void)pthread_create(&buyers[i].thread, NULL, run_buyer, &buyers[i]);
    while (full < BUYERS && clock_stopwatch_ns() < until_ns) {
        full = 0;
        for (int i = 0; i < BUYERS; i++)
            full += buyers[i].refused >= REFUSALS_MIN;
        (void)usleep(5000);
    }
    stop = true;
    for (int i = 0; i < BUYERS; i++)
        (void)pthread_join(buyers[i].thread, NULL);
    return full == BUYERS;
}

/* --- What must be true --- */

/* Every order that was acknowledged is there, and paid if that was acknowledged. */
static int count_lost(struct buyer *buyer)
{
    int lost = 0;

    for (size_t i = 0; i < buyer->count; i++) {
        const struct bought *bought = &buyer->bought[i];
        struct answer answer;
        char path[96], status[32];

        (void)snprintf(path, sizeof(path), "/orders/%s", bought->order);
        const bool sent = client_send(&buyer->scenario, STR("GET"), str_of(path),
                                      str_of(buyer->token), NULL, STR_ABSENT, &answer);
        json_t *got = sent ? parse(&answer) : NULL;
        take_text(status, sizeof(status), got, "status");
        const bool confirmed = strcmp(status, "confirmed") == 0 &&
                               json_array_size(json_object_get(got, "tickets")) == 1;
        if (answer.status != 200 || (!confirmed && (bought->paid || strcmp(status, "held") != 0))) {
            lost++;
            surprise(path, &answer);
        }
        json_decref(got);
        arena_reset(buyer->scenario.arena);
    }
    return lost;
}

static int count_all_lost(struct buyer *buyers)
{
    int lost = 0;

    for (int i = 0; i < BUYERS; i++)
        lost += count_lost(&buyers[i]);
    return lost;
}

/* The booking that was refused first, under its own key, and its payment: soon, and without a restart. */
static bool sells_again(struct buyer *buyer)
{
    const int64_t until_ns = clock_stopwatch_ns() + RECOVER_MS_MAX * INT64_C(1000000);

    while (!book(buyer, buyer->refused_key)) {
        if (clock_stopwatch_ns() > until_ns)
            return false;
        (void)usleep(20000);
    }
    struct bought *bought = &buyer->bought[buyer->count - 1];
    while (!pay(buyer, bought)) {
        if (clock_stopwatch_ns() > until_ns)
            return false;
        (void)usleep(20000);
    }
    return bought->paid;
}

static bool audit_is_clean(const struct scenario *scenario)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "%s audit --data %s >&2", scenario->binary,
                   scenario->data_dir);
    return system(command) == 0;
}

/* --- The set-up --- */

static bool create(struct scenario *scenario, const char *path, const char *token, str body,
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

    if (!create(scenario, "/register", NULL, body, &got))
        return false;
    take_text(token, 64, got, "access_token");
    json_decref(got);
    return true;
}

static bool make_event(struct scenario *scenario)
{
    char token[64];
    json_t *got = NULL;
    const str body = arena_printf(
        scenario->arena,
        "{\"name\":\"Rush\",\"type\":\"concert\",\"starts_at\":\"2099-01-01T20:00:00Z\","
        "\"ends_at\":\"2099-01-01T23:00:00Z\",\"timezone\":\"UTC\",\"online\":true,"
        "\"currency\":\"EUR\",\"ticket_types\":[{\"name\":\"Entry\",\"price\":1000,\"quantity\":%d}"
        "],\"status\":\"published\"}",
        STOCK);

    if (!sign_up(scenario, "vera", "vendor", token) ||
        !create(scenario, "/events", token, body, &got))
        return false;
    take_text(event_id, sizeof(event_id), got, "id");
    take_text(type_id, sizeof(type_id), json_array_get(json_object_get(got, "ticket_types"), 0),
              "id");
    json_decref(got);
    return true;
}

static bool set_up(struct scenario *scenario, struct buyer *buyers)
{
    if (!server_start(scenario, STR("")) || !make_event(scenario))
        return false;
    for (int i = 0; i < BUYERS; i++) {
        struct buyer *buyer = &buyers[i];
        char name[32];

        (void)snprintf(name, sizeof(name), "buyer%d", i);
        *buyer = (struct buyer){.scenario = *scenario, .number = i};
        buyer->scenario.arena = arena_open(0);
        buyer->bought = calloc(ORDERS_MAX + 1, sizeof(*buyer->bought));
        if (buyer->bought == NULL || !sign_up(&buyer->scenario, name, "customer", buyer->token))
            return false;
    }
    return true;
}

/* A small disk of this process' own, which the server inherits and which is gone with them. */
static bool mount_small(const char *dir)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", dir, "tmpfs", 0, "size=16m") == 0;
}

/* Takes all but ROOM_SIZE of what is free. */
static bool fill_disk(const char *dir, const char *path)
{
    struct statvfs disk;
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && statvfs(dir, &disk) == 0;

    if (ok) {
        const off_t free_size = (off_t)(disk.f_bavail * disk.f_frsize);
        ok = free_size > ROOM_SIZE && posix_fallocate(fd, 0, free_size - ROOM_SIZE) == 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static void tear_down(struct scenario *scenario, struct buyer *buyers)
{
    for (int i = 0; i < BUYERS; i++) {
        if (buyers[i].scenario.arena != NULL)
            arena_close(buyers[i].scenario.arena);
        free(buyers[i].bought);
    }
    (void)server_stop(scenario, SIGKILL);
    if (umount(scenario->data_dir) != 0 || rmdir(scenario->data_dir) != 0)
        perror(scenario->data_dir);
    json_decref(scenario->vars);
    arena_close(scenario->arena);
}

static void play(struct scenario *scenario, struct buyer *buyers)
{
    char filler[80];
    struct answer answer;
    size_t orders = 0;

    (void)snprintf(filler, sizeof(filler), "%s/filler", scenario->data_dir);
    if (!set_up(scenario, buyers) || !fill_disk(scenario->data_dir, filler)) {
        point(false, "set-up");
        return;
    }
    point(sell_until_full(buyers), "the disk fills, and then whoever books is refused");
    for (int i = 0; i < BUYERS; i++)
        orders += buyers[i].count;
    printf("# %zu orders acknowledged before the disk was full\n", orders);
    point(orders > BUYERS, "orders were taken before");
    point(client_send(&buyers[0].scenario, STR("GET"), STR("/events"), STR_ABSENT, NULL, STR_ABSENT,
                      &answer) &&
              answer.status == 200,
          "events can be found while the disk is full");
    point(count_all_lost(buyers) == 0, "orders can be read while the disk is full");
    point(unlink(filler) == 0 && sells_again(&buyers[0]),
          "with room again it sells, without a restart");
    point(count_all_lost(buyers) == 0, "no acknowledged order or payment is lost");
    point(surprises == 0, "every answer was one that the contract has, and none was 500");
    const int status = server_stop(scenario, SIGTERM);
    point(status == 0 && audit_is_clean(scenario),
          "the audit is clean: nothing oversold, every charge accounted for");
}

int main(int argc, char **argv)
{
    struct scenario scenario = {.binary = argc > 1 ? argv[1] : "",
                                .file = "disk_full",
                                .vars = json_object(),
                                .arena = arena_open(0),
                                .data_dir = "/tmp/boxoffice-disk-full-XXXXXX"};
    static struct buyer buyers[BUYERS];

    if (mkdtemp(scenario.data_dir) == NULL) {
        perror(scenario.data_dir);
        return 1;
    }
    if (!mount_small(scenario.data_dir)) {
        printf("1..0 # SKIP needs the right to mount\n");
        (void)rmdir(scenario.data_dir);
        json_decref(scenario.vars);
        arena_close(scenario.arena);
        return 0;
    }
    play(&scenario, buyers);
    printf("1..%d\n", points);
    tear_down(&scenario, buyers);
    return failures > 0 ? 1 : 0;
}
