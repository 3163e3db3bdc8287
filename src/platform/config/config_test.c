/* platform/config/config_test.c */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/config/config.h"
#include "platform/config/nearest.h"

static const struct setting booking_rows[] = {
    SETTING_NUMBER("booking.hold_ttl_s", SETTING_SECONDS, RANGE(30, 3600), 600, "Time to pay."),
    SETTING_NUMBER("booking.per_order", SETTING_COUNT, RANGE(-1, 100), 10, "Tickets an order."),
    SETTING_NUMBER("booking.body_max", SETTING_BYTES, RANGE(0, 1048576), 4096, "Largest body."),
};
static const struct setting payment_rows[] = {
    SETTING_ONE_OF("payment.card_provider", "sandbox stripe", "sandbox", "Who charges cards."),
    SETTING_STRING("payment.stripe.api_base", "https://api.stripe.com", "Where Stripe is."),
    SETTING_STRING("payment.stripe.secret_key_file", NULL, "Where its key is."),
    SETTING_STRING("payment.stripe.note", "", "Empty by default."),
    SETTING_NUMBER("payment.timeout_ms", SETTING_MS, RANGE(1, 60000), 800, "One attempt."),
    SETTING_ON_OFF("payment.points", 1, "Loyalty points."),
};
static const struct settings booking_settings = SETTINGS(booking_rows);
static const struct settings payment_settings = SETTINGS(payment_rows);
static const struct settings *const tables[] = {&booking_settings, &payment_settings, NULL};

static void close_config(struct config **config)
{
    config_close(*config);
}

TEST(settings_begin_with_their_standard_values)
{
    CLEANUP(close_config) struct config *config = config_open(tables);

    CHECK_I64(600, config_i64(config, "booking.hold_ttl_s"));
    CHECK_I64(800, config_i64(config, "payment.timeout_ms"));
    CHECK_I64(4096, config_i64(config, "booking.body_max"));
    CHECK(config_on(config, "payment.points"));
    CHECK_STR("sandbox", config_text(config, "payment.card_provider"));
    CHECK_STR("https://api.stripe.com", config_text(config, "payment.stripe.api_base"));
    CHECK(config_text(config, "payment.stripe.secret_key_file").ptr == NULL);
    CHECK(config_text(config, "payment.stripe.note").ptr == NULL);
}

TEST(each_type_takes_what_fits_it)
{
    CLEANUP(close_config) struct config *config = config_open(tables);
    char api_base[] = "http://127.0.0.1:1/";
    str why;

    CHECK_OK(config_set(config, STR("booking.hold_ttl_s"), STR("3600"), &why));
    CHECK_I64(3600, config_i64(config, "booking.hold_ttl_s"));
    CHECK_OK(config_set(config, STR("booking.hold_ttl_s"), STR("30"), &why));
    CHECK_OK(config_set(config, STR("booking.per_order"), STR("-1"), &why));
    CHECK_OK(config_set(config, STR("payment.points"), STR("off"), &why));
    CHECK_OK(config_set(config, STR("payment.card_provider"), STR("stripe"), &why));
    CHECK_OK(config_set(config, STR("payment.stripe.api_base"), str_of(api_base), &why));
    api_base[0] = 'x';
    CHECK_I64(30, config_i64(config, "booking.hold_ttl_s"));
    CHECK_I64(-1, config_i64(config, "booking.per_order"));
    CHECK(!config_on(config, "payment.points"));
    CHECK_STR("stripe", config_text(config, "payment.card_provider"));
    CHECK_STR("http://127.0.0.1:1/", config_text(config, "payment.stripe.api_base"));
    CHECK_OK(config_set(config, STR("payment.stripe.api_base"), STR(""), &why));
    CHECK(config_text(config, "payment.stripe.api_base").ptr == NULL);
}

