"""Which part of a calendar object is told: calendar-data (RFC 4791 9.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.errors import ParseError
from gateway.convert.ical.moments import ONE_DAY, When, Zones, date_text, stamp
from gateway.convert.ical.timezones import Zone
from gateway.convert.lines import Component, Line, parse, write
from gateway.dav.errors import Refused
from gateway.dav.query.occurrences import Calendar, Occurrence, in_utc
from gateway.dav.query.properties import C
from gateway.dav.query.ranges import OVERLAPS, Range, read_range

#: What makes a series of a component.
_OF_SERIES: Final = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"})
_MOST_INSTANCES: Final = 5000


@dataclass(frozen=True, slots=True)
class Part:
    """What is told of a component: None stands for everything."""

    props: dict[str, bool] | None
    """Names, and whether the value is left out."""
    parts: dict[str, Part] | None


class CalendarData:
    """What a request wants of calendar objects (Refused when that does not exist)."""

    def __init__(self, element: ET.Element, zone: Zone) -> None:
        if (
            element.get("content-type", "text/calendar") != "text/calendar"
            or element.get("version", "2.0") != "2.0"
        ):
            raise Refused(403, "C:supported-calendar-data", "calendar objects are text/calendar, version 2.0")
        self._zone = zone
        comp = element.find(f"{C}comp")
        self._part = _part(comp) if comp is not None else None
        self._expand = _range(element, "expand")
        self._recurrences = _range(element, "limit-recurrence-set")
        # There are no VFREEBUSYs in collections, so that limit-freebusy-set changes nothing; its range is checked.
        _range(element, "limit-freebusy-set")
        #: Whether something else than the whole text is wanted.
        self.is_partial = any((self._part, self._expand, self._recurrences))

    def of(self, text: str) -> str:
        """The wanted part of a calendar object."""
        found = parse(text)
        if not found:
            return text
        calendar = Calendar(found[0], self._zone)
        if self._expand is not None:
            calendar.component.children = [*_expanded(calendar, self._expand)]
        elif self._recurrences is not None:
            calendar.component.children = [*_limited(calendar, self._recurrences)]
        component = calendar.component if self._part is None else _selected(calendar.component, self._part)
        return write(component).decode("utf-8", "replace")


def _range(element: ET.Element, name: str) -> Range | None:
    found = element.find(f"{C}{name}")
    return read_range(found, "C:valid-calendar-data", both=True) if found is not None else None


# comp and prop


def _part(element: ET.Element) -> Part:
    """An element without conditions wants everything."""
    props = {
        each.get("name", "").upper(): each.get("novalue", "no") == "yes"
        for each in element.iterfind(f"{C}prop")
    }
    comps = {each.get("name", "").upper(): _part(each) for each in element.iterfind(f"{C}comp")}
    if not len(element):
        return Part(None, None)
    all_props, all_comps = element.find(f"{C}allprop"), element.find(f"{C}allcomp")
    return Part(None if all_props is not None else props, None if all_comps is not None else comps)


def _selected(component: Component, part: Part) -> Component:
    if part.props is None:
        lines = component.lines
    else:
        lines = [
            Line(line.name, "", line.params, line.group) if part.props[line.name] else line
            for line in component.lines
            if line.name in part.props
        ]
    if part.parts is None:
        return Component(component.name, lines, component.children)
    children = [
        _selected(each, part.parts[each.name]) for each in component.children if each.name in part.parts
    ]
    return Component(component.name, lines, children)


# Series


def _expanded(calendar: Calendar, within: Range) -> Iterator[Component]:
    """Every instance in the range as a component of its own, in UTC."""
    count = 0
    for name in OVERLAPS:
        for occurrence in calendar.occurrences(name, within):
            count += 1
            if count > _MOST_INSTANCES:
                raise Refused(507, "D:number-of-matches-within-limits", "too many instances in this range")
            yield _instance(calendar, occurrence)


def _instance(calendar: Calendar, occurrence: Occurrence) -> Component:
    component = occurrence.component
    lines = [
        _moved(line, occurrence) or _in_utc(line, calendar.zones)
        for line in component.lines
        if line.name not in _OF_SERIES
    ]
    if occurrence.original is not None:
        lines.append(_time("RECURRENCE-ID", in_utc(occurrence.original)))
    return Component(component.name, lines, component.children)


def _moved(line: Line, occurrence: Occurrence) -> Line | None:
    """Start and end of an instance of a series, which are not those of its component."""
    begins, times = occurrence.begins, occurrence.times
    if line.name == "DTSTART" and begins is not None:
        return _time("DTSTART", in_utc(begins))
    if line.name in ("DTEND", "DUE") and times.end is not None and begins is not None and not begins.is_date:
        return Line(line.name, f"{stamp(times.end)}Z")
    if (
        line.name in ("DTEND", "DUE")
        and begins is not None
        and times.start is not None
        and times.end is not None
    ):
        days = timedelta(days=round((times.end - times.start) / ONE_DAY))
        return _time(line.name, begins._replace(wall=begins.wall + days))
    return None


def _in_utc(line: Line, zones: Zones) -> Line:
    """A property whose time has a zone, in UTC."""
    if "TZID" not in line.params:
        return line
    try:
        return _time(line.name, in_utc(zones.when(line)))
    except ParseError:
        return line


def _time(name: str, when: When) -> Line:
    if when.is_date:
        return Line(name, date_text(when.wall), {"VALUE": ("DATE",)})
    return Line(name, f"{stamp(when.wall)}Z")


def _limited(calendar: Calendar, within: Range) -> Iterator[Component]:
    """Everything but the changed instances that neither lie in the range nor did so before."""
    for component in calendar.component.children:
        line = component.first("RECURRENCE-ID")
        if line is None or component.name not in OVERLAPS or _touches(calendar, component, line, within):
            yield component


def _touches(calendar: Calendar, component: Component, line: Line, within: Range) -> bool:
    """Whether a changed instance lies in a range, did so before it was changed, or changes what follows."""
    times = calendar.times(component)
    if line.param("RANGE").upper() == "THISANDFUTURE" or OVERLAPS[component.name](times, within):
        return True
    try:
        original = calendar.zones.when(line).utc
    except ParseError:
        return True
    length = times.end - times.start if times.start is not None and times.end is not None else timedelta(0)
    return within.holds(original, original + length)
