"""Prints random recurrence rules (RFC 5545 3.3.10) with what python3-dateutil makes of them, for ics_rule_test.c.

RULE|START|LAST|TIME TIME ...   wall times as YYYYMMDDTHHMMSS, the first 40 up to LAST

Left out is where the RFC leaves room and dateutil decides otherwise: see the top of ics_rule.c.
"""

import datetime
import random
import signal
import sys
import warnings

from dateutil import rrule

warnings.simplefilter("ignore")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# How far dateutil, which searches step by step, is asked.
REACH = {"YEARLY": 365 * 28, "MONTHLY": 365 * 12, "WEEKLY": 365 * 6, "DAILY": 365 * 5, "HOURLY": 60, "MINUTELY": 2, "SECONDLY": 0.05}


def some(choose, values, most):
    return sorted(choose.sample(values, choose.randint(1, min(most, len(values)))))


def signed(choose, most, count):
    return [choose.choice([1, -1]) * choose.randint(1, most) for _ in range(choose.randint(1, count))]


def listed(values):
    return ",".join(str(value) for value in values)


def weekdays(choose, numbered, most):
    days = some(choose, DAYS, 3)
    return [f"{choose.choice([1, 2, 3, 4, -1, -2, most, -most])}{day}" for day in days] if numbered else days


def make_rule(choose):
    frequency = choose.choice(["YEARLY", "YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"])
    parts = [f"FREQ={frequency}"]
    may = lambda chance: choose.random() < chance
    if may(0.5):
        parts.append(f"INTERVAL={choose.choice([1, 2, 3, 4, 5, 7, 10, 13])}")
    parts.append(f"WKST={choose.choice(DAYS)}")
    months = may(0.3)
    if months:
        parts.append(f"BYMONTH={listed(some(choose, range(1, 13), 4))}")
    weeks = frequency == "YEARLY" and may(0.2)
    if weeks:
        parts.append(f"BYWEEKNO={listed(signed(choose, 53, 4))}")
    if frequency != "WEEKLY" and not weeks and may(0.3):
        parts.append(f"BYMONTHDAY={listed(signed(choose, 31, 5))}")
    if frequency in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY") and not weeks and may(0.15):
        parts.append(f"BYYEARDAY={listed(signed(choose, 366, 8))}")
    days = weeks or may(0.4)
    if days:
        numbered = frequency in ("YEARLY", "MONTHLY") and not weeks and may(0.5)
        parts.append(f"BYDAY={listed(weekdays(choose, numbered, 5 if frequency == 'MONTHLY' or months else 20))}")
    if may(0.3):
        parts.append(f"BYHOUR={listed(some(choose, range(24), 3))}")
    if may(0.2):
        parts.append(f"BYMINUTE={listed(some(choose, range(60), 3))}")
    if may(0.1):
        parts.append(f"BYSECOND={listed(some(choose, range(60), 3))}")
    if len(parts) > 2 and frequency != "WEEKLY" and may(0.3):
        parts.append(f"BYSETPOS={listed(signed(choose, 6, 3))}")
    if may(0.3):
        parts.append(f"COUNT={choose.randint(1, 30)}")
    return parts


def expected(rule, start, last):
    """None: dateutil refuses it, or searches for what there is not."""
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
    try:
        return [time for time, _ in zip(rrule.rrulestr(f"{rule};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=start), range(40))]
    except (ValueError, IndexError, TimeoutError):
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def give_up(_signal, _frame):
    raise TimeoutError


def main():
    signal.signal(signal.SIGVTALRM, give_up)
    choose = random.Random(5545)
    given = 0
    while given < int(sys.argv[1]):
        start = datetime.datetime(choose.randint(2015, 2030), 1, 1) + datetime.timedelta(seconds=choose.randrange(365 * 86400))
        parts = make_rule(choose)
        reach = REACH[parts[0].removeprefix("FREQ=")]
        last = start + datetime.timedelta(seconds=int(86400 * reach * choose.choice([0.1, 0.5, 1])))
        rule = ";".join(parts)
        times = expected(rule, start, last)
        if times is None:
            continue
        print(f"{rule}|{start:%Y%m%dT%H%M%S}|{last:%Y%m%dT%H%M%S}|{' '.join(f'{time:%Y%m%dT%H%M%S}' for time in times)}")
        given += 1


main()
