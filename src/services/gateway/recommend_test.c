/* gateway/recommend_test.c - GET /recommendations over HTTP, and with each of the services it asks away. */
#include "services/gateway/recommend.h"

#include "services/analytics/analytics.h"
#include "services/booking/booking.h"
#include "services/gateway/gateway.h"
#include "services/identity/identity.h"
#include "services/payment/payment.h"
#include "support/office.h"
#include "support/test.h"

static const struct service *const all[] = {&identity_service,  &booking_service, &payment_service,
                                            &analytics_service, &gateway_service, NULL};
static const struct service *const without_analytics[] = {&identity_service, &booking_service,
                                                          &payment_service, &gateway_service, NULL};
static const struct service *const alone[] = {&gateway_service, NULL};

static void open_office(struct office *office, const struct service *const *services)
{
    office_open(office, &(struct office_options){.services = services});
}

/* Puts an event on sale; its id. */
static str add_event(struct office *office, const char *name, const char *city, const char *day)
{
    const struct ask ask = {
        .who = "vendor-1",
        .method = "POST",
        .path = "/events",
        .body = arena_printf(
                    office->arena,
                    "{\"name\":\"%s\",\"type\":\"concert\",\"starts_at\":\"2026-12-%sT18:00:00Z\","
                    "\"ends_at\":\"2026-12-%sT22:00:00Z\",\"timezone\":\"UTC\","
                    "\"venue\":{\"name\":\"Hall\",\"city\":\"%s\",\"country\":\"EG\"},"
                    "\"currency\":\"EGP\",\"ticket_types\":[{\"name\":\"Day\",\"price\":0,"
                    "\"quantity\":10}],\"payment_methods\":[{\"type\":\"card\"}],"
                    "\"status\":\"published\"}",
                    name, day, day, city)
                    .ptr};
    const struct answer answer = office_ask(office, &ask);

    check_status(201, &answer);
    return answer_at(office->arena, &answer, "/id");
}

static void buy(struct office *office, const char *who, str event)
{
    const struct ask show = {
        .method = "GET", .path = arena_printf(office->arena, "/events/%.*s", STR_ARG(event)).ptr};
    const struct answer shown = office_ask(office, &show);
    const str type = answer_at(office->arena, &shown, "/ticket_types/0/id");
    const char *key = arena_printf(office->arena, "%s-%.*s", who, STR_ARG(event)).ptr;
    const struct ask book = {
        .who = who,
        .method = "POST",
        .path = "/tickets/book",
        .key = key,
        .body = arena_printf(office->arena,
                             "{\"event_id\":\"%.*s\",\"items\":[{\"ticket_type_id\":\"%.*s\","
                             "\"quantity\":1}]}",
                             STR_ARG(event), STR_ARG(type))
                    .ptr};
    const struct answer held = office_ask(office, &book);

    check_status(201, &held);
    const struct ask pay = {
        .who = who,
        .method = "POST",
        .path = "/payment",
        .key = key,
        .body = arena_printf(office->arena, "{\"order_id\":\"%.*s\",\"method\":\"free\"}",
                             STR_ARG(answer_at(office->arena, &held, "/order/id")))
                    .ptr};
    const struct answer paid = office_ask(office, &pay);
    check_status(200, &paid);
    office_advance(office, 1000);
}

static struct answer get(struct office *office, const char *who, const char *query)
{
    const struct ask ask = {.who = who,
                            .method = "GET",
                            .path = arena_printf(office->arena, "/recommendations%s", query).ptr};
    const struct answer answer = office_ask(office, &ask);

    check_status(200, &answer);
    return answer;
}

/* "trending Jazz Rock": the source, then the names. */
static str told(struct office *office, const char *who, const char *query)
{
    const struct answer answer = get(office, who, query);
    struct buf text = buf_in(office->arena, 4096);

    buf_add(&text, answer_at(office->arena, &answer, "/source"));
    for (int i = 0;; i++) {
        const str name = answer_at(office->arena, &answer,
                                   arena_printf(office->arena, "/data/%d/event/name", i).ptr);

        if (name.ptr == NULL)
            return buf_str(&text);
        buf_printf(&text, " %.*s", STR_ARG(name));
    }
}

TEST(what_people_buy_now_is_recommended_to_others)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, all);
    CHECK_STR("popular", told(&office, NULL, ""));
    add_event(&office, "Folk", "Cairo", "10");
    const str rock = add_event(&office, "Rock", "Cairo", "12");
    const str jazz = add_event(&office, "Jazz", "Giza", "14");
    CHECK_STR("soonest Folk Rock Jazz", told(&office, NULL, ""));
    buy(&office, "customer-1", rock);
    CHECK_STR("popular Rock Folk Jazz", told(&office, NULL, ""));
    buy(&office, "customer-1", jazz);
    buy(&office, "customer-2", jazz);
    CHECK_STR("trending Jazz Rock Folk", told(&office, NULL, ""));
    CHECK_STR("soonest Folk", told(&office, "customer-1", "")); /* he has the others */
    CHECK_STR("popular Rock Folk", told(&office, "customer-3", "?city=cairo"));
    CHECK_STR("trending Jazz", told(&office, NULL, "?limit=1"));
    CHECK_STR("popular", told(&office, NULL, "?city=Nowhere"));

    const struct answer answer = get(&office, NULL, "?city=GIZA");
    CHECK_STR("trending_in_city", answer_at(office.arena, &answer, "/data/0/reason/code"));
    CHECK_STR("Giza", answer_at(office.arena, &answer, "/data/0/reason/city"));
    CHECK_STR("ewma-24h-1", answer_at(office.arena, &answer, "/model_version"));
    CHECK(str_eq(jazz, answer_at(office.arena, &answer, "/data/0/event/id")));
}

TEST(of_a_series_one_is_enough)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, all);
    add_event(&office, "Folk", "Cairo", "10");
    add_event(&office, "Folk", "Cairo", "11");
    add_event(&office, "Rock", "Cairo", "12");
    CHECK_STR("soonest Folk Rock", told(&office, NULL, ""));
}

TEST(without_its_services_there_still_is_an_answer)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(office_close) struct office empty;

    open_office(&office, without_analytics);
    const str jazz = add_event(&office, "Jazz", "Giza", "14");
    buy(&office, "customer-1", jazz);
    buy(&office, "customer-2", jazz);
    CHECK_STR("popular Jazz", told(&office, NULL, ""));
    CHECK_STR("popular Jazz", told(&office, "customer-3", "")); /* identity knows no such user */
    CHECK(office_logged(&office, "recommend.without") >= 3);
    open_office(&empty, alone);
    CHECK_STR("popular", told(&empty, NULL, ""));
}

TEST(bad_questions_are_refused)
{
    static const struct {
        const char *query;
        int status;
        const char *code;
    } cases[] = {
        {"?limit=0",   422, "invalid_field"},
        {"?limit=101", 422, "invalid_field"},
        {"?limit=x",   422, "invalid_field"},
        {"?city=",     422, "invalid_field"},
        {"?near=me",   400, "unknown_field"},
    };
    CLEANUP(office_close) struct office office;

    open_office(&office, all);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ask ask = {
            .method = "GET",
            .path = arena_printf(office.arena, "/recommendations%s", cases[i].query).ptr};
        const struct answer answer = office_ask(&office, &ask);

        check_problem(office.arena, &answer, cases[i].status, cases[i].code);
    }
}
