"""GlobalObjectId and UID: what makes two copies of a meeting the same (MS-OXOCAL 2.2.1.27, MS-OXCICAL 2.1.3.1.1.20.26).

A UID of another program is wrapped as ``vCal-Uid``; a native id is the UID in hexadecimal. Writers differ in one
byte (a NUL after the wrapped UID), so lookups must ask for both forms.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

PREFIX: Final = bytes.fromhex("040000008200E00074C5B7101A82E008")
_WRAPPED: Final = b"vCal-Uid\1\0\0\0"
_DATE: Final = slice(16, 20)
_DATA: Final = 40
#: A UID longer than this is refused: nobody generates one.
MAX_UID: Final = 1000


class InstanceDate(NamedTuple):
    """The local date of the instance an id stands for."""

    year: int
    month: int
    day: int


def wrapped(uid: str, *, terminated: bool = False) -> bytes:
    """The clean id of a UID of another program; Kopano's own form is ``terminated`` by a NUL."""
    data = _WRAPPED + uid.encode("utf-8", "surrogateescape") + (b"\0" if terminated else b"")
    return PREFIX + bytes(20) + struct.pack("<I", len(data)) + data


def from_uid(uid: str) -> bytes:
    """The clean id (PidLidCleanGlobalObjectId) of a UID: its bytes when it is a native id in hexadecimal."""
    if len(uid) >= 2 * _DATA and len(uid) % 2 == 0 and uid[:32].upper() == PREFIX.hex().upper():
        try:
            return clean(bytes.fromhex(uid))
        except ValueError:
            pass
    return wrapped(uid)


def both_forms(uid: str) -> tuple[bytes, ...]:
    """Every clean id a store may hold for a UID."""
    found = from_uid(uid)
    other = wrapped(uid, terminated=True)
    return (found, other) if found == wrapped(uid) else (found,)


def to_uid(blob: bytes) -> str:
    """The UID of an id; one that is too short to be an id is taken as it is."""
    if blob[_DATA : _DATA + 8] == b"vCal-Uid" and len(blob) > _DATA + len(_WRAPPED):
        return blob[_DATA + len(_WRAPPED) :].rstrip(b"\0").decode("utf-8", "replace")
    return (clean(blob) if len(blob) >= _DATA else blob).hex().upper()


def clean(blob: bytes) -> bytes:
    """The id without an instance's date."""
    return blob[: _DATE.start] + bytes(4) + blob[_DATE.stop :]


def with_date(blob: bytes, date: InstanceDate | None) -> bytes:
    """The id of one instance (PidLidGlobalObjectId)."""
    if date is None:
        return clean(blob)
    return blob[: _DATE.start] + struct.pack(">HBB", *date) + blob[_DATE.stop :]


def date_of(blob: bytes) -> InstanceDate | None:
    """The instance an id stands for, None for the series or a single event."""
    if len(blob) < _DATA or blob[_DATE] == bytes(4):
        return None
    return InstanceDate(*struct.unpack(">HBB", blob[_DATE]))
