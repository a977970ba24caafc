"""Proxy groups: who acts for somebody, as Apple's clients ask and set it (calendar-proxy), from rights on the calendar.

Members of a user's ``calendar-proxy-write`` may put and change events in the default calendar, those of
``calendar-proxy-read`` may only read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.dav import acl, hrefs
from gateway.dav.acl import Grant
from gateway.dav.errors import Refused
from gateway.dav.people import Person
from gateway.dav.places import Place
from gateway.dav.scope import RequestScope
from gateway.mapi.rights import AccessEntry, EntryState, Rights
from gateway.mapiclient.folder import set_rights

_WRITE: Final = Rights.READ_ANY | Rights.CREATE | Rights.EDIT_ANY
_GRANTED: Final = {hrefs.PROXY_READ: Rights.REVIEWER, hrefs.PROXY_WRITE: Rights.SECRETARY}


def group_of(rights: int) -> str:
    """The proxy group of somebody with these rights on the calendar, "" for none."""
    if rights & _WRITE == _WRITE:
        return hrefs.PROXY_WRITE
    return hrefs.PROXY_READ if rights & Rights.READ_ANY else ""


def calendar_of(scope: RequestScope, owner: str) -> Place:
    """The calendar whose rights make the groups of an owner (Refused for another's)."""
    if owner == scope.user:
        for place in scope.places(owner):
            if place.is_own and place.is_default and place.kind.name == "calendar":
                return place
    raise Refused(403, "D:need-privileges", "only its owner sees and says who acts for somebody")


def members(scope: RequestScope, owner: str, group: str) -> list[Person]:
    """The users and groups in a proxy group (Refused for another's)."""
    place = calendar_of(scope, owner)
    return _in_group(scope.wait(lambda: acl.grants(scope, place)), group, owner)


def _in_group(grants: Iterable[Grant], group: str, owner: str) -> list[Person]:
    return [
        each.person
        for each in grants
        if each.person is not None and each.person.principal != owner and group_of(each.rights) == group
    ]


def acts_for(scope: RequestScope) -> dict[str, list[str]]:
    """The owners for whom the user himself acts, by group; the better right on any of their calendars counts."""
    found: dict[str, str] = {}
    for place in scope.places(scope.user):
        if place.home is None or place.is_own or place.owner == hrefs.PUBLIC or not place.kind.is_calendar:
            continue
        if found.get(place.owner) != hrefs.PROXY_WRITE:
            found[place.owner] = group_of(place.rights)
    return {group: [owner for owner, its in found.items() if its == group] for group in hrefs.PROXIES}


async def set_members(scope: RequestScope, place: Place, group: str, wanted: Iterable[Person]) -> None:
    """Make a proxy group have exactly these members, by their rights on the calendar."""
    grants = await acl.grants(scope, place)
    people = {person.entryid: person for person in wanted}
    before = {each.person.entryid: each for each in grants if each.person is not None}
    changes: list[AccessEntry] = []
    for entryid in people:
        grant = before.get(entryid)
        if grant is None or group_of(grant.rights) != group:
            kept = grant.rights & acl.UNTOLD if grant is not None else 0
            changes.append(acl.entry_of(entryid, _GRANTED[group] | kept, _state(grant)))
    for person in _in_group(grants, group, place.owner):
        if person.entryid not in people:
            grant = before[person.entryid]
            state = EntryState.NEW if grant.is_inherited else EntryState.DELETE
            changes.append(acl.entry_of(person.entryid, Rights.NONE if grant.is_inherited else 0, state))
    if changes:
        await set_rights(scope.session_of(place), place.entryid, changes)


def _state(grant: Grant | None) -> EntryState:
    return EntryState.NEW if grant is None or grant.is_inherited else EntryState.MODIFY
