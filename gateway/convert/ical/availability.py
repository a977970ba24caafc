"""VAVAILABILITY (RFC 7953) and working hours: written for clients, read from them, and as times that are not free.

A client may say more than one beginning and end for all working days. Its text is kept as it came and given back
as long as the working hours are those it was reduced to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.busytimes import Busy, happenings
from gateway.convert.ical.layout import ZonesUsed, calendar_object
from gateway.convert.ical.moments import When, Zones, filetime, later, parse_duration, time_line
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.reading import item_of, single_calendar
from gateway.convert.ical.rruleparts import NAMES
from gateway.convert.ical.timezones import Zone
from gateway.convert.ical.workinghours import WorkingHours, hours_of
from gateway.convert.lines import Component, Line, line_text
from gateway.mapi.content import MessageContent

MAX_SIZE: Final = 64 * 1024
"""Octets of a text that is kept."""
MAX_PARTS: Final = 200
MAX_INSTANCES: Final = 2000
"""Of one AVAILABLE in a window."""
_UID: Final = "working-hours"
_SUNDAY: Final = datetime(2000, 1, 2)
_STAMP: Final = "20000101T000000Z"
_STATUSES: Final = {
    "BUSY-UNAVAILABLE": ids.OUT_OF_OFFICE,
    "BUSY-TENTATIVE": ids.TENTATIVE,
    "BUSY": ids.BUSY,
}
_LOWEST: Final = 10
"""PRIORITY 0 is no priority: it comes after 9."""


def availability_of(settings: str, kept: bytes, zone: Zone) -> bytes | None:
    """The availability of a user: ``settings`` is what the store has, ``kept`` what a client wrote.

    The client's text as long as it still means the hours of the settings; None for users who never set any.
    """
    hours = hours_of(settings)
    if kept:
        try:
            if working_hours_of(kept, zone) == hours or hours is None:
                return kept
        except ParseError:
            pass
    return written(hours, zone) if hours is not None else None


def written(hours: WorkingHours, zone: Zone) -> bytes:
    """Working hours as a calendar object with one VAVAILABILITY."""
    block = Block("VAVAILABILITY", [f"UID:{_UID}", f"DTSTAMP:{_STAMP}", "BUSYTYPE:BUSY-UNAVAILABLE"])
    zones = ZonesUsed()
    if hours.days:
        zones.add(zone, _SUNDAY.year)
        day = _SUNDAY + timedelta(days=min(hours.days))
        names = ",".join(NAMES[each] for each in sorted(hours.days))
        times = [
            time_line(name, day + timedelta(minutes=minutes), zone)
            for name, minutes in (("DTSTART", hours.start), ("DTEND", hours.end))
        ]
        head = [f"UID:{_UID}-1", f"DTSTAMP:{_STAMP}", "SUMMARY:Working hours"]
        block.children.append(
            Block("AVAILABLE", [*head, *times, line_text("RRULE", f"FREQ=WEEKLY;BYDAY={names}")])
        )
    return calendar_object([block], zones)


# Reading


def working_hours_of(availability: bytes, zone: Zone) -> WorkingHours:
    """The working hours that come nearest to a client's availability (ParseError when it is broken).

    Working days are those of the weekly times without an end; beginning and end are those of the most days, of
    several times on a day the first begins and the last ends it.
    """
    calendar, parts = _parts(availability)
    zones = Zones(calendar, zone)
    days: dict[int, tuple[int, int]] = {}
    for part in parts:
        for available in part.components("AVAILABLE"):
            for day, start, end in _weekly(available, zones, zone):
                known = days.get(day, (start, end))
                days[day] = min(known[0], start), max(known[1], end)
    if not days:
        return WorkingHours(frozenset())
    (start, end), _ = Counter(days[day] for day in sorted(days)).most_common(1)[0]
    return WorkingHours(frozenset(days), start, end)


def _parts(availability: bytes) -> tuple[Component, list[Component]]:
    if len(availability) > MAX_SIZE:
        raise ParseError(f"an availability of more than {MAX_SIZE} octets")
    calendar = single_calendar(availability)
    parts = list(calendar.components("VAVAILABILITY"))
    if not parts:
        raise ParseError("no VAVAILABILITY")
    if sum(len(part.children) + 1 for part in parts) > MAX_PARTS:
        raise ParseError(f"an availability of more than {MAX_PARTS} parts")
    return calendar, parts


def _weekly(available: Component, zones: Zones, zone: Zone) -> Iterable[tuple[int, int, int]]:
    """Weekday, beginning and end of times that come every week and for ever."""
    rule = dict(
        part.split("=", 1) for part in (available.text("RRULE") or "").upper().split(";") if "=" in part
    )
    start, end = _times(available, zones)
    if rule.keys() & {"COUNT", "UNTIL"} or rule.get("INTERVAL", "1") != "1" or available.first("RECURRENCE-ID"):
        return
    names = [name for name in rule.get("BYDAY", "").split(",") if name in NAMES]
    if rule.get("FREQ") == "DAILY":
        names = names or list(NAMES)
    elif rule.get("FREQ") != "WEEKLY":
        return
    first = start.wall_in(zone)
    minutes = first.hour * 60 + first.minute
    length = min(int((end - start.utc).total_seconds()) // 60, 1440 - minutes)
    for day in [NAMES.index(name) for name in names] or [(first.isoweekday()) % 7]:
        if length > 0:
            yield day, minutes, minutes + length


def _times(component: Component, zones: Zones) -> tuple[When, datetime]:
    """The start of a component and its end in UTC (ParseError)."""
    line = component.first("DTSTART")
    if line is None:
        raise ParseError(f"{component.name} without DTSTART")
    start = zones.when(line)
    end = _end(component, zones, start)
    return start, start.utc if end is None else end


def _end(component: Component, zones: Zones, start: When) -> datetime | None:
    if (line := component.first("DTEND")) is not None:
        return zones.when(line).utc
    if (line := component.first("DURATION")) is not None:
        return start._replace(wall=later(start, parse_duration(line.value))).utc
    return None


# Times that are not free


def unavailable(availability: bytes, first: int, last: int, options: Options = DEFAULTS) -> list[Busy]:
    """When somebody is not available in a window (FILETIMEs), by start (ParseError when the text is broken).

    Of several VAVAILABILITYs that say something about a time, the one of the highest priority counts (RFC 7953 4).
    """
    calendar, parts = _parts(availability)
    zones = Zones(calendar, options.zone)
    found: list[Busy] = []
    for part in sorted(parts, key=_priority, reverse=True):
        start, end = _bounds(part, zones, first, last)
        if start >= end:
            continue
        found = _without(found, start, end)
        status = _STATUSES.get((part.text("BUSYTYPE") or "").strip().upper(), ids.OUT_OF_OFFICE)
        found += _between(start, end, status, sorted(_available(calendar, part, start, end, options)))
    return sorted(found)


def _between(start: int, end: int, status: int, others: Iterable[tuple[int, int]]) -> Iterable[Busy]:
    """What is left of a time between others."""
    for other_start, other_end in others:
        if other_start > start:
            yield Busy(start, min(other_start, end), status)
        start = max(start, other_end)
        if start >= end:
            return
    yield Busy(start, end, status)


def beside(periods: Iterable[Busy], taken: Sequence[Busy]) -> list[Busy]:
    """Periods as far as nothing else takes the time: meetings count before working hours (RFC 7953 5).

    Both are by start, ``taken`` without overlaps.
    """
    found: list[Busy] = []
    others = [(each.start, each.end) for each in taken]
    passed = 0
    for each in periods:
        while passed < len(others) and others[passed][1] <= each.start:
            passed += 1
        until = bisect_left(others, (each.end,), passed)
        found += _between(each.start, each.end, each.status, others[passed:until])
    return found


def _priority(part: Component) -> int:
    word = (part.text("PRIORITY") or "").strip()
    return int(word) if len(word) == 1 and word in "123456789" else _LOWEST


def _bounds(part: Component, zones: Zones, first: int, last: int) -> tuple[int, int]:
    """The part of a window that a VAVAILABILITY is about."""
    line = part.first("DTSTART")
    if line is None:
        return first, last
    start = zones.when(line)
    end = _end(part, zones, start)
    return max(first, filetime(start.utc)), last if end is None else min(last, filetime(end))


def _available(
    calendar: Component, part: Component, first: int, last: int, options: Options
) -> Iterable[tuple[int, int]]:
    """The times at which a VAVAILABILITY says that somebody is available."""
    by_uid: dict[str, list[Component]] = {}
    for place, available in enumerate(part.components("AVAILABLE")):
        by_uid.setdefault(available.text("UID") or f"{place}", []).append(available)
    for uid, components in by_uid.items():
        for each in happenings(_event(calendar, uid, components, options), first, last, options, MAX_INSTANCES):
            yield each.start, each.end


def _event(calendar: Component, uid: str, components: list[Component], options: Options) -> MessageContent:
    """The available times of a UID as an event, whose instances are known how to find (ParseError)."""
    events = [
        Component("VEVENT", [*(line for line in each.lines if line.name != "UID"), Line("UID", uid)])
        for each in components
    ]
    zones = list(calendar.components("VTIMEZONE"))
    return item_of(Component("VCALENDAR", calendar.lines, [*zones, *events]), None, replace(options, owner=()))


def _without(periods: list[Busy], start: int, end: int) -> list[Busy]:
    """Periods without what lies between two times."""
    left: list[Busy] = []
    for each in periods:
        if each.end <= start or each.start >= end:
            left.append(each)
            continue
        if each.start < start:
            left.append(each._replace(end=start))
        if each.end > end:
            left.append(each._replace(start=end))
    return left
