"""Time zone rules as MAPI has them: offsets and two yearly switches (MS-OXOCAL 2.2.1.39), and a zone made of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

_LAST: Final = 5
_ZERO: Final = timedelta(0)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Switch:
    """A SYSTEMTIME: when a zone switches, on the wall clock of before.

    ``year`` 0: every year, ``day`` is which ``weekday`` (0 Sunday) of the month, 5 the last. Otherwise the date
    itself, good for that year only. ``month`` 0: never.
    """

    month: int = 0
    weekday: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    millisecond: int = 0
    year: int = 0

    def moment(self, year: int) -> datetime | None:
        """The wall-clock time of the switch in a year, None when there is none or the fields make no date."""
        if not 1 <= self.month <= 12 or self.year not in (0, year):
            return None
        try:
            midnight = datetime(year, self.month, self.day if self.year else self._day(year))
            return midnight + timedelta(hours=self.hour, minutes=self.minute, seconds=self.second)
        except (ValueError, OverflowError):
            return None

    def _day(self, year: int) -> int:
        first = datetime(year, self.month, 1)
        day = 1 + (self.weekday - first.isoweekday()) % 7 + 7 * (min(max(self.day, 1), _LAST) - 1)
        following = (year + 1, 1) if self.month == 12 else (year, self.month + 1)
        length = (datetime(*following, 1) - first).days if year < 9999 else 31
        return day if day <= length else day - 7


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """Biases in minutes (UTC = local + bias) and the switches to standard and to daylight time."""

    bias: int = 0
    standard_bias: int = 0
    daylight_bias: int = 0
    standard: Switch = Switch()
    daylight: Switch = Switch()

    @property
    def standard_offset(self) -> timedelta:
        """Offset of standard time, east of UTC positive."""
        return -timedelta(minutes=self.bias + self.standard_bias)

    @property
    def daylight_offset(self) -> timedelta:
        """Offset of daylight time; that of standard time when the zone has none."""
        if not self.has_daylight:
            return self.standard_offset
        return -timedelta(minutes=self.bias + self.daylight_bias)

    @property
    def has_daylight(self) -> bool:
        """Whether the clock is ever changed (a daylight bias alone says nothing)."""
        return bool(self.standard.month and self.daylight.month) and self.daylight_bias != self.standard_bias

    def daylight_of(self, year: int) -> tuple[datetime, datetime] | None:
        """The naive UTC times at which daylight time begins and ends in a year, None when it does not."""
        if not self.has_daylight:
            return None
        begins, ends = self.daylight.moment(year), self.standard.moment(year)
        if begins is None or ends is None:
            return None
        return begins - self.standard_offset, ends - self.daylight_offset


class OffsetZone(tzinfo):
    """A zone that knows its offset at every UTC time; the rest of tzinfo follows from that.

    Times that the clock skips or shows twice follow PEP 495: ``fold`` 0 is the offset before the switch, so a
    skipped time moves forward and one shown twice is the first.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def offset_at(self, utc: datetime) -> timedelta:
        """The offset at a naive UTC time."""
        raise TypeError("a zone says what its offsets are")

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """The offset at a wall-clock time."""
        if dt is None:
            return _ZERO
        wall = dt.replace(tzinfo=None, fold=0)
        try:
            around = {self.offset_at(wall - _DAY), self.offset_at(wall + _DAY)}
            fitting = [offset for offset in around if self.offset_at(wall - offset) == offset]
        except OverflowError:
            return self.offset_at(wall)
        if len(fitting) == 1:
            return fitting[0]
        # Shown twice: the larger offset comes first. Skipped: the smaller one was in force before.
        return max(around) if bool(fitting) != bool(dt.fold) else min(around)

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Unknown: a zone of rules has no history of what is standard."""
        return None

    def tzname(self, dt: datetime | None) -> str:
        """The zone's name, the same all year."""
        return self.name

    def fromutc(self, dt: datetime) -> datetime:
        """The wall-clock time of a UTC time."""
        offset = self.offset_at(dt.replace(tzinfo=None))
        wall = dt + offset
        return wall if self.utcoffset(wall) == offset else wall.replace(fold=1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class RuleZone(OffsetZone):
    """A zone of rules, each in force from January of its year until the next one's."""

    def __init__(self, name: str, rules: Mapping[int, ZoneRule]) -> None:
        super().__init__(name)
        if not rules:
            raise ValueError("a zone needs a rule")
        self._years = sorted(rules)
        self._rules = [rules[year] for year in self._years]

    def rule(self, year: int) -> ZoneRule:
        """The rule of a year; the first one also before its own."""
        return self._rules[max(bisect_right(self._years, year) - 1, 0)]

    def offset_at(self, utc: datetime) -> timedelta:
        """The offset at a naive UTC time, by the rule of the year on the wall."""
        rule = self.rule(utc.year)
        try:
            year = (utc + rule.standard_offset).year
            rule = self.rule(year)
            daylight = rule.daylight_of(year)
        except OverflowError:
            daylight = None
        if daylight is None:
            return rule.standard_offset
        begins, ends = daylight
        inside = begins <= utc < ends if begins < ends else not ends <= utc < begins
        return rule.daylight_offset if inside else rule.standard_offset
