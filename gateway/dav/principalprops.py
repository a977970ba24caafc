"""Properties of principals: addresses, home sets, groups and proxies (RFC 3744 4, RFC 4791 6.2, RFC 6638 2.4)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, proxies
from gateway.dav.errors import Refused
from gateway.dav.resource import Resource, put_href, put_principals

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
FOUND, FORBIDDEN, MISSING = 200, 403, 404


def addresses(resource: Resource, element: ET.Element) -> int | None:
    """calendar-user-address-set: mail addresses first, clients take the first that they know."""
    person = resource.person
    if person is None:
        return None
    for address in person.addresses:
        put_href(element, f"mailto:{address}")
    put_principals(element, [person.principal])
    return FOUND


def mail_addresses(resource: Resource, element: ET.Element) -> int | None:
    """email-address-set of Apple's clients."""
    if resource.person is None:
        return None
    for address in resource.person.addresses:
        ET.SubElement(element, f"{_CS}email-address").text = address
    return FOUND


def display_name(resource: Resource, element: ET.Element) -> int | None:
    """The full name of a user or group, and what a proxy group is for."""
    if resource.is_proxy:
        element.text = f"{resource.parts[1]} of {resource.parts[0]}"
        return FOUND
    if resource.person is None:
        return None
    element.text = resource.person.name or resource.person.principal
    return FOUND


def itself(resource: Resource, element: ET.Element) -> int | None:
    """principal-URL names the principal that was asked (Radicale takes the request's path)."""
    if len(resource.parts) != 1 and not resource.is_proxy:
        return None
    put_href(element, quote(f"/{'/'.join(resource.parts)}/"))
    return FOUND


def home(resource: Resource, element: ET.Element) -> int | None:
    """Home sets; clients that know only the server's name ask for them at the root."""
    if not resource.parts:
        put_principals(element, [resource.scope.user])
        return FOUND
    if resource.is_user or (len(resource.parts) == 1 and resource.person is None):
        put_principals(element, [resource.parts[0]])
        return FOUND
    return MISSING if len(resource.parts) == 1 or resource.is_proxy else None


def directory_gateway(resource: Resource, element: ET.Element) -> int | None:
    """Where the user's client searches for people: the global address book."""
    if not resource.is_own or not resource.scope.shared.options.directory:
        return None
    put_href(element, quote(f"/{resource.scope.user}/global-address-book/"))
    return FOUND


def membership(resource: Resource, element: ET.Element) -> int | None:
    """group-membership: groups of the directory, and for whom the user acts."""
    if len(resource.parts) != 1:
        return None
    person, scope = resource.person, resource.scope
    if person is not None:
        groups = scope.wait(lambda: scope.shared.people.groups_of(scope.session, person))
        put_principals(element, [each.principal for each in groups])
    if resource.is_own:
        for group, owners in proxies.acts_for(scope).items():
            for owner in owners:
                put_href(element, quote(f"/{owner}/{group}/"))
    return FOUND


def members(resource: Resource, element: ET.Element) -> int | None:
    """group-member-set of groups of the directory and of proxy groups; users have none."""
    scope, person = resource.scope, resource.person
    if resource.is_proxy:
        try:
            found = proxies.members(scope, *resource.parts)
        except Refused:
            return FORBIDDEN
        put_principals(element, [each.principal for each in found])
        return FOUND
    if person is not None and person.is_group:
        inside = scope.wait(lambda: scope.shared.people.members_of(scope.session, person))
        put_principals(element, [each.principal for each in inside])
    return FOUND if len(resource.parts) == 1 else None


def reads_for(resource: Resource, element: ET.Element) -> int | None:
    """calendar-proxy-read-for: whose calendars the user may read."""
    return _acts_for(resource, element, hrefs.PROXY_READ)


def writes_for(resource: Resource, element: ET.Element) -> int | None:
    """calendar-proxy-write-for: whose calendars the user may change."""
    return _acts_for(resource, element, hrefs.PROXY_WRITE)


def _acts_for(resource: Resource, element: ET.Element, group: str) -> int | None:
    if not resource.is_own:
        return None
    put_principals(element, proxies.acts_for(resource.scope)[group])
    return FOUND


def empty(resource: Resource, element: ET.Element) -> int | None:
    """Sets of principals that have nothing in them here."""
    return FOUND if len(resource.parts) == 1 or resource.is_proxy else None


def user_type(resource: Resource, element: ET.Element) -> int | None:
    """calendar-user-type."""
    if len(resource.parts) != 1:
        return None
    element.text = "GROUP" if resource.person is not None and resource.person.is_group else "INDIVIDUAL"
    return FOUND


def resource_type(resource: Resource, element: ET.Element) -> int | None:
    """Proxy groups have a type of their own."""
    if not resource.is_proxy:
        return None
    for tag in (f"{_D}principal", f"{_D}collection", f"{_CS}{resource.parts[1]}"):
        ET.SubElement(element, tag)
    return FOUND
