"""Properties that Radicale does not know or tells otherwise, put into its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from gateway.convert.ical.files import MAX_FILES
from gateway.dav import aclprops, byreference, hrefs, principalprops, properties, xmlbody
from gateway.dav.kinds import Kind
from gateway.dav.principalprops import FOUND, MISSING
from gateway.dav.push import liveproperties as pushed
from gateway.dav.query.textmatch import COLLATIONS
from gateway.dav.resource import Resource
from gateway.dav.scheduling import liveproperties
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
#: From which year on a time zone is told.
_ZONES_FROM: Final = 2000
_LENGTH: Final = f"{_D}getcontentlength"
_RADICALE: Final = "{http://radicale.org/ns/}"
_STATUS: Final = {200: "HTTP/1.1 200 OK", 403: "HTTP/1.1 403 Forbidden", 404: "HTTP/1.1 404 Not Found"}
_OK: Final = _STATUS[200]
#: Fills an emptied element: its status, None to leave it as Radicale has it.
Fill = Callable[[Resource, ET.Element], "int | None"]
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
    """Getcontentlength of an item is the length of its text; collections are written while they are read."""
    return MISSING if resource.is_collection else None


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
_OWN: Final[dict[str, Fill]] = {
    f"{_C}calendar-user-address-set": principalprops.addresses,
    f"{_CS}email-address-set": principalprops.mail_addresses,
    f"{_C}calendar-home-set": principalprops.home,
    f"{_CR}addressbook-home-set": principalprops.home,
    f"{_CR}directory-gateway": principalprops.directory_gateway,
    f"{_D}principal-URL": principalprops.itself,
    f"{_D}group-membership": principalprops.membership,
    f"{_D}group-member-set": principalprops.members,
    f"{_D}alternate-URI-set": principalprops.empty,
    f"{_C}calendar-user-type": principalprops.user_type,
    f"{_CS}calendar-proxy-read-for": principalprops.reads_for,
    f"{_CS}calendar-proxy-write-for": principalprops.writes_for,
    f"{_D}displayname": principalprops.display_name,
    f"{_D}resourcetype": principalprops.resource_type,
    f"{_D}current-user-privilege-set": aclprops.current,
    f"{_D}supported-privilege-set": aclprops.supported,
    f"{_D}acl": aclprops.access_list,
    f"{_D}acl-restrictions": aclprops.restrictions,
    f"{_D}inherited-acl-set": aclprops.inherited,
    f"{_D}quota-used-bytes": aclprops.used,
    f"{_D}quota-available-bytes": aclprops.available,
    f"{_D}supported-report-set": _supported_reports,
    f"{_CR}supported-address-data": _address_data,
    f"{_C}supported-calendar-data": _calendar_data,
    f"{_C}managed-attachments-server-URL": principalprops.empty,
    f"{_C}max-attachment-size": _attachment_limit,
    f"{_C}max-attachments-per-resource": _attachment_limit,
    _LENGTH: _length,
    f"{_CS}source": _source,
    f"{_C}supported-calendar-component-sets": _component_sets,
    f"{_C}calendar-timezone": _time_zone,
    f"{_C}calendar-timezone-id": _time_zone,
    f"{_C}timezone-service-set": _time_zone_services,
    f"{_C}supported-collation-set": _collations,
    f"{_CR}supported-collation-set": _collations,
    **pushed.FILL,
}


def _scheduling_first(tag: str) -> Fill:
    """What scheduling knows of a property goes before what is told of every resource."""
    first, other = liveproperties.FILL[tag], _OWN.get(tag)

    def fill(resource: Resource, element: ET.Element) -> int | None:
        if first(resource.scope, resource.parts, element):
            return FOUND
        return other(resource, element) if other is not None else None

    return fill


_FILL: Final[dict[str, Fill]] = _OWN | {tag: _scheduling_first(tag) for tag in liveproperties.FILL}


#: Properties that are told by what a resource is, whatever a client says.
FILLED: Final = frozenset(_FILL)


def complete(multistatus: ET.Element, scope: RequestScope, *, minimal: bool, listing: str = "") -> None:
    """Fill in a multistatus that Radicale made; with ``minimal`` leave out what is missing (RFC 8144 2.1).

    ``listing`` is "allprop" or "propname" for a PROPFIND that asks what there is (RFC 4918 9.1).
    """
    for response in multistatus.iterfind(f"{_D}response"):
        resource = Resource(scope, hrefs.split_path(unquote(response.findtext(f"{_D}href") or "")))
        if listing:
            _list_kept(response, resource)
        for propstat in list(response.iterfind(f"{_D}propstat")) if listing != "propname" else ():
            _complete(response, propstat, resource)
        for propstat in list(_superfluous(response, minimal=minimal)):
            response.remove(propstat)
        if minimal and response.find(f"{_D}propstat") is None and response.find(f"{_D}status") is None:
            _group(response, FOUND)


def _complete(response: ET.Element, propstat: ET.Element, resource: Resource) -> None:
    prop = propstat.find(f"{_D}prop")
    if prop is None:
        return
    for element in list(prop):
        fill, filled = _FILL.get(element.tag), ET.Element(element.tag)
        status = fill(resource, filled) if fill is not None else None
        if status is None:
            tree = _tree(resource, element.tag)
            if tree is not None:
                prop.remove(element)
                _group(response, FOUND).append(tree)
            continue
        prop.remove(element)
        _group(response, status).append(filled if status == FOUND else ET.Element(element.tag))


def _list_kept(response: ET.Element, resource: Resource) -> None:
    """Put the names of the properties that clients keep as XML beside the others, and take Radicale's own away."""
    prop = _group(response, FOUND)
    for element in list(prop):
        if element.tag.startswith(_RADICALE) or (element.tag == _LENGTH and resource.is_collection):
            prop.remove(element)
    there = {element.tag for element in prop}
    if resource.is_collection and resource.place is not None:
        kept = [key.removeprefix(properties.tree_key("")) for key in properties.trees_of(resource.place)]
        prop.extend(ET.Element(tag) for tag in kept if tag not in there)


def _tree(resource: Resource, tag: str) -> ET.Element | None:
    """A property whose value a client gave as XML."""
    place = resource.place if resource.is_collection else None
    text = place.stored.get(properties.tree_key(tag)) if place is not None else None
    tree = xmlbody.parse(text.encode()) if text else None
    for element in tree.iter() if tree is not None else ():
        if not element.tag.startswith("{"):
            element.set("xmlns", "")  # answers have DAV: as their default namespace
    return tree


def _group(response: ET.Element, status: int) -> ET.Element:
    """The properties of a status, made when there were none."""
    for propstat in response.iterfind(f"{_D}propstat"):
        prop = propstat.find(f"{_D}prop")
        if propstat.findtext(f"{_D}status") == _STATUS[status] and prop is not None:
            return prop
    propstat = ET.Element(f"{_D}propstat")
    prop = ET.SubElement(propstat, f"{_D}prop")
    ET.SubElement(propstat, f"{_D}status").text = _STATUS[status]
    if status == FOUND:
        response.insert(1, propstat)
    else:
        response.append(propstat)
    return prop


def _superfluous(response: ET.Element, *, minimal: bool) -> Iterator[ET.Element]:
    """Empty groups, and for a client that wants little what is missing."""
    propstats = list(response.iterfind(f"{_D}propstat"))
    for propstat in propstats:
        prop = propstat.find(f"{_D}prop")
        status = propstat.findtext(f"{_D}status")
        if ((prop is None or len(prop) == 0) and len(propstats) > 1) or (minimal and status == _STATUS[404]):
            yield propstat
