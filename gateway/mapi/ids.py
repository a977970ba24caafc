"""Identifiers: the byte layouts of entry ids, source keys, change keys and one-off recipients.

Objects of a store have 48-byte entry ids (36 in old stores), the address book has its own, and recipients
outside the address book carry one-off entry ids (MS-OXCDATA 2.2.5.1). Random parts are parameters: this
module has no source of randomness.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.mapi.tables import ObjectType

MUIDECSAB: Final = bytes.fromhex("ac21a95040d3ee48b319fba753304425")
"""Provider of Kopano's address book."""
MUIDOOP: Final = bytes.fromhex("812b1fa4bea310199d6e00dd010f5402")
"""Provider of one-off recipients."""

_OBJECT: Final = struct.Struct("<4s16sIHH16s4x")
_OBJECT_V0: Final = struct.Struct("<4s16sIHHI4x")
_AB: Final = struct.Struct("<4s16sIII")
_ONE_OFF_UNICODE: Final = 0x8001
_ONE_OFF_8BIT: Final = 0x0001


@dataclass(frozen=True, slots=True)
class ObjectId:
    """The parts of a store, folder or message entry id."""

    store: bytes
    """GUID of the store, 16 bytes."""
    type: int
    unique: bytes
    """GUID of the object (version 1), or its number as 4 bytes (version 0)."""
    version: int = 1


def object_entryid(store: bytes, type: int, unique: bytes, flags: int = 0) -> bytes:
    """A 48-byte entry id; ``store`` and ``unique`` are 16 bytes each."""
    if len(store) != 16 or len(unique) != 16:
        raise ValueError("store and unique must be 16 bytes")
    return _OBJECT.pack(bytes(4), store, 1, type, flags, unique)


def numbered_entryid(store: bytes, type: int, number: int) -> bytes:
    """A 36-byte entry id of the old form, which names the object by its number; ``store`` is 16 bytes."""
    if len(store) != 16:
        raise ValueError("store must be 16 bytes")
    return _OBJECT_V0.pack(bytes(4), store, 0, type, 0, number)


def message_entryid(store: bytes, unique: bytes) -> bytes:
    """The entry id of a new message, as a client invents it."""
    return object_entryid(store, ObjectType.MESSAGE, unique)


def parse_object_entryid(entryid: bytes) -> ObjectId:
    """The parts of a store object's entry id (ValueError when it is none)."""
    if len(entryid) == _OBJECT.size:
        _, store, version, type_, _, unique = _OBJECT.unpack(entryid)
        if version == 1:
            return ObjectId(store, type_, unique)
    elif len(entryid) == _OBJECT_V0.size:
        _, store, version, type_, _, number = _OBJECT_V0.unpack(entryid)
        if version == 0:
            return ObjectId(store, type_, number.to_bytes(4, "little"), 0)
    raise ValueError("not the entry id of a store object")


@dataclass(frozen=True, slots=True)
class AddressBookId:
    """The parts of an address book entry id."""

    type: int
    number: int
    external: bytes = b""
    """External id of the object in the directory; empty for built-in objects."""


def address_book_entryid(parts: AddressBookId) -> bytes:
    """The entry id of an address book object: version 1 with an external id, else version 0."""
    if not parts.external:
        return _AB.pack(bytes(4), MUIDECSAB, 0, parts.type, parts.number) + bytes(4)
    text = b64encode(parts.external)
    size = (_AB.size + len(text) + 4) // 4 * 4
    return (_AB.pack(bytes(4), MUIDECSAB, 1, parts.type, parts.number) + text).ljust(size, b"\0")


def parse_address_book_entryid(entryid: bytes) -> AddressBookId:
    """The parts of an address book entry id (ValueError when it is none)."""
    if len(entryid) < _AB.size or entryid[4:20] != MUIDECSAB:
        raise ValueError("not the entry id of an address book object")
    _, _, version, type_, number = _AB.unpack_from(entryid)
    if version == 0:
        return AddressBookId(type_, number)
    text = entryid[_AB.size :].split(b"\0", 1)[0]
    try:
        return AddressBookId(type_, number, b64decode(text, validate=True))
    except BinasciiError as error:
        raise ValueError("address book entry id with a broken external id") from error


