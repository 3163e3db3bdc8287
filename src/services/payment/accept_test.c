/* payment/accept_test.c - what events take, by table. */
#include "services/payment/accept.h"

#include "services/payment/till_fixture.h"
#include "support/test.h"

static const struct uuid first = {.bytes = {1}};
static const struct uuid second = {.bytes = {2}};

TEST(a_payment_is_held_against_what_the_event_takes)
{
    static const struct {
        const char *types[2]; /* of the event: the first and the second method */
        const char *method;
        const char *provider;
        const char *brand; /* NULL: not known yet */
        const char *brands;
        int64_t total_minor;
        bool wants_second;
        err answer;
    } cases[] = {
        {{"card", NULL},            "card",            "sandbox", "visa", NULL,              100, false, ERR_OK                 },
        {{"visa", NULL},            "card",            "sandbox", "visa", "visa",            100, false, ERR_OK                 },
        {{"visa", NULL},
         "card",                                       "sandbox",
         "mastercard",                                                    "visa",
         100,                                                                                     false,
         ERR_METHOD_NOT_ACCEPTED                                                                                                },
        {{"visa", "mastercard"},    "card",            "stripe",  NULL,   "visa mastercard", 100, false, ERR_OK                 },
        {{"visa", "mastercard"},    "card",            "stripe",  NULL,   "mastercard",      100, true,  ERR_OK                 },
        {{"visa", "card"},          "card",            "stripe",  NULL,   NULL,              100, false, ERR_OK                 },
        {{"cash_on_arrival", NULL},
         "card",                                       "stripe",
         NULL,                                                            "",
         100,                                                                                     false,
         ERR_METHOD_NOT_ACCEPTED                                                                                                },
        {{"cash_on_arrival", NULL},
         "card",                                       "sandbox",
         "visa",                                                          "",
         100,                                                                                     false,
         ERR_METHOD_NOT_ACCEPTED                                                                                                },
        {{"cash_on_arrival", NULL}, "cash_on_arrival", NULL,      NULL,   NULL,              100, false, ERR_OK                 },
        {{"card", NULL},            "cash_on_arrival", NULL,      NULL,   NULL,              100, false, ERR_METHOD_NOT_ACCEPTED},
        {{"card", NULL},            "free",            NULL,      NULL,   NULL,              0,   false, ERR_OK                 },
        {{"card", NULL},            "free",            NULL,      NULL,   NULL,              100, false, ERR_METHOD_NOT_ACCEPTED},
        {{"card", NULL},            "card",            "sandbox", "visa", NULL,              0,   false, ERR_METHOD_NOT_ACCEPTED},
    };
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    till_call(&office, &call);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct booking_accepted accepted[] = {
            {.type = str_of(cases[i].types[0]), .payment_method = first },
            {.type = str_of(cases[i].types[1]), .payment_method = second},
        };
        const struct booking_payment_begun begun = {
            .total = {cases[i].total_minor, {"EGP"}},
            .accepted = accepted,
            .accepted_count = cases[i].types[1] != NULL ? 2 : 1,
        };
        struct attempt attempt = {
            .method = str_of(cases[i].method),
            .provider = str_of(cases[i].provider),
            .brand = str_of(cases[i].brand),
        };

        CHECK_ERR(cases[i].answer,
                  accept_payment(&call, &begun, cases[i].wants_second ? second : (struct uuid){0},
                                 &attempt));
        CHECK(str_eq(str_of(cases[i].brands), attempt.brands));
    }
}

TEST(what_stripe_cannot_count_is_not_accepted)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct booking_accepted accepted = {.type = STR("card")};
    struct attempt attempt = {.method = STR("card"), .provider = STR("stripe")};
    struct booking_payment_begun begun = {
        .total = {12345, {"KWD"}},
          .accepted = &accepted, .accepted_count = 1
    };

    till_open(&office);
    till_call(&office, &call);
    CHECK_ERR(ERR_METHOD_NOT_ACCEPTED, accept_payment(&call, &begun, (struct uuid){0}, &attempt));
    begun.total.minor = 12340;
    CHECK_OK(accept_payment(&call, &begun, (struct uuid){0}, &attempt));
}
