"""Points in time: FILETIMEs, wall clocks and the values of DATE, DATE-TIME and DURATION (RFC 5545 3.3.4-3.3.6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from gateway.convert.errors import ParseError
from gateway.convert.ical.propids import NO_DATE
from gateway.convert.ical.timezones import UTC_ZONE, Zone, chosen_zone, described_zone, zone_of_tzid
from gateway.convert.lines import Component, Line

EPOCH: Final = datetime(1601, 1, 1)
ONE_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1)
_FIRST: Final = 10 * 864_000_000_000
"""What lies in the first days of 1601 is an empty value."""
_YEARS: Final = range(1602, 4501)
"""MAPI's calendar ends in 4500."""
_VALUE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?", re.IGNORECASE | re.ASCII)
_DURATION: Final = re.compile(
    r"([+-])?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.IGNORECASE | re.ASCII,
)


class When(NamedTuple):
    """A time as a calendar gives it."""

    wall: datetime
    """Naive, in ``zone``; a date is its midnight."""
    zone: Zone
    is_date: bool = False

    @property
    def utc(self) -> datetime:
        """The naive UTC time."""
        return utc_of(self.wall, self.zone)

    def wall_in(self, zone: Zone) -> datetime:
        """The wall-clock time elsewhere; a date is that date everywhere."""
        return self.wall if self.is_date or zone is self.zone else local(self.utc, zone)


class Duration(NamedTuple):
    """A duration: days follow the calendar, seconds the clock (RFC 5545 3.3.6)."""

    days: int
    seconds: int

    @property
    def total(self) -> int:
        """All of it in seconds."""
        return self.days * 86_400 + self.seconds


class Zones:
    """The zones of one calendar object: its VTIMEZONEs, and what stands for those it does not describe."""

    def __init__(self, calendar: Component, default: Zone) -> None:
        self._components: dict[str, Component] = {}
        for component in calendar.components("VTIMEZONE"):
            self._components.setdefault(_plain(component.text("TZID") or ""), component)
        self._described: dict[str, Zone | None] = {}
        own = calendar.text("X-WR-TIMEZONE")
        self.default = zone_of_tzid(own, default) if own else default
        self._found: dict[tuple[str, int], Zone] = {}

    def zone(self, tzid: str, wall: datetime) -> Zone:
        """The zone of a TZID at a wall-clock time."""
        key = tzid, wall.toordinal()
        zone = self._found.get(key)
        if zone is None:
            if tzid not in self._described:
                self._described[tzid] = described_zone(tzid, self._components.get(_plain(tzid)))
            zone = chosen_zone(tzid, self.default, self._described[tzid], wall)
            self._found[key] = zone
        return zone

    def when(self, line: Line, value: str | None = None) -> When:
        """The time of a property, or of one of its values (ParseError)."""
        return self.read(line, line.value if value is None else value)

    def read(self, line: Line, value: str) -> When:
        """A value with the parameters of its property."""
        tzid = line.param("TZID")
        if ":" in value:  # Exchange writes TZID=tzone://Microsoft/Utc without quotes
            rest, _, value = value.rpartition(":")
            tzid = f"{tzid}:{rest}"
        wall, is_date, is_utc = parse_time(value)
        if is_date or line.param("VALUE").upper() == "DATE":
            return When(wall.replace(hour=0, minute=0, second=0), self.default, True)
        if is_utc:
            return When(wall, UTC_ZONE)
        return When(wall, self.zone(tzid, wall) if tzid else self.default)


def _plain(tzid: str) -> str:
    return tzid.replace('"', "").strip()


