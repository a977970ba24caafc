"""Series: RRULE, RDATE and EXDATE against the recurrence blob, with all that stands beside it (MS-OXOCAL 2.2.1.44).

What MAPI cannot express is refused with the reason, unless it is a bounded set of days (see `finite`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY, days_from_civil
from gateway.convert.ical.expand import days, last_day
from gateway.convert.ical.finite import MAX_DAYS, finite_days, listing
from gateway.convert.ical.moments import (
    Zones,
    date_text,
    local,
    of_rtime,
    parse_duration,
    rtime,
    stamp,
    time_line,
    utc_of,
)
from gateway.convert.ical.pattern import NEVER_ENDS, EndType, Frequency, Pattern, PatternType
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.rrule import from_rrule, to_rrule
from gateway.convert.ical.rruleparts import Unrepresentable
from gateway.convert.ical.spans import Span
from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.ical.values import octets
from gateway.convert.lines import Component, Line
from gateway.mapi.props import NamedProps
from gateway.mapi.times import rtime_to_filetime

MAX_DATES: Final = 10_000
"""EXDATEs and RDATEs of one series."""
_TYPES: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 2, Frequency.MONTHLY: 3, Frequency.YEARLY: 4}
_LAST_FILETIME: Final = rtime_to_filetime(NEVER_ENDS)


@dataclass(frozen=True, slots=True)
class Series:
    """A pattern, and what the client wrote when that says it in another way."""

    pattern: Pattern
    rules: tuple[str, ...] = ()
    dates: tuple[int, ...] = ()
    """RDATEs, midnights."""
    only_instances: bool = False
    """Whether the client knows single instances only, and the series is made for them."""

    @property
    def is_listed(self) -> bool:
        """Whether the pattern is a mere list of days."""
        return bool(self.rules or self.dates)


# Reading a calendar


def is_series(component: Component) -> bool:
    """Whether a component repeats; an empty RRULE says nothing."""
    return any(line.name in ("RRULE", "RDATE") and line.value.strip() for line in component.lines)


def read_series(component: Component, span: Span, zones: Zones) -> Series | None:
    """The series of a VEVENT without its exceptions, None when it does not repeat (ParseError)."""
    if not is_series(component):
        return None
    if any(line.value.strip() for line in component.all("EXRULE")):
        raise Unrepresentable("EXRULE has no form in MAPI")
    zone = span.zone or UTC_ZONE
    start = rtime(span.start)
    end_offset = rtime(span.end_in_zone) - start // DAY * DAY
    rules = tuple(line.value.strip() for line in component.all("RRULE") if line.value.strip())
    dates = _rdates(component, span, zones)
    series = _series(rules, dates, span.start, end_offset, zone)
    return replace(series, pattern=_without(series.pattern, _exdates(component, zone, zones)))


def _series(
    rules: tuple[str, ...], dates: tuple[int, ...], start: datetime, end_offset: int, zone: Zone
) -> Series:
    minutes = rtime(start)
    if len(rules) == 1 and not dates:
        try:
            pattern = from_rrule(
                rules[0],
                minutes,
                end_offset=end_offset,
                local=lambda utc: rtime(local(of_rtime(utc), zone)),
            )
            return Series(pattern)
        except Unrepresentable as reason:
            try:
                return Series(_listed(rules, dates, start, end_offset, zone), rules, dates)
            except Unrepresentable:
                raise reason from None
    return Series(_listed(rules, dates, start, end_offset, zone), rules, dates)


def _listed(
    rules: tuple[str, ...], dates: tuple[int, ...], start: datetime, end_offset: int, zone: Zone
) -> Pattern:
    found = members(rules, dates, start, zone)
    if not found or min(found) != rtime(start) // DAY * DAY:
        raise Unrepresentable("single dates that do not begin with DTSTART have no form in MAPI")
    return listing(found, rtime(start) % DAY, end_offset)


def members(rules: tuple[str, ...], dates: tuple[int, ...], start: datetime, zone: Zone) -> set[int]:
    """Midnights of a listed series; without a rule its start is the first of them."""
    found = finite_days(rules, start, lambda utc: local(utc, zone)) | set(dates)
    return found if rules else found | {rtime(start) // DAY * DAY}


def _rdates(component: Component, span: Span, zones: Zones) -> tuple[int, ...]:
    """Midnights of RDATEs, which must be like the start but for their day."""
    found: set[int] = set()
    zone = span.zone or UTC_ZONE
    for line in component.all("RDATE"):
        for value in filter(None, map(str.strip, line.value.split(","))):
            first, _, period = value.partition("/")
            wall = zones.when(line, first).wall_in(zone)
            if not span.all_day and wall.replace(second=0).time() != span.start.time():
                raise Unrepresentable("an RDATE at another time of the day has no form in MAPI")
            if period and not _is_as_long(line, wall, period, span, zones):
                raise Unrepresentable("an RDATE of another length has no form in MAPI")
            found.add(rtime(wall) // DAY * DAY)
    if len(found) > MAX_DAYS:
        raise Unrepresentable(f"more than {MAX_DAYS} RDATEs have no form in MAPI")
    return tuple(sorted(found))


def _is_as_long(line: Line, wall: datetime, period: str, span: Span, zones: Zones) -> bool:
    length = (span.end_in_zone - span.start).total_seconds()
    if period[:1] in "Pp+-":
        return parse_duration(period).total == length
    return (zones.when(line, period).wall_in(span.zone or UTC_ZONE) - wall).total_seconds() == length


def _exdates(component: Component, zone: Zone, zones: Zones) -> set[int]:
    """Midnights of the days on which an EXDATE lies."""
    found: set[int] = set()
    for line in component.all("EXDATE"):
        for value in filter(None, map(str.strip, line.value.split(","))):
            if len(found) >= MAX_DATES:
                raise ParseError(f"more than {MAX_DATES} EXDATEs")
            found.add(rtime(zones.when(line, value).wall_in(zone)) // DAY * DAY)
    return found


def _without(pattern: Pattern, gone: set[int]) -> Pattern:
    deleted = set(pattern.deleted)
    deleted |= {day for day in gone if day not in deleted and falls_on(pattern, day)}
    return replace(pattern, deleted=tuple(sorted(deleted)))


def falls_on(pattern: Pattern, day: int) -> bool:
    """Whether a pattern has an instance on a day, deleted or not."""
    return next(days(pattern, day, day), None) == day


# Properties


def stored_pattern(props: NamedProps, span: Span | None = None) -> Pattern | None:
    """The pattern of a stored series, None when it is none or cannot be read."""
    blob = octets(props, ids.RECUR)
    if not blob or props.get(ids.RECURRING) is False:
        return None
    try:
        pattern = decode(blob)
    except ParseError:
        return None
    if pattern.start_offset is None:  # the blob of a task, or cut short: the times are elsewhere
        start = rtime(span.start) % DAY if span is not None and not span.all_day else 0
        length = rtime(span.end_in_zone) - rtime(span.start) if span is not None else 0
        pattern = replace(pattern, start_offset=start, end_offset=start + max(length, 0))
    return pattern


def first_span(pattern: Pattern, span: Span) -> Span:
    """The times of the first instance; they may be a day later than those of a start that the rule does not meet."""
    start = of_rtime(pattern.start + (pattern.start_offset or 0))
    if start.date() == span.start.date():
        return span
    shift = start - span.start.replace(second=0, microsecond=0)
    return span._replace(start=start, end=span.end + shift)


def write_series(props: NamedProps, pattern: Pattern) -> None:
    """Set the recurrence and what goes with it; a blob that means the same already stays."""
    if not _means(octets(props, ids.RECUR), pattern):
        props[ids.RECUR] = encode(pattern)
    props[ids.RECURRING] = True
    props[ids.IS_RECURRING] = True
    props[ids.RECURRENCE_TYPE] = _TYPES[pattern.frequency]
    props[ids.CLIP_START] = rtime_to_filetime(pattern.start)
    last = last_day(pattern)
    props[ids.CLIP_END] = _LAST_FILETIME if last == NEVER_ENDS else rtime_to_filetime(last)


def _means(stored: bytes, pattern: Pattern) -> bool:
    """Whether a blob says the same; on which day weeks begin matters to every second week only."""
    if not stored:
        return False
    try:
        before = decode(stored)
    except ParseError:
        return False
    if pattern.type is not PatternType.WEEK or pattern.period == 1:
        before = replace(before, first_day_of_week=pattern.first_day_of_week)
    return encode(before) == encode(pattern)


def clear_series(props: NamedProps) -> None:
    """Make an item one that does not repeat."""
    for key in (ids.RECUR, ids.RECURRENCE_TEXT, ids.ZONE_RECUR, ids.ZONE_STRUCT):
        props.pop(key, None)
    props[ids.RECURRING] = False
    props[ids.IS_RECURRING] = False
    props[ids.RECURRENCE_TYPE] = 0


# Writing a calendar


def rule_lines(pattern: Pattern, zone: Zone | None, *, all_day: bool) -> list[str]:
    """RRULE of a pattern (Unrepresentable when it counts in another calendar)."""

    def until(minutes: int) -> str:
        wall = of_rtime(minutes)
        return date_text(wall) if all_day else stamp(utc_of(wall, zone or UTC_ZONE)) + "Z"

    return ["RRULE:" + to_rrule(pattern, until)]


def exdate_lines(pattern: Pattern, gone: tuple[int, ...], zone: Zone | None, *, all_day: bool) -> list[str]:
    """An EXDATE for each day: some clients do not understand lists."""
    return date_lines("EXDATE", gone, pattern.start_offset or 0, zone, all_day=all_day)


def date_lines(
    name: str, dates: tuple[int, ...], offset: int, zone: Zone | None, *, all_day: bool
) -> list[str]:
    """A property for each day of a series, at its time of the day."""
    return [time_line(name, of_rtime(day + offset), zone, is_date=all_day) for day in dates]


# Legacy fields of meeting requests


def packed_date(wall: datetime) -> int:
    """A date as PSETID_Meeting packs it."""
    return wall.day + wall.month * 32 + wall.year * 512


def packed_time(minutes: int) -> int:
    """Minutes of a day as PSETID_Meeting packs them."""
    return minutes % 60 * 64 + minutes // 60 * 4096


def unpacked_time(value: int) -> int:
    """Minutes of a day from their packed form."""
    return (value // 64 % 64) + (value // 4096) * 60


def ends(pattern: Pattern) -> bool:
    """Whether a series has an end."""
    return pattern.end_type is not EndType.NEVER


def midnight(year: int, month: int, day: int) -> int:
    """Rtime of a date."""
    return days_from_civil(year, month, day) * DAY
