"""Access control lists: what the rights on a folder grant, told and set (RFC 3744 5.5, 8.1).

Rights only grant, to users, groups and everybody. The owner's own entry is protected, those of the folders above are
inherited; both may stand in a client's list and change nothing. Entries of accounts that are gone are not told and
stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, privileges
from gateway.dav.errors import BadRequest, Refused
from gateway.dav.people import Person
from gateway.dav.places import Place
from gateway.dav.scope import RequestScope
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import EVERYONE
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapiclient.folder import get_rights, load_props, set_rights

_D: Final = "{DAV:}"
_MOST: Final = 1000
_MOST_ABOVE: Final = 16
#: Rights that no privilege tells; who has them keeps them.
UNTOLD: Final = Rights.CREATE_SUBFOLDER | Rights.FOLDER_CONTACT
_SERVERS_OWN: Final = (f"{_D}protected", f"{_D}inherited")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a list grants to somebody; nobody in particular is everybody."""

    person: Person | None
    rights: int
    is_inherited: bool = False


def may_see(place: Place) -> bool:
    """Whether the user may see the list."""
    return place.home is not None and place.is_owned


async def grants(scope: RequestScope, place: Place) -> list[Grant]:
    """What is granted on a collection by its own folder and those above; a nearer entry counts alone."""
    session = scope.session_of(place)
    found: dict[bytes, Grant] = {}
    for number, entryid in enumerate(await _upward(scope, place)):
        if entryid not in scope.entries:
            scope.entries[entryid] = await get_rights(session, entryid)
        for entry in scope.entries[entryid]:
            if entry.user_entryid in found:
                continue
            person = None
            if entry.user_entryid != EVERYONE:
                person = await scope.shared.people.of_entryid(session, entry.user_entryid)
                if person is None:
                    continue
            found[entry.user_entryid] = Grant(person, entry.rights, number > 0)
    return [*found.values()]


async def _upward(scope: RequestScope, place: Place) -> list[bytes]:
    """The folder and those above it, as far as they can be seen."""
    session, found = scope.session_of(place), [place.entryid]
    try:
        while len(found) < _MOST_ABOVE:
            below = found[-1]
            if below not in scope.parents:
                props, _ = await load_props(session, below)
                scope.parents[below] = props.get(pr.PR_PARENT_ENTRYID) or b""
            parent = scope.parents[below]
            if not parent or parent in found:
                break
            found.append(parent)
    except MapiError:
        pass  # what lies above is another's
    return found


def write(parent: ET.Element, place: Place, found: Iterable[Grant]) -> None:
    """The acl property."""
    home = hrefs.principal_path(place.owner)
    if place.owner != hrefs.PUBLIC:
        ace = _ace(parent, [privileges.ALL])
        ET.SubElement(ET.SubElement(ace[0], f"{_D}property"), f"{_D}owner")
        ET.SubElement(ace, f"{_D}protected")
    for grant in found:
        if grant.person is not None and grant.person.principal == place.owner:
            continue
        tags = privileges.granted(grant.rights, place.kind)
        if not tags:
            continue  # an entry that grants nothing
        ace = _ace(parent, tags)
        if grant.person is None:
            ET.SubElement(ace[0], f"{_D}authenticated")
        else:
            ET.SubElement(ace[0], f"{_D}href").text = hrefs.principal_path(grant.person.principal)
        if grant.is_inherited:
            ET.SubElement(ET.SubElement(ace, f"{_D}inherited"), f"{_D}href").text = home


def _ace(parent: ET.Element, tags: Sequence[str]) -> ET.Element:
    """An entry with an empty principal."""
    ace = ET.SubElement(parent, f"{_D}ace")
    ET.SubElement(ace, f"{_D}principal")
    privileges.write(ET.SubElement(ace, f"{_D}grant"), tags)
    return ace


# The method


async def replace(scope: RequestScope, place: Place, root: ET.Element) -> None:
    """Make the folder's own list the one of an ACL request (Refused, NoAccess)."""
    if root.tag != f"{_D}acl":
        raise BadRequest("an ACL request has an acl element")
    if not may_see(place):
        raise Refused(403, "D:need-privileges", "only its owner says who may do what")
    wanted = await _wanted(scope, place, root)
    session = scope.session_of(place)
    present = {entry.user_entryid: entry for entry in await get_rights(session, place.entryid)}
    gone = [each for each in present.keys() - wanted.keys() if await _is_somebody(scope, place, each)]
    changes = [*_changes(present, wanted, place), *(entry_of(each, 0, EntryState.DELETE) for each in gone)]
    if changes:
        await set_rights(session, place.entryid, changes)


