/* platform/zone/tzif_test.c - files and rules that no compiler of zones would write. */
#include "platform/zone/tzif.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { S_PER_DAY = ZONE_S_PER_DAY };

static void free_zone(struct zone **zone)
{
    tzif_free(*zone);
}

static void free_bytes(char **bytes)
{
    mem_free(*bytes);
}

/* A file of the database in memory of exactly its size, so that reading past its end is seen. */
static char *read_file(const char *path, size_t *ret_size)
{
    char bytes[16384];
    FILE *file = fopen(path, "rb");

    CHECK(file != NULL);
    *ret_size = fread(bytes, 1, sizeof(bytes), file);
    CHECK_I64(0, fclose(file));
    char *copy = mem_alloc(*ret_size);
    memcpy(copy, bytes, *ret_size);
    return copy;
}

TEST(a_file_that_ends_too_early_is_refused)
{
    size_t size = 0;
    CLEANUP(free_bytes) char *bytes = read_file("/usr/share/zoneinfo/Europe/Berlin", &size);
    CLEANUP(free_zone) struct zone *whole = tzif_parse((str){bytes, size});

    CHECK(whole != NULL);
    for (size_t cut = 0; cut < size; cut++) {
        CLEANUP(free_bytes) char *part = mem_alloc(cut);
        memcpy(part, bytes, cut);
        CHECK(tzif_parse((str){part, cut}) == NULL);
    }
}

TEST(a_file_of_version_1_or_with_leap_seconds_is_refused)
{
    size_t size = 0;
    CLEANUP(free_bytes) char *bytes = read_file("/usr/share/zoneinfo/Europe/Berlin", &size);

    bytes[4] = '\0';
    CHECK(tzif_parse((str){bytes, size}) == NULL);
    bytes[4] = '2';
    CLEANUP(free_zone) struct zone *zone = tzif_parse((str){bytes, size});
    CHECK(zone != NULL);

    /* The second header counts: its fourth number is that of the leap seconds. */
    size_t second = 4;
    while (second + 44 < size && memcmp(bytes + second, "TZif", 4) != 0)
        second++;
    CHECK(second + 44 < size);
    bytes[second + 31] = 1;
    CHECK(tzif_parse((str){bytes, size}) == NULL);
}

TEST(a_damaged_file_is_refused_or_gives_some_zone)
{
    static const int64_t instants_s[] = {INT64_C(-62135596800), -1, 0, 1700000000,
                                         INT64_C(253402300799)};
    struct rng_seeded rng;
    size_t size = 0;
    CLEANUP(free_bytes) char *bytes = read_file("/usr/share/zoneinfo/Africa/Cairo", &size);
    size_t refused = 0;

    rng_seeded_init(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        const size_t at = rng_below(&rng.rng, size);
        const char before = bytes[at];
        bytes[at] = (char)rng_below(&rng.rng, 256);
        CLEANUP(free_zone) struct zone *zone = tzif_parse((str){bytes, size});
        bytes[at] = before;
        refused += zone == NULL;
        for (size_t j = 0; zone != NULL && j < sizeof(instants_s) / sizeof(instants_s[0]); j++) {
            const struct zone_span span = tzif_span(zone, instants_s[j]);
            CHECK(span.from_s <= instants_s[j] && instants_s[j] < span.until_s);
            CHECK(span.type->offset_s <= ZONE_OFFSET_MAX_S);
        }
    }
    CHECK(refused > 1000 && refused < 19000);
}

TEST(a_rule_is_read_whole_or_not_at_all)
{
    static const struct {
        const char *text;
        bool is_rule;
    } cases[] = {
        {"UTC0",                             true },
        {"<+0330>-3:30",                     true },
        {"<-00>0",                           true },
        {"CET-1CEST,M3.5.0,M10.5.0/3",       true },
        {"IST-1GMT0,M10.5.0,M3.5.0/1",       true },
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",  true },
        {"EET-2EEST,M3.4.4/50,M10.4.4/50",   true },
        {"EST5EDT,0/0,J365/25",              true },
        {"XXX3EDT4,J1/0:30:15,364/-167",     true },
        {"",                                 false},
        {"UTC",                              false},
        {"UT0",                              false},
        {"UTC0 ",                            false},
        {"UTC25",                            false},
        {"UTC0:60",                          false},
        {"<+0330-3:30",                      false},
        {"<a_much_too_long_name>0",          false},
        {"CET-1CEST",                        false},
        {"CET-1CEST,M3.5.0",                 false},
        {"CET-1CEST,M3.5.0,M10.5.0/3,",      false},
        {"CET-1CEST,M13.5.0,M10.5.0",        false},
        {"CET-1CEST,M3.6.0,M10.5.0",         false},
        {"CET-1CEST,M3.5.7,M10.5.0",         false},
        {"CET-1CEST,M3.0.0,M10.5.0",         false},
        {"CET-1CEST,J0,J365",                false},
        {"CET-1CEST,J1,J366",                false},
        {"CET-1CEST,0,366",                  false},
        {"CET-1CEST,M3.5.0/168,M10.5.0",     false},
        {"CET-1CEST,M3.5.0/2:,M10.5.0",      false},
        {"CET-1CEST,M3.5.0/2:00:99,M10.5.0", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tz_rule rule;
        if (cases[i].is_rule != tz_rule_parse(str_of(cases[i].text), &rule))
            print_error("rule: %s\n", cases[i].text);
        CHECK(cases[i].is_rule == tz_rule_parse(str_of(cases[i].text), &rule));
    }
}

TEST(days_are_counted_with_and_without_29_february)
{
    static const struct {
        const char *rule;
        const char *utc; /* summer time begins then: J and n differ from March on in leap years */
    } cases[] = {
        {"AAA0BBB,J60/0,J300/0",      "2024-03-01T00:00:00Z"},
        {"AAA0BBB,J59/0,J300/0",      "2024-02-28T00:00:00Z"},
        {"AAA0BBB,59/0,300/0",        "2024-02-29T00:00:00Z"},
        {"AAA0BBB,59/0,300/0",        "2023-03-01T00:00:00Z"},
        {"AAA0BBB,J60/0,J300/0",      "2023-03-01T00:00:00Z"},
        {"AAA0BBB,M2.5.4/0,M10.1.0",  "2024-02-29T00:00:00Z"},
        {"AAA0BBB,M12.5.0/0,M4.1.0",  "2023-12-31T00:00:00Z"},
        {"AAA0BBB,M1.1.0/-24,M4.1.0", "2022-12-31T00:00:00Z"},
        {"AAA0BBB,M12.5.0/49,M4.1.0", "2024-01-02T01:00:00Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tz_rule rule;
        int64_t ms = 0;

        CHECK(tz_rule_parse(str_of(cases[i].rule), &rule));
        CHECK(time_parse(str_of(cases[i].utc), &ms));
        const struct zone_span span = tz_rule_span(&rule, ms / 1000);
        CHECK_STR(cases[i].utc, str_of(time_format(span.from_s * 1000).text));
        CHECK(span.type->is_dst);
        CHECK(!tz_rule_span(&rule, ms / 1000 - 1).type->is_dst);
    }
}

/* RFC 9636 3.3.1: this is how daylight saving without end is written. */
TEST(daylight_saving_may_last_all_the_year)
{
    struct tz_rule rule;

    CHECK(tz_rule_parse(STR("XXX3EDT4,0/0,J365/23"), &rule));
    for (int64_t at_s = 0; at_s < INT64_C(800) * S_PER_DAY; at_s += 3600)
        CHECK_STR("EDT", str_of(tz_rule_span(&rule, at_s).type->abbreviation));
}