EVERYONE: Final = address_book_entryid(AddressBookId(ObjectType.DISTRIBUTION_LIST, 1))
SYSTEM_USER: Final = address_book_entryid(AddressBookId(ObjectType.MAIL_USER, 2))
ADDRESS_BOOK_ROOT: Final = address_book_entryid(AddressBookId(ObjectType.AB_CONTAINER, 0))
GLOBAL_ADDRESS_BOOK: Final = address_book_entryid(AddressBookId(ObjectType.AB_CONTAINER, 1))
ALL_ADDRESS_LISTS: Final = address_book_entryid(AddressBookId(ObjectType.AB_CONTAINER, 2))


@dataclass(frozen=True, slots=True)
class OneOff:
    """A recipient outside the address book."""

    name: str
    address_type: str
    address: str


def one_off_entryid(one_off: OneOff) -> bytes:
    """The Unicode one-off entry id of a recipient."""
    text = f"{one_off.name}\0{one_off.address_type}\0{one_off.address}\0"
    return struct.pack("<4s16sHH", bytes(4), MUIDOOP, 0, _ONE_OFF_UNICODE) + text.encode(
        "utf-16-le", "surrogatepass"
    )


def parse_one_off_entryid(entryid: bytes) -> OneOff:
    """The recipient of a one-off entry id, Unicode or 8-bit (ValueError when it is none)."""
    if len(entryid) < 24 or entryid[4:20] != MUIDOOP:
        raise ValueError("not a one-off entry id")
    (flags,) = struct.unpack_from("<H", entryid, 22)
    text = (
        entryid[24:].decode("utf-16-le", "replace")
        if flags & 0x8000
        else entryid[24:].decode("cp1252", "replace")
    )
    parts = text.split("\0")
    if len(parts) < 3:
        raise ValueError("one-off entry id is cut short")
    return OneOff(parts[0], parts[1], parts[2])


def flat_entry_list(entries: Iterable[bytes]) -> bytes:
    """A FLATENTRYLIST (MS-OXCDATA 2.3.3): the entries, each padded to a multiple of four."""
    parts = [struct.pack("<I", len(entry)) + entry + bytes(-len(entry) % 4) for entry in entries]
    return struct.pack("<II", len(parts), sum(map(len, parts))) + b"".join(parts)


def parse_flat_entry_list(blob: bytes) -> list[bytes]:
    """The entries of a FLATENTRYLIST; one that is cut short gives those that are whole."""
    entries: list[bytes] = []
    offset = 8
    for _ in range(int.from_bytes(blob[:4], "little")):
        size = int.from_bytes(blob[offset : offset + 4], "little")
        entry = blob[offset + 4 : offset + 4 + size]
        if len(entry) < size or offset + 4 > len(blob):
            break
        entries.append(entry)
        offset += 4 + size + -size % 4
    return entries


def search_key(address_type: str, address: str) -> bytes:
    """PR_SEARCH_KEY of an address: ``TYPE:ADDRESS`` upper-cased with a NUL."""
    return f"{address_type}:{address}".upper().encode() + b"\0"


def source_key(server: bytes, counter: int) -> bytes:
    """A generated source key, 22 bytes: server GUID and 48-bit counter."""
    return server + counter.to_bytes(6, "little")


def counter_of(key: bytes) -> int:
    """The counter in a generated source key, which grows from object to object; 0 for one that a client chose."""
    return int.from_bytes(key[16:], "little") if len(key) == 22 else 0


def change_key(server: bytes, change_id: int) -> bytes:
    """A generated change key, 20 bytes: server GUID and change id."""
    return server + change_id.to_bytes(4, "little")


def change_id_of(key: bytes) -> int:
    """The change id in a generated change key (ValueError when it is not 20 bytes)."""
    if len(key) != 20:
        raise ValueError("a change key has 20 bytes")
    return int.from_bytes(key[16:], "little")


def without_server(store_entryid: bytes) -> bytes:
    """A store entry id as the wire wants it: without the wrapping that clients exchange.

    Accepts the MAPI wrapping (provider DLL name) around the server wrapping (URL at the end) as well as bare
    ids, and returns anything else unchanged.
    """
    if store_entryid[4:20] == bytes.fromhex("38a1bb1005e5101aa1bb08002b2a56c2"):
        end = store_entryid.find(b"\0", 22)
        store_entryid = store_entryid[(end + 4) // 4 * 4 :] if end > 0 else store_entryid
    head = 44 if store_entryid[20:24] == b"\1\0\0\0" else 32
    if len(store_entryid) > head:
        return store_entryid[:head] + bytes(4)
    return store_entryid
