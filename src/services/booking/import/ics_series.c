/* booking/import/ics_series.c - expands a series.
 *
 * Rules walk over wall times; each is turned into its instant in the zone of the start, and instants are what exceptions, changed occurrences and
 * import keys are compared by. A series that has no end, or a very far one, is cut to a window that begins now. */
#include "services/booking/import/ics_series.h"

#include <stdlib.h>

#include "base/mem.h"

enum { WORK_MAX = 3000000 /* of one rule: as far as the year 9999, day by day */ };

struct found {
    struct ics_occurrence *items;
    size_t count;
    int64_t from_ms; /* what is outside is left out */
    int64_t until_ms;
    bool full;
};

int64_t ics_instant(const struct ics_moment *moment)
{
    int64_t ms = moment->when.ms;

    if (moment->when.kind == ICS_WALL && moment->zone != NULL) {
        const struct civil civil = civil_from_ms(ms);

        (void)zone_to_utc(moment->zone, &civil, &ms);
    }
    return ms;
}

static int64_t instant_of(const struct ics_series *series, int64_t wall_ms)
{
    struct ics_moment moment = series->start;

    moment.when.ms = wall_ms;
    return ics_instant(&moment);
}

static int64_t wall_of(const struct ics_series *series, int64_t at_ms)
{
    if (series->start.zone == NULL || series->start.when.kind != ICS_WALL)
        return at_ms;
    const struct civil civil = zone_to_local(series->start.zone, at_ms).civil;
    return civil_to_ms(&civil);
}

static void add(struct found *found, int64_t wall_ms, int64_t at_ms, int64_t lasts_ms)
{
    if (at_ms < found->from_ms || at_ms > found->until_ms)
        return;
    if (found->count == ICS_OCCURRENCES_MAX)
        found->full = true;
    else
        found->items[found->count++] = (struct ics_occurrence){wall_ms, at_ms, lasts_ms};
}

/* --- Exceptions --- */

static int64_t day_of(int64_t ms)
{
    return (ms - TIME_MS_MIN) / DAY_MS;
}

/* A day excepts all that begins on it: so some programs mean it. */
static bool is_excepted(const struct ics_series *series, const struct ics_occurrence *occurrence)
{
    for (size_t i = 0; i < series->exception_count; i++) {
        const struct ics_moment *at = &series->exceptions[i].at;
        const bool by_day = at->when.kind == ICS_DAY || series->start.when.kind == ICS_DAY;

        if (by_day ? day_of(at->when.ms) == day_of(occurrence->wall_ms)
                   : series->exceptions[i].at_ms == occurrence->at_ms)
            return true;
    }
    return false;
}

/* --- Collecting --- */

/* The start counts as the first, whether or not the rule gives it. False: the work was used up. */
static bool collect_rule(struct ics_series *series, const struct ics_rule *rule,
                         struct found *found)
{
    struct ics_walk *walk = mem_new(struct ics_walk);
    const int64_t work = series->work < WORK_MAX ? series->work : WORK_MAX;
    const int64_t start_ms = series->start.when.ms;
    int64_t given = 1;
    int64_t wall_ms = 0;

    ics_walk_open(walk, rule, start_ms, work);
    while (!found->full && ics_walk_next(walk, &wall_ms)) {
        const int64_t at_ms = instant_of(series, wall_ms);

        if (wall_ms == start_ms)
            continue;
        if ((rule->until == ICS_UNTIL_UTC && at_ms > rule->until_ms) || at_ms > found->until_ms ||
            (rule->count > 0 && ++given > rule->count))
            break;
        add(found, wall_ms, at_ms, -1);
    }
    const bool has_work = walk->work >= 0;
    series->work -= work - (has_work ? walk->work : 0);
    mem_free(walk);
    return has_work;
}

static int compare(const void *a, const void *b)
{
    const struct ics_occurrence *left = a;
    const struct ics_occurrence *right = b;

    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return (left->lasts_ms < right->lasts_ms) - (left->lasts_ms > right->lasts_ms);
}

static bool collect(struct ics_series *series, struct found *found)
{
    const int64_t start_ms = series->start.when.ms;
    bool has_work = true;
    size_t kept = 0;

    found->count = 0;
    found->full = false;
    add(found, start_ms, instant_of(series, start_ms), -1);
    for (size_t i = 0; i < series->rule_count; i++)
        has_work = collect_rule(series, series->rules[i], found) && has_work;
    for (size_t i = 0; i < series->date_count; i++) {
        const struct ics_date *date = &series->dates[i];
        const int64_t day_ms = day_of(date->at.when.ms) * DAY_MS + TIME_MS_MIN;
        const bool by_day = series->start.when.kind == ICS_DAY;

        add(found, by_day ? day_ms : wall_of(series, date->at_ms), by_day ? day_ms : date->at_ms,
            date->lasts_ms);
    }
    qsort(found->items, found->count, sizeof(found->items[0]), compare);
    for (size_t i = 0; i < found->count; i++) {
        const bool again = kept > 0 && found->items[kept - 1].at_ms == found->items[i].at_ms;

        if (!again && !is_excepted(series, &found->items[i]))
            found->items[kept++] = found->items[i];
    }
    found->count = kept;
    return has_work;
}

static bool has_end(const struct ics_series *series)
{
    for (size_t i = 0; i < series->rule_count; i++)
        if (series->rules[i]->count == 0 && series->rules[i]->until == ICS_NO_UNTIL)
            return false;
    return true;
}

enum ics_extent ics_series_expand(struct ics_series *series, struct arena *arena,
                                  struct ics_occurrence **ret, size_t *ret_count)
{
    struct found found = {
        .items = arena_new_array(arena, struct ics_occurrence, ICS_OCCURRENCES_MAX),
        .from_ms = INT64_MIN,
        .until_ms = INT64_MAX,
    };
    enum ics_extent extent = ICS_WHOLE;
    bool has_work = true;

    found.full = !has_end(series);
    if (!found.full)
        has_work = collect(series, &found);
    if (found.full) {
        extent = ICS_CUT;
        found.from_ms = series->now_ms - series->lasts_ms;
        found.until_ms = series->now_ms + ICS_AHEAD_DAYS * DAY_MS;
        has_work = collect(series, &found);
    }
    *ret = found.items;
    *ret_count = found.count;
    return has_work ? extent : ICS_EXHAUSTED;
}
