/* chaos/kill_test.c - kill -9 in the middle of bookings and payments, again and again: nothing that was acknowledged is lost, nothing is oversold, every charge
 * ends in tickets or a refund, and all is back in time.
 *
 * kill_test [--postgres] PROGRAM. On files the program is what is killed. With --postgres it has a PostgreSQL server with a standby and a Redis of its own, they are
 * killed in turn, and one time the server for good: the standby takes over. KILL_RESTART_MS_MAX: how long a restart of the program may take. */
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
    KILLS_MIN = 7,
    BOOKINGS_MIN = 1000,
    PAYMENTS_MIN = 200,
    RUN_MS_MAX = 180000,
    ROUND_MS_MAX = 20000,
    PENDING_S = 120, /* what is unfinished is taken up again sooner */
    HOLDS_S = 7200,  /* every hold is over by then */
    ADVANCE_TRIES = 6,
    RESTART_MS_MAX = 2000,
    RESUME_MS_MAX = 5000, /* sales go on once the database is back ... */
    OUT_US = 500000,      /* ... which is out for so long */
};

enum victim { PROGRAM, DATABASE, CACHE, PRIMARY, VICTIMS };
static const char *const victim_names[] = {"program", "database", "cache", "primary"};
static const enum victim turns[KILLS_MIN] = {PROGRAM,  DATABASE, CACHE,  PROGRAM,
                                             DATABASE, PRIMARY,  PROGRAM};
static const char *const primary_settings[] = {POSTGRES_PRIMARY_SETTINGS, NULL};

struct rig {
    struct scenario scenario;
    struct postgres_server standby;
    struct crowd crowd;
};

