/* gateway/recommend.c - GET /recommendations, of three services: what trends (analytics), where
 * somebody lives (identity), what is on sale there (booking).
 *
 * Each of them may be away, and the answer is still one: without analytics it is what was bought most,
 * without identity it is of everywhere, and without booking it is empty. */
#include "services/gateway/recommend.h"

#include "services/analytics/analytics.h"
#include "services/booking/booking.h"
#include "services/identity/identity.h"

enum { LIMIT_STANDARD = 20 };

struct recommend_query {
    int64_t limit;
    str city;
};
static const struct json_field query_fields[] = {
    JSON_F_I64("limit", struct recommend_query, limit, 1, BOOKING_RANKED_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct recommend_query, city, 1, 200, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct recommend_query);

struct reason {
    str code;
    str city; /* absent: that the event is there is no reason */
};
static const struct json_field reason_fields[] = {
    JSON_F_TOKEN("code", struct reason, code, 1, 40, JSON_REQUIRED),
    JSON_F_TEXT("city", struct reason, city, 0, 200, JSON_OPTIONAL),
};
static const struct json_shape reason_shape = JSON_SHAPE(reason_fields, struct reason);

struct recommendation {
    str event;
    double score;
    struct reason *reason;
};
static const struct json_field recommendation_fields[] = {
    JSON_F_RAW("event", struct recommendation, event, JSON_REQUIRED),
    JSON_F_REAL("score", struct recommendation, score, 0, 1, JSON_REQUIRED),
    JSON_F_OBJECT("reason", struct recommendation, reason, &reason_shape, JSON_REQUIRED),
};
static const struct json_shape recommendation_shape =
    JSON_SHAPE(recommendation_fields, struct recommendation);

struct recommendations {
    str source;
    str model_version;
    struct recommendation *data;
    size_t count;
};
static const struct json_field recommendations_fields[] = {
    JSON_F_TOKEN("source", struct recommendations, source, 1, 40, JSON_REQUIRED),
    JSON_F_TOKEN("model_version", struct recommendations, model_version, 1, 40, JSON_REQUIRED),
    JSON_F_LIST("data", struct recommendations, data, count, &recommendation_shape, 0,
                BOOKING_RANKED_MAX, JSON_REQUIRED),
};
static const struct json_shape recommendations_shape =
    JSON_SHAPE(recommendations_fields, struct recommendations);

/* By enum booking_rank_reason. */
static const struct {
    const char *reason;
    const char *reason_in_city;
    const char *model; /* changes with what it is made of */
} ranks[] = {
    [RANK_SOONEST] = {"soonest",  "soonest_in_city",  "soonest-1" },
    [RANK_POPULAR] = {"popular",  "popular_in_city",  "sold-1"    },
    [RANK_TRENDING] = {"trending", "trending_in_city", "ewma-24h-1"},
};

/* --- Asking the others --- */

static void note_away(struct call *call, const char *what, err e)
{
    log_event(call->self->node->log, LOG_WARN, "recommend.without", LOG_CSTR("what", what),
              LOG_TEXT("request", call->request_id), LOG_TEXT("error", call_failure(call, e)));
    call->problem = (struct problem){0};
}

static void find_trends(struct call *call, struct booking_event_rank *ret)
{
    struct analytics_trended trended = {0};
    const err e = analytics_trending(
        call, &(struct analytics_trending){.limit = BOOKING_CANDIDATES_MAX}, &trended);

    if (e != ERR_OK) {
        note_away(call, "trends", e);
        return;
    }
    ret->candidates =
        arena_new_array(call->arena, struct booking_candidate, trended.trend_count + 1);
    ret->candidate_count = trended.trend_count;
    for (size_t i = 0; i < trended.trend_count; i++)
        ret->candidates[i] =
            (struct booking_candidate){trended.trends[i].event, trended.trends[i].score};
}

/* Of somebody who has said where he lives, what is there comes first. */
static void find_home(struct call *call, struct booking_event_rank *ret)
{
    const struct identity_user_find find = {.user = {call->caller.user}};
    struct identity_user_found user = {0};

    if (uuid_is_zero(call->caller.user))
        return;
    const err e = identity_user_find(call, &find, &user);
    if (e == ERR_OK)
        ret->city = user.city;
    else
        note_away(call, "home", e);
}

static void write_answer(struct call *call, const struct booking_event_ranked *ranked,
                         struct recommendations *ret)
{
    const int first = ranked->event_count > 0 ? ranked->events[0].reason : RANK_POPULAR;

    ret->source = str_of(booking_rank_reason_names[first]);
    ret->model_version = str_of(ranks[first].model);
    ret->data = arena_new_array(call->arena, struct recommendation, ranked->event_count + 1);
    ret->count = ranked->event_count;
    for (size_t i = 0; i < ranked->event_count; i++) {
        const struct booking_ranked *event = &ranked->events[i];
        struct reason *reason = arena_new(call->arena, struct reason);

        reason->code = str_of(event->in_city ? ranks[event->reason].reason_in_city
                                             : ranks[event->reason].reason);
        reason->city = event->in_city ? event->city : STR_ABSENT;
        ret->data[i] = (struct recommendation){event->event, event->score, reason};
    }
}

/* --- Handler --- */

static err get_recommendations(struct req *req)
{
    struct call *call = &req->call;
    struct recommend_query query = {.limit = LIMIT_STANDARD};
    struct booking_event_rank ask = {.user = call->caller.user};
    struct booking_event_ranked ranked = {0};
    struct recommendations answer = {0};

    TRY(req_query(req, &query_shape, &query));
    ask.limit = query.limit;
    ask.city = query.city;
    ask.only_city = query.city.ptr != NULL;
    if (!ask.only_city)
        find_home(call, &ask);
    find_trends(call, &ask);
    const err e = booking_event_rank(call, &ask, &ranked);
    if (e != ERR_OK)
        note_away(call, "events", e);
    write_answer(call, &ranked, &answer);
    reply_header(req, "cache-control", STR("private, max-age=10"));
    reply_header(req, "vary", STR("Authorization"));
    return reply_json(req, 200, &recommendations_shape, &answer);
}

static const struct route routes[] = {
    {METHOD_GET, "/recommendations", get_recommendations, AUTH_OPTIONAL, NO_BODY, UNKEYED,
     ON_WORKER},
};
const struct route_table recommend_routes = ROUTE_TABLE(routes);
