/* platform/node/jobs_test.c - jobs run when they are due, again when they fail, not when done. */

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "platform/node/jobs.sql.h"
#include "platform/node/node_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

/* The state of the service "office". */
struct office {
    int fail;          /* so many jobs */
    bool stop;         /* ask the chores to stop in the first job */
    bool steal;        /* let the lease end in the first job, and somebody else take it */
    bool again;        /* each job adds another one */
    int64_t claims;    /* made in the place of somebody else */
    int64_t attempted; /* runs of any kind */
};

static err open_office(struct instance *self, [[maybe_unused]] struct call *call)
{
    self->state = mem_new(struct office);
    return ERR_OK;
}

static void close_office(struct instance *self)
{
    mem_free(self->state);
}

/* As another process would, or one that is dead by now. */
static void claim_as_another(struct instance *self, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t id = 0;

    CHECK_OK(tx_begin(&tx, self->db));
    CHECK_OK(db_get_i64(&tx, &SQL_JOB_CLAIM,
                        ARGS(I64(now_ms), I64(now_ms + INT64_C(1000) * JOB_LEASE_S)), &id));
    CHECK_OK(tx_commit(&tx));
    CHECK(id > 0);
}

static err note(struct call *call, str text)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct office *office = call->self->state;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(note_add(&tx, call->now_ms, text));
    if (office->again)
        TRY(job_add(&tx, call, "note", STR_ABSENT, call->now_ms,
                    arena_printf(call->arena, "%.*s+", STR_ARG(text))));
    return tx_commit(&tx);
}

/* Notes its payload. */
static err run_note(struct call *call, str payload)
{
    struct office *office = call->self->state;

    office->attempted++;
    if (office->stop)
        chores_stop(call->self);
    if (office->steal) {
        office->steal = false;
        clock_manual_advance((struct clock_manual *)call->self->node->clock,
                             INT64_C(1000) * JOB_LEASE_S);
        claim_as_another(call->self, clock_now_ms(call->self->node->clock));
    }
    if (office->fail > 0) {
        office->fail--;
        return call_explain(call, ERR_PROVIDER_UNAVAILABLE, "The post office is closed.");
    }
    return note(call, payload);
}

static const struct job_kind kinds[] = {
    {"note",  run_note, 3, 10  },
    {"other", run_note, 3, 10  },
    {"slow",  run_note, 9, 3000},
    {NULL,    NULL,     0, 0   },
};
static const struct service office_service = {
    .name = "office",
    .statements = note_statements,
    .migrations = &note_migrations,
    .jobs = kinds,
    .open = open_office,
    .close = close_office,
};
static const struct service *const services[] = {&office_service, NULL};

static struct instance *open_fixture(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_open(fixture, services, false);
    return fixture_find(fixture, "office");
}

static void add(struct instance *self, const char *kind, const char *key, int64_t after_ms,
                const char *payload)
{
    CLEANUP(call_done) struct call call;
    CLEANUP(tx_rollback) struct tx tx = {0};

    call_init(&call, self, "test");
    CHECK_OK(tx_begin(&tx, self->db));
    CHECK_OK(job_add(&tx, &call, kind, str_of(key), call.now_ms + after_ms, str_of(payload)));
    CHECK_OK(tx_commit(&tx));
    jobs_wake(self);
}

static int64_t waiting(struct fixture *fixture)
{
    return fixture_gauge(fixture, "boxoffice_jobs_waiting", "service=\"office\"");
}

static int64_t dead(struct fixture *fixture)
{
    return fixture_gauge(fixture, "boxoffice_jobs_dead", "service=\"office\"");
}

TEST(a_job_runs_when_it_is_due_and_is_gone)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);

    add(self, "note", NULL, 5000, "hello");
    node_run_due(fixture.node);
    CHECK_STR("", note_list(self, fixture.arena));
    CHECK_I64(1, waiting(&fixture));
    fixture_advance(&fixture, 4999);
    CHECK_STR("", note_list(self, fixture.arena));
    fixture_advance(&fixture, 1);
    CHECK_STR("hello", note_list(self, fixture.arena));
    CHECK_I64(0, waiting(&fixture));
    fixture_advance(&fixture, DAY_MS);
    CHECK_STR("hello", note_list(self, fixture.arena));
}

TEST(what_is_due_first_runs_first)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);

    add(self, "note", NULL, 3000, "c");
    add(self, "note", NULL, 1000, "a");
    add(self, "note", NULL, 1000, "b");
    add(self, "note", NULL, -INT64_C(2) * FIXTURE_START_MS, "at-once");
    fixture_advance(&fixture, 3000);
    CHECK_STR("at-once a b c", note_list(self, fixture.arena));
}

