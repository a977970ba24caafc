"""Privileges of RFC 3744 and MAPI's rights, both ways.

MAPI has fewer rights: a privilege stands for the bits it needs, and a set of bits gives every privilege whose bits it
has. What cannot be had alone is abstract: it comes with what it lies in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav.errors import Refused
from gateway.dav.kinds import Kind
from gateway.mapi.rights import Rights, completed

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
ALL: Final = f"{_D}all"
READ: Final = f"{_D}read"
READ_ACL: Final = f"{_D}read-acl"
WRITE_ACL: Final = f"{_D}write-acl"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Privilege:
    """One privilege, the bits without which nobody has it, and the privileges in it."""

    tag: str
    text: str
    bits: Rights
    parts: tuple[Privilege, ...] = ()
    is_abstract: bool = False

    def __iter__(self) -> Iterator[Privilege]:
        """It and everything in it."""
        yield self
        for part in self.parts:
            yield from part


_EDIT: Final = Rights.EDIT_ANY | Rights.EDIT_OWNED
_DELETE: Final = Rights.DELETE_ANY | Rights.DELETE_OWNED
_FREE_BUSY: Final = Privilege(
    f"{_C}read-free-busy", "See when the owner is busy", Rights.READ_ANY, is_abstract=True
)
_WRITE: Final = Privilege(
    f"{_D}write",
    "Change the collection",
    Rights.CREATE | Rights.EDIT_ANY | Rights.DELETE_ANY,
    (
        Privilege(f"{_D}write-content", "Change items", Rights.EDIT_ANY),
        Privilege(f"{_D}write-properties", "Change properties", Rights.EDIT_ANY, is_abstract=True),
        Privilege(f"{_D}bind", "Add items", Rights.CREATE),
        Privilege(f"{_D}unbind", "Delete items", Rights.DELETE_ANY),
    ),
)
_ACL: Final = (
    Privilege(READ_ACL, "See who may do what", Rights.FOLDER_OWNER, is_abstract=True),
    Privilege(WRITE_ACL, "Say who may do what", Rights.FOLDER_OWNER),
    Privilege(f"{_D}read-current-user-privilege-set", "See what you may do", Rights.FOLDER_VISIBLE),
)
_GRANTED: Final = {
    READ: Rights.READ_ANY | Rights.FOLDER_VISIBLE,
    _WRITE.tag: Rights.CREATE | _EDIT | _DELETE,
    ALL: Rights.OWNER,
}


def tree(kind: Kind | None) -> Privilege:
    """All privileges on a collection of this kind, or on a principal."""
    read = Privilege(
        READ,
        "See the items",
        Rights.READ_ANY,
        (_FREE_BUSY,) if kind is not None and kind.is_calendar else (),
    )
    needed = Rights.OWNER & ~Rights.CREATE_SUBFOLDER
    return Privilege(ALL, "Everything", needed, (read, _WRITE, *_ACL))


def told(rights: int, kind: Kind | None) -> list[str]:
    """Every privilege that a set of bits gives."""
    return [each.tag for each in tree(kind) if rights & each.bits == each.bits]


def granted(rights: int, kind: Kind) -> list[str]:
    """The fewest privileges that say the same in an access control entry; abstract ones are not told."""
    return [*_widest(tree(kind), rights)]


def _widest(privilege: Privilege, rights: int) -> Iterator[str]:
    if privilege.is_abstract:
        return
    if rights & privilege.bits == privilege.bits:
        yield privilege.tag
        return
    for part in privilege.parts:
        yield from _widest(part, rights)


def rights_of(tags: Iterable[str], kind: Kind) -> int:
    """The bits of privileges (Refused for one that does not exist, or cannot be had alone)."""
    known = {each.tag: each for each in tree(kind)}
    rights = Rights(0)
    for tag in tags:
        privilege = known.get(tag)
        if privilege is None:
            raise Refused(403, "D:not-supported-privilege", f"there is no privilege {tag}")
        if privilege.is_abstract:
            raise Refused(403, "D:no-abstract", f"{tag} cannot be granted alone")
        rights |= _GRANTED.get(tag, privilege.bits)
    return int(completed(rights))


def supported(parent: ET.Element, kind: Kind | None) -> None:
    """supported-privilege-set (RFC 3744 5.3)."""
    _describe(parent, tree(kind))


def _describe(parent: ET.Element, privilege: Privilege) -> None:
    element = ET.SubElement(parent, f"{_D}supported-privilege")
    ET.SubElement(ET.SubElement(element, f"{_D}privilege"), privilege.tag)
    if privilege.is_abstract:
        ET.SubElement(element, f"{_D}abstract")
    ET.SubElement(element, f"{_D}description", {_LANGUAGE: "en"}).text = privilege.text
    for part in privilege.parts:
        _describe(element, part)


def write(parent: ET.Element, tags: Iterable[str]) -> None:
    """Privileges as elements."""
    for tag in tags:
        ET.SubElement(ET.SubElement(parent, f"{_D}privilege"), tag)