async def _is_somebody(scope: RequestScope, place: Place, entryid: bytes) -> bool:
    if entryid == EVERYONE:
        return True
    return await scope.shared.people.of_entryid(scope.session_of(place), entryid) is not None


def _changes(
    present: dict[bytes, AccessEntry], wanted: dict[bytes, set[str]], place: Place
) -> Iterator[AccessEntry]:
    for entryid, tags in wanted.items():
        before = present.get(entryid)
        if before is None:
            yield entry_of(entryid, privileges.rights_of(tags, place.kind), EntryState.NEW)
        elif tags != set(privileges.granted(before.rights, place.kind)):
            rights = privileges.rights_of(tags, place.kind) | (before.rights & UNTOLD)
            yield entry_of(entryid, rights, EntryState.MODIFY)


def entry_of(entryid: bytes, rights: int, state: int) -> AccessEntry:
    """An entry as it is set."""
    return AccessEntry(0, AccessType.GRANT, rights, state | EntryState.AUTO_UPDATE_DENIED, entryid)


async def _wanted(scope: RequestScope, place: Place, root: ET.Element) -> dict[bytes, set[str]]:
    """Whom the list grants which privileges, by entry id (Refused)."""
    aces = root.findall(f"{_D}ace")
    if len(aces) > _MOST:
        raise Refused(403, "D:limited-number-of-aces", f"a list has at most {_MOST} entries")
    found: dict[bytes, set[str]] = {}
    for ace in aces:
        if any(ace.find(tag) is not None for tag in _SERVERS_OWN) or _is_owners(ace):
            continue
        tags = {each.tag for privilege in ace.iterfind(f"{_D}grant/{_D}privilege") for each in privilege}
        _check(ace, tags)
        privileges.rights_of(tags, place.kind)
        found.setdefault(await _entryid(scope, place, ace), set()).update(tags)
    return found


def _check(ace: ET.Element, tags: set[str]) -> None:
    if ace.find(f"{_D}invert") is not None:
        raise Refused(403, "D:no-invert", "rights cannot be granted to all but somebody")
    if ace.find(f"{_D}deny") is not None:
        raise Refused(403, "D:grant-only", "rights can be granted only")
    if not tags:
        raise BadRequest("an entry grants at least one privilege")


def _is_owners(ace: ET.Element) -> bool:
    """Whether an entry says that the owner may do everything, which he may."""
    owner = ace.find(f"{_D}principal/{_D}property/{_D}owner") is not None
    return owner and ace.find(f"{_D}grant/{_D}privilege/{privileges.ALL}") is not None


async def _entryid(scope: RequestScope, place: Place, ace: ET.Element) -> bytes:
    """Whom an entry means (Refused)."""
    principal = ace.find(f"{_D}principal")
    if principal is None or len(principal) != 1:
        raise BadRequest("an entry names one principal")
    kind = principal[0]
    if kind.tag in (f"{_D}all", f"{_D}authenticated"):
        return EVERYONE
    if kind.tag == f"{_D}property" and kind.find(f"{_D}owner") is not None:
        raise Refused(403, "D:no-protected-ace-conflict", "the owner may do everything")
    if kind.tag != f"{_D}href":
        raise Refused(403, "D:allowed-principal", "rights are granted to users, groups and everybody")
    person = await person_of_href(scope, kind.text or "")
    if person is None:
        raise Refused(403, "D:recognized-principal", f"{(kind.text or '')[:100]} is neither user nor group")
    if person.principal == place.owner:
        raise Refused(403, "D:no-protected-ace-conflict", "the owner may do everything")
    return person.entryid


async def person_of_href(scope: RequestScope, href: str) -> Person | None:
    """The user or group of a principal's URL, None for anything else."""
    parts = hrefs.split_path(hrefs.path_of(href))
    if len(parts) != 1:
        return None
    return await scope.shared.people.person(scope.session, parts[0])
