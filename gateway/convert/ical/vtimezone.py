"""VTIMEZONE written from a zone's offsets (RFC 5545 3.6.5): the same text every time.

Changes that fall on the same rule year after year become one part with an RRULE that begins with the first of
them; those that follow no rule are listed. Only the parts that matter from a given year on are written, so a
European zone of today has the usual two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from gateway.convert.ical.transitions import Transition, offset_at, transitions
from gateway.convert.lines import Component, Line

_FIRST: Final = 1970
_HORIZON: Final = 2037
"""What still holds in this year is taken to hold for ever."""
_LAST: Final = -1
_WEEK: Final = 7
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FORMAT: Final = "%Y%m%dT%H%M%S"


@dataclass(slots=True)
class _Era:
    """Changes of consecutive years that one rule describes."""

    changes: list[Transition]
    starts: set[int]
    """Days of the month d such that every change is on its weekday in d..d+6; `_LAST` for the last one."""

    @property
    def first(self) -> Transition:
        return self.changes[0]

    @property
    def last(self) -> Transition:
        return self.changes[-1]

    @property
    def endless(self) -> bool:
        return self.last.wall.year == _HORIZON and len(self.changes) > 1

    def takes(self, change: Transition) -> bool:
        """Add a change if the rule describes it too."""
        common = self.starts & _starts(change.wall)
        if change.wall.year != self.last.wall.year + 1 or not common:
            return False
        self.starts = common
        self.changes.append(change)
        return True


def _starts(wall: datetime) -> set[int]:
    days = set(range(max(wall.day - _WEEK + 1, 1), min(wall.day, 25) + 1))
    return days | {_LAST} if (wall + timedelta(days=_WEEK)).month != wall.month else days


@lru_cache(maxsize=512)
def _eras(zone: tzinfo) -> tuple[_Era, ...]:
    """All eras of a zone in order of their first change."""
    eras: list[_Era] = []
    open_eras: dict[tuple[object, ...], _Era] = {}
    for change in (change for year in range(_FIRST, _HORIZON + 1) for change in transitions(zone, year)):
        wall = change.wall
        key = (change.before, change.after, change.name, wall.month, wall.weekday(), wall.time())
        if key not in open_eras or not open_eras[key].takes(change):
            open_eras[key] = _Era([change], _starts(wall))
            eras.append(open_eras[key])
    return tuple(eras)


def write_vtimezone(tzid: str, zone: tzinfo, first_year: int) -> Component:
    """The VTIMEZONE of a zone for events from ``first_year`` on."""
    eras = _eras(zone)
    begin = datetime(max(first_year, _FIRST), 1, 1)
    earlier = [change.utc for era in eras for change in era.changes if change.utc < begin]
    needed_from = max(earlier, default=begin)
    needed = [era for era in eras if era.endless or era.last.utc >= needed_from]
    component = Component("VTIMEZONE", [Line("TZID", tzid)])
    if not earlier:
        component.children.append(_initial(zone))
    component.children += _parts(zone, needed)
    return component


def _initial(zone: tzinfo) -> Component:
    """The offset before any change."""
    start = datetime(_FIRST, 1, 1)
    offset = offset_at(zone, start)
    name = start.replace(tzinfo=UTC).astimezone(zone).tzname() or ""
    return _part("STANDARD", start, offset, offset, name, [])


def _parts(zone: tzinfo, eras: Iterable[_Era]) -> Iterator[Component]:
    single: dict[tuple[object, ...], list[Transition]] = {}
    for era in eras:
        if len(era.changes) > 1:
            yield _yearly(era)
            continue
        change = era.first
        single.setdefault((change.before, change.after, change.name), []).append(change)
    for changes in single.values():
        yield _listed(zone, changes)


def _yearly(era: _Era) -> Component:
    first, wall = era.first, era.first.wall
    rule = f"FREQ=YEARLY;BYMONTH={wall.month};{_days(era.starts, _WEEKDAYS[wall.weekday()])}"
    if not era.endless:
        rule += f";UNTIL={era.last.utc.strftime(_FORMAT)}Z"
    kind = "DAYLIGHT" if first.after > first.before else "STANDARD"
    return _part(kind, wall, first.before, first.after, first.name, [Line("RRULE", rule)])


def _days(starts: set[int], weekday: str) -> str:
    """The rule part for the days: the last one, the n-th, or whichever is among seven days of the month."""
    if _LAST in starts:
        return f"BYDAY=-1{weekday}"
    numbered = sorted(start for start in starts if start % _WEEK == 1)
    if numbered:
        return f"BYDAY={numbered[0] // _WEEK + 1}{weekday}"
    start = min(starts)
    return f"BYMONTHDAY={','.join(str(start + day) for day in range(_WEEK))};BYDAY={weekday}"


def _listed(zone: tzinfo, changes: list[Transition]) -> Component:
    """Changes without a rule, which lead from one offset to the same other."""
    first, *others = changes
    after = first.utc.replace(tzinfo=UTC).astimezone(zone)
    kind = "DAYLIGHT" if (after.dst() or timedelta(0)) > timedelta(0) else "STANDARD"
    dates = ",".join(change.wall.strftime(_FORMAT) for change in others)
    return _part(
        kind, first.wall, first.before, first.after, first.name, [Line("RDATE", dates)] if dates else []
    )


def _part(
    kind: str, start: datetime, before: timedelta, after: timedelta, name: str, more: list[Line]
) -> Component:
    lines = [
        Line("DTSTART", start.strftime("%Y%m%dT%H%M%S")),
        Line("TZOFFSETFROM", _offset(before)),
        Line("TZOFFSETTO", _offset(after)),
        *more,
    ]
    return Component(kind, [*lines, Line("TZNAME", name)] if name else lines)


def _offset(offset: timedelta) -> str:
    """A UTC offset (RFC 5545 3.3.14), with seconds only where there are some."""
    seconds = int(offset.total_seconds())
    sign, seconds = "-" if seconds < 0 else "+", abs(seconds)
    text = f"{sign}{seconds // 3600:02d}{seconds // 60 % 60:02d}"
    return f"{text}{seconds % 60:02d}" if seconds % 60 else text
