/* platform/node/jobs.c - runs the jobs of one service, one after the other, in the chore "jobs".
 *
 *     waiting --claim--> leased --end--> (deleted)
 *        ^                  |---retry--> waiting, due later
 *        |                  `---bury---> dead
 *        `-- the lease ends, or jobs_open, alone: whoever held it has died
 *
 * A claim counts the attempt before it is made, so a job that kills its process is buried in the
 * end too, and the attempt's number fences its result: who lost the lease changes nothing. */

#include "platform/node/jobs.h"

#include <assert.h>
#include <string.h>

#include "platform/node/jobs.sql.h"
#include "platform/node/node.h"

enum {
    JOBS_A_RUN_MAX = 1000,   /* then the chore comes up for breath */
    JOBS_LOOK_MS = 1000,     /* how soon a job of another process is seen */
    JOB_KEY_SIZE_MAX = 1024, /* an index holds it */
};
#define VERSION_UNKNOWN INT64_MIN

struct runner {
    struct instance *self;
    int64_t version; /* of the database when next_ms was read */
    int64_t next_ms; /* when the next job can be claimed; CLOCK_NEVER_MS: there is none */
    struct metric *waiting;
    struct metric *dead;
    struct metric *age_s;
};

struct claim {
    int64_t id;
    int64_t attempt;
    int64_t due_ms;
    str kind;
    str payload;
};

/* --- Rules --- */

static const struct job_kind *kind_find(const struct service *service, str name)
{
    for (const struct job_kind *kind = service->jobs; kind != NULL && kind->name != NULL; kind++)
        if (str_eq(str_of(kind->name), name))
            return kind;
    return NULL;
}

/* Doubled with each attempt, scattered by a tenth so that what failed together does not return
 * together. */
static int64_t retry_after_ms(const struct job_kind *kind, int64_t attempt, struct rng *rng)
{
    const int64_t max_ms = INT64_C(1000) * JOB_RETRY_MAX_S;
    int64_t ms = INT64_C(1000) * kind->backoff_s;

    assert(kind->backoff_s > 0 && attempt > 0);
    for (int64_t i = 1; i < attempt && ms < max_ms; i++)
        ms *= 2;
    if (ms > max_ms)
        ms = max_ms;
    ms += (int64_t)rng_below(rng, (uint64_t)(ms / 5) + 1) - ms / 10;
    return ms < max_ms ? ms : max_ms;
}

/* --- Storage --- */

err job_add(struct tx *tx, struct call *call, const char *kind, str key, int64_t due_ms,
            str payload)
{
    assert(tx->writes && tx->db == call_db(call));
    assert(kind_find(call->self->service, str_of(kind)) != NULL);
    if (payload.size > JOB_PAYLOAD_SIZE_MAX || key.size > JOB_KEY_SIZE_MAX)
        return call_explain(call, ERR_INTERNAL, "A job \"%s\" is larger than its limit.", kind);
    if (due_ms <= CLOCK_NEVER_MS)
        due_ms = CLOCK_NEVER_MS + 1;
    return db_exec(
        tx, &SQL_JOB_INSERT,
        ARGS(TEXT(str_of(kind)), TEXT(key), TEXT(payload), I64(due_ms), I64(call->now_ms)));
}

static err free_leases(struct instance *self)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    TRY(tx_read(&tx, self->db));
    TRY(db_get_i64(&tx, &SQL_JOB_LEASED, NO_ARGS, &count));
    tx_rollback(&tx);
    if (count == 0)
        return ERR_OK;
    TRY(tx_begin(&tx, self->db));
    TRY(db_exec(&tx, &SQL_JOB_FREE, NO_ARGS));
    TRY(tx_commit(&tx));
    log_event(self->node->log, LOG_INFO, "jobs.freed", LOG_CSTR("service", self->service->name),
              LOG_I64("count", count));
    return ERR_OK;
}

static err find_next(struct instance *self, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, self->db));
    return db_get_i64(&tx, &SQL_JOB_NEXT, NO_ARGS, ret_next_ms);
}

/* ERR_NOT_FOUND if nothing can be claimed. */
static err claim_next(struct call *call, struct claim *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_JOB_CLAIM,
                   ARGS(I64(call->now_ms), I64(call->now_ms + INT64_C(1000) * JOB_LEASE_S)),
                   call->arena));
    const struct claim claim = {
        .id = row_i64(&rows, 0),
        .kind = row_text(&rows, 1),
        .payload = row_text(&rows, 2),
        .attempt = row_i64(&rows, 3),
        .due_ms = row_i64(&rows, 4),
    };
    TRY(rows_close(&rows));
    TRY(tx_commit(&tx));
    *ret = claim;
    return ERR_OK;
}

/* Writes how the attempt ended, unless somebody else has taken the job over meanwhile. */
static err settle(struct call *call, const struct claim *claim, const struct sql *sql,
                  struct args args)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, sql, args, &count));
    TRY(tx_commit(&tx));
    if (count == 0)
        log_event(call->self->node->log, LOG_WARN, "job.lease_lost",
                  LOG_CSTR("service", call->self->service->name), LOG_TEXT("kind", claim->kind),
                  LOG_I64("job", claim->id), LOG_I64("attempt", claim->attempt));
    return ERR_OK;
}

/* --- One job --- */

