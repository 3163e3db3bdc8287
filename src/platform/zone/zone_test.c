/* platform/zone/zone_test.c - wall time by table, against Python's zoneinfo, and with bad files. */
#include "platform/zone/zone.h"

#include "support/test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONEINFO "/usr/share/zoneinfo"

static const struct zone *found(struct zones *zones, const char *name)
{
    const struct zone *zone = NULL;

    CHECK_OK(zone_find(zones, str_of(name), &zone));
    return zone;
}

static void close_zones(struct zones **zones)
{
    zones_close(*zones);
}

static struct civil wall(const char *text)
{
    struct civil civil = {0};

    CHECK_I64(6, sscanf(text, "%d-%d-%dT%d:%d:%d", &civil.year, &civil.month, &civil.day,
                        &civil.hour, &civil.minute, &civil.second));
    return civil;
}

TEST(an_instant_is_shown_as_clocks_show_it)
{
    static const struct {
        const char *zone;
        const char *utc;
        const char *local; /* written as if it were UTC */
        const char *abbreviation;
        int offset_s;
        bool is_dst;
    } cases[] = {
        {"UTC",            "2026-11-22T21:22:13Z", "2026-11-22T21:22:13Z", "UTC",   0,      false},
        {"Europe/Berlin",  "2026-07-01T12:00:00Z", "2026-07-01T14:00:00Z", "CEST",  7200,   true },
        {"Europe/Berlin",  "2026-12-01T12:00:00Z", "2026-12-01T13:00:00Z", "CET",   3600,   false},
        {"Europe/Berlin",  "2026-03-29T00:59:59Z", "2026-03-29T01:59:59Z", "CET",   3600,   false},
        {"Europe/Berlin",  "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z", "CEST",  7200,   true },
        {"Africa/Cairo",   "2026-06-01T18:00:00Z", "2026-06-01T21:00:00Z", "EEST",  10800,  true },
        {"Africa/Cairo",   "2050-06-01T18:00:00Z", "2050-06-01T21:00:00Z", "EEST",  10800,  true },
        {"Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T05:45:00Z", "+0545", 20700,  false},
        {"US/Eastern",     "2090-07-04T12:00:00Z", "2090-07-04T08:00:00Z", "EDT",   -14400, true },
        {"Pacific/Apia",   "2026-12-31T11:00:00Z", "2027-01-01T00:00:00Z", "+13",   46800,  false},
        {"Etc/GMT+12",     "2026-12-31T10:00:00Z", "2026-12-30T22:00:00Z", "-12",   -43200, false},
    };
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 0;
        CHECK(time_parse(str_of(cases[i].utc), &ms));
        const struct zone_local local = zone_to_local(found(zones, cases[i].zone), ms);
        const struct time_text text = time_format(civil_to_ms(&local.civil));

        CHECK_STR(cases[i].local, str_of(text.text));
        CHECK_I64(cases[i].offset_s, local.offset_s);
        CHECK_STR(cases[i].abbreviation, str_of(local.abbreviation));
        CHECK(cases[i].is_dst == local.is_dst);
    }
}

TEST(a_wall_time_is_exact_missing_or_there_twice)
{
    static const struct {
        const char *zone;
        const char *wall;
        enum zone_kind kind;
        const char *utc;
    } cases[] = {
        {"Europe/Berlin",       "2026-07-01T14:00:00", ZONE_EXACT,     "2026-07-01T12:00:00Z"},
        {"Europe/Berlin",       "2026-03-29T01:59:59", ZONE_EXACT,     "2026-03-29T00:59:59Z"},
        {"Europe/Berlin",       "2026-03-29T02:00:00", ZONE_GAP,       "2026-03-29T01:00:00Z"},
        {"Europe/Berlin",       "2026-03-29T02:59:59", ZONE_GAP,       "2026-03-29T01:59:59Z"},
        {"Europe/Berlin",       "2026-03-29T03:00:00", ZONE_EXACT,     "2026-03-29T01:00:00Z"},
        {"Europe/Berlin",       "2026-10-25T01:59:59", ZONE_EXACT,     "2026-10-24T23:59:59Z"},
        {"Europe/Berlin",       "2026-10-25T02:00:00", ZONE_AMBIGUOUS, "2026-10-25T00:00:00Z"},
        {"Europe/Berlin",       "2026-10-25T02:59:59", ZONE_AMBIGUOUS, "2026-10-25T00:59:59Z"},
        {"Europe/Berlin",       "2026-10-25T03:00:00", ZONE_EXACT,     "2026-10-25T02:00:00Z"},
        {"Africa/Cairo",        "2045-04-28T00:30:00", ZONE_GAP,       "2045-04-27T22:30:00Z"},
        {"Africa/Cairo",        "2045-10-26T23:30:00", ZONE_AMBIGUOUS, "2045-10-26T20:30:00Z"},
        {"Australia/Lord_Howe", "2026-04-05T01:45:00", ZONE_AMBIGUOUS, "2026-04-04T14:45:00Z"},
        {"Pacific/Apia",        "2011-12-30T12:00:00", ZONE_GAP,       "2011-12-30T22:00:00Z"},
        {"Europe/Dublin",       "2060-10-31T01:30:00", ZONE_AMBIGUOUS, "2060-10-31T00:30:00Z"},
        {"UTC",                 "0001-01-01T00:00:00", ZONE_EXACT,     "0001-01-01T00:00:00Z"},
        {"UTC",                 "9999-12-31T23:59:59", ZONE_EXACT,     "9999-12-31T23:59:59Z"},
        {"Asia/Tokyo",          "0001-01-01T00:00:00", ZONE_EXACT,     "0001-01-01T00:00:00Z"},
    };
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct civil civil = wall(cases[i].wall);
        int64_t ms = -1;

        CHECK_I64(cases[i].kind, zone_to_utc(found(zones, cases[i].zone), &civil, &ms));
        CHECK_STR(cases[i].utc, str_of(time_format(ms).text));
    }
}

