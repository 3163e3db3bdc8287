/* chaos/kill_test.c - kill -9 in the middle of bookings and payments, again and again: nothing that was acknowledged is lost, nothing is oversold, every charge
 * ends in tickets or a refund, and the server is back in time.
 *
 * kill_test PROGRAM. BOXOFFICE_DATABASE_URL chooses the database (an empty one), KILL_RESTART_MS_MAX how long a restart may take. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crowd.h"

enum {
    MANY = 1000000, /* of one type: never the limit ... */
    FEW = 60,       /* ... and of the other, which sells out */
    KILLS_MIN = 6,
    BOOKINGS_MIN = 1000,
    PAYMENTS_MIN = 200,
    RUN_MS_MAX = 180000,
    ROUND_MS_MAX = 20000,
    PENDING_S = 120, /* what is unfinished is taken up again sooner */
    HOLDS_S = 7200,  /* every hold is over by then */
    RESTART_MS_MAX = 2000,
};

struct killing {
    int kills;
    int64_t worst_ms; /* from the kill to the first answer */
    bool broken;      /* it did not come back */
};

static int points, failures;

static void point(bool ok, const char *name)
{
    failures += !ok;
    printf("%s %d - %s\n", ok ? "ok" : "not ok", ++points, name);
}

static int64_t since_ms(int64_t began_ns)
{
    return (clock_stopwatch_ns() - began_ns) / 1000000;
}

/* --- The program --- */

static bool start(struct scenario *scenario)
{
    char flags[64] = "--test-clock";

    if (scenario->url[0] != '\0')
        (void)snprintf(flags, sizeof(flags), "--test-clock --listen 127.0.0.1:%s",
                       strrchr(scenario->url, ':') + 1);
    return server_start(scenario, str_of(flags));
}

static bool run(const struct scenario *scenario, const char *command)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "%s %s --data %s >&2", scenario->binary, command,
                   scenario->data_dir);
    return system(line) == 0;
}

static bool advance(struct scenario *scenario, int by_s)
{
    struct answer answer;
    const str body = arena_printf(scenario->arena, "{\"advance_s\":%d}", by_s);

    return client_send(scenario, STR("POST"), STR("/_test/clock"), STR_ABSENT, NULL, body,
                       &answer) &&
           answer.status == 200;
}

/* What is left of each type. */
static bool read_stock(struct scenario *scenario, const struct crowd *crowd, int64_t ret[2])
{
    struct answer answer;
    const str path = arena_printf(scenario->arena, "/events/%s/tickets", crowd->event);

    if (!client_try(scenario, STR("GET"), path, STR_ABSENT, NULL, STR_ABSENT, &answer) ||
        answer.status != 200)
        return false;
    json_t *got = json_loadb(answer.body.ptr, answer.body.size, 0, NULL);
    for (size_t t = 0; t < 2; t++)
        ret[t] = json_integer_value(
            json_object_get(json_array_get(json_object_get(got, "ticket_types"), t), "available"));
    json_decref(got);
    return true;
}

/* --- The kills --- */

static bool is_enough(const struct crowd *crowd, const struct killing *killing)
{
    return killing->kills >= KILLS_MIN && crowd->bookings >= BOOKINGS_MIN &&
           crowd->payments >= PAYMENTS_MIN && crowd->sold_out > 0;
}

/* Until its share of the work has been acknowledged since the last kill, and then a little longer, each time another while. */
static void await_work(const struct crowd *crowd, int round)
{
    const int bookings = crowd->bookings + BOOKINGS_MIN / KILLS_MIN;
    const int payments = crowd->payments + PAYMENTS_MIN / KILLS_MIN;
    const int64_t began_ns = clock_stopwatch_ns();

    while ((crowd->bookings < bookings || crowd->payments < payments) &&
           since_ms(began_ns) < ROUND_MS_MAX)
        (void)usleep(1000);
    (void)usleep((useconds_t)(7919 * round % 23000));
}

static struct killing kill_again_and_again(struct scenario *scenario, struct crowd *crowd)
{
    struct killing killing = {0};
    const int64_t began_ns = clock_stopwatch_ns();
    int64_t left[2];