static err bury(struct call *call, const struct claim *claim, str why)
{
    log_event(call->self->node->log, LOG_ERROR, "job.dead",
              LOG_CSTR("service", call->self->service->name), LOG_TEXT("kind", claim->kind),
              LOG_I64("job", claim->id), LOG_I64("attempt", claim->attempt),
              LOG_TEXT("request", call->request_id), LOG_TEXT("error", why));
    return settle(call, claim, &SQL_JOB_BURY,
                  ARGS(I64(claim->id), I64(claim->attempt), I64(call->now_ms), TEXT(why)));
}

static err try_again(struct call *call, const struct claim *claim, const struct job_kind *kind,
                     str why)
{
    struct node *node = call->self->node;
    const int64_t after_ms = retry_after_ms(kind, claim->attempt, node->rng);

    log_event(node->log, LOG_WARN, "job.failed", LOG_CSTR("service", call->self->service->name),
              LOG_TEXT("kind", claim->kind), LOG_I64("job", claim->id),
              LOG_I64("attempt", claim->attempt), LOG_TEXT("request", call->request_id),
              LOG_TEXT("error", why), LOG_I64("retry_ms", after_ms));
    return settle(call, claim, &SQL_JOB_RETRY,
                  ARGS(I64(claim->id), I64(claim->attempt),
                       I64(clock_now_ms(node->clock) + after_ms), TEXT(why)));
}

/* ERR_NOT_FOUND if there is none. What a job makes of itself is no error here. */
static err run_one(struct runner *runner)
{
    struct instance *self = runner->self;
    CLEANUP(call_done) struct call call;
    struct claim claim = {0};

    call_init(&call, self, "job");
    TRY(claim_next(&call, &claim));
    metric_set(runner->age_s, (call.now_ms - claim.due_ms) / 1000);

    const struct job_kind *kind = kind_find(self->service, claim.kind);
    if (kind == NULL)
        return bury(&call, &claim, STR("unknown kind"));
    if (claim.attempt > kind->attempts_max)
        return bury(&call, &claim, STR("did not come back from its last attempt"));

    (void)err_trail_take();
    const err e = kind->run(&call, claim.payload);
    assert(!tx_is_open_here());
    if (e == ERR_OK)
        return settle(&call, &claim, &SQL_JOB_END, ARGS(I64(claim.id), I64(claim.attempt)));

    const str why = call_failure(&call, e);
    if (claim.attempt == kind->attempts_max)
        return bury(&call, &claim, why);
    return try_again(&call, &claim, kind, why);
}

/* --- The chore --- */

static err count_jobs(const struct runner *runner, struct call *call)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, runner->self->db));
    TRY(rows_first(&rows, &tx, &SQL_JOB_COUNT, NO_ARGS, call->arena));
    metric_set(runner->waiting, row_i64(&rows, 0));
    metric_set(runner->dead, row_i64(&rows, 1));
    return rows_close(&rows);
}

static bool is_due(const struct runner *runner)
{
    return runner->next_ms != CLOCK_NEVER_MS &&
           runner->next_ms <= clock_now_ms(runner->self->node->clock);
}

/* Works until nothing is due, for a while at most. */
static err work_off(struct runner *runner)
{
    for (int i = 0; i < JOBS_A_RUN_MAX && !chores_stopping(runner->self); i++) {
        TRY(find_next(runner->self, &runner->next_ms));
        if (!is_due(runner))
            return ERR_OK;
        const err e = run_one(runner);
        if (e != ERR_OK && e != ERR_NOT_FOUND) /* not found: another process was faster */
            return e;
    }
    return ERR_OK;
}

static err run_jobs(struct call *call, void *arg, int64_t *ret_next_ms)
{
    struct runner *runner = arg;
    const struct instance *self = runner->self;
    const int64_t look_ms = clock_now_ms(self->node->clock) + JOBS_LOOK_MS;
    int64_t version = 0;

    TRY(db_version(self->db, &version));
    if (version != runner->version || is_due(runner)) {
        runner->version = VERSION_UNKNOWN; /* until all has gone well */
        TRY(work_off(runner));
        TRY(count_jobs(runner, call));
        runner->version = version;
        if (!is_due(runner))
            metric_set(runner->age_s, 0);
    }
    *ret_next_ms =
        runner->next_ms != CLOCK_NEVER_MS && runner->next_ms < look_ms ? runner->next_ms : look_ms;
    return ERR_OK;
}

void jobs_wake(struct instance *self)
{
    if (self->service->jobs != NULL)
        chore_wake(self, "jobs");
}

err jobs_open(struct instance *self)
{
    struct node *node = self->node;

    if (self->service->jobs == NULL)
        return ERR_OK;
    assert(self->db != NULL);
    if (node->alone)
        TRY(free_leases(self));

    const char *labels = arena_printf(node->arena, "service=\"%s\"", self->service->name).ptr;
    struct runner *runner = arena_new(node->arena, struct runner);
    *runner = (struct runner){
        .self = self,
        .version = VERSION_UNKNOWN,
        .waiting = metrics_gauge(node->metrics, "boxoffice_jobs_waiting", labels,
                                 "Jobs that are not done yet."),
        .dead =
            metrics_gauge(node->metrics, "boxoffice_jobs_dead", labels, "Jobs that were given up."),
        .age_s = metrics_gauge(node->metrics, "boxoffice_job_age_s", labels,
                               "Seconds that the oldest due job has waited."),
    };
    chores_add(self, "jobs", run_jobs, runner);
    return ERR_OK;
}