TEST(milliseconds_survive_also_before_1970)
{
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);
    const struct zone *zone = found(zones, "Europe/Berlin");

    for (int64_t ms = -3001; ms <= 3001; ms += 667) {
        const struct zone_local local = zone_to_local(zone, ms);
        int64_t back = 0;

        CHECK_I64(ms, civil_to_ms(&local.civil) - local.offset_s * INT64_C(1000));
        CHECK_I64(ZONE_EXACT, zone_to_utc(zone, &local.civil, &back));
        CHECK_I64(ms, back);
    }
    CHECK_I64(9999, zone_to_local(zone, INT64_MAX).civil.year);
    CHECK_I64(1, zone_to_local(zone, INT64_MIN).civil.year);
}

TEST(only_names_of_zones_are_looked_up)
{
    static const char *const names[] = {
        "",
        "/",
        "/etc/passwd",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Europe",
        "Europe/",
        "Europe//Berlin",
        "Europe/Berlin/",
        "Europe/Atlantis",
        "Europe/Berlin\n",
        "Europe/B rlin",
        "zone.tab",
        "tzdata.zi",
        "posix/UTC",
        "right/UTC",
        "posixrules",
        "localtime",
        "leapseconds",
        "Z\xC3\xBCrich",
        "Europe/Berlin/x",
        "a/very/long/name/that/no/zone/of/the/whole/wide/world/would/ever/bear",
    };
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);
    const struct zone *zone = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, str_of(names[i]), &zone));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, (str){"UTC\0", 4}, &zone));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, STR_ABSENT, &zone));
    CHECK(zone == NULL);
}

TEST(a_zone_is_read_once_and_utc_without_any_file)
{
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);
    CLEANUP(close_zones) struct zones *bare = zones_open("/nonexistent");
    const struct zone *none = NULL;

    CHECK(found(zones, "Asia/Tokyo") == found(zones, "Asia/Tokyo"));
    CHECK(found(zones, "Asia/Tokyo") != found(zones, "Asia/Seoul"));
    CHECK_STR("UTC", str_of(zone_to_local(found(bare, "UTC"), 0).abbreviation));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(bare, STR("Asia/Tokyo"), &none));
}

/* --- A directory of our own --- */

struct lab {
    char directory[64];
};

static struct lab lab_new(void)
{
    struct lab lab = {.directory = "/tmp/zone_test_XXXXXX"};

    CHECK(mkdtemp(lab.directory) != NULL);
    return lab;
}

static void lab_put(const struct lab *lab, const char *name, const char *bytes, size_t size)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", lab->directory, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK_I64(size, fwrite(bytes, 1, size, file));
    CHECK_I64(0, fclose(file));
}

static void lab_remove(const struct lab *lab, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", lab->directory, name);
    CHECK_I64(0, remove(path));
}

TEST(a_file_that_is_no_zone_is_as_good_as_none)
{
    static const char text[] = "this is not a zone, but it is longer than the header of one";
    struct lab lab = lab_new();
    CLEANUP(close_zones) struct zones *zones = zones_open(lab.directory);
    const struct zone *zone = NULL;
    char path[128];

    lab_put(&lab, "Text", text, sizeof(text));
    lab_put(&lab, "Empty", "", 0);
    (void)snprintf(path, sizeof(path), "%s/Pipe", lab.directory);
    CHECK_I64(0, mkfifo(path, 0600));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, STR("Text"), &zone));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, STR("Empty"), &zone));
    CHECK_ERR(ERR_NOT_FOUND, zone_find(zones, STR("Pipe"), &zone));
    lab_remove(&lab, "Text");
    lab_remove(&lab, "Empty");
    lab_remove(&lab, "Pipe");
    CHECK_I64(0, rmdir(lab.directory));
}

