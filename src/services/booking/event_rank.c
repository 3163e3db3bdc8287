/* booking/event_rank.c - ranks what is on sale for somebody who has not asked for anything.
 *
 * What trends, analytics says; all else is in the catalog. One pass over the events to come keeps
 * the best few in order, so it costs a few nanoseconds an event and no memory. */
#include "services/booking/event_rank.h"

#include <math.h>
#include <stdlib.h>

#include "services/booking/catalog.h"
#include "services/booking/slug.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"
#include "services/booking/ticket.sql.h"
#include "services/booking/ticket_status.h"

enum {
    SERIES_ROOM = 4, /* so many times the limit are kept, for a series takes one place */
    BEST_MAX = BOOKING_RANKED_MAX * SERIES_ROOM,
    OWN_EVENTS_MAX = 1000,
    REASONS = 3,
    SCARCE_LEFT_PERCENT = 5, /* almost sold out: it needs no promotion */
};

const char *const booking_rank_reason_names[] = {"soonest", "popular", "trending", NULL};

/* --- Rules: no I/O --- */

int event_rank_reason(const struct event_merit *merit)
{
    if (merit->trend > 0)
        return RANK_TRENDING;
    return merit->sold > 0 ? RANK_POPULAR : RANK_SOONEST;
}

/* From [0, infinity) to [0, 1), in the same order. */
static double squash(double x)
{
    return x / (1 + x);
}

static double measure(const struct event_merit *merit, int reason)
{
    const bool scarce =
        (merit->total - merit->sold) * 100 < merit->total * SCARCE_LEFT_PERCENT && merit->total > 0;

    switch (reason) {
    case RANK_TRENDING:
        return squash(merit->trend * (scarce ? 0.5 : 1));
    case RANK_POPULAR:
        return squash((double)merit->sold * (scarce ? 0.5 : 1));
    default:
        return 1 - squash((double)merit->starts_in_ms / (double)DAY_MS);
    }
}

double event_rank_score(const struct event_merit *merit)
{
    const int reason = event_rank_reason(merit);
    const int place = reason + (merit->in_city ? REASONS : 0);
    /* Below 1 whatever is added: two reasons never meet. */
    const double within = fmin(measure(merit, reason), 1 - 1e-9);

    return (place + within) / (2 * REASONS);
}

struct ranked {
    const struct event *event;
    double score;
    int reason;
    bool in_city;
};

/* The best so far, by falling score; among equals the soonest. */
struct best {
    struct ranked items[BEST_MAX];
    size_t count;
    size_t wanted;
};

static bool is_better(const struct ranked *a, const struct ranked *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    if (a->event->starts_at_ms != b->event->starts_at_ms)
        return a->event->starts_at_ms < b->event->starts_at_ms;
    return uuid_compare(a->event->id.uuid, b->event->id.uuid) < 0;
}

static void offer(struct best *best, const struct ranked *ranked)
{
    size_t at = best->count;

    if (best->count == best->wanted) {
        if (!is_better(ranked, &best->items[at - 1]))
            return;
        at--;
    } else {
        best->count++;
    }
    for (; at > 0 && is_better(ranked, &best->items[at - 1]); at--)
        best->items[at] = best->items[at - 1];
    best->items[at] = *ranked;
}

static bool is_of_series(const struct best *best, size_t at)
{
    const struct event *event = best->items[at].event;

    for (size_t i = 0; i < at; i++)
        if (uuid_eq(best->items[i].event->vendor, event->vendor) &&
            str_eq(best->items[i].event->name, event->name))
            return true;
    return false;
}

/* --- What is asked, understood --- */

struct asked {
    const struct booking_event_rank *in;
    str city; /* folded; absent: none */
    int64_t now_ms;
    struct stock *stock;
    struct booking_candidate *candidates; /* ascending by id */
    struct uuid *own;                     /* ascending */
    size_t own_count;
};

static int by_event(const void *a, const void *b)
{
    return uuid_compare(((const struct booking_candidate *)a)->event.uuid,
                        ((const struct booking_candidate *)b)->event.uuid);
}

static int by_uuid(const void *a, const void *b)
{
    return uuid_compare(*(const struct uuid *)a, *(const struct uuid *)b);
}

/* The events that the user has tickets for. */
static err read_own(struct call *call, struct asked *asked)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    if (uuid_is_zero(asked->in->user))
        return ERR_OK;
    asked->own = arena_new_array(call->arena, struct uuid, OWN_EVENTS_MAX);
    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(
        &rows, &tx, &SQL_TICKET_EVENTS_OF_USER,
        ARGS(UUID(asked->in->user), I64(TICKET_VALID), I64(TICKET_USED), I64(OWN_EVENTS_MAX)),
        call->arena));
    while (rows_next(&rows))
        asked->own[asked->own_count++] = row_uuid(&rows, 0);
    TRY(rows_close(&rows));
    qsort(asked->own, asked->own_count, sizeof(*asked->own), by_uuid);
    return ERR_OK;
}

static err understand(struct call *call, const struct booking_event_rank *in, struct asked *ret)
{
    const struct booking *booking = booking_of(call);

    *ret = (struct asked){.in = in, .now_ms = call->now_ms, .stock = booking->stock};
    if (in->city.ptr != NULL)
        ret->city = name_fold(call->arena, in->city);
    ret->candidates =
        arena_new_array(call->arena, struct booking_candidate, in->candidate_count + 1);
    for (size_t i = 0; i < in->candidate_count; i++)
        ret->candidates[i] = in->candidates[i];
    qsort(ret->candidates, in->candidate_count, sizeof(*ret->candidates), by_event);
    return read_own(call, ret);
}

