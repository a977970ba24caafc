"""PROPPATCH: properties of collections and members of proxy groups, all of a request or none (RFC 4918 9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from radicale.xmlutils import make_human_tag

from gateway.convert.ical.timezones import zone_of_iana
from gateway.dav import acl, hrefs, liveprops, multistatus, properties, proxies, zones
from gateway.dav.collection import Collection, ProxyGroup
from gateway.dav.errors import NAMESPACES, BadRequest, Refused
from gateway.dav.people import Person
from gateway.dav.scheduling import inboxproperties, mailboxes, transparency
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
_MEMBERS: Final = f"{_D}group-member-set"
_TIMEZONE: Final = f"{_C}calendar-timezone"
_TIMEZONE_ID: Final = f"{_C}calendar-timezone-id"
_SOURCE: Final = f"{_CS}source"
#: What follows from what lies in a collection and from what it is; nobody sets it.
_PROTECTED: Final = (
    frozenset(liveprops.FILLED)
    - {f"{_D}displayname", transparency.PROPERTY}
    | {
        f"{_D}{name}"
        for name in (
            "creationdate", "getcontentlength", "getcontenttype", "getetag", "getlastmodified", "lockdiscovery",
            "supportedlock", "sync-token", "owner", "group", "current-user-principal", "principal-collection-set",
        )
    }
    | {
        f"{_C}supported-calendar-component-set", f"{_C}max-resource-size", f"{_CR}max-resource-size",
        f"{_CS}getctag",
    }
)  # fmt: skip
#: Tag to new value, None for a property that is taken away.
Changes = Mapping[str, "ET.Element | None"]
#: Tag to the precondition that it breaks.
Errors = dict[str, str]


def changes_of(root: ET.Element | None) -> Changes:
    """What a request sets and removes, the last word on each property (BadRequest)."""
    if root is None or root.tag != f"{_D}propertyupdate":
        raise BadRequest("a PROPPATCH has a propertyupdate")
    found: dict[str, ET.Element | None] = {}
    for action in root:
        if action.tag in (f"{_D}set", f"{_D}remove"):
            for element in action.iterfind(f"{_D}prop/*"):
                found.pop(element.tag, None)
                found[element.tag] = element if action.tag == f"{_D}set" else None
    return found


def patch(scope: RequestScope, target: object, path: str, changes: Changes, *, minimal: bool) -> bytes | None:
    """Carry the changes out; the multistatus, None when everything was done and the client wants to hear little."""
    errors = _carry_out(scope, target, changes)
    if not errors and minimal:
        return None
    return multistatus.document([_response(path, changes, errors)])


def _carry_out(scope: RequestScope, target: object, changes: Changes) -> Errors:
    if isinstance(target, Collection):
        if target.place.home is None:
            raise Refused(403, "D:need-privileges", "the global address book cannot be changed")
        others = changes
        if target.place.name == mailboxes.INBOX and target.place.kind.is_mailbox:
            others = {tag: each for tag, each in changes.items() if tag not in inboxproperties.PROPERTIES}
        errors = _errors(scope, others)
        if not errors and len(others) < len(changes):
            special = {tag: each for tag, each in changes.items() if tag not in others}
            errors = inboxproperties.patch(scope, target.place.home.store, special)
        if not errors and others:
            target.set_meta(_meta(target, others))
        return errors
    if isinstance(target, ProxyGroup):
        return _set_members(scope, *hrefs.split_path(target.path), changes=changes)
    # Principals and items have no properties of their own.
    return dict.fromkeys(changes, "D:cannot-modify-protected-property")


def _errors(scope: RequestScope, changes: Changes) -> Errors:
    """The preconditions that changes of a collection break."""
    found: Errors = {}
    for tag, element in changes.items():
        text = (element.text or "").strip() if element is not None else ""
        if tag in _PROTECTED:
            found[tag] = "D:cannot-modify-protected-property"
        elif tag == _TIMEZONE and element is not None and zones.zone_of_text(text, scope.shared.zone) is None:
            found[tag] = "C:valid-calendar-data"
        elif tag == _TIMEZONE_ID and element is not None and zone_of_iana(text) is None:
            found[tag] = "C:valid-timezone"
    return found


def _meta(collection: Collection, changes: Changes) -> dict[str, str]:
    """The properties of a collection after the changes, as Radicale names them."""
    meta: dict[str, str] = {**collection.get_meta(), **properties.trees_of(collection.place)}
    for tag, element in changes.items():
        name, tree = make_human_tag(tag), properties.tree_key(tag)
        meta.pop(name, None)
        meta.pop(tree, None)
        if element is None:
            continue
        if tag == _SOURCE:
            meta[name] = (element.findtext(f"{_D}href") or "").strip()
        elif len(element):
            meta[tree] = ET.tostring(element, "unicode")
        else:
            meta[name] = element.text or ""
    return meta


def _set_members(scope: RequestScope, owner: str, group: str, *, changes: Changes) -> Errors:
    """Have a proxy group the members that a client names (Refused for another's group)."""
    errors = {tag: "D:cannot-modify-protected-property" for tag in changes if tag != _MEMBERS}
    place = proxies.calendar_of(scope, owner)
    element = changes.get(_MEMBERS)
    people = (
        [_person(scope, each.text or "") for each in element.iterfind(f"{_D}href")]
        if element is not None
        else []
    )
    known = [each for each in people if each is not None and each.principal != owner]
    if len(known) != len(people):
        errors[_MEMBERS] = "D:recognized-principal"
    if not errors:
        scope.wait(lambda: proxies.set_members(scope, place, group, known))
    return errors


def _person(scope: RequestScope, href: str) -> Person | None:
    return scope.wait(lambda: acl.person_of_href(scope, href))


def _response(path: str, changes: Changes, errors: Errors) -> str:
    """What became of each property: done, or refused, or left because of another."""
    fine = [tag for tag in changes if tag not in errors]
    parts = [_propstat(fine, "424 Failed Dependency" if errors else "200 OK", "")] if fine or not errors else []
    parts += [_propstat([tag], "403 Forbidden", precondition) for tag, precondition in errors.items()]
    return f"<response><href>{quote(path)}</href>{''.join(parts)}</response>"


def _propstat(tags: Iterable[str], status: str, precondition: str) -> str:
    props = "".join(multistatus.element(tag) for tag in tags)
    error = ""
    if precondition:
        prefix, _, name = precondition.partition(":")
        error = f"<error>{multistatus.element(f'{{{NAMESPACES[prefix]}}}{name}')}</error>"
    return f"<propstat><prop>{props}</prop><status>HTTP/1.1 {status}</status>{error}</propstat>"
