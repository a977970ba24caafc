"""When a zone's clock changes: found by looking at its offsets, whatever data the zone is made of.

Works for IANA zones, zones of rules and zones of VTIMEZONE alike, and so gives MAPI rules and VTIMEZONE for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from gateway.convert.ical.zonerule import Switch, ZoneRule

_STEP: Final = timedelta(days=12)
"""Shorter than any time between two changes worth telling (Ramadan interrupts Morocco's time for 30 days)."""
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_YEARS_AROUND: Final = 4
"""Years before and after one that show which rule its changes follow."""
_AGREEING: Final = 3
"""In how many of these years, itself included, a rule has to hold."""
_LAST: Final = 5


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of the clock."""

    utc: datetime
    """The first moment of the new offset, naive UTC."""
    before: timedelta
    after: timedelta
    name: str
    """Abbreviation in force after it."""

    @property
    def wall(self) -> datetime:
        """What the clock showed when it was changed."""
        return self.utc + self.before


def offset_at(zone: tzinfo, utc: datetime) -> timedelta:
    """The offset of a zone at a naive UTC time."""
    return utc.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)


@lru_cache(maxsize=4096)
def transitions(zone: tzinfo, year: int) -> tuple[Transition, ...]:
    """The changes of a zone in a UTC year."""
    return tuple(_found(zone, datetime(year, 1, 1), datetime(year + 1, 1, 1)))


def _found(zone: tzinfo, start: datetime, end: datetime) -> Iterator[Transition]:
    before = offset_at(zone, start - _SECOND)
    low = start - _SECOND
    while low < end - _SECOND:
        high = min(low + _STEP, end - _SECOND)
        after = offset_at(zone, high)
        if after != before:
            first = _first_second(zone, low, high, before)
            after = offset_at(zone, first)
            name = first.replace(tzinfo=UTC).astimezone(zone).tzname() or ""
            yield Transition(first, before, after, name)
            before, low = after, first
        else:
            low = high


def _first_second(zone: tzinfo, low: datetime, high: datetime, before: timedelta) -> datetime:
    """The first second in (low, high] with another offset than before."""
    left, right = 0, int((high - low).total_seconds())
    while right - left > 1:
        middle = (left + right) // 2
        if offset_at(zone, low + middle * _SECOND) == before:
            left = middle
        else:
            right = middle
    return low + right * _SECOND


def nth_of_month(moment: datetime) -> set[int]:
    """Which weekday of its month a day is: 1 to 4, and 5 for the last."""
    found = {(moment.day - 1) // 7 + 1} - {_LAST}
    return found | {_LAST} if (moment + 7 * _DAY).month != moment.month else found


@lru_cache(maxsize=2048)
def rule_of(zone: tzinfo, year: int) -> ZoneRule:
    """The rule of a zone in a year; standard time is the smaller offset, whatever the zone calls it.

    Changes that follow no rule of months and weekdays over the years (Morocco's Ramadan), or more than one in a
    direction, cannot be told: then the offset of the year's middle is standard time.
    """
    changes = transitions(zone, year)
    ups = [change for change in changes if change.after > change.before]
    downs = [change for change in changes if change.after < change.before]
    if len(ups) == len(downs) == 1 and (ups[0].before, ups[0].after) == (downs[0].after, downs[0].before):
        standard, daylight = _switch(zone, downs[0]), _switch(zone, ups[0])
        if standard is not None and daylight is not None:
            size = _minutes(ups[0].after - ups[0].before)
            return ZoneRule(-_minutes(downs[0].after), 0, -size, standard, daylight)
    return ZoneRule(bias=-_minutes(offset_at(zone, datetime(year, 7, 1))))


def _minutes(offset: timedelta) -> int:
    return int(offset.total_seconds() // 60)


def _switch(zone: tzinfo, change: Transition) -> Switch | None:
    """The yearly rule of a change, by how well it describes the years around; None when it describes none."""
    wall = change.wall
    years = range(max(wall.year - _YEARS_AROUND, 2), min(wall.year + _YEARS_AROUND, 9998) + 1)
    others = [other.wall for year in years for other in transitions(zone, year) if _same_kind(other, change)]
    agreeing = {number: sum(number in nth_of_month(other) for other in others) for number in nth_of_month(wall)}
    # The year itself always agrees. Of two numbers that do equally well, "the last" is more likely meant.
    number, count = max(agreeing.items(), key=lambda item: (item[1], item[0]))
    if count < _AGREEING:
        return None
    return Switch(wall.month, wall.isoweekday() % 7, number, wall.hour, wall.minute, wall.second)


def _same_kind(other: Transition, change: Transition) -> bool:
    return (other.before, other.after, other.wall.month, other.wall.weekday()) == (
        change.before,
        change.after,
        change.wall.month,
        change.wall.weekday(),
    )
