"""Time zones by reference (RFC 7809): texts without the definitions of zones that everybody knows."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.layout import ZonesUsed, calendar_object
from gateway.convert.ical.timezones import described_zone, zone_of_iana
from gateway.convert.lines import Component, parse

#: The request header with which a client asks for definitions or not ("T" or "F"; RFC 7809 7.1).
HEADER: Final = "caldav-timezones"
_DEFINITION: Final = re.compile(rb"^BEGIN:VTIMEZONE\r?\n.*?^END:VTIMEZONE\r?\n", re.M | re.S)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_YEAR: Final = re.compile(rb"(?:^DTSTART[^:\r\n]*:|UNTIL=)(\d{4})", re.M)
_LAST_YEAR: Final = 2037


def wants_definitions(header: str) -> bool:
    """Whether a request wants the definitions of standard zones; it does unless it says otherwise."""
    return header.strip().upper() != "F"


def without_standard(text: bytes) -> bytes:
    """A calendar object without the VTIMEZONEs that say what the time zone database says."""
    return _DEFINITION.sub(lambda match: b"" if _is_standard(match[0]) else match[0], text)


@lru_cache(maxsize=512)
def _is_standard(definition: bytes) -> bool:
    """Whether a VTIMEZONE has the name of a zone of the database, and its offsets."""
    try:
        found = next(iter(parse(definition)), None)
    except ParseError:
        return False
    name = (found.text("TZID") or "").strip() if found is not None else ""
    known, described = zone_of_iana(name), described_zone(name, found)
    if known is None or described is None or known.name != name:
        return False
    # It is complete when all of its parts have begun, and those that end have ended.
    first = max(map(int, _YEAR.findall(_FOLD.sub(b"", definition))), default=_LAST_YEAR) + 1
    moments = [datetime(year, month, 15) for year in range(first, _LAST_YEAR) for month in (1, 4, 7, 10)]
    return bool(moments) and all(known.offset(each) == described.offset(each) for each in moments)


def definition_of(name: str, year: int) -> str:
    """The iCalendar object with the definition of a zone of the database, from a year on; "" for an unknown one."""
    zone = zone_of_iana(name.strip())
    if zone is None:
        return ""
    used = ZonesUsed()
    used.add(zone, year)
    return calendar_object([], used).decode()


def name_of(text: str) -> str:
    """The database's name of the zone that an iCalendar object defines, "" when it is none of it."""
    try:
        zones: list[Component] = [zone for each in parse(text.strip()) for zone in each.components("VTIMEZONE")]
    except ParseError:
        return ""
    name = (zones[0].text("TZID") or "").strip() if len(zones) == 1 else ""
    return name if zone_of_iana(name) is not None else ""
