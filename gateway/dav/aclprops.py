"""Properties about access and limits: privileges, the access control list, quota (RFC 3744 5, RFC 4331)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav import acl, privileges, quota
from gateway.dav.principalprops import FORBIDDEN, FOUND, MISSING
from gateway.dav.resource import Resource, put_href
from gateway.mapi.errors import MapiError

_D: Final = "{DAV:}"
#: What everybody may do with principals, and a user with his own home.
_LOOK: Final = (f"{_D}read", f"{_D}read-current-user-privilege-set")
_AT_HOME: Final = (*_LOOK, f"{_D}read-acl", f"{_D}bind", f"{_D}unbind", f"{_D}write-properties")


def current(resource: Resource, element: ET.Element) -> int | None:
    """current-user-privilege-set."""
    if resource.place is not None:
        tags = privileges.told(resource.place.rights, resource.place.kind)
        if resource.place.home is None:
            tags = [*_LOOK]
    else:
        tags = [*(_AT_HOME if resource.is_own else _LOOK)]
    privileges.write(element, tags)
    return FOUND


def supported(resource: Resource, element: ET.Element) -> int | None:
    """supported-privilege-set."""
    privileges.supported(element, resource.place.kind if resource.place is not None else None)
    return FOUND


def access_list(resource: Resource, element: ET.Element) -> int | None:
    """The acl of a collection and of the items in it, for its owner; principals are there for everybody."""
    place, scope = resource.place, resource.scope
    if place is None:
        _public_ace(element, "authenticated")
        return FOUND
    if not acl.may_see(place):
        return FORBIDDEN
    acl.write(element, place, scope.wait(lambda: acl.grants(scope, place)))
    return FOUND


def _public_ace(parent: ET.Element, principal: str) -> None:
    ace = ET.SubElement(parent, f"{_D}ace")
    ET.SubElement(ET.SubElement(ace, f"{_D}principal"), f"{_D}{principal}")
    privileges.write(ET.SubElement(ace, f"{_D}grant"), _LOOK)
    ET.SubElement(ace, f"{_D}protected")


def restrictions(resource: Resource, element: ET.Element) -> int | None:
    """acl-restrictions: rights only grant."""
    for name in ("grant-only", "no-invert"):
        ET.SubElement(element, f"{_D}{name}")
    return FOUND


def inherited(resource: Resource, element: ET.Element) -> int | None:
    """inherited-acl-set: an item has the list of its collection."""
    if len(resource.parts) > 2 and resource.place is not None:
        put_href(element, quote(f"/{'/'.join(resource.parts[:2])}/"))
    return FOUND


def used(resource: Resource, element: ET.Element) -> int | None:
    """quota-used-bytes."""
    return _quota(resource, element, 0)


def available(resource: Resource, element: ET.Element) -> int | None:
    """quota-available-bytes; missing when there is no limit."""
    return _quota(resource, element, 1)


def _quota(resource: Resource, element: ET.Element, which: int) -> int | None:
    place = resource.place
    if not (resource.is_own or (place is not None and place.is_own)):
        return MISSING
    try:
        value = quota.used_and_free(resource.scope)[which]
    except MapiError:
        return MISSING
    if value is None:
        return MISSING
    element.text = str(value)
    return FOUND