TEST(a_rolled_back_transaction_leaves_no_job)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    CLEANUP(call_done) struct call call;
    struct tx tx = {0};

    call_init(&call, self, "test");
    CHECK_OK(tx_begin(&tx, self->db));
    CHECK_OK(job_add(&tx, &call, "note", STR_ABSENT, call.now_ms, STR("never")));
    tx_rollback(&tx);
    jobs_wake(self);
    node_run_due(fixture.node);
    CHECK_STR("", note_list(self, fixture.arena));
}

TEST(a_failing_job_is_tried_again_later_and_later_and_then_kept_as_dead)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->fail = 3;
    add(self, "note", "k", 0, "never");
    node_run_due(fixture.node);
    CHECK_I64(1, office->attempted);
    fixture_advance(&fixture, 8999); /* 10 s, +-10 % */
    CHECK_I64(1, office->attempted);
    fixture_advance(&fixture, 2001);
    CHECK_I64(2, office->attempted);
    fixture_advance(&fixture, 17999); /* 20 s */
    CHECK_I64(2, office->attempted);
    CHECK_I64(0, dead(&fixture));
    fixture_advance(&fixture, 4001);
    CHECK_I64(3, office->attempted);
    CHECK_I64(1, dead(&fixture));
    CHECK_I64(0, waiting(&fixture));
    CHECK_I64(2, fixture_logged(&fixture, "job.failed"));
    CHECK_I64(1, fixture_logged(&fixture, "job.dead"));
    CHECK_I64(3, fixture_logged(&fixture, "The post office is closed."));

    fixture_advance(&fixture, DAY_MS);
    CHECK_I64(3, office->attempted);
    add(self, "note", "k", 0, "second"); /* the dead do not keep their key */
    node_run_due(fixture.node);
    CHECK_STR("second", note_list(self, fixture.arena));
    CHECK_I64(1, dead(&fixture));
}

TEST(a_job_that_succeeds_in_the_end_is_no_longer_waiting)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->fail = 2;
    add(self, "note", NULL, 0, "third-time-lucky");
    node_run_due(fixture.node);
    fixture_advance(&fixture, 11000);
    fixture_advance(&fixture, 22000);
    CHECK_STR("third-time-lucky", note_list(self, fixture.arena));
    CHECK_I64(0, dead(&fixture));
    CHECK_I64(0, waiting(&fixture));
}

TEST(no_retry_is_further_away_than_an_hour)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->fail = 7;
    add(self, "slow", NULL, 0, "late");
    node_run_due(fixture.node);
    for (int i = 0; i < 6; i++) {
        CHECK_I64(1 + i, office->attempted);
        fixture_advance(&fixture, INT64_C(2699) * 1000); /* at the earliest */
        CHECK_I64(1 + i, office->attempted);
        fixture_advance(&fixture, INT64_C(901) * 1000);
    }
    CHECK_I64(7, office->attempted);
}

TEST(a_key_is_unique_among_the_live_jobs_of_its_kind)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);

    add(self, "note", "k", 1000, "first");
    add(self, "note", "k", 1000, "the-same");
    add(self, "other", "k", 2000, "another-kind");
    add(self, "note", NULL, 3000, "no-key");
    add(self, "note", NULL, 4000, "none-either");
    fixture_advance(&fixture, 4000);
    CHECK_STR("first another-kind no-key none-either", note_list(self, fixture.arena));

    add(self, "note", "k", 0, "after-the-first");
    node_run_due(fixture.node);
    CHECK_I64(5, fixture_i64(self, &SQL_NOTE_COUNT));
}

TEST(a_leased_job_waits_for_the_end_of_its_lease)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);

    add(self, "note", NULL, 0, "orphan");
    claim_as_another(self, FIXTURE_START_MS);
    node_run_due(fixture.node);
    fixture_advance(&fixture, INT64_C(1000) * JOB_LEASE_S - 1);
    CHECK_STR("", note_list(self, fixture.arena));
    fixture_advance(&fixture, 1);
    CHECK_STR("orphan", note_list(self, fixture.arena));
}

TEST(who_opens_in_company_frees_nobodys_leases)
{
    CLEANUP(fixture_done) struct fixture here;
    CLEANUP(fixture_done) struct fixture there;

    fixture_init(&here);
    fixture_dir(&here);
    fixture_open(&here, services, false);
    add(fixture_find(&here, "office"), "note", NULL, 0, "at-work");
    claim_as_another(fixture_find(&here, "office"), FIXTURE_START_MS);

    fixture_init_beside(&there, &here);
    fixture_open(&there, services, false);
    node_run_due(there.node);
    CHECK_I64(0, fixture_logged(&there, "jobs.freed"));
    CHECK_STR("", note_list(fixture_find(&here, "office"), here.arena));
    fixture_advance(&there, INT64_C(1000) * JOB_LEASE_S);
    CHECK_STR("at-work", note_list(fixture_find(&here, "office"), here.arena));
}