struct killing {
    int kills;             /* of all */
    int kills_of[VICTIMS]; /* of each */
    int64_t worst_ms
        [VICTIMS]; /* from the kill of the program, or the start of the others, to the first answer */
    bool broken;   /* it did not come back */
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

/* What is due then may take longer than the client's patience: until an answer has come, it asks for no more time. */
static bool advance(struct scenario *scenario, int by_s)
{
    struct answer answer = {0};
    str body = arena_printf(scenario->arena, "{\"advance_s\":%d}", by_s);

    for (int i = 0; i < ADVANCE_TRIES && answer.status == 0; i++) {
        (void)client_try(scenario, STR("POST"), STR("/_test/clock"), STR_ABSENT, NULL, body,
                         &answer);
        body = STR("{\"advance_s\":0}");
    }
    return answer.status == 200;
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

/* False: too little was acknowledged in time. */
static bool await_acknowledged(const struct crowd *crowd, int bookings, int payments)
{
    const int bookings_wanted = crowd->bookings + bookings;
    const int payments_wanted = crowd->payments + payments;
    const int64_t began_ns = clock_stopwatch_ns();

    while (crowd->bookings < bookings_wanted || crowd->payments < payments_wanted) {
        if (since_ms(began_ns) >= ROUND_MS_MAX)
            return false;
        (void)usleep(1000);
    }
    return true;
}

static bool kill_program(struct rig *rig, int64_t *ret_ms)
{
    int64_t left[2];
    const int64_t killed_ns = clock_stopwatch_ns();

    (void)server_stop(&rig->scenario, SIGKILL);
    if (!start(&rig->scenario) || !read_stock(&rig->scenario, &rig->crowd, left))
        return false;
    *ret_ms = since_ms(killed_ns);
    return true;
}

/* What is in memory is served meanwhile. */
static bool kill_database(struct rig *rig, int64_t *ret_ms)
{
    int64_t left[2];
    bool ok = true;

    postgres_kill(&rig->scenario.postgres);
    ok = read_stock(&rig->scenario, &rig->crowd, left);
    (void)usleep(OUT_US);
    postgres_start(&rig->scenario.postgres);
    const int64_t back_ns = clock_stopwatch_ns();
    ok = await_acknowledged(&rig->crowd, 1, 1) && ok;
    *ret_ms = since_ms(back_ns);
    return ok;
}

/* Nobody needs it. */
static bool kill_cache(struct rig *rig, int64_t *ret_ms)
{
    const int64_t killed_ns = clock_stopwatch_ns();

    redis_kill(&rig->scenario);
    const bool ok = await_acknowledged(&rig->crowd, 1, 1);
    *ret_ms = since_ms(killed_ns);
    (void)usleep(OUT_US);
    redis_start(&rig->scenario);
    return ok;
}

/* The program goes on with the other one. */
static bool kill_primary(struct rig *rig, int64_t *ret_ms)
{
    postgres_kill(&rig->scenario.postgres);
    postgres_promote(&rig->standby);
    const int64_t promoted_ns = clock_stopwatch_ns();
    const bool ok = await_acknowledged(&rig->crowd, 1, 1);
    *ret_ms = since_ms(promoted_ns);
    return ok;
}

static bool kill_one(struct rig *rig, enum victim victim, int64_t *ret_ms)
{
    if (victim == PRIMARY)
        return kill_primary(rig, ret_ms);
    if (victim == DATABASE)
        return kill_database(rig, ret_ms);
    if (victim == CACHE)
        return kill_cache(rig, ret_ms);
    return kill_program(rig, ret_ms);
}

static struct killing kill_again_and_again(struct rig *rig)
{
    struct killing killing = {0};
    const int64_t began_ns = clock_stopwatch_ns();

    while (!killing.broken && !is_enough(&rig->crowd, &killing) &&
           since_ms(began_ns) < RUN_MS_MAX) {
        const enum victim victim =
            rig->scenario.on_postgres && killing.kills < KILLS_MIN ? turns[killing.kills] : PROGRAM;
        int64_t took_ms = 0;

        /* Its share of the work, and then a little longer, each time another while. */
        (void)await_acknowledged(&rig->crowd, BOOKINGS_MIN / KILLS_MIN, PAYMENTS_MIN / KILLS_MIN);
        (void)usleep((useconds_t)(7919 * killing.kills % 23000));
        killing.broken = !kill_one(rig, victim, &took_ms);
        killing.kills++;
        killing.kills_of[victim]++;
        if (took_ms > killing.worst_ms[victim])
            killing.worst_ms[victim] = took_ms;
        if (killing.broken)
            printf("# the %s did not come back\n", victim_names[victim]);
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

static void report(const struct crowd *crowd, const struct killing *killing)
{
    printf("# %d bookings and %d payments acknowledged, %d requests cut off, %d answered 503\n",
           crowd->bookings, crowd->payments, crowd->cut_off, crowd->unavailable);
    for (int victim = PROGRAM; victim < VICTIMS; victim++)
        if (killing->kills_of[victim] > 0)
            printf("# %d kills of the %s: serving again in %lld ms at worst\n",
                   killing->kills_of[victim], victim_names[victim],
                   (long long)killing->worst_ms[victim]);
    point(!killing->broken && is_enough(crowd, killing),
          "the kills came in the middle of 1000 bookings, 200 payments and a sell-out");
    point(crowd->cut_off >= killing->kills_of[PROGRAM], "the kills cut requests off");
    point(killing->worst_ms[PROGRAM] < restart_ms_max() &&
              killing->worst_ms[DATABASE] < RESUME_MS_MAX &&
              killing->worst_ms[CACHE] < RESUME_MS_MAX &&
              killing->worst_ms[PRIMARY] < RESUME_MS_MAX,
          "serving again in time");
}

static void run_test(struct rig *rig)
{
    struct scenario *scenario = &rig->scenario;
    struct crowd *crowd = &rig->crowd;

    if (mkdtemp(scenario->data_dir) == NULL || !run(scenario, "migrate") || !start(scenario) ||
        !crowd_open(crowd, scenario, MANY, FEW)) {
        point(false, "set-up");
        return;
    }
    crowd_start(crowd);
    const struct killing killing = kill_again_and_again(rig);
    crowd->stop = true;
    crowd_join(crowd);
    report(crowd, &killing);
    check(scenario, crowd);
}

static void open_servers(struct rig *rig)
{
    struct scenario *scenario = &rig->scenario;

    postgres_open(&scenario->postgres, false, primary_settings);
    postgres_open_standby(&rig->standby, &scenario->postgres);
    redis_start(scenario);
    (void)setenv("BOXOFFICE_DATABASE_URL",
                 postgres_pair_url(&scenario->postgres, &rig->standby, scenario->arena, "postgres"),
                 1);
}

static void open_rig(struct rig *rig, const char *binary, bool on_postgres)
{
    rig->scenario = (struct scenario){.binary = binary,
                                      .file = "kill",
                                      .vars = json_object(),
                                      .arena = arena_open(0),
                                      .data_dir = "/tmp/boxoffice-kill-XXXXXX",
                                      .on_postgres = on_postgres};
    /* Sign-ups by the hundred from one address are not what is tested. */
    (void)setenv("BOXOFFICE_IDENTITY_ARGON2_MEMORY_KIB", "256", 0);
    (void)setenv("BOXOFFICE_GATEWAY_RATE_LIMIT", "off", 0);
    if (on_postgres)
        open_servers(rig);
    else
        engine_open(&rig->scenario);
}

static void close_rig(struct rig *rig)
{
    struct scenario *scenario = &rig->scenario;

    (void)server_stop(scenario, SIGKILL);
    redis_kill(scenario);
    postgres_close(&rig->standby);
    engine_close(scenario);
    if (failures == 0)
        (void)!system(arena_printf(scenario->arena, "rm -rf %s", scenario->data_dir).ptr);
    crowd_close(&rig->crowd);
    json_decref(scenario->vars);
    arena_close(scenario->arena);
}

int main(int argc, char **argv)
{
    static struct rig rig;
    const bool on_postgres = argc > 2 && strcmp(argv[1], "--postgres") == 0;

    if (argc < 2) {
        (void)fprintf(stderr, "kill_test [--postgres] PROGRAM\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    open_rig(&rig, argv[argc - 1], on_postgres);
    run_test(&rig);
    printf("1..%d\n", points);
    close_rig(&rig);
    return failures == 0 ? 0 : 1;
}
