/* platform/zone/zone.c - finds zones by name, keeps them, converts between instants and wall time.
 *
 * A zone is immutable once it is in the map; the mutex guards only the map. Names come from
 * requests: they become part of a path only if they cannot lead out of the directory. Nothing is
 * ever evicted, as pointers are out there; the files that exist bound the number, and ZONES_MAX
 * does too. */

#include "platform/zone/zone.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "platform/zone/tzif.h"

enum {
    FILE_SIZE_MAX = 16 * 1024, /* the largest of the database has 4 KiB */
    PATH_SIZE_MAX = 4096,
};

struct zones {
    char directory[PATH_SIZE_MAX - ZONE_NAME_MAX - 2];
    pthread_mutex_t mutex;
    struct map *by_name; /* of struct zone */
};

/* --- Finding --- */

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '/';
}

/* A name of the database: a relative path without dots. The directory also has copies of it
 * ("posix/", "right/") and files of this machine, which mean something else elsewhere. */
static bool is_name(str name)
{
    if (name.size == 0 || name.size > ZONE_NAME_MAX || name.ptr[0] == '/' ||
        name.ptr[name.size - 1] == '/')
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_name_char(name.ptr[i]) || (i > 0 && name.ptr[i] == '/' && name.ptr[i - 1] == '/'))
            return false;
    return !str_starts(name, STR("posix/")) && !str_starts(name, STR("right/")) &&
           !str_eq(name, STR("posixrules")) && !str_eq(name, STR("localtime"));
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static err read_all(int fd, char *bytes, size_t capacity, size_t *ret_size)
{
    size_t size = 0;

    while (size < capacity) {
        const ssize_t got = read(fd, bytes + size, capacity - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_UNAVAILABLE;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return ERR_OK;
}

static err load(const struct zones *zones, str name, struct zone **ret)
{
    char path[PATH_SIZE_MAX];
    char bytes[FILE_SIZE_MAX];
    struct stat status;
    size_t size = 0;

    const int length = snprintf(path, sizeof(path), "%s/%.*s", zones->directory, STR_ARG(name));
    if (length < 0 || (size_t)length >= sizeof(path))
        return ERR_NOT_FOUND;
    CLEANUP(close_fd) const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
    if (fstat(fd, &status) != 0)
        return ERR_UNAVAILABLE;
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)
        return ERR_NOT_FOUND;
    TRY(read_all(fd, bytes, sizeof(bytes), &size));

    struct zone *zone = tzif_parse((str){bytes, size});
    if (zone == NULL)
        return ERR_NOT_FOUND;
    *ret = zone;
    return ERR_OK;
}

/* Under the mutex: two threads never load the same zone. */
static err find_or_load(struct zones *zones, str name, const struct zone **ret)
{
    struct zone *zone = map_find(zones->by_name, name);

    if (zone == NULL) {
        if (map_count(zones->by_name) >= ZONES_MAX)
            return ERR_OVERLOADED;
        TRY(load(zones, name, &zone));
        (void)map_put(zones->by_name, name, zone);
    }
    *ret = zone;
    return ERR_OK;
}

err zone_find(struct zones *zones, str name, const struct zone **ret)
{
    if (!is_name(name))
        return ERR_NOT_FOUND;
    (void)pthread_mutex_lock(&zones->mutex);
    const err result = find_or_load(zones, name, ret);
    (void)pthread_mutex_unlock(&zones->mutex);
    return result;
}

struct zones *zones_open(const char *directory)
{
    struct zones *zones = mem_new(struct zones);
    struct tz_rule utc = {0};
    const char *from = directory != NULL ? directory : "/usr/share/zoneinfo";

    assert(strlen(from) < sizeof(zones->directory));
    memcpy(zones->directory, from, strlen(from));
    (void)pthread_mutex_init(&zones->mutex, NULL);
    zones->by_name = map_open();

    /* The default of every event without a zone must not hang on a package. */
    const bool is_rule = tz_rule_parse(STR("UTC0"), &utc);
    assert(is_rule);
    (void)map_put(zones->by_name, STR("UTC"), tzif_of_rule(&utc));
    return zones;
}

static void free_zone([[maybe_unused]] void *arg, [[maybe_unused]] str name, void *zone)
{
    tzif_free(zone);
}

void zones_close(struct zones *zones)
{
    if (zones == NULL)
        return;
    map_each(zones->by_name, free_zone, NULL);
    map_close(zones->by_name);
    (void)pthread_mutex_destroy(&zones->mutex);
    mem_free(zones);
}

/* --- A zone of one's own --- */

enum { OWN_TYPES_MAX = 250 };

/* The index of the type of this offset; OWN_TYPES_MAX: there are too many. */
static size_t type_of(struct zone *zone, size_t *count, int offset_s)
{
    size_t at = 0;

    assert(offset_s > -ZONE_OFFSET_MAX_S && offset_s < ZONE_OFFSET_MAX_S);
    while (at < *count && zone->types[at].offset_s != offset_s)
        at++;
    if (at == *count && *count < OWN_TYPES_MAX)
        zone->types[(*count)++].offset_s = offset_s;
    return at;
}

struct zone *zone_of_changes(int first_offset_s, const struct zone_change *changes, size_t count)
{
    struct zone *zone = mem_new(struct zone);
    size_t types = 0;

    zone->types = mem_alloc(OWN_TYPES_MAX * sizeof(zone->types[0]));
    zone->transitions_s = mem_alloc((count + 1) * sizeof(zone->transitions_s[0]));
    zone->types_after = mem_alloc(count + 1);
    (void)type_of(zone, &types, first_offset_s);
    for (size_t i = 0; i < count; i++) {
        const size_t type = type_of(zone, &types, changes[i].offset_s);

        assert(i == 0 || changes[i - 1].at_s < changes[i].at_s);
        if (type == OWN_TYPES_MAX)
            break;
        zone->transitions_s[i] = changes[i].at_s;
        zone->types_after[i] = (uint8_t)type;
        zone->transition_count++;
    }
    return zone;
}

void zone_free(struct zone *zone)
{
    tzif_free(zone);
}

/* --- Converting --- */

static int64_t clamp_ms(int64_t ms)
{
    if (ms < TIME_MS_MIN)
        return TIME_MS_MIN;
    return ms > TIME_MS_MAX ? TIME_MS_MAX : ms;
}

static int64_t seconds_of(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

struct zone_local zone_to_local(const struct zone *zone, int64_t ms)
{
    ms = clamp_ms(ms);
    const struct zone_type *type = tzif_span(zone, seconds_of(ms)).type;

    return (struct zone_local){
        .civil = civil_from_ms(clamp_ms(ms + (int64_t)type->offset_s * 1000)),
        .offset_s = type->offset_s,
        .abbreviation = type->abbreviation,
        .is_dst = type->is_dst,
    };
}

/* Walks the spans that could hold the wall time under any offset, oldest first. */
enum zone_kind zone_to_utc(const struct zone *zone, const struct civil *civil, int64_t *ret_ms)
{
    assert(civil_is_valid(civil));
    const int64_t wall_s = seconds_of(civil_to_ms(civil));
    int64_t found_s = 0;
    int64_t before_gap_s = 0;
    int found = 0;

    for (int64_t at_s = wall_s - ZONE_OFFSET_MAX_S; at_s <= wall_s + ZONE_OFFSET_MAX_S;) {
        const struct zone_span span = tzif_span(zone, at_s);
        const int64_t utc_s = wall_s - span.type->offset_s;

        if (utc_s >= span.until_s)
            before_gap_s = utc_s;
        else if (utc_s >= span.from_s && found++ == 0)
            found_s = utc_s;
        at_s = span.until_s;
    }
    *ret_ms = clamp_ms((found > 0 ? found_s : before_gap_s) * 1000 + civil->millisecond);
    if (found == 0)
        return ZONE_GAP;
    return found == 1 ? ZONE_EXACT : ZONE_AMBIGUOUS;
}
