"""Filters of calendar-query over calendar objects (RFC 4791 9.7).

A filter is made ready once, and tells beforehand what the listing and the raw text can tell: which component, which
time range, which words. Only items that pass are parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.errors import ParseError
from gateway.convert.ical.moments import ONE_DAY, When, parse_duration
from gateway.convert.ical.timezones import Zone
from gateway.convert.lines import Component, Line, parse
from gateway.dav.errors import Refused
from gateway.dav.query.occurrences import Calendar
from gateway.dav.query.properties import (
    C,
    LineTest,
    combined,
    lines_of,
    param_test,
    unsupported,
    value_test,
)
from gateway.dav.query.ranges import OVERLAPS, Range, read_range
from gateway.dav.query.textmatch import fold, needle, text_test

#: Tests the components of one name below a parent.
CompTest = Callable[[Calendar, Component], bool]
ComponentTest = Callable[[Component], bool]
PropTest = Callable[[Calendar, Component], bool]
#: Components that items are made of, one of them each.
_ITEMS: Final = frozenset(OVERLAPS) | {"VFREEBUSY", "VAVAILABILITY"}
_TIME_RANGE: Final = f"{C}time-range"
_NOT_DEFINED: Final = f"{C}is-not-defined"
#: Alarms that repeat do so at most that often, as far as a filter looks.
_MOST_REPEATS: Final = 100
_REACH: Final = timedelta(days=62)
"""How far from its instance an alarm is looked for."""


class CalendarFilter:
    """The filters of a query, made ready once for all items (Refused for one that has no meaning here)."""

    def __init__(self, filters: Iterable[ET.Element], zone: Zone) -> None:
        self.zone = zone
        roots = [_root(each) for each in filters]
        self._tests = [_children_test(each) for each in roots]
        inner = [child for each in roots for child in each if child.tag == f"{C}comp-filter"]
        wanted = [child for child in inner if child.find(_NOT_DEFINED) is None and _name(child) in _ITEMS]
        ranges = [read_range(each) for parent in (*roots, *wanted) for each in parent.iterfind(_TIME_RANGE)]
        #: Components that an item must have.
        self.components = {_name(child) for child in wanted}
        #: What the item must overlap, None when no range is asked.
        self.range = ranges[-1] if ranges else None
        #: Whether component and range are all that is asked.
        self.simple = (
            len(roots) <= 1
            and len(ranges) <= 1
            and len(inner) <= 1
            and inner == wanted
            and all(child.tag in (_TIME_RANGE, f"{C}comp-filter") for each in roots for child in each)
            and all(child.tag == _TIME_RANGE for each in wanted for child in each)
        )
        self._uids = [
            text_test(each[0], "C")
            for child in wanted
            for each in child.iterfind(f"{C}prop-filter")
            if each.get("name", "").upper() == "UID" and len(each) == 1 and each[0].tag == f"{C}text-match"
        ]
        self._needles = [text for child in wanted for text in _needles(child)]

    def may_have(self, uid: str) -> bool:
        """Whether an item of this UID may match."""
        return all(test([uid]) for test in self._uids)

    def matches(self, text: str) -> bool:
        """Whether a calendar object matches all filters."""
        if self._needles:
            folded = fold(text.replace("\r\n ", ""))
            if not all(each in folded for each in self._needles):
                return False
        found = parse(text)
        if not found:
            return False
        calendar = Calendar(found[0], self.zone)
        return all(test(calendar, calendar.component) for test in self._tests)


def _root(filter_: ET.Element) -> ET.Element:
    if len(filter_) != 1 or filter_[0].tag != f"{C}comp-filter" or filter_[0].get("name") != "VCALENDAR":
        raise Refused(403, "C:valid-filter", "a filter is one comp-filter of VCALENDAR")
    return filter_[0]


def _name(element: ET.Element) -> str:
    return element.get("name", "").upper()


def _needles(comp_filter: ET.Element) -> Iterator[str]:
    """Words that the written item must have."""
    for element in comp_filter.iterfind(f"{C}prop-filter/{C}text-match"):
        found = needle(element)
        if found:
            yield found


# Components


def _comp_filter(element: ET.Element, parent: str) -> CompTest:
    """Whether the children of a component fulfil a comp-filter."""
    name = _name(element)
    if not name:
        raise Refused(403, "C:valid-filter", "a comp-filter has a name")
    if element.find(_NOT_DEFINED) is not None:
        return lambda calendar, above: not any(True for _ in above.components(name))
    inner = _children_test(element)
    when = _range_test(element, name, parent)

    def test(calendar: Calendar, above: Component) -> bool:
        candidates = [each for each in above.components(name) if inner(calendar, each)]
        return bool(candidates) and (when is None or when(calendar, above, candidates))

    return test


def _children_test(element: ET.Element) -> CompTest:
    """Whether a component itself fulfils the conditions inside of a comp-filter."""
    name = _name(element)
    tests: list[CompTest] = []
    for child in element:
        if child.tag == f"{C}prop-filter":
            tests.append(_prop_filter(child))
        elif child.tag == f"{C}comp-filter":
            tests.append(_comp_filter(child, name))
        elif child.tag == _TIME_RANGE and name == "VCALENDAR":
            tests.append(_any_component(read_range(child)))
        elif child.tag not in (_TIME_RANGE, _NOT_DEFINED):
            raise unsupported("C", f"{child.tag} has no meaning in a comp-filter")
    return lambda calendar, component: all(test(calendar, component) for test in tests)


def _any_component(within: Range) -> CompTest:
    return lambda calendar, above: any(
        True for name in OVERLAPS for _ in calendar.occurrences(name, within) if above is calendar.component
    )


def _range_test(
    element: ET.Element, name: str, parent: str
) -> Callable[[Calendar, Component, list[Component]], bool] | None:
    time_range = element.find(_TIME_RANGE)
    if time_range is None:
        return None
    within = read_range(time_range)
    if name in OVERLAPS:
        return lambda calendar, above, found: any(
            any(each is occurrence.component for each in found)
            for occurrence in calendar.occurrences(name, within)
        )
    if name == "VALARM" and parent in OVERLAPS:
        return lambda calendar, above, found: any(
            within.start <= moment < within.end
            for alarm in found
            for moment in _alarm_times(calendar, above, alarm, within)
        )
    raise unsupported("C", f"a time range of {name} has no meaning here")


def _alarm_times(calendar: Calendar, above: Component, alarm: Component, within: Range) -> Iterator[datetime]:
    """When an alarm of a component rings, around a range (RFC 5545 3.8.6)."""
    trigger = alarm.first("TRIGGER")
    if trigger is None:
        return
    try:
        if trigger.param("VALUE").upper() == "DATE-TIME":
            yield calendar.zones.when(trigger).utc
            return
        offset = timedelta(seconds=parse_duration(trigger.value).total)
    except ParseError:
        return
    start = max(within.start, Range().start + 2 * _REACH + ONE_DAY) - _REACH
    end = min(within.end, Range().end - 2 * _REACH) + _REACH
    from_end = trigger.param("RELATED").upper() == "END"
    for each in calendar.occurrences(above.name, Range(start, end)):
        base = each.times.end if from_end else each.times.start or each.times.end
        if each.component is above and base is not None:
            for number in range(_repeats(alarm) + 1):
                yield base + offset + number * _pause(alarm)


def _repeats(alarm: Component) -> int:
    text = alarm.text("REPEAT") or "0"
    return min(int(text), _MOST_REPEATS) if text.strip().isdigit() else 0


def _pause(alarm: Component) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(alarm.text("DURATION") or "PT0S").total)
    except ParseError:
        return timedelta(0)


# Properties


def _prop_filter(element: ET.Element) -> PropTest:
    find = lines_of(element, "C")
    if len(element) == 0:
        return lambda calendar, component: any(True for _ in find(component))
    if element[0].tag == _NOT_DEFINED:
        return lambda calendar, component: not any(True for _ in find(component))
    ranges = [read_range(each) for each in element.iterfind(_TIME_RANGE)]
    makers = {f"{C}text-match": value_test, f"{C}param-filter": param_test}
    if any(child.tag not in makers and child.tag != _TIME_RANGE for child in element):
        raise unsupported("C", "a prop-filter has time-range, text-match and param-filter only")
    tests: list[LineTest] = [makers[child.tag](child, "C") for child in element if child.tag in makers]
    test = combined(tests, any_of=False)
    return lambda calendar, component: any(
        test(line) and all(_lies_in(calendar, line, within) for within in ranges) for line in find(component)
    )


def _lies_in(calendar: Calendar, line: Line, within: Range) -> bool:
    """Whether the time of a property lies in a range; a date is its whole day."""
    try:
        when: When = calendar.zones.when(line)
    except ParseError:
        return False
    end = When(when.wall + ONE_DAY, when.zone, True).utc if when.is_date else when.utc
    return within.holds(when.utc, end)
