"""Properties that Radicale does not know, put into its answers: addresses, home sets, owners, quota and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

from gateway.dav import hrefs
from gateway.dav.scheduling import liveproperties
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
_OK: Final = "HTTP/1.1 200 OK"
Fill = Callable[[RequestScope, list[str], ET.Element], bool]


def _href(parent: ET.Element, path: str) -> None:
    ET.SubElement(parent, f"{_D}href").text = path


def _principal(name: str) -> str:
    return quote(f"/{name}/")


def _addresses(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    """calendar-user-address-set (RFC 6638 2.4.1): mail addresses first, clients take the first that they know."""
    if len(parts) != 1 or parts[0] in (hrefs.PUBLIC, hrefs.DIRECTORY):
        return False
    element.clear()
    addresses, _ = scope.wait(lambda: scope.shared.people.addresses(scope.session, parts[0]))
    for address in addresses:
        _href(element, f"mailto:{address}")
    _href(element, _principal(parts[0]))
    return True


def _display_name(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    if len(parts) != 1 or parts[0] in (hrefs.PUBLIC, hrefs.DIRECTORY):
        return False
    _, name = scope.wait(lambda: scope.shared.people.addresses(scope.session, parts[0]))
    element.text = name or parts[0]
    return True


def _own_principal(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    """Home sets and principal-URL name the principal that was asked (Radicale takes the request's path)."""
    if len(parts) != 1:
        return False
    element.clear()
    _href(element, _principal(parts[0]))
    return True


def _principal_of_owner(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    """Home sets asked at the root: clients that know only the server's name do so."""
    if parts:
        return _own_principal(scope, parts, element)
    element.clear()
    _href(element, _principal(scope.user))
    return True


def _empty_set(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    return len(parts) == 1


def _user_type(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    element.text = "INDIVIDUAL"
    return len(parts) == 1


def _supported_reports(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    """What there really is: Radicale announces reports that it does not have."""
    element.clear()
    names = [f"{_D}expand-property", f"{_D}principal-search-property-set", f"{_D}principal-property-search"]
    place = scope.place(parts[0], parts[1]) if len(parts) > 1 else None
    if place is not None:
        names.append(f"{_D}sync-collection")
        if place.kind.is_calendar:
            names += [f"{_C}calendar-multiget", f"{_C}calendar-query", f"{_C}free-busy-query"]
        else:
            names += [f"{_CR}addressbook-multiget", f"{_CR}addressbook-query"]
    for name in names:
        report = ET.SubElement(ET.SubElement(element, f"{_D}supported-report"), f"{_D}report")
        ET.SubElement(report, name)
    return True


def _address_data(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    place = scope.place(parts[0], parts[1]) if len(parts) == 2 else None
    if place is None or place.kind.is_calendar:
        return False
    element.clear()
    for version in ("3.0", "4.0"):
        ET.SubElement(element, f"{_CR}address-data-type", {"content-type": "text/vcard", "version": version})
    return True


#: Tag to what fills it; True puts it among the properties that were found.
_FILL: Final[dict[str, Fill]] = {
    f"{_C}calendar-user-address-set": _addresses,
    f"{_C}calendar-home-set": _principal_of_owner,
    f"{_CR}addressbook-home-set": _principal_of_owner,
    f"{_D}principal-URL": _own_principal,
    f"{_D}group-membership": _empty_set,
    f"{_D}group-member-set": _empty_set,
    f"{_D}alternate-URI-set": _empty_set,
    f"{_C}calendar-user-type": _user_type,
    f"{_D}displayname": _display_name,
    f"{_D}supported-report-set": _supported_reports,
    f"{_CR}supported-address-data": _address_data,
    **liveproperties.FILL,
}


def complete(multistatus: ET.Element, scope: RequestScope, *, minimal: bool) -> None:
    """Fill in a multistatus that Radicale made; with ``minimal`` leave out what is missing (RFC 8144 2.1)."""
    for response in multistatus.iterfind(f"{_D}response"):
        parts = hrefs.split_path(unquote(response.findtext(f"{_D}href") or ""))
        for propstat in list(response.iterfind(f"{_D}propstat")):
            _complete(response, propstat, parts, scope)
        for propstat in list(_superfluous(response, minimal=minimal)):
            response.remove(propstat)


def _complete(response: ET.Element, propstat: ET.Element, parts: list[str], scope: RequestScope) -> None:
    prop = propstat.find(f"{_D}prop")
    if prop is None:
        return
    here = (propstat.findtext(f"{_D}status") or "") == _OK
    for element in list(prop):
        fill = _FILL.get(element.tag)
        if fill is not None and fill(scope, parts, element) and not here:
            prop.remove(element)
            _found(response).append(element)


def _found(response: ET.Element) -> ET.Element:
    """The properties that were found, made when there were none."""
    for propstat in response.iterfind(f"{_D}propstat"):
        prop = propstat.find(f"{_D}prop")
        if propstat.findtext(f"{_D}status") == _OK and prop is not None:
            return prop
    propstat = ET.Element(f"{_D}propstat")
    prop = ET.SubElement(propstat, f"{_D}prop")
    ET.SubElement(propstat, f"{_D}status").text = _OK
    response.insert(1, propstat)
    return prop


def _superfluous(response: ET.Element, *, minimal: bool) -> Iterator[ET.Element]:
    """Empty groups, and for a client that wants little what is missing."""
    propstats = list(response.iterfind(f"{_D}propstat"))
    for propstat in propstats:
        prop = propstat.find(f"{_D}prop")
        missing = propstat.findtext(f"{_D}status") != _OK
        if missing and (prop is None or len(prop) == 0 or (minimal and len(propstats) > 1)):
            yield propstat
