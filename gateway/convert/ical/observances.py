"""VTIMEZONE read as a time zone (RFC 5545 3.6.5), as tolerant as real calendars need it.

Each STANDARD or DAYLIGHT part is an observance: its offset is in force from each of its onsets until the next
onset of any part. Onsets are computed for the years that are asked for; nothing is expanded.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.zonerule import OffsetZone
from gateway.convert.lines import Component

_MOST_PARTS: Final = 400
_MOST_DATES: Final = 4000
_LARGEST_OFFSET: Final = timedelta(hours=18)
_OFFSET: Final = re.compile(r"\s*([+-]?)(\d\d):?([0-5]\d):?([0-5]\d)?\s*\Z")
_MOMENT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?)?")
_WEEKDAYS: Final = {"MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6, "SU": 7}
_BY_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
_EARLIEST: Final = datetime(1601, 1, 1)
_FOREVER: Final = 9990


@dataclass(frozen=True, slots=True)
class Observance:
    """One part of a VTIMEZONE. Times are those of the wall clock before the onset."""

    before: timedelta
    after: timedelta
    start: datetime
    dates: tuple[datetime, ...] = ()
    """Further onsets (RDATE)."""
    yearly: bool = False
    last_year: int = _FOREVER
    month: int = 0
    weekday: int = 0
    """ISO number of the weekday, 0 when the onset is a fixed date."""
    number: int = 0
    """Which weekday of the month, from its end when negative; 0: the one among ``days``."""
    days: tuple[int, ...] = ()
    """Days of the month among which the onset falls, empty for all."""

    def onset_in(self, year: int) -> datetime | None:
        """The yearly onset of a year."""
        if not self.yearly or not self.start.year <= year <= self.last_year:
            return None
        days = self._days_in(year)
        try:
            day = days[self.number - 1 if self.number > 0 else self.number]
            return self.start.replace(year=year, month=self.month, day=day)
        except (IndexError, ValueError):
            return None

    def _days_in(self, year: int) -> list[int]:
        """The days of the month among which the onset is chosen by its number."""
        first, length = monthrange(year, self.month)
        if not self.weekday:
            return [day for day in range(1, length + 1) if day in self.days]
        days = range(1 + (self.weekday - 1 - first) % 7, length + 1, 7)
        return [day for day in days if not self.days or day in self.days]

    def last_onset(self, utc: datetime) -> datetime | None:
        """The last onset at or before a naive UTC time, in UTC."""
        onsets = [self.start, *self.dates]
        for year in range(min(utc.year + 1, self.last_year), min(utc.year, self.last_year) - 3, -1):
            onset = self.onset_in(year)
            if onset is not None:
                onsets.append(onset)
        past = [onset for onset in onsets if onset - self.before <= utc]
        return max(past) - self.before if past else None


class ObservanceZone(OffsetZone):
    """The zone that a VTIMEZONE describes."""

    def __init__(self, name: str, observances: tuple[Observance, ...]) -> None:
        super().__init__(name)
        if not observances:
            raise ParseError(f"VTIMEZONE {name!r} has no usable STANDARD or DAYLIGHT part")
        self.observances = observances
        first = min(observances, key=lambda each: each.start)
        self._before_all = first.before
        self._cached = lru_cache(maxsize=256)(self._find)

    def offset_at(self, utc: datetime) -> timedelta:
        """The offset at a naive UTC time."""
        return self._cached(utc)

    def _find(self, utc: datetime) -> timedelta:
        latest, offset = None, self._before_all
        for each in self.observances:
            onset = each.last_onset(utc)
            if onset is not None and (latest is None or onset > latest):
                latest, offset = onset, each.after
        return offset


def read_vtimezone(component: Component) -> ObservanceZone:
    """The zone of a VTIMEZONE component (ParseError when no part of it says an offset)."""
    parts = [child for child in component.children if child.name in ("STANDARD", "DAYLIGHT")]
    if len(parts) > _MOST_PARTS:
        raise ParseError(f"VTIMEZONE with {len(parts)} parts")
    name = (component.text("TZID") or "").strip()
    return ObservanceZone(name, tuple(found for part in parts for found in _observance(part)))


def _observance(part: Component) -> Iterator[Observance]:
    """The observance of a part; none when it has no offset."""
    after, before = _offset(part.text("TZOFFSETTO")), _offset(part.text("TZOFFSETFROM"))
    if after is None:
        return
    start = _moment(part.text("DTSTART") or "") or _EARLIEST
    dates = [_moment(date) for line in part.all("RDATE") for date in line.value.split(",")[:_MOST_DATES]]
    known = tuple(sorted(date for date in dates if date is not None))
    rule = part.first("RRULE")
    observance = Observance(after if before is None else before, after, start, known)
    yield observance if rule is None else _with_rule(observance, rule.value.upper())


def _with_rule(plain: Observance, rule: str) -> Observance:
    """The observance with its yearly rule; a rule that is not understood repeats the date of the start."""
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    start = plain.start
    last_year = _last_year(parts, plain)
    month = _number(parts.get("BYMONTH", ""), start.month)
    by_day = _BY_DAY.match(parts.get("BYDAY", "").split(",")[0])
    days = tuple(number for text in parts.get("BYMONTHDAY", "").split(",") if (number := _number(text, 0)) > 0)
    weekday = _WEEKDAYS[by_day[2]] if by_day else 0
    number = _number(by_day[1] or "", 0) if by_day else 0
    return Observance(
        plain.before,
        plain.after,
        start,
        plain.dates,
        True,
        last_year,
        month if 1 <= month <= 12 else start.month,
        weekday,
        # Among days of the month, or without any number, it is the first that fits.
        number if number and not days else 1,
        days or (() if weekday else (start.day,)),
    )


def _last_year(parts: dict[str, str], plain: Observance) -> int:
    """The last year with an onset, by UNTIL or else COUNT."""
    until = _moment(parts.get("UNTIL", ""))
    if until is not None:
        # UNTIL is the UTC time of the last onset; a day's grace forgives those who wrote it in local time.
        return (until + plain.before + timedelta(days=1)).year if until.year < _FOREVER else _FOREVER
    count = _number(parts.get("COUNT", ""), 0)
    return min(plain.start.year + count - 1, _FOREVER) if count > 0 else _FOREVER


def _number(text: str, default: int) -> int:
    try:
        return int(text[:6])
    except ValueError:
        return default


def _offset(text: str | None) -> timedelta | None:
    """A UTC offset; seconds are honoured (RFC 5545 3.3.14)."""
    match = _OFFSET.match(text or "")
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    if size > _LARGEST_OFFSET:
        return None
    return -size if match[1] == "-" else size


def _moment(text: str) -> datetime | None:
    """A date or date-time as wall-clock time, whatever zone it claims to have."""
    match = _MOMENT.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups())
    try:
        # Kept off the ends of the calendar, where an offset could not be subtracted any more.
        return datetime(min(max(year, _EARLIEST.year), _FOREVER), month, day, hour, minute, min(second, 59))
    except ValueError:
        return None