TEST(what_does_not_fit_is_refused_in_words)
{
    /* clang-format off */
    static const struct {
        const char *name;
        str value;
        const char *why;
    } cases[] = {
        {"booking.hold_ttl_s", STR("29"),
         "booking.hold_ttl_s must be a whole number of seconds from 30 to 3600, not \"29\""},
        {"booking.hold_ttl_s", STR("3601"),
         "booking.hold_ttl_s must be a whole number of seconds from 30 to 3600, not \"3601\""},
        {"booking.hold_ttl_s", STR("10m"),
         "booking.hold_ttl_s must be a whole number of seconds from 30 to 3600, not \"10m\""},
        {"booking.hold_ttl_s", STR(""),
         "booking.hold_ttl_s must be a whole number of seconds from 30 to 3600, not \"\""},
        {"booking.per_order", STR("1.0"),
         "booking.per_order must be a whole number from -1 to 100, not \"1.0\""},
        {"booking.body_max", STR("1M"),
         "booking.body_max must be a whole number of bytes from 0 to 1048576, not \"1M\""},
        {"payment.timeout_ms", STR("1\n"),
         "payment.timeout_ms must be a whole number of milliseconds from 1 to 60000, "
         "not \"(not printable)\""},
        {"payment.points", STR("yes"), "payment.points must be on or off, not \"yes\""},
        {"payment.points", STR("ON"), "payment.points must be on or off, not \"ON\""},
        {"payment.card_provider", STR("paypal"),
         "payment.card_provider must be one of: sandbox stripe; not \"paypal\""},
        {"payment.card_provider", STR("sandbox stripe"),
         "payment.card_provider must be one of: sandbox stripe; not \"sandbox stripe\""},
        {"payment.card_provider", STR(""),
         "payment.card_provider must be one of: sandbox stripe; not \"\""},
        {"payment.stripe.api_base", STR("a\x1b"),
         "payment.stripe.api_base must be printable UTF-8"},
        {"payment.stripe.api_base", STR("a\xff"),
         "payment.stripe.api_base must be printable UTF-8"},
        {"payment.point", STR("on"),
         "unknown setting payment.point; the nearest there is: payment.points"},
        {"bokking.hold_ttl", STR("60"),
         "unknown setting bokking.hold_ttl; the nearest there is: booking.hold_ttl_s"},
        {"Payment.points", STR("on"),
         "unknown setting Payment.points; the nearest there is: payment.points"},
    };
    /* clang-format on */
    CLEANUP(close_config) struct config *config = config_open(tables);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str why;
        CHECK_ERR(ERR_INVALID, config_set(config, str_of(cases[i].name), cases[i].value, &why));
        CHECK_STR(cases[i].why, why);
    }
    CHECK_I64(600, config_i64(config, "booking.hold_ttl_s"));
    CHECK_STR("sandbox", config_text(config, "payment.card_provider"));
}

/* --- Files --- */

/* Loads `text` as a file; the file's name is cut off *ret_why. */
static err load(struct config *config, str text, str *ret_why)
{
    char path[] = "/tmp/boxoffice-config-XXXXXX";
    const int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK(write(fd, text.ptr, text.size) == (ssize_t)text.size);
    close(fd);
    const err verdict = config_load_file(config, path, ret_why);
    unlink(path);
    if (verdict != ERR_OK) {
        CHECK(str_starts(*ret_why, str_of(path)));
        *ret_why = str_slice(*ret_why, strlen(path) + 1, ret_why->size);
    }
    return verdict;
}

TEST(a_file_is_read)
{
    CLEANUP(close_config) struct config *config = config_open(tables);
    str why;

    CHECK_OK(load(config,
                  STR("\xef\xbb\xbf# comment\n"
                      "; comment\r\n"
                      "\n"
                      "[booking]\r\n"
                      "  hold_ttl_s = 60  \t\r\n"
                      "per_order=5\n"
                      "[ payment ]\n"
                      "stripe.api_base = http://x/?a=b;c#d \n"
                      "\t# comment\n"
                      "[payment.stripe]\n"
                      "secret_key_file = /etc/key file\n"
                      "[payment]\n"
                      "points=off"),
                  &why));
    CHECK_I64(60, config_i64(config, "booking.hold_ttl_s"));
    CHECK_I64(5, config_i64(config, "booking.per_order"));
    CHECK_STR("http://x/?a=b;c#d", config_text(config, "payment.stripe.api_base"));
    CHECK_STR("/etc/key file", config_text(config, "payment.stripe.secret_key_file"));
    CHECK(!config_on(config, "payment.points"));
}

TEST(a_wrong_line_is_named_by_its_number)
{
    /* clang-format off */
    static const struct {
        str text;
        const char *why;
    } cases[] = {
        {STR("hold_ttl_s = 60\n"), "line 1: a setting stands below its [section]"},
        {STR("[booking]\n\nhold_ttl_s\n"), "line 3: a setting is written key = value"},
        {STR("[booking\n"), "line 1: a section is written [name]"},
        {STR("[]\n"), "line 1: a section is written [name]"},
        {STR("[ ]\n"), "line 1: a section is written [name]"},
        {STR("["), "line 1: a section is written [name]"},
        {STR("[booking] x\n"), "line 1: a section is written [name]"},
        {STR("[booking]\n= 5\n"),
         "line 2: unknown setting booking.; the nearest there is: booking.body_max"},
        {STR("[booking]\nhold_tl_s = 60\n"),
         "line 2: unknown setting booking.hold_tl_s; the nearest there is: booking.hold_ttl_s"},
        {STR("[booking]\nper_order = many\n"),
         "line 2: booking.per_order must be a whole number from -1 to 100, not \"many\""},
        {STR("[booking]\nper_order = 1\n[payment]\npoints = on\n[booking]\nper_order = 1\n"),
         "line 6: booking.per_order is set on line 2 already"},
        {STR("[payment]\nstripe.api_base = x\n[payment.stripe]\napi_base = y\n"),
         "line 4: payment.stripe.api_base is set on line 2 already"},
        {STR("[booking]\nper_order = 1\0\n"),
         "line 2: booking.per_order must be a whole number from -1 to 100, "
         "not \"(not printable)\""},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(close_config) struct config *config = config_open(tables);
        str why;

        CHECK_ERR(ERR_INVALID, load(config, cases[i].text, &why));
        CHECK_STR(cases[i].why, why);
    }
}