TEST(a_restart_waits_for_no_lease)
{
    if (test_on_postgres())
        return; /* nobody is alone there */

    CLEANUP(fixture_done) struct fixture fixture;

    fixture_init(&fixture);
    fixture_dir(&fixture);
    fixture_open(&fixture, services, false);
    add(fixture_find(&fixture, "office"), "note", NULL, 0, "orphan");
    claim_as_another(fixture_find(&fixture, "office"), FIXTURE_START_MS);
    fixture_close_node(&fixture);

    fixture_open(&fixture, services, false);
    CHECK_I64(1, fixture_logged(&fixture, "jobs.freed"));
    node_run_due(fixture.node);
    CHECK_STR("orphan", note_list(fixture_find(&fixture, "office"), fixture.arena));
}

TEST(a_job_that_kills_its_process_each_time_is_buried)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    add(self, "note", NULL, 0, "poison");
    for (int i = 0; i < 3; i++) {
        claim_as_another(self, clock_now_ms(&fixture.clock.clock));
        clock_manual_advance(&fixture.clock, INT64_C(1000) * JOB_LEASE_S);
    }
    node_run_due(fixture.node);
    CHECK_I64(0, office->attempted);
    CHECK_I64(1, dead(&fixture));
}

TEST(who_lost_the_lease_changes_nothing)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->steal = true;
    office->fail = 1;
    add(self, "note", NULL, 0, "slowly");
    node_run_due(fixture.node);
    CHECK_I64(1, office->attempted);
    CHECK_I64(1, fixture_logged(&fixture, "job.lease_lost"));
    CHECK_I64(1, fixture_i64(self, &SQL_JOB_LEASED)); /* by the other one, still */
    CHECK_I64(1, waiting(&fixture));
}

TEST(a_job_of_an_unknown_kind_is_buried)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    CLEANUP(tx_rollback) struct tx tx = {0};

    CHECK_OK(tx_begin(&tx, self->db));
    CHECK_OK(db_exec(&tx, &SQL_JOB_INSERT,
                     ARGS(TEXT(STR("of-another-release")), NIL, TEXT(STR("{}")), I64(1), I64(1))));
    CHECK_OK(tx_commit(&tx));
    node_run_due(fixture.node);
    CHECK_I64(1, dead(&fixture));
    CHECK_I64(1, fixture_logged(&fixture, "of-another-release"));
}

TEST(a_long_queue_gives_way_to_the_end_of_the_process)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    for (int i = 0; i < 5; i++)
        add(self, "note", NULL, 0, arena_printf(fixture.arena, "%d", i).ptr);
    office->stop = true;
    CHECK(chores_run_due(self) > 0);
    CHECK_I64(1, office->attempted);
    CHECK_STR("0", note_list(self, fixture.arena));
}

TEST(a_job_may_add_the_next_one)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->again = true;
    add(self, "note", NULL, 0, "x");
    CHECK(chores_run_due(self) > 0); /* one run of the chore does not go on for ever */
    CHECK_I64(1000, fixture_i64(self, &SQL_NOTE_COUNT));
    office->again = false;
    node_run_due(fixture.node);
    CHECK_I64(1001, fixture_i64(self, &SQL_NOTE_COUNT));
}

TEST(a_job_of_another_process_is_seen_within_a_second)
{
    CLEANUP(fixture_done) struct fixture here;
    CLEANUP(fixture_done) struct fixture there;

    fixture_init(&here);
    fixture_dir(&here);
    fixture_open(&here, services, false);
    node_run_due(here.node);

    fixture_init_beside(&there, &here); /* as the command line opens them */
    fixture_open(&there, services, false);
    add(fixture_find(&there, "office"), "note", NULL, 0, "from-afar");
    fixture_close_node(&there);
    fixture_advance(&here, 1000);
    CHECK_STR("from-afar", note_list(fixture_find(&here, "office"), here.arena));
}

TEST(an_outsized_job_is_refused)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    CLEANUP(call_done) struct call call;
    CLEANUP(tx_rollback) struct tx tx = {0};
    const char *text = arena_alloc(fixture.arena, JOB_PAYLOAD_SIZE_MAX + 1);

    call_init(&call, self, "test");
    CHECK_OK(tx_begin(&tx, self->db));
    CHECK_ERR(ERR_INTERNAL, job_add(&tx, &call, "note", STR_ABSENT, call.now_ms,
                                    (str){text, JOB_PAYLOAD_SIZE_MAX + 1}));
}

TEST(the_age_of_the_oldest_due_job_is_measured)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct instance *self = open_fixture(&fixture);
    struct office *office = self->state;

    office->stop = true; /* the chore ends with others still due */
    add(self, "note", NULL, 0, "a");
    add(self, "note", NULL, 1, "b");
    clock_manual_advance(&fixture.clock, 90000);
    CHECK(chores_run_due(self) > 0);
    CHECK_I64(90, fixture_gauge(&fixture, "boxoffice_job_age_s", "service=\"office\""));
}
