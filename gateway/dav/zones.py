"""Whose midnight a date means in a query: the zone that the request names, the collection's, or this gateway's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from gateway.convert.errors import ParseError
from gateway.convert.ical.timezones import Zone, zone_of_iana, zone_of_tzid
from gateway.convert.lines import parse
from gateway.dav.errors import Refused

if TYPE_CHECKING:
    from gateway.dav.collection import Collection

_C: Final = "{urn:ietf:params:xml:ns:caldav}"
#: Radicale's names of the properties of a collection.
_TIMEZONE: Final = "C:calendar-timezone"
_TIMEZONE_ID: Final = "C:calendar-timezone-id"


def of_query(root: ET.Element, collection: Collection) -> Zone:
    """The zone of a report (RFC 4791 9.8, RFC 7809 5.3; Refused)."""
    default = collection.scope.shared.zone
    name = root.findtext(f"{_C}timezone-id")
    if name is not None:
        zone = zone_of_iana(name.strip())
        if zone is None:
            raise Refused(403, "C:valid-timezone", "a timezone-id is a name of the IANA time zone database")
        return zone
    text = root.findtext(f"{_C}timezone")
    if text is not None:
        zone = zone_of_text(text, default)
        if zone is None:
            raise Refused(403, "C:valid-calendar-data", "a timezone is an iCalendar object with one VTIMEZONE")
        return zone
    return of_collection(collection.place.stored, default)


def of_collection(stored: dict[str, str], default: Zone) -> Zone:
    """The zone that a client gave a collection."""
    named = zone_of_iana(stored.get(_TIMEZONE_ID, "").strip())
    return named or zone_of_text(stored.get(_TIMEZONE, ""), default) or default


def zone_of_text(text: str, default: Zone) -> Zone | None:
    """The zone that the VTIMEZONE of an iCalendar object describes."""
    try:
        found = [zone for each in parse(text.strip()) for zone in each.components("VTIMEZONE")]
    except ParseError:
        return None
    if len(found) != 1:
        return None
    return zone_of_tzid(found[0].text("TZID") or "", default, found[0])
