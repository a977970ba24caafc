"""Instances of a series: the days a pattern falls on, and what is left of them after changes.

Nothing here walks from the beginning of a series to reach a window far from it, unless the series is bounded only
by a count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from gateway.convert.ical.civil import DAY, days_from_civil, month_length, week_start, year_and_month
from gateway.convert.ical.pattern import (
    NEVER_ENDS,
    Days,
    EndType,
    Frequency,
    Instance,
    Pattern,
    PatternType,
)

_WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instance, in the series' local time (rtime)."""

    original: int
    """Where the pattern puts it."""
    start: int
    end: int
    changed: Instance | None = None


def last_day(pattern: Pattern) -> int:
    """Midnight of the last instance, `NEVER_ENDS` without end."""
    if pattern.end_type is EndType.NEVER:
        return NEVER_ENDS
    if pattern.end_type is EndType.COUNT and (pattern.end == NEVER_ENDS or pattern.end < pattern.start):
        days = list(islice(all_days(pattern, pattern.start), min(pattern.count, 100_000)))
        return days[-1] if days else pattern.start - DAY
    return pattern.end


def days(pattern: Pattern, first: int, last: int) -> Iterator[int]:
    """Midnights of the pattern's instances from ``first`` to ``last``, both included, deleted ones too."""
    end = min(last, last_day(pattern))
    return takewhile(lambda day: day <= end, all_days(pattern, max(first, pattern.start)))


def all_days(pattern: Pattern, first: int) -> Iterator[int]:
    """Midnights from ``first`` on, without end; ``first`` must not lie before the series."""
    if pattern.type is PatternType.DAY:
        return _by_days(pattern, first)
    if pattern.type is PatternType.WEEK:
        return _by_weeks(pattern, first)
    return _by_months(pattern, first)


def _by_days(pattern: Pattern, first: int) -> Iterator[int]:
    step = max(pattern.period // DAY, 1) * DAY
    day = pattern.start + -(-(first - pattern.start) // step) * step
    while True:
        yield day
        day += step


def _by_weeks(pattern: Pattern, first: int) -> Iterator[int]:
    weeks = 1 if pattern.frequency is Frequency.DAILY else pattern.period
    offsets = [place * DAY for place in range(7) if pattern.days >> (pattern.first_day_of_week + place) % 7 & 1]
    if not offsets:
        return
    origin = week_start(pattern.start, pattern.first_day_of_week)
    week = origin + (first - origin) // (weeks * _WEEK) * weeks * _WEEK
    while True:
        for offset in offsets:
            if week + offset >= first:
                yield week + offset
        week += weeks * _WEEK


def _by_months(pattern: Pattern, first: int) -> Iterator[int]:
    year, month = year_and_month(pattern.start)
    origin = year * 12 + month - 1
    year, month = year_and_month(first)
    current = origin + (year * 12 + month - 1 - origin) // pattern.period * pattern.period
    while True:
        day = _day_in_month(pattern, current // 12, current % 12 + 1)
        if day >= first:
            yield day
        current += pattern.period


def _day_in_month(pattern: Pattern, year: int, month: int) -> int:
    """Midnight of the pattern's day in a month; days beyond the month's end are its last day."""
    length = month_length(year, month)
    first = days_from_civil(year, month, 1)
    if pattern.type in (PatternType.MONTH_NTH, PatternType.HIJRI_MONTH_NTH):
        return (first + _nth(pattern.days, pattern.nth, (first + 1) % 7, length)) * DAY
    day = length if pattern.type is PatternType.MONTH_END else pattern.day_of_month
    return (first + min(max(day, 1), length) - 1) * DAY


def _nth(mask: Days, nth: int, first_weekday: int, length: int) -> int:
    """Offset in a month of the nth day of a mask; 5, or more than there are, is the last."""
    if not mask & Days.ALL:
        return 0
    matching = [offset for offset in range(length) if mask >> (first_weekday + offset) % 7 & 1]
    return matching[-1] if nth >= 5 or nth > len(matching) else matching[max(nth, 1) - 1]


def occurrences(pattern: Pattern, first: int, last: int, limit: int = 100_000) -> list[Occurrence]:
    """The instances that overlap ``first <= time < last``, by start; at most ``limit``.

    Deleted ones are left out, modified ones are where they were moved to.
    """
    start_offset = pattern.start_offset or 0
    end_offset = max(pattern.end_offset, start_offset)
    gone = set(pattern.deleted) | {instance.original // DAY * DAY for instance in pattern.modified}
    found = [
        Occurrence(instance.original, instance.start, instance.end, instance)
        for instance in pattern.modified
        if overlaps(instance.start, instance.end, first, last)
    ]
    for day in days(pattern, (first - end_offset) // DAY * DAY, last):
        start, end = day + start_offset, day + end_offset
        if day not in gone and overlaps(start, end, first, last):
            found.append(Occurrence(start, start, end))
            if len(found) >= limit:
                break
    return sorted(found, key=lambda occurrence: occurrence.start)


def overlaps(start: int, end: int, first: int, last: int) -> bool:
    """Whether a span lies in a window; an instant does when the window holds it (RFC 4791 9.9)."""
    return start < last and (end > first or start == end == first)