/* --- Ranking --- */

static double trend_of(const struct asked *asked, const struct event *event)
{
    const struct booking_candidate key = {.event = event->id};
    const struct booking_candidate *found = bsearch(
        &key, asked->candidates, asked->in->candidate_count, sizeof(*asked->candidates), by_event);

    return found != NULL ? found->trend : 0;
}

/* False: nobody can buy it now. */
static bool count_stock(const struct asked *asked, const struct event *event,
                        struct event_merit *ret)
{
    bool any = false;

    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];
        int64_t left = 0;

        if (!stock_hint(asked->stock, type->id, &left))
            left = 0;
        any = any || (left > 0 && ticket_type_on_sale(event, type, asked->now_ms));
        ret->sold += type->total - left;
        ret->total += type->total;
    }
    return any;
}

static bool judge(const struct asked *asked, const struct event *event, struct ranked *ret)
{
    struct event_merit merit = {
        .in_city = asked->city.ptr != NULL && event->venue != NULL &&
                   str_eq(event_folded(event)->city, asked->city),
        .starts_in_ms = event->starts_at_ms - asked->now_ms,
    };

    if (event->status != EVENT_PUBLISHED || merit.starts_in_ms <= 0 ||
        (asked->in->only_city && !merit.in_city) ||
        (asked->own_count > 0 && bsearch(&event->id.uuid, asked->own, asked->own_count,
                                         sizeof(*asked->own), by_uuid) != NULL) ||
        !count_stock(asked, event, &merit))
        return false;
    merit.trend = trend_of(asked, event);
    *ret =
        (struct ranked){event, event_rank_score(&merit), event_rank_reason(&merit), merit.in_city};
    return true;
}

static void pick(const struct catalog *catalog, const struct asked *asked, struct best *best)
{
    size_t count = 0;
    const struct event *const *events = catalog_by_start(catalog, &count);

    for (size_t i = catalog_first_from(catalog, asked->now_ms); i < count; i++) {
        struct ranked ranked;

        if (judge(asked, events[i], &ranked))
            offer(best, &ranked);
    }
}

static void show(struct call *call, const struct best *best, size_t limit,
                 struct booking_event_ranked *ret)
{
    ret->events = arena_new_array(call->arena, struct booking_ranked, limit + 1);
    for (size_t i = 0; i < best->count && ret->event_count < limit; i++) {
        const struct ranked *ranked = &best->items[i];

        if (is_of_series(best, i))
            continue;
        ret->events[ret->event_count++] = (struct booking_ranked){
            .event = arena_str(call->arena, ranked->event->json),
            .score = ranked->score,
            .reason = ranked->reason,
            .city = ranked->event->venue != NULL
                        ? arena_str(call->arena, ranked->event->venue->city)
                        : STR_ABSENT,
            .in_city = ranked->in_city,
        };
    }
}

/* --- The op --- */

static const struct json_field candidate_fields[] = {
    JSON_F_ID("event", struct booking_candidate, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_REAL("trend", struct booking_candidate, trend, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
};
static const struct json_shape candidate_shape =
    JSON_SHAPE(candidate_fields, struct booking_candidate);
static const struct json_field in_fields[] = {
    JSON_F_TEXT("city", struct booking_event_rank, city, 1, 200, JSON_OPTIONAL),
    JSON_F_BOOL("only_city", struct booking_event_rank, only_city, JSON_OPTIONAL),
    JSON_F_ID("user", struct booking_event_rank, user, "usr", JSON_OPTIONAL),
    JSON_F_I64("limit", struct booking_event_rank, limit, 1, BOOKING_RANKED_MAX, JSON_REQUIRED),
    JSON_F_LIST("candidates", struct booking_event_rank, candidates, candidate_count,
                &candidate_shape, 0, BOOKING_CANDIDATES_MAX, JSON_OPTIONAL),
};
static const struct json_shape in_shape = JSON_SHAPE(in_fields, struct booking_event_rank);
static const struct json_field ranked_fields[] = {
    JSON_F_RAW("event", struct booking_ranked, event, JSON_REQUIRED),
    JSON_F_REAL("score", struct booking_ranked, score, 0, 1, JSON_REQUIRED),
    JSON_F_ENUM("reason", struct booking_ranked, reason, booking_rank_reason_names, JSON_REQUIRED),
    JSON_F_TEXT("city", struct booking_ranked, city, 0, 200, JSON_OPTIONAL),
    JSON_F_BOOL("in_city", struct booking_ranked, in_city, JSON_OPTIONAL),
};
static const struct json_shape ranked_shape = JSON_SHAPE(ranked_fields, struct booking_ranked);
static const struct json_field ret_fields[] = {
    JSON_F_LIST("events", struct booking_event_ranked, events, event_count, &ranked_shape, 0,
                BOOKING_RANKED_MAX, JSON_OPTIONAL),
};
static const struct json_shape ret_shape = JSON_SHAPE(ret_fields, struct booking_event_ranked);

static err booking_event_rank_run(struct call *call, const struct booking_event_rank *in,
                                  struct booking_event_ranked *ret)
{
    struct catalog *catalog = booking_of(call)->catalog;
    struct best *best = arena_new(call->arena, struct best);
    struct asked asked;

    TRY(understand(call, in, &asked));
    best->wanted = (size_t)in->limit * SERIES_ROOM;
    catalog_read_begin(catalog);
    pick(catalog, &asked, best);
    show(call, best, (size_t)in->limit, ret);
    catalog_read_end(catalog);
    return ERR_OK;
}
OP_DEFINE("booking", booking_event_rank, struct booking_event_rank, struct booking_event_ranked,
          &in_shape, &ret_shape);
