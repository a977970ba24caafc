"""Start and end of an event, timed or all-day, in a calendar and in properties (MS-OXOCAL 2.2.1.5-2.2.1.9).

An all-day event is stored as local midnights of the owner's zone; some writers store UTC midnights, which is
recognised.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.itemzone import end_zone, start_zone, write_zones
from gateway.convert.ical.moments import (
    ONE_DAY,
    When,
    Zones,
    filetime,
    in_range,
    later,
    local,
    naive_utc,
    parse_duration,
    time_line,
    utc_of,
)
from gateway.convert.ical.options import Options
from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps

_NOON: Final = 12
_MINUTE: Final = timedelta(minutes=1)
_DAY_FLAGS: Final = ("X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT")
MINUTES_OF_DAY: Final = 1440


class Span(NamedTuple):
    """When an event takes place, on the wall clocks of where it begins and ends."""

    start: datetime
    end: datetime
    zone: Zone | None
    """None: nobody said; the times are UTC."""
    end_zone: Zone | None
    all_day: bool = False

    @property
    def utc_start(self) -> datetime:
        """The naive UTC time of the start."""
        return utc_of(self.start, self.zone or UTC_ZONE)

    @property
    def utc_end(self) -> datetime:
        """The naive UTC time of the end."""
        return utc_of(self.end, self.end_zone or UTC_ZONE)

    @property
    def end_in_zone(self) -> datetime:
        """The end on the start's wall clock."""
        if self.end_zone is self.zone:
            return self.end
        return local(self.utc_end, self.zone or UTC_ZONE)

    @property
    def minutes(self) -> int:
        """The length; whole days for an all-day event, whatever the clock did meanwhile."""
        if self.all_day:
            return (self.end - self.start).days * MINUTES_OF_DAY
        return (self.utc_end - self.utc_start) // _MINUTE

    def to_minutes(self) -> Span:
        """The times without seconds, which series do not have."""
        return self._replace(start=self.start.replace(second=0), end=self.end.replace(second=0))

    def lines(self) -> list[str]:
        """DTSTART and DTEND."""
        return [
            time_line("DTSTART", self.start, self.zone, is_date=self.all_day),
            time_line("DTEND", self.end, self.end_zone, is_date=self.all_day),
        ]


# From a calendar


def read_span(component: Component, zones: Zones, options: Options) -> Span:
    """The times of a VEVENT (ParseError when it has no start or one that is no time)."""
    line = component.first("DTSTART")
    if line is None:
        raise ParseError("an event without DTSTART")
    start = zones.when(line)
    end = _read_end(component, zones, start)
    if start.is_date or _is_flagged(component, start, end):
        first, last = _midnight(start.wall), _midnight(end.wall)
        return Span(first, max(last, first + ONE_DAY), options.zone, options.zone, True)
    if end.utc < start.utc:
        end = start
    return Span(start.wall, end.wall, start.zone, end.zone)


def _read_end(component: Component, zones: Zones, start: When) -> When:
    if (line := component.first("DTEND")) is not None and line.value.strip():
        end = zones.when(line)
        if start.is_date or not end.is_date:
            return end
        return When(end.wall, start.zone)
    if (line := component.first("DURATION")) is not None and line.value.strip():
        duration = parse_duration(line.value)
        return start if duration.total < 0 else start._replace(wall=later(start, duration))
    return start._replace(wall=in_range(start.wall + ONE_DAY)) if start.is_date else start


def _is_flagged(component: Component, start: When, end: When) -> bool:
    """Whether times are whole days because a Microsoft program says so; it must look like it, too."""
    if not any((component.text(name) or "").strip().upper() == "TRUE" for name in _DAY_FLAGS):
        return False
    return _midnight(start.wall) == start.wall and _midnight(end.wall) == end.wall and end.wall > start.wall


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


# Properties


def stored_span(props: NamedProps, options: Options, *, recurring: bool = False) -> Span | None:
    """The times of a stored event, None when it has no start."""
    start = naive_utc(props.get(ids.START)) or naive_utc(props.get(pt.PR_START_DATE))
    start = start or naive_utc(props.get(ids.COMMON_START))
    if start is None:
        return None
    end = naive_utc(props.get(ids.END)) or naive_utc(props.get(pt.PR_END_DATE))
    end = end or naive_utc(props.get(ids.COMMON_END)) or start
    zone = start_zone(props, start.year, recurring=recurring)
    if props.get(ids.ALL_DAY):
        first, last = _day(start, zone, options), _day(end, zone, options)
        own = zone or options.zone
        return Span(first, max(last, first + ONE_DAY), own, own, True)
    if zone is None:
        return Span(start, max(start, end), None, None)
    other = end_zone(props, start.year, zone) or zone
    return Span(local(start, zone), local(max(start, end), other), zone, other)


def _day(utc: datetime, zone: Zone | None, options: Options) -> datetime:
    """The date that a stored time of an all-day event means, as its midnight."""
    wall = local(utc, zone or options.zone)
    if _midnight(wall) == wall:
        return wall
    if zone is None and _midnight(utc) == utc:
        return utc
    return _midnight(wall) + (ONE_DAY if wall.hour >= _NOON else timedelta(0))


def write_span(props: NamedProps, span: Span, options: Options, *, recurring: bool = False) -> None:
    """Set the times of an event, with their zones."""
    stored = stored_span(props, options, recurring=recurring) if ids.START in props else None
    if stored is None or not _same(stored, span):
        start, end = filetime(span.utc_start), filetime(span.utc_end)
        for key in (ids.START, ids.COMMON_START, pt.PR_START_DATE):
            props[key] = start
        for key in (ids.END, ids.COMMON_END, pt.PR_END_DATE):
            props[key] = end
    elif span.all_day and ids.ZONE_START in props:
        span = span._replace(zone=stored.zone, end_zone=stored.end_zone)
    props[ids.DURATION] = span.minutes
    props[ids.ALL_DAY] = span.all_day
    zone = span.zone or UTC_ZONE
    write_zones(props, zone, span.end_zone or zone, span.start.year, recurring=recurring)
    if not recurring:
        props[ids.CLIP_START] = props[ids.START]
        props[ids.CLIP_END] = props[ids.END]


def _same(stored: Span, span: Span) -> bool:
    """Whether stored times mean these already; an all-day event may be stored in any zone."""
    if stored.all_day != span.all_day:
        return False
    if span.all_day:
        return (stored.start, stored.end) == (span.start, span.end)
    return (stored.utc_start, stored.utc_end) == (span.utc_start, span.utc_end)