    while (!is_enough(crowd, &killing) && since_ms(began_ns) < RUN_MS_MAX) {
        await_work(crowd, killing.kills);
        const int64_t killed_ns = clock_stopwatch_ns();
        (void)server_stop(scenario, SIGKILL);
        killing.kills++;
        killing.broken = !start(scenario) || !read_stock(scenario, crowd, left);
        const int64_t took_ms = since_ms(killed_ns);
        killing.worst_ms = took_ms > killing.worst_ms ? took_ms : killing.worst_ms;
        if (killing.broken)
            break;
    }
    return killing;
}

/* --- What is found afterwards --- */

static void check(struct scenario *scenario, struct crowd *crowd)
{
    int64_t sold[2] = {0};
    int64_t left[2] = {0};

    point(advance(scenario, PENDING_S), "what was unfinished is finished");
    point(crowd_check(crowd, sold) == 0, "no acknowledged order, payment, refund or scan is lost");
    const bool over = advance(scenario, HOLDS_S);
    point(over && crowd_check_expired(crowd) == 0, "what was not paid is held no longer");
    point(read_stock(scenario, crowd, left) && left[0] == MANY - sold[0] &&
              left[1] == FEW - sold[1],
          "every ticket is sold once or on sale: none oversold, none lost");
    printf("# sold %lld and %lld of %d, left %lld and %lld\n", (long long)sold[0],
           (long long)sold[1], FEW, (long long)left[0], (long long)left[1]);
    point(crowd->surprises == 0, "every answer was one that the contract has");
    point(server_stop(scenario, SIGTERM) == 0, "it ends in order");
    point(run(scenario, "audit"), "the audit is clean: every charge is accounted for");
}

static int64_t restart_ms_max(void)
{
    const char *text = getenv("KILL_RESTART_MS_MAX");

    return text != NULL ? atoll(text) : RESTART_MS_MAX;
}

static void run_test(struct scenario *scenario, struct crowd *crowd)
{
    if (mkdtemp(scenario->data_dir) == NULL || !run(scenario, "migrate") || !start(scenario) ||
        !crowd_open(crowd, scenario, MANY, FEW)) {
        point(false, "set-up");
        return;
    }
    crowd_start(crowd);
    const struct killing killing = kill_again_and_again(scenario, crowd);
    crowd->stop = true;
    crowd_join(crowd);
    printf("# %d bookings and %d payments acknowledged, %d requests cut off by %d kills; serving "
           "again in %lld ms at worst\n",
           crowd->bookings, crowd->payments, crowd->cut_off, killing.kills,
           (long long)killing.worst_ms);
    point(!killing.broken && is_enough(crowd, &killing),
          "the kills came in the middle of 1000 bookings, 200 payments and a sell-out");
    point(crowd->cut_off >= killing.kills, "the kills cut requests off");
    point(killing.worst_ms < restart_ms_max(), "serving again in time");
    check(scenario, crowd);
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    struct scenario scenario = {.binary = argc > 1 ? argv[1] : "",
                                .file = "kill",
                                .vars = json_object(),
                                .arena = arena_open(0),
                                .data_dir = "/tmp/boxoffice-kill-XXXXXX"};
    const char *database = getenv("BOXOFFICE_DATABASE_URL");

    /* Sign-ups by the hundred from one address are not what is tested. */
    (void)setenv("BOXOFFICE_IDENTITY_ARGON2_MEMORY_KIB", "256", 0);
    (void)setenv("BOXOFFICE_GATEWAY_RATE_LIMIT", "off", 0);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    printf("# database: %s\n", database != NULL ? database : "files");
    run_test(&scenario, &crowd);
    printf("1..%d\n", points);
    (void)server_stop(&scenario, SIGKILL);
    if (failures == 0)
        (void)!system(arena_printf(scenario.arena, "rm -rf %s", scenario.data_dir).ptr);
    crowd_close(&crowd);
    json_decref(scenario.vars);
    arena_close(scenario.arena);
    return failures == 0 ? 0 : 1;
}
