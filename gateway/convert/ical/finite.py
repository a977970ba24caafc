"""Finite sets of days that no rule of MAPI makes: RRULEs it does not know, RDATE (RFC 5545 3.8.5).

Such a set becomes a daily pattern of which all other days are deleted, the client's rule is kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from dateutil.rrule import rrulestr

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.moments import parse_time, rtime
from gateway.convert.ical.pattern import EndType, Frequency, Pattern, PatternType
from gateway.convert.ical.rruleparts import Unrepresentable

MAX_DAYS: Final = 1024
"""Instances of such a set."""
_REACH: Final = timedelta(days=366 * 40)
"""How far from its start such a set may go; it bounds the search for a rule that never happens."""
_LATEST: Final = 9958
"""The last year from which `_REACH` does not lead out of the calendar."""
_CYCLE_YEARS: Final = 400
_CYCLE_DAYS: Final = 146_097
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS: Final = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
        "BYSETPOS",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYHOUR",
        "BYMINUTE",
        "BYSECOND",
    ]
)


def finite_days(rules: Sequence[str], start: datetime, local: Callable[[datetime], datetime]) -> set[int]:
    """Midnights (rtime) of the instances of rules for a series that starts at a wall-clock time.

    ``local`` gives the wall-clock time of a naive UTC time, for UNTIL. Raises `Unrepresentable` when they are
    more than `MAX_DAYS`, too far away, or several on a day; ParseError when a rule is broken.
    """
    found: set[int] = set()
    for rule in rules:
        found |= _days(rule, start, local)
        if len(found) > MAX_DAYS:
            raise Unrepresentable(f"RRULE {rule!r} has no form in MAPI and more than {MAX_DAYS} instances")
    return found


def _days(rule: str, start: datetime, local: Callable[[datetime], datetime]) -> set[int]:
    parts = dict(part.upper().split("=", 1) for part in rule.strip().strip(";").split(";") if "=" in part)
    if parts.get("FREQ") not in _FREQUENCIES or not parts.keys() <= _PARTS:
        raise Unrepresentable(f"RRULE {rule!r} has no form in MAPI")
    for name, value in (("BYHOUR", start.hour), ("BYMINUTE", start.minute), ("BYSECOND", start.second)):
        if parts.pop(name, str(value)).lstrip("0") != str(value).lstrip("0"):
            raise Unrepresentable(f"RRULE {rule!r} has several times on a day")
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if count is None and until is None:
        raise Unrepresentable(f"RRULE {rule!r} has no form in MAPI and no end")
    limit = _limit(count)
    last = start + _REACH
    if until is not None:
        last = min(last, _until(until, local))
    days = _generated(";".join(f"{name}={value}" for name, value in parts.items()), start, last, limit)
    if until is not None and last == start + _REACH:
        raise Unrepresentable(f"RRULE {rule!r} has no form in MAPI and goes too far")
    if count is not None and until is None and len(days) < limit:
        raise Unrepresentable(f"RRULE {rule!r} has no form in MAPI and more instances than can be listed")
    return set(days)


def _limit(count: str | None) -> int:
    if count is None:
        return MAX_DAYS + 1
    if not count.isascii() or not count.isdigit() or len(count) > 9 or not int(count):
        raise ParseError(f"COUNT={count[:40]} is not a positive number")
    return min(int(count), MAX_DAYS + 1)


def _until(value: str, local: Callable[[datetime], datetime]) -> datetime:
    wall, is_date, is_utc = parse_time(value)
    if is_date:
        return wall + timedelta(days=1, microseconds=-1)
    return local(wall) if is_utc else wall


def _generated(rule: str, start: datetime, last: datetime, limit: int) -> list[int]:
    """The first days of a rule.

    The library looks for a next instance until the calendar ends in 9999, whatever UNTIL says. So the search is
    moved near that end, by whole cycles of 400 years, after which all dates and weekdays repeat.
    """
    cycles = (_LATEST - start.year) // _CYCLE_YEARS
    begin, end = (moment.replace(year=moment.year + cycles * _CYCLE_YEARS) for moment in (start, last))
    try:
        endless = rrulestr(f"{rule};UNTIL={end:%Y%m%dT%H%M%S}", dtstart=begin)
        days = [rtime(moment) // DAY for moment in islice(endless, limit)]
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise ParseError(f"RRULE {rule!r} is broken: {error}") from None
    return [(day - cycles * _CYCLE_DAYS) * DAY for day in days]


def listing(days: set[int], start_offset: int, end_offset: int) -> Pattern:
    """The daily pattern with deletions that falls on these days."""
    if not days:
        raise ParseError("the series has no instance")
    if len(days) > MAX_DAYS or max(days) - min(days) > _REACH / timedelta(minutes=1):
        raise Unrepresentable(f"a series of single dates with more than {MAX_DAYS} of them, or too far apart")
    first, last = min(days), max(days)
    every = range(first, last + DAY, DAY)
    return Pattern(
        Frequency.DAILY,
        PatternType.DAY,
        DAY,
        first,
        last,
        EndType.DATE,
        len(every),
        deleted=tuple(day for day in every if day not in days),
        first_day_of_week=1,
        start_offset=start_offset,
        end_offset=end_offset,
    )
