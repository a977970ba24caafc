"""Members of a distribution list as bytes (MS-OXOCNTC 2.2.2.4).

A list has two columns of the same length: who a member is (an entry id, wrapped to say of what kind and which of
its addresses), and a one-off entry id with the name and address at the time. A member outside every address book is
a one-off in both. Outlook puts large lists into a stream instead, which then counts alone (2.2.2.2.4).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.convert.vcard.fields import LIST_CHECKSUM, LIST_MEMBERS, LIST_ONE_OFFS, LIST_STREAM
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import OneOff, one_off_entryid, parse_one_off_entryid

PROVIDER: Final = bytes.fromhex("c091add3519dcf11a4a900aa0047faa4")
_HEAD: Final = bytes(4) + PROVIDER
ONE_OFF, CONTACT, LIST, USER, GROUP = 0, 3, 4, 5, 6
_EMAIL_1: Final = 4
#: The address of a member that is a list, or that has none.
UNKNOWN: Final = "Unknown"
LIST_TYPE: Final = "MAPIPDL"
#: More members are not read.
MAX_MEMBERS: Final = 20_000
_STREAM_VERSION: Final = b"\1\0"
#: Version, build and flags; how many members; the sizes of all of each kind of field.
_STREAM_HEAD: Final = struct.Struct("<12xI12x")


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its two entries, and what they say. ``entryid`` is b"" for a one-off."""

    entry: bytes
    one_off_entry: bytes
    kind: int
    slot: int
    """Which e-mail address of a contact, 0 to 2."""
    entryid: bytes
    one_off: OneOff | None


def members_of(content: MessageContent) -> list[Member]:
    """The members: of the stream, else of the columns; when those differ in length the rest is read alone."""
    if streamed := _of_stream(content.get(LIST_STREAM)):
        return streamed
    entries = _column(content, LIST_MEMBERS)
    one_offs = _column(content, LIST_ONE_OFFS)
    count = min(max(len(entries), len(one_offs)), MAX_MEMBERS)
    return [
        _member(entries[n] if n < len(entries) else b"", one_offs[n] if n < len(one_offs) else b"")
        for n in range(count)
    ]


def _of_stream(stream: object) -> list[Member]:
    """The members in a stream; those before the place where it is cut or damaged."""
    found: list[Member] = []
    if not isinstance(stream, bytes) or len(stream) < _STREAM_HEAD.size or stream[:2] != _STREAM_VERSION:
        return found
    (count,) = _STREAM_HEAD.unpack_from(stream)
    place = _STREAM_HEAD.size
    for _ in range(min(count, MAX_MEMBERS)):
        parts: list[bytes] = []
        for _ in range(3):  # entry id, one-off, and what nobody uses
            size = int.from_bytes(stream[place : place + 4], "little")
            parts.append(stream[place + 4 : place + 4 + size])
            place += 4 + size
        if place > len(stream):
            break
        if parts[0] or parts[1]:
            found.append(_member(parts[0], parts[1]))
    return found


def _column(content: MessageContent, tag: int) -> Sequence[bytes]:
    return [value for value in content.get(tag) or () if isinstance(value, bytes)]


def _member(entry: bytes, one_off_entry: bytes) -> Member:
    if entry.startswith(_HEAD) and len(entry) > len(_HEAD):
        number = entry[len(_HEAD)]
        inner = entry[len(_HEAD) + 1 :]
        kind, slot = number & 15, (number >> 4 & 7) - _EMAIL_1
        one_off = _one_off(one_off_entry) or (_one_off(inner) if kind == ONE_OFF else None)
        slot = slot if slot in range(3) else 0
        return Member(entry, one_off_entry, kind, slot, b"" if kind == ONE_OFF else inner, one_off)
    one_off = _one_off(entry) or _one_off(one_off_entry)
    if entry and _one_off(entry) is None:  # a bare entry id
        return Member(entry, one_off_entry, USER, 0, entry, one_off)
    return Member(entry or one_off_entry, one_off_entry or entry, ONE_OFF, 0, b"", one_off)


def _one_off(entry: bytes) -> OneOff | None:
    try:
        return parse_one_off_entryid(entry)
    except ValueError:
        return None


def one_off_member(one_off: OneOff) -> Member:
    """A member outside every address book."""
    entry = one_off_entryid(one_off)
    return Member(entry, entry, ONE_OFF, 0, b"", one_off)


def contact_member(entryid: bytes, name: str, address: str, slot: int) -> Member:
    """A contact by one of its e-mail addresses."""
    one_off = OneOff(name, "SMTP", address or UNKNOWN)
    number = 0x80 | (_EMAIL_1 + slot) << 4 | CONTACT
    return Member(wrap(number, entryid), one_off_entryid(one_off), CONTACT, slot, entryid, one_off)


def list_member(entryid: bytes, name: str) -> Member:
    """Another distribution list."""
    one_off = OneOff(name, LIST_TYPE, UNKNOWN)
    return Member(wrap(0xB0 | LIST, entryid), one_off_entryid(one_off), LIST, 0, entryid, one_off)


def wrap(number: int, entryid: bytes) -> bytes:
    """A member entry around an entry id."""
    return _HEAD + bytes([number]) + entryid


def put_members(content: MessageContent, members: Sequence[Member]) -> None:
    """Write the two columns and their checksum; both are complete, whatever their size."""
    if not members:
        for tag in (LIST_MEMBERS, LIST_ONE_OFFS, LIST_CHECKSUM):
            content.props.pop(tag, None)
        return
    content.props[LIST_MEMBERS] = tuple(member.entry for member in members)
    content.props[LIST_ONE_OFFS] = tuple(member.one_off_entry for member in members)
    content.props[LIST_CHECKSUM] = checksum([member.entry for member in members])


def checksum(entries: Sequence[bytes]) -> int:
    """The checksum of member entries: CRC-32 that begins with 0 and is not inverted (MS-OXRTFCP 3.1.3.2)."""
    value = 0xFFFFFFFF  # zlib inverts before and after
    for entry in entries:
        value = zlib.crc32(entry, value)
    return value ^ 0xFFFFFFFF
