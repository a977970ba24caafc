"""Free and busy times of a calendar (RFC 4791 7.10): single events from the listing, series from their texts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from gateway.convert.ical.timezones import Zone
from gateway.convert.lines import Component, parse, write_line
from gateway.dav.entries import Entry
from gateway.dav.errors import Refused
from gateway.dav.query.occurrences import Calendar
from gateway.dav.query.ranges import Range

#: Begin and end as Unix times, and FBTYPE.
Period: TypeAlias = "tuple[int, int, str]"
_TYPES: Final = {1: "BUSY-TENTATIVE", 2: "BUSY", 3: "BUSY-UNAVAILABLE"}
_WORDS: Final = {"FREE": "", "TENTATIVE": _TYPES[1], "OOF": _TYPES[3]}
_MOST: Final = 10_000
_FREE: Final = 0


def periods_of(entries: Iterable[Entry], start: int, end: int) -> Iterator[Period]:
    """When single events keep somebody busy; series are left out."""
    for entry in entries:
        if not entry.recurring and entry.busy != _FREE and entry.first < end and entry.last > start:
            yield max(entry.first, start), min(entry.last, end), _TYPES.get(entry.busy, "BUSY")


def periods_of_series(texts: Iterable[bytes], start: int, end: int, zone: Zone) -> Iterator[Period]:
    """When series do; private ones count like others."""
    within = Range(_naive(start), _naive(end))
    found = 0
    for text in texts:
        for component in parse(text)[:1]:
            for each in Calendar(component, zone).occurrences("VEVENT", within):
                found += 1
                if found > _MOST:
                    raise Refused(403, "D:number-of-matches-within-limits", "too many instances in this range")
                kind = _type(each.component)
                if kind and each.times.start is not None and each.times.end is not None:
                    yield max(_unix(each.times.start), start), min(_unix(each.times.end), end), kind


def _type(component: Component) -> str:
    """FBTYPE of a component, "" when it keeps nobody busy."""
    status = (component.text("STATUS") or "").upper()
    if (component.text("TRANSP") or "").upper() == "TRANSPARENT" or status == "CANCELLED":
        return ""
    if status == "TENTATIVE":
        return _TYPES[1]
    return _WORDS.get((component.text("X-MICROSOFT-CDO-BUSYSTATUS") or "").upper(), "BUSY")


def _naive(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _unix(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


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
        write_line("UID", uuid.uuid4().hex),
        write_line("DTSTAMP", _utc(int(now))),
        write_line("DTSTART", _utc(start)),
        write_line("DTEND", _utc(end)),
    ]
    # What takes no time is no period (RFC 5545 3.3.9).
    for begin, finish, kind in merged(each for each in periods if each[0] < each[1]):
        lines.append(write_line("FREEBUSY", f"{_utc(begin)}/{_utc(finish)}", {"FBTYPE": (kind,)}))
    return b"".join([*lines, write_line("END", "VFREEBUSY"), write_line("END", "VCALENDAR")])


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
