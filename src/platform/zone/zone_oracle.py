"""Prints what Python's zoneinfo says about every zone around its transitions, for zone_test.c.

zone NAME
local SECONDS OFFSET ABBREVIATION       what clocks show at an instant
wall Y M D h m s KIND SECONDS           the instant of a wall time; KIND as enum zone_kind
"""

import datetime
import hashlib
import sys
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86400
FIRST, LAST = 0, 2398377600  # 1970 to 2046: eight years by the rule in the footer
STEP = 20 * DAY  # few offsets ever lasted less


def offset_at(zone, at):
    return datetime.datetime.fromtimestamp(at, zone).utcoffset()


def first_change(zone, low, high, before):
    """The instant in (low, high] from which on the offset is not `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def transitions(zone):
    """Instants at which the offset changes, with the offsets before and from then on."""
    before = offset_at(zone, FIRST)
    for start in range(FIRST, LAST, STEP):
        after = offset_at(zone, start + STEP)
        if after != before:
            at = first_change(zone, start, start + STEP, before)
            yield at, int(before.total_seconds()), int(offset_at(zone, at).total_seconds())
            before = after


def say_local(zone, at):
    local = datetime.datetime.fromtimestamp(at, zone)
    print("local", at, int(local.utcoffset().total_seconds()), local.tzname())


def say_wall(zone, wall_s):
    naive = EPOCH + datetime.timedelta(seconds=wall_s)
    wall = naive.replace(tzinfo=zone)
    later = wall.replace(fold=1)
    kind = 0
    if wall.utcoffset() != later.utcoffset():
        exists = wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
        kind = 2 if exists else 1
    at = int(wall.astimezone(UTC).timestamp())
    print("wall", naive.year, naive.month, naive.day, naive.hour, naive.minute, naive.second, kind, at)


def main():
    directory = sys.argv[1]
    zoneinfo.reset_tzpath([directory])
    seen = set()
    for name in sorted(zoneinfo.available_timezones()):
        with open(f"{directory}/{name}", "rb") as file:
            digest = hashlib.sha256(file.read()).digest()
        if digest in seen:  # one name of each zone is enough
            continue
        seen.add(digest)
        zone = zoneinfo.ZoneInfo(name)
        print("zone", name)
        for at in (-3000000000, -1, 0, 951782399, 951782400, 4107542400, 7258118400, 253402214400):
            say_local(zone, at)
            say_wall(zone, at)
        for at, before, after in transitions(zone):
            for distance in (-DAY, -1, 0, 1, DAY):
                say_local(zone, at + distance)
            early, late = sorted((at + before, at + after))
            for wall_s in (early - 1, early, (early + late) // 2, late - 1, late, at + before + DAY):
                say_wall(zone, wall_s)
    print("end")


main()
