"""When items take place: instances in a window, for queries (RFC 4791 9.9) and for free/busy (MS-OXOPFFB 2.2.1).

Times are FILETIMEs. Series are expanded from their patterns, at most `MAX_INSTANCES` of an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.events_out import Event, event_of
from gateway.convert.ical.exceptions import whole
from gateway.convert.ical.expand import occurrences, overlaps
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.marks import busy_status
from gateway.convert.ical.moments import filetime, of_rtime, utc_of
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.values import number
from gateway.mapi.content import MessageContent

MAX_INSTANCES: Final = 10_000
_MINUTE: Final = 600_000_000


class Happening(NamedTuple):
    """One instance of an event."""

    start: int
    end: int
    original: int
    """Where its series has it; the start for what was not moved."""
    status: int
    """Busy status."""
    changed: bool = False
    """Whether the instance is a modified one."""


class Busy(NamedTuple):
    """A time that is not free."""

    start: int
    end: int
    status: int


def happenings(
    content: MessageContent, first: int, last: int, options: Options = DEFAULTS, limit: int = MAX_INSTANCES
) -> list[Happening]:
    """The instances of an event that overlap ``first <= time < last``, by start; none for what is no event."""
    if kind_of(content.props) != "VEVENT":
        return []
    try:
        event = event_of(content, options)
    except ParseError:
        return []
    if event.pattern is None:
        start, end = filetime(event.span.utc_start), filetime(event.span.utc_end)
        inside = overlaps(start, end, first, last)
        return [Happening(start, end, start, busy_status(content.props))] if inside else []
    return sorted(_instances(event, first, last, limit))


def _instances(event: Event, first: int, last: int, limit: int) -> Iterator[Happening]:
    pattern, zone = event.pattern, event.zone
    if pattern is None:
        return
    status = busy_status(event.content.props)
    changed = {
        each.instance.original: busy_status(whole(event.content, each, zone).props)
        for each in event.exceptions()
    }
    # A day more on both sides, since a wall clock may be as far from UTC.
    window = _wall(first) - DAY, _wall(last) + DAY
    for each in occurrences(pattern, *window, limit):
        start, end = (filetime(utc_of(of_rtime(minutes), zone)) for minutes in (each.start, each.end))
        end = max(start, end)
        if overlaps(start, end, first, last):
            original = filetime(utc_of(of_rtime(each.original), zone))
            yield Happening(start, end, original, changed.get(each.original, status), each.changed is not None)


def _wall(moment: int) -> int:
    return min(max(moment // _MINUTE, 2 * DAY), 0x5AE980DF)


def busy_periods(
    contents: Iterable[MessageContent], first: int, last: int, options: Options = DEFAULTS
) -> list[Busy]:
    """The times in a window at which a calendar's owner is not free, merged and sorted.

    Of overlapping times the busier counts. Private items count like others, cancelled meetings do not.
    """
    found: list[Busy] = []
    for content in contents:
        if (number(content.props, ids.STATE) or 0) & ids.IS_CANCELED:
            continue
        found += (
            Busy(max(each.start, first), min(each.end, last), each.status)
            for each in happenings(content, first, last, options)
            if each.status in (ids.TENTATIVE, ids.BUSY, ids.OUT_OF_OFFICE) and each.end > each.start
        )
    return merged(found)


def merged(periods: Iterable[Busy]) -> list[Busy]:
    """Periods without overlaps: at each time the busiest."""
    edges: dict[int, list[tuple[int, int]]] = {}
    for period in periods:
        edges.setdefault(period.start, []).append((period.status, 1))
        edges.setdefault(period.end, []).append((period.status, -1))
    counts = [0] * len(range(ids.WORKING_ELSEWHERE + 1))
    out: list[Busy] = []
    before, status = 0, 0
    for moment in sorted(edges):
        if status and moment > before:
            if out and out[-1].end == before and out[-1].status == status:
                out[-1] = out[-1]._replace(end=moment)
            else:
                out.append(Busy(before, moment, status))
        for which, change in edges[moment]:
            counts[which] += change
        status = max((which for which, count in enumerate(counts) if count > 0), default=0)
        before = moment
    return out
