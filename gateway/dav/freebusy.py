"""Free and busy times of a calendar (RFC 4791 7.10): single events from the listing, series from their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from radicale.app.report import freebusy_periods

from gateway.convert.lines import write_line
from gateway.dav.errors import Refused
from gateway.dav.listing import Entry

#: Begin and end as Unix times, and FBTYPE.
Period: TypeAlias = "tuple[int, int, str]"
_TYPES: Final = {1: "BUSY-TENTATIVE", 2: "BUSY", 3: "BUSY-UNAVAILABLE"}
_MOST: Final = 10_000
_FREE: Final = 0


def periods_of(entries: Iterable[Entry], start: int, end: int) -> Iterator[Period]:
    """When single events keep somebody busy; series are left out."""
    for entry in entries:
        if not entry.recurring and entry.busy != _FREE and entry.first < end and entry.last > start:
            yield max(entry.first, start), min(entry.last, end), _TYPES.get(entry.busy, "BUSY")


def periods_of_series(items: Iterable[Any], start: int, end: int) -> Iterator[Period]:
    """When series do; the instances are Radicale's."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    for item in items:
        try:
            found = freebusy_periods(item, first, last, _MOST)
        except ValueError as error:
            raise Refused(403, "D:number-of-matches-within-limits", str(error)) from error
        for begin, finish, kind in found:
            yield int(begin.timestamp()), int(finish.timestamp()), kind


def merged(periods: Iterable[Period]) -> list[Period]:
    """Periods of the same type that touch as one, in order."""
    found: list[Period] = []
    for kind, group in groupby(sorted(periods, key=itemgetter(2, 0)), key=itemgetter(2)):
        for begin, end, _ in group:
            if found and found[-1][2] == kind and begin <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], end), kind
            else:
                found.append((begin, end, kind))
    return sorted(found)


def write(periods: Iterable[Period], start: int, end: int, now: float) -> bytes:
    """The VFREEBUSY of a time range."""
    lines = [
        write_line("BEGIN", "VCALENDAR"),
        write_line("VERSION", "2.0"),
        write_line("PRODID", "-//mapi-gateway//EN"),
        write_line("BEGIN", "VFREEBUSY"),
        write_line("DTSTAMP", _utc(int(now))),
        write_line("DTSTART", _utc(start)),
        write_line("DTEND", _utc(end)),
    ]
    for begin, finish, kind in merged(periods):
        lines.append(write_line("FREEBUSY", f"{_utc(begin)}/{_utc(finish)}", {"FBTYPE": (kind,)}))
    return b"".join([*lines, write_line("END", "VFREEBUSY"), write_line("END", "VCALENDAR")])


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
