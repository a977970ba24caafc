"""PROPPATCH: properties of collections and members of proxy groups, all of a request or none (RFC 4918 9.2)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav import acl, hrefs, multistatus, properties, proxies
from gateway.dav.changes import Changes, Errors, changed, changes_in, errors_in, propstats
from gateway.dav.collection import Collection
from gateway.dav.errors import BadRequest, Refused
from gateway.dav.people import Person
from gateway.dav.principalpaths import ProxyGroup
from gateway.dav.scheduling import inboxproperties, mailboxes
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_MEMBERS: Final = f"{_D}group-member-set"


def changes_of(root: ET.Element | None) -> Changes:
    """What a request sets and removes, the last word on each property (BadRequest)."""
    if root is None or root.tag != f"{_D}propertyupdate":
        raise BadRequest("a PROPPATCH has a propertyupdate")
    return changes_in(root)


def patch(scope: RequestScope, target: object, path: str, changes: Changes, *, minimal: bool) -> bytes | None:
    """Carry the changes out; the multistatus, None when everything was done and the client wants to hear little."""
    errors = _carry_out(scope, target, changes)
    if not errors and minimal:
        return None
    response = f"<response><href>{quote(path)}</href>{propstats(changes, errors)}</response>"
    return multistatus.document([response])


def _carry_out(scope: RequestScope, target: object, changes: Changes) -> Errors:
    if isinstance(target, Collection):
        if target.place.home is None:
            raise Refused(403, "D:need-privileges", "the global address book cannot be changed")
        others = changes
        if target.place.name == mailboxes.INBOX and target.place.kind.is_mailbox:
            others = {tag: each for tag, each in changes.items() if tag not in inboxproperties.PROPERTIES}
        errors = errors_in(scope, others)
        if not errors and len(others) < len(changes):
            special = {tag: each for tag, each in changes.items() if tag not in others}
            errors = inboxproperties.patch(scope, target.place.home.store, special)
        if not errors and others:
            meta = {**target.get_meta(), **properties.trees_of(target.place)}
            target.set_meta(changed(meta, others))
        return errors
    if isinstance(target, ProxyGroup):
        return _set_members(scope, *hrefs.split_path(target.path), changes=changes)
    # Principals and items have no properties of their own.
    return dict.fromkeys(changes, "D:cannot-modify-protected-property")


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