TEST(a_file_that_cannot_be_read_is_named_with_the_reason)
{
    CLEANUP(close_config) struct config *config = config_open(tables);
    str why;

    CHECK_ERR(ERR_INVALID, config_load_file(config, "/nowhere/boxoffice.ini", &why));
    CHECK_STR("/nowhere/boxoffice.ini: No such file or directory", why);
    CHECK_ERR(ERR_INVALID, config_load_file(config, "/", &why));
    CHECK_STR("/: Is a directory", why);
    CHECK_ERR(ERR_INVALID, config_load_file(config, "/dev/zero", &why));
    CHECK_STR("/dev/zero: larger than 1048576 bytes", why);
}

TEST(an_empty_file_is_allowed)
{
    CLEANUP(close_config) struct config *config = config_open(tables);
    str why;

    CHECK_OK(load(config, STR(""), &why));
}

/* --- The environment --- */

TEST(the_environment_wins_over_the_file)
{
    static const char *const variables[] = {
        "PATH=/bin",
        "BOXOFFICE=x",
        "BOXOFFICE_BOOKING_HOLD_TTL_S=90",
        "BOXOFFICE_PAYMENT_STRIPE_API_BASE=http://a=b",
        NULL,
    };
    CLEANUP(close_config) struct config *config = config_open(tables);
    str why;

    CHECK_OK(load(config, STR("[booking]\nhold_ttl_s = 60\nper_order = 3\n"), &why));
    CHECK_OK(config_load_environment(config, variables, &why));
    CHECK_OK(config_set(config, STR("booking.per_order"), STR("4"), &why));
    CHECK_I64(90, config_i64(config, "booking.hold_ttl_s"));
    CHECK_I64(4, config_i64(config, "booking.per_order"));
    CHECK_STR("http://a=b", config_text(config, "payment.stripe.api_base"));
}

TEST(an_unknown_or_bad_variable_stops_the_start)
{
    /* clang-format off */
    static const struct {
        const char *variable;
        const char *why;
    } cases[] = {
        {"BOXOFFICE_BOOKING_HOLD_TTL=90", "unknown setting BOXOFFICE_BOOKING_HOLD_TTL; "
         "the nearest there is: BOXOFFICE_BOOKING_HOLD_TTL_S"},
        {"BOXOFFICE_booking_per_order=9", "unknown setting BOXOFFICE_booking_per_order; "
         "the nearest there is: BOXOFFICE_BOOKING_PER_ORDER"},
        {"BOXOFFICE_PAYMENT_POINTS=1",
         "BOXOFFICE_PAYMENT_POINTS: payment.points must be on or off, not \"1\""},
        {"BOXOFFICE_PAYMENT_POINTS",
         "BOXOFFICE_PAYMENT_POINTS: payment.points must be on or off, not \"\""},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const variables[] = {cases[i].variable, NULL};
        CLEANUP(close_config) struct config *config = config_open(tables);
        str why;

        CHECK_ERR(ERR_INVALID, config_load_environment(config, variables, &why));
        CHECK_STR(cases[i].why, why);
    }
}

TEST(names_are_apart_by_insertions_deletions_and_replacements)
{
    CHECK_I64(0, (int64_t)edit_distance(STR("abc"), STR("abc")));
    CHECK_I64(3, (int64_t)edit_distance(STR("kitten"), STR("sitting")));
    CHECK_I64(3, (int64_t)edit_distance(STR(""), STR("abc")));
    CHECK_I64(3, (int64_t)edit_distance(STR("abc"), STR("")));
    CHECK_I64(2, (int64_t)edit_distance(STR("ab"), STR("ba")));
    CHECK_I64(0, (int64_t)edit_distance(STR("AZaz"), STR("azAZ")));
    CHECK_I64(1, (int64_t)edit_distance(STR("[@"), STR("{@")));
    CHECK_I64(1, (int64_t)edit_distance(STR("hold_ttl"), STR("hold_tl")));
}