def parse_time(value: str) -> tuple[datetime, bool, bool]:
    """A DATE or DATE-TIME: wall clock, whether it is a date, whether it is UTC (ParseError)."""
    match = _VALUE.fullmatch(value.strip())
    if match is None:
        raise ParseError(f"{value[:40]!r} is neither a date nor a time")
    year, month, day, hour, minute, second, utc = match.groups()
    try:
        wall = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59)
        )
    except ValueError as error:
        raise ParseError(f"{value[:40]!r} does not exist: {error}") from None
    if wall.year not in _YEARS:
        raise ParseError(f"{value[:40]!r} lies outside of the years {_YEARS.start} to {_YEARS.stop - 1}")
    return wall, hour is None, utc is not None


def parse_duration(value: str) -> Duration:
    """A DURATION (ParseError)."""
    match = _DURATION.fullmatch(value.strip())
    if match is None or not any(match.groups()[1:]):
        raise ParseError(f"{value[:40]!r} is no duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    sign = -1 if match[1] == "-" else 1
    return Duration(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))


def later(when: When, duration: Duration) -> datetime:
    """The wall-clock time, in the same zone, after a duration (ParseError beyond the calendar's end)."""
    try:
        wall = when.wall + timedelta(days=duration.days)
        if when.is_date or not duration.seconds:
            return in_range(wall)
        utc = utc_of(wall, when.zone) + timedelta(seconds=duration.seconds)
        return in_range(local(utc, when.zone))
    except OverflowError:
        raise ParseError("a duration leads out of the calendar") from None


def in_range(wall: datetime) -> datetime:
    """The time itself (ParseError when MAPI's calendar does not hold it)."""
    if wall.year not in _YEARS:
        raise ParseError(f"the year {wall.year} has no place in a calendar")
    return wall


# FILETIME and rtime


def filetime(utc: datetime) -> int:
    """The FILETIME of a naive UTC time."""
    return (utc - EPOCH) // _MICROSECOND * 10


def naive_utc(value: int | None) -> datetime | None:
    """The naive UTC time of a FILETIME; None when it is missing or stands for no time."""
    if not isinstance(value, int) or not _FIRST < value < NO_DATE:
        return None
    return EPOCH + timedelta(microseconds=value // 10)


def utc_of(wall: datetime, zone: Zone) -> datetime:
    """The naive UTC time of a wall-clock time."""
    if zone is UTC_ZONE:
        return wall
    return zone.to_utc(wall).replace(tzinfo=None)


def local(utc: datetime, zone: Zone) -> datetime:
    """The wall-clock time of a naive UTC time."""
    if zone is UTC_ZONE:
        return utc
    return zone.to_local(utc.replace(tzinfo=UTC))


def rtime(wall: datetime) -> int:
    """Minutes since 1601 of a wall-clock time, seconds cut off."""
    return (wall - EPOCH) // _MINUTE


def of_rtime(minutes: int) -> datetime:
    """The wall-clock time of minutes since 1601, at most the end of MAPI's calendar."""
    return EPOCH + timedelta(minutes=min(minutes, 1_577_836_800))


# Writing


def stamp(moment: datetime) -> str:
    """A DATE-TIME without zone."""
    return moment.isoformat()[:19].replace("-", "").replace(":", "")


def date_text(moment: datetime) -> str:
    """A DATE."""
    return moment.isoformat()[:10].replace("-", "")


def utc_text(value: int | None) -> str | None:
    """A FILETIME as UTC DATE-TIME, None when it is no time."""
    utc = naive_utc(value)
    return None if utc is None else stamp(utc) + "Z"


def time_line(name: str, wall: datetime, zone: Zone | None, *, is_date: bool = False) -> str:
    """A property with a time: a date, UTC, or a wall-clock time with its TZID."""
    if is_date:
        return f"{name};VALUE=DATE:{date_text(wall)}"
    if zone is None or zone.name == "UTC":
        return f"{name}:{stamp(wall)}Z"
    return f"{name};TZID={tzid_param(zone.name)}:{stamp(wall)}"


def tzid_param(name: str) -> str:
    """A zone's name as parameter value."""
    return f'"{name}"' if any(mark in name for mark in ":;,") else name
