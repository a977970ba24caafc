"""Occurrences: the instances of a calendar object, from its rules, dates and changed instances (RFC 5545 3.8.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from dateutil.rrule import rruleset, rrulestr

from gateway.convert.errors import ParseError
from gateway.convert.ical.moments import ONE_DAY, When, Zones, later, local, parse_duration
from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.lines import Component
from gateway.dav.query.ranges import OVERLAPS, Range, Times

_UNTIL: Final = re.compile(r"UNTIL=(\d{8})(T\d{6}Z?)?", re.IGNORECASE | re.ASCII)
_RULES: Final = ("RRULE", "RDATE")
#: Instances of one series that are looked at; the rest of it does not happen.
MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instance."""

    component: Component
    times: Times
    begins: When | None
    """Its own start, as the component gives it; None for a task without one."""
    original: When | None
    """The start that the series gives it (RECURRENCE-ID); None for what is no series."""


class Calendar:
    """A calendar object, read once; ``zone`` is that of dates and of times without a zone."""

    def __init__(self, component: Component, zone: Zone) -> None:
        self.component = component
        self.zones = Zones(component, zone)
        self.zones.default = zone

    def occurrences(self, name: str, within: Range) -> Iterator[Occurrence]:
        """The instances of components of this name that lie in a range; times that cannot be read give none."""
        overlaps = OVERLAPS[name]
        changed = [each for each in self.component.components(name) if each.first("RECURRENCE-ID")]
        taken = {_key(self._when(each, "RECURRENCE-ID")) for each in changed}
        for component in changed:
            times = self.times(component)
            if overlaps(times, within):
                original = self._when(component, "RECURRENCE-ID")
                yield Occurrence(component, times, self._when(component, "DTSTART"), original)
        for component in self.component.components(name):
            if component.first("RECURRENCE-ID") is None:
                found = self._series(component, within, taken)
                yield from (each for each in found if overlaps(each.times, within))

    def times(self, component: Component) -> Times:
        """The times of a component without regard to its rules."""
        start, due = self._when(component, "DTSTART"), self._end(component)
        completed, created = self._when(component, "COMPLETED"), self._when(component, "CREATED")
        duration = component.first("DURATION")
        end = due.utc if due is not None else None
        if start is not None and end is None:
            if duration is not None:
                span = parse_duration(duration.value)
                end = When(later(start, span), start.zone, start.is_date).utc
            elif start.is_date and component.name != "VTODO":
                end = When(start.wall + ONE_DAY, start.zone, True).utc
        return Times(
            start.utc if start is not None else None,
            end,
            duration is not None and due is None,
            completed.utc if completed is not None else None,
            created.utc if created is not None else None,
        )

    def _end(self, component: Component) -> When | None:
        return self._when(component, "DUE" if component.name == "VTODO" else "DTEND")

    def _when(self, component: Component, name: str) -> When | None:
        line = component.first(name)
        try:
            return self.zones.when(line) if line is not None else None
        except ParseError:
            return None

    def _series(self, component: Component, within: Range, taken: set[object]) -> Iterator[Occurrence]:
        anchor = self._when(component, "DTSTART") or self._end(component)
        times = self.times(component)
        if anchor is None or not any(component.first(name) for name in _RULES):
            yield Occurrence(component, times, self._when(component, "DTSTART"), None)
            return
        for number, wall in enumerate(self._walls(component, anchor)):
            original = anchor._replace(wall=wall)
            if original.utc > within.end or number >= MOST:
                return
            if _key(original) not in taken:
                begins = original if times.start is not None else None
                yield Occurrence(component, _moved(times, anchor, original), begins, original)

    def _walls(self, component: Component, anchor: When) -> Iterator[datetime]:
        """The wall clocks at which the instances of a series begin, in order."""
        found: Any = rruleset()
        found.rdate(anchor.wall)
        for line in component.all("RRULE"):
            try:
                found.rrule(rrulestr(_rule(line.value, anchor), dtstart=anchor.wall))
            except (ValueError, TypeError):
                continue  # a rule that cannot be read: the series is its first instance
        for when in self._dates(component, "RDATE"):
            found.rdate(when.wall_in(anchor.zone))
        skipped: set[datetime] = set()
        days: set[date] = set()
        for when in self._dates(component, "EXDATE"):
            if when.is_date and not anchor.is_date:
                days.add(when.wall.date())
            else:
                skipped.add(when.wall_in(anchor.zone))
        return (wall for wall in found if wall not in skipped and wall.date() not in days)

    def _dates(self, component: Component, name: str) -> Iterator[When]:
        for line in component.all(name):
            for value in line.value.split(","):
                try:
                    yield self.zones.when(line, value.partition("/")[0])
                except ParseError:
                    continue


def _key(when: When | None) -> object:
    """What tells instances of a series apart."""
    if when is None:
        return None
    return when.wall.date() if when.is_date else when.utc


def _moved(times: Times, anchor: When, original: When) -> Times:
    """The times of an instance: a day's length follows the calendar, everything else the clock."""
    distance = original.utc - anchor.utc
    if anchor.is_date and times.start is not None and times.end is not None:
        days = timedelta(days=round((times.end - times.start) / ONE_DAY))
        end = When(original.wall + days, original.zone, True).utc
        return replace(times, start=original.utc, end=end)
    return replace(
        times,
        start=times.start + distance if times.start is not None else None,
        end=times.end + distance if times.end is not None else None,
    )


def _rule(text: str, anchor: When) -> str:
    """A rule whose UNTIL is a wall clock of the series."""

    def until(match: re.Match[str]) -> str:
        day, time = match[1], match[2]
        if not time:
            return f"UNTIL={day}T235959"
        if anchor.is_date or not time.endswith(("Z", "z")):
            return f"UNTIL={day}{time[:7]}"
        moment = datetime.strptime(f"{day}{time[:7]}", "%Y%m%dT%H%M%S")
        return f"UNTIL={local(moment, anchor.zone):%Y%m%dT%H%M%S}"

    rule = ";".join(part for part in text.split(";") if not part.upper().startswith(("RSCALE", "SKIP")))
    return _UNTIL.sub(until, rule)


def in_utc(when: When) -> When:
    """The same time in UTC; a date stays one."""
    return when if when.is_date else When(when.utc, UTC_ZONE)
