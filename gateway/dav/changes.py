"""Properties that clients set: which may be, what is kept of them, and what they are told (RFC 4918 9.2, RFC 5689 3).

Name and description are text, everything else is kept as it came: text, or the whole element when it is more than that.
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.ical.timezones import zone_of_iana
from gateway.dav import liveprops, multistatus, properties, zones
from gateway.dav.errors import NAMESPACES
from gateway.dav.places import text_key
from gateway.dav.scheduling import transparency
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
_TIMEZONE: Final = f"{_C}calendar-timezone"
_TIMEZONE_ID: Final = f"{_C}calendar-timezone-id"
_SOURCE: Final = f"{_CS}source"
#: What is text wherever it is stored; parameters like xml:lang have no place there.
_TEXTS: Final = (f"{_D}displayname", f"{_C}calendar-description", f"{_CR}addressbook-description")
COMPONENTS: Final = f"{_C}supported-calendar-component-set"
#: What follows from what lies in a collection and from what it is; nobody sets it.
PROTECTED: Final = (
    frozenset(liveprops.FILLED)
    - {f"{_D}displayname", transparency.PROPERTY, _TIMEZONE, _TIMEZONE_ID, _SOURCE}
    | {
        f"{_D}{name}"
        for name in (
            "creationdate", "getcontentlength", "getcontenttype", "getetag", "getlastmodified", "lockdiscovery",
            "supportedlock", "sync-token", "owner", "group", "current-user-principal", "principal-collection-set",
        )
    }
    | {f"{_CS}getctag"}
)  # fmt: skip
#: Tag to new value, None for a property that is taken away.
Changes = Mapping[str, "ET.Element | None"]
#: Tag to the precondition that it breaks.
Errors = dict[str, str]


def changes_in(root: ET.Element) -> Changes:
    """What a request sets and removes, the last word on each property."""
    found: dict[str, ET.Element | None] = {}
    for action in root:
        if action.tag in (f"{_D}set", f"{_D}remove"):
            for element in action.iterfind(f"{_D}prop/*"):
                found.pop(element.tag, None)
                found[element.tag] = element if action.tag == f"{_D}set" else None
    return found


def errors_in(scope: RequestScope, changes: Changes, settable: Some[str] = ()) -> Errors:
    """The preconditions that changes of a collection break; ``settable`` are what may be set all the same."""
    found: Errors = {}
    for tag, element in changes.items():
        text = (element.text or "").strip() if element is not None else ""
        if tag in PROTECTED and tag not in settable:
            found[tag] = "D:cannot-modify-protected-property"
        elif tag == _TIMEZONE and element is not None and zones.zone_of_text(text, scope.shared.zone) is None:
            found[tag] = "C:valid-calendar-data"
        elif tag == _TIMEZONE_ID and element is not None and zone_of_iana(text) is None:
            found[tag] = "C:valid-timezone"
    return found


def changed(meta: dict[str, str], changes: Changes) -> dict[str, str]:
    """The properties of a collection after the changes, as Radicale names them."""
    zones_set = [tag for tag in (_TIMEZONE, _TIMEZONE_ID) if tag in changes]
    if len(zones_set) == 1:  # each is told by the other (RFC 7809 5.2)
        for tag in (_TIMEZONE, _TIMEZONE_ID):
            meta.pop(text_key(tag), None)
    for tag, element in changes.items():
        name, tree = text_key(tag), properties.tree_key(tag)
        meta.pop(name, None)
        meta.pop(tree, None)
        if element is None:
            continue
        if tag == _SOURCE:
            meta[name] = (element.findtext(f"{_D}href") or "").strip()
            continue
        is_known = tag.startswith("{")
        if not len(element) and is_known:
            meta[name] = element.text or ""
        if tag not in _TEXTS and (len(element) or element.attrib or not is_known):
            element.tail = None
            meta[tree] = ET.tostring(element, "unicode")
    return meta


def propstats(changes: Changes, errors: Errors) -> str:
    """What became of each property: done, or refused, or left because of another."""
    fine = [tag for tag in changes if tag not in errors]
    parts = [_propstat(fine, "424 Failed Dependency" if errors else "200 OK", "")] if fine or not errors else []
    parts += [_propstat([tag], "403 Forbidden", precondition) for tag, precondition in errors.items()]
    return "".join(parts)


def _propstat(tags: Iterable[str], status: str, precondition: str) -> str:
    props = "".join(multistatus.element(tag) for tag in tags)
    error = ""
    if precondition:
        prefix, _, name = precondition.partition(":")
        error = f"<error>{multistatus.element(f'{{{NAMESPACES[prefix]}}}{name}')}</error>"
    return f"<propstat><prop>{props}</prop><status>HTTP/1.1 {status}</status>{error}</propstat>"
