"""Live properties of collections and homes: what they hold, take and answer (RFC 3253 3.1.5, 4791 5.2, 6352 6.2, 7809 5, 8607 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.ical.files import MAX_FILES
from gateway.dav import byreference
from gateway.dav.kinds import Kind
from gateway.dav.principalprops import FOUND, MISSING
from gateway.dav.query.textmatch import COLLATIONS
from gateway.dav.resource import Resource

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
#: From which year on a time zone is told.
_ZONES_FROM: Final = 2000
#: Reports on any resource, and on collections and items.
_REPORTS: Final = (
    f"{_D}expand-property",
    f"{_D}principal-property-search",
    f"{_D}principal-search-property-set",
    f"{_D}principal-match",
    f"{_CS}calendarserver-principal-search",
)
_OF_PLACES: Final = (f"{_D}acl-principal-prop-set", f"{_D}sync-collection")
_OF_CALENDARS: Final = tuple(
    f"{_C}{name}" for name in ("calendar-multiget", "calendar-query", "free-busy-query")
)
_OF_BOOKS: Final = tuple(f"{_CR}{name}" for name in ("addressbook-multiget", "addressbook-query"))


def reports_of(resource: Resource) -> list[str]:
    """The reports that a resource answers; Radicale announces some that it does not have."""
    names = [*_REPORTS]
    if resource.place is not None and len(resource.parts) == 2:
        kind = resource.place.kind
        names += [*_OF_PLACES, *(_OF_CALENDARS if kind.is_calendar else _OF_BOOKS)]
        if kind.is_calendar and kind.name != "calendar":
            names.remove(f"{_C}free-busy-query")
    elif resource.place is not None:
        names += [name for name in (*_OF_CALENDARS, *_OF_BOOKS) if _is_of_item(name, resource.place.kind)]
    return names


def _is_of_item(name: str, kind: Kind) -> bool:
    return name.startswith(_C if kind.is_calendar else _CR) and not name.endswith("free-busy-query")


def _supported_reports(resource: Resource, element: ET.Element) -> int | None:
    for name in reports_of(resource):
        report = ET.SubElement(ET.SubElement(element, f"{_D}supported-report"), f"{_D}report")
        ET.SubElement(report, name)
    return FOUND


def _address_data(resource: Resource, element: ET.Element) -> int | None:
    if not resource.is_collection or resource.place is None or resource.place.kind.is_calendar:
        return None
    for version in ("3.0", "4.0"):
        ET.SubElement(element, f"{_CR}address-data-type", {"content-type": "text/vcard", "version": version})
    return FOUND


def _calendar_data(resource: Resource, element: ET.Element) -> int | None:
    if not resource.is_collection or resource.place is None or not resource.place.kind.is_calendar:
        return None
    ET.SubElement(element, f"{_C}calendar-data", {"content-type": "text/calendar", "version": "2.0"})
    return FOUND


def _attachment_limit(resource: Resource, element: ET.Element) -> int | None:
    """max-attachment-size and max-attachments-per-resource (RFC 8607 6.2, 6.3)."""
    if not resource.is_collection or resource.place is None or not resource.place.kind.is_calendar:
        return None
    is_size = element.tag.endswith("size")
    element.text = str(resource.scope.shared.options.max_attachment if is_size else MAX_FILES)
    return FOUND


def _largest(resource: Resource, element: ET.Element) -> int | None:
    """max-resource-size of a calendar or address book (RFC 4791 5.2.5, RFC 6352 6.2.3)."""
    kind = resource.place.kind if resource.is_collection and resource.place is not None else None
    if kind is None or kind.is_calendar is not element.tag.startswith(_C):
        return MISSING
    element.text = str(resource.scope.shared.options.max_resource)
    return FOUND


def _components(resource: Resource, element: ET.Element) -> int | None:
    """supported-calendar-component-set (RFC 4791 5.2.3) is there for calendars only."""
    is_calendar = resource.is_collection and resource.place is not None and resource.place.kind.is_calendar
    return None if is_calendar else MISSING


def _time_zone(resource: Resource, element: ET.Element) -> int | None:
    """calendar-timezone and calendar-timezone-id, each told by the other (RFC 4791 5.2.2, RFC 7809 5.2)."""
    stored = resource.place.stored if resource.is_collection and resource.place is not None else {}
    text, name = (stored.get(f"C:calendar-timezone{each}", "") for each in ("", "-id"))
    if element.tag.endswith("-id"):
        element.text = name or byreference.name_of(text)
    else:
        element.text = text or byreference.definition_of(name, _ZONES_FROM)
    return FOUND if element.text else None


def _time_zone_services(resource: Resource, element: ET.Element) -> int | None:
    """timezone-service-set (RFC 7809 5.1): none is named, the names are those of the IANA database."""
    return FOUND if resource.is_own else None


def _length(resource: Resource, element: ET.Element) -> int | None:
    """The length (getcontentlength) of an item is the length of its text; collections are written while they are read."""
    return MISSING if resource.is_collection else None


def _content_type(resource: Resource, element: ET.Element) -> int | None:
    """Getcontenttype of an item, as its GET tells it."""
    if len(resource.parts) != 3 or resource.place is None:
        return None
    element.text = resource.place.kind.content_type
    return FOUND


def _source(resource: Resource, element: ET.Element) -> int | None:
    """Where a subscribed calendar comes from, when a client has said so."""
    stored = resource.place.stored if resource.is_collection and resource.place is not None else {}
    return None if stored.get("CS:source") else MISSING


def _component_sets(resource: Resource, element: ET.Element) -> int | None:
    """What calendars of a home may hold: folders of the store are for one kind of item each."""
    if not resource.is_own:
        return None
    for name in ("VEVENT", "VTODO", "VJOURNAL"):
        one = ET.SubElement(element, f"{_C}supported-calendar-component-set")
        ET.SubElement(one, f"{_C}comp", {"name": name})
    return FOUND


def _collations(resource: Resource, element: ET.Element) -> int | None:
    if not resource.is_collection:
        return None
    for name in COLLATIONS:
        ET.SubElement(element, element.tag.removesuffix("-set")).text = name
    return FOUND


#: Tag to what fills it.
FILL: Final[dict[str, Callable[[Resource, ET.Element], int | None]]] = {
    f"{_D}supported-report-set": _supported_reports,
    f"{_CR}supported-address-data": _address_data,
    f"{_C}supported-calendar-data": _calendar_data,
    f"{_C}max-attachment-size": _attachment_limit,
    f"{_C}max-attachments-per-resource": _attachment_limit,
    f"{_D}getcontentlength": _length,
    f"{_D}getcontenttype": _content_type,
    f"{_C}max-resource-size": _largest,
    f"{_CR}max-resource-size": _largest,
    f"{_C}supported-calendar-component-set": _components,
    f"{_CS}source": _source,
    f"{_C}supported-calendar-component-sets": _component_sets,
    f"{_C}calendar-timezone": _time_zone,
    f"{_C}calendar-timezone-id": _time_zone,
    f"{_C}timezone-service-set": _time_zone_services,
    f"{_C}supported-collation-set": _collations,
    f"{_CR}supported-collation-set": _collations,
}
