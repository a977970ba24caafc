"""Free/busy as VFREEBUSY (RFC 5545 3.6.4) and as the published message of a store (MS-OXOPFFB 2.2.1), both ways."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.busytimes import Busy, merged
from gateway.convert.ical.layout import ZonesUsed, calendar_object
from gateway.convert.ical.moments import (
    Zones,
    filetime,
    later,
    naive_utc,
    parse_duration,
    rtime,
    utc_text,
)
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.reading import single_calendar
from gateway.convert.lines import line_text
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps
from gateway.mapi.times import filetime_to_rtime, rtime_to_filetime

_TYPES: Final = {ids.TENTATIVE: "BUSY-TENTATIVE", ids.BUSY: "BUSY", ids.OUT_OF_OFFICE: "BUSY-UNAVAILABLE"}
_STATUSES: Final = {
    "FREE": ids.FREE,
    "BUSY-TENTATIVE": ids.TENTATIVE,
    "BUSY-UNAVAILABLE": ids.OUT_OF_OFFICE,
}
_PUBLISHED: Final = (
    (ids.TENTATIVE, pt.PR_FREEBUSY_TENTATIVE_MONTHS, pt.PR_FREEBUSY_TENTATIVE_EVENTS),
    (ids.BUSY, pt.PR_FREEBUSY_BUSY_MONTHS, pt.PR_FREEBUSY_BUSY_EVENTS),
    (ids.OUT_OF_OFFICE, pt.PR_FREEBUSY_OOF_MONTHS, pt.PR_FREEBUSY_OOF_EVENTS),
)
MAX_MONTHS: Final = 120
MAX_PERIODS: Final = 20_000


def write_freebusy(
    periods: Iterable[Busy],
    first: int,
    last: int,
    *,
    now: int,
    uid: str = "",
    organizer: str = "",
    attendee: str = "",
    method: str = "",
) -> bytes:
    """The VFREEBUSY of a window; ``organizer`` asked and ``attendee`` is whose time it is (addresses, or empty)."""
    block = Block("VFREEBUSY")
    if uid:
        block.text("UID", uid)
    block.lines.append(f"DTSTAMP:{utc_text(now) or '19700101T000000Z'}")
    for name, moment in (("DTSTART", first), ("DTEND", last)):
        when = utc_text(moment)
        if when is not None:
            block.lines.append(f"{name}:{when}")
    for name, address in (("ORGANIZER", organizer), ("ATTENDEE", attendee)):
        if address:
            block.lines.append(line_text(name, f"mailto:{address}"))
    for period in periods:
        start, end = utc_text(period.start), utc_text(period.end)
        if period.status in _TYPES and start is not None and end is not None:
            block.lines.append(f"FREEBUSY;FBTYPE={_TYPES[period.status]}:{start}/{end}")
    return calendar_object([block], ZonesUsed(), method)


def read_freebusy(data: bytes, options: Options = DEFAULTS) -> list[Busy]:
    """The busy times of all VFREEBUSYs of an object, merged (ParseError)."""
    calendar = single_calendar(data)
    zones = Zones(calendar, options.zone)
    found: list[Busy] = []
    for component in calendar.components("VFREEBUSY"):
        for line in component.all("FREEBUSY"):
            status = _STATUSES.get(line.param("FBTYPE", "BUSY").upper(), ids.BUSY)
            for value in filter(None, map(str.strip, line.value.split(","))):
                if len(found) >= MAX_PERIODS:
                    raise ParseError(f"more than {MAX_PERIODS} busy times")
                begin, _, end = value.partition("/")
                start = zones.when(line, begin)
                if end[:1] in ("P", "p", "+", "-"):
                    stop = start._replace(wall=later(start, parse_duration(end)))
                else:
                    stop = zones.when(line, end)
                if status and stop.utc > start.utc:
                    found.append(Busy(filetime(start.utc), filetime(stop.utc), status))
    return merged(found)


# The published message


def published(periods: Iterable[Busy], first: int, last: int, address: str, now: int) -> NamedProps:
    """The properties of a published free/busy message for a window of at most `MAX_MONTHS` (ParseError)."""
    found = list(periods)
    months = _months(first, last)
    props: NamedProps = {
        pt.PR_FREEBUSY_START_RANGE: filetime_to_rtime(first),
        pt.PR_FREEBUSY_END_RANGE: filetime_to_rtime(last),
        pt.PR_FREEBUSY_EMAIL_ADDRESS: address,
        pt.PR_FREEBUSY_LAST_MODIFIED: now,
        pt.PR_FREEBUSY_NUM_MONTHS: len(months),
    }
    busy = [period for period in found if period.status in (ids.BUSY, ids.OUT_OF_OFFICE)]
    lists = [(pt.PR_FREEBUSY_ALL_MONTHS, pt.PR_FREEBUSY_ALL_EVENTS, busy)]
    lists += [
        (month, events, [each for each in found if each.status == status])
        for status, month, events in _PUBLISHED
    ]
    for month_tag, event_tag, chosen in lists:
        same = [period._replace(status=ids.BUSY) for period in chosen]
        blocks = _by_month(merged(same), months)
        if blocks:
            props[month_tag] = tuple(year * 16 + month for year, month in blocks)
            props[event_tag] = tuple(blocks.values())
    return props


def _months(first: int, last: int) -> list[tuple[int, int]]:
    start, end = naive_utc(first), naive_utc(last)
    if start is None or end is None or end < start:
        raise ParseError("a window that is no time")
    count = (end.year - start.year) * 12 + end.month - start.month + 1
    if count > MAX_MONTHS:
        raise ParseError(f"free/busy of more than {MAX_MONTHS} months")
    origin = start.year * 12 + start.month - 1
    return [((origin + n) // 12, (origin + n) % 12 + 1) for n in range(count)]


def _month_start(year: int, month: int) -> int:
    return rtime(datetime(year + (month > 12), month if month <= 12 else 1, 1))


def _by_month(periods: list[Busy], months: list[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """For each month its periods in minutes from its beginning."""
    out: dict[tuple[int, int], bytes] = {}
    for year, month in months:
        begin, end = _month_start(year, month), _month_start(year, month + 1)
        block = bytearray()
        for period in periods:
            start = max(filetime_to_rtime(period.start), begin)
            stop = min(-(-period.end // 600_000_000), end)
            if start < stop:
                block += struct.pack("<HH", start - begin, stop - begin)
        if block:
            out[year, month] = bytes(block)
    return out


def busy_of_published(props: NamedProps) -> list[Busy]:
    """The busy times of a published message, merged; what is broken in it is left out."""
    found: list[Busy] = []
    for status, month_tag, event_tag in _PUBLISHED:
        months, events = props.get(month_tag) or (), props.get(event_tag) or ()
        for month, block in zip(months, events, strict=False):
            found += _periods(month, block, status)
    return merged(found)


def _periods(month: object, block: object, status: int) -> list[Busy]:
    if not isinstance(month, int) or not isinstance(block, bytes):
        return []
    year, number = month >> 4, month & 15
    if not 1602 <= year <= 4500 or not 1 <= number <= 12:
        return []
    begin = _month_start(year, number)
    pairs = struct.iter_unpack("<HH", block[: len(block) // 4 * 4][: 4 * MAX_PERIODS])
    return [
        Busy(rtime_to_filetime(begin + start), rtime_to_filetime(begin + end), status)
        for start, end in pairs
        if start < end
    ]