TEST(no_more_than_so_many_zones_are_kept)
{
    struct lab lab = lab_new();
    CLEANUP(close_zones) struct zones *zones = zones_open(lab.directory);
    const struct zone *zone = NULL;
    char path[128];
    char name[16];

    for (int i = 1; i <= ZONES_MAX; i++) { /* UTC is there already */
        (void)snprintf(name, sizeof(name), "Z%d", i);
        (void)snprintf(path, sizeof(path), "%s/%s", lab.directory, name);
        CHECK_I64(0, symlink(ZONEINFO "/Asia/Tokyo", path));
        CHECK_ERR(i < ZONES_MAX ? ERR_OK : ERR_OVERLOADED, zone_find(zones, str_of(name), &zone));
    }
    CHECK_OK(zone_find(zones, STR("Z7"), &zone));
    for (int i = 1; i <= ZONES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "Z%d", i);
        lab_remove(&lab, name);
    }
    CHECK_I64(0, rmdir(lab.directory));
}

/* --- Threads --- */

struct finder {
    struct zones *zones;
    size_t failures;
};

static void *find_many(void *arg)
{
    static const char *const names[] = {"Asia/Tokyo",   "Europe/Paris", "Africa/Cairo",
                                        "America/Lima", "Asia/Dubai",   "Europe/Oslo"};
    struct finder *finder = arg;

    for (size_t i = 0; i < 600; i++) {
        const struct zone *zone = NULL;
        const err result = zone_find(finder->zones, str_of(names[i % 6]), &zone);
        finder->failures += result != ERR_OK || zone_to_local(zone, 0).civil.year < 1969;
    }
    return NULL;
}

TEST(threads_share_zones)
{
    enum { THREADS = 4 };
    CLEANUP(close_zones) struct zones *zones = zones_open(NULL);
    struct finder finders[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        finders[i] = (struct finder){zones, 0};
        CHECK_I64(0, pthread_create(&threads[i], NULL, find_many, &finders[i]));
    }
    for (size_t i = 0; i < THREADS; i++) {
        CHECK_I64(0, pthread_join(threads[i], NULL));
        CHECK_I64(0, finders[i].failures);
    }
}

/* --- The second opinion --- */

static void check_local(const struct zone *zone, const char *line)
{
    char abbreviation[32] = "";
    int64_t at_s = 0;
    int offset_s = 0;

    CHECK_I64(3, sscanf(line, "local %" SCNd64 " %d %31s", &at_s, &offset_s, abbreviation));
    const struct zone_local local = zone_to_local(zone, at_s * 1000);
    CHECK_I64(offset_s, local.offset_s);
    CHECK_STR(abbreviation, str_of(local.abbreviation));
    CHECK_I64((at_s + offset_s) * 1000, civil_to_ms(&local.civil));
}

static void check_wall(const struct zone *zone, const char *line)
{
    struct civil civil = {0};
    int64_t at_s = 0;
    int64_t ms = 0;
    int kind = 0;

    CHECK_I64(8, sscanf(line, "wall %d %d %d %d %d %d %d %" SCNd64, &civil.year, &civil.month,
                        &civil.day, &civil.hour, &civil.minute, &civil.second, &kind, &at_s));
    CHECK_I64(kind, zone_to_utc(zone, &civil, &ms));
    CHECK_I64(at_s * 1000, ms);
}

TEST(every_zone_agrees_with_python_around_its_transitions)
{
    CLEANUP(close_zones) struct zones *zones = zones_open(ZONEINFO);
    const struct zone *zone = NULL;
    char line[256];
    size_t walls = 0;
    bool ended = false;
    /* NOLINTNEXTLINE(cert-env33-c): the command is ours and fixed */
    FILE *oracle = popen("/usr/bin/python3 '" ZONE_ORACLE "' " ZONEINFO, "r");

    CHECK(oracle != NULL);
    while (fgets(line, sizeof(line), oracle) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "zone ", 5) == 0)
            zone = found(zones, line + 5);
        else if (strncmp(line, "local ", 6) == 0)
            check_local(zone, line);
        else if (strncmp(line, "wall ", 5) == 0) {
            check_wall(zone, line);
            walls++;
        } else
            ended = strcmp(line, "end") == 0;
    }
    CHECK_I64(0, pclose(oracle));
    CHECK(ended);
    CHECK(walls > 50000);
}
