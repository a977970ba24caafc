"""Subscribed folders as Kopano keeps them: one binary property on the Inbox (PR_EC_IMAP_SUBSCRIBED).

The value is a little-endian count and then, for each folder, the length and bytes of its entry id.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

_NUMBER: Final = struct.Struct("<I")
#: Entries beyond this are ignored: no mailbox has so many folders.
MAX_FOLDERS: Final = 100_000


def decode_subscriptions(value: bytes) -> list[bytes]:
    """The entry ids of the subscribed folders; a value that is cut short gives those before the cut."""
    if len(value) < _NUMBER.size:
        return []
    (count,) = _NUMBER.unpack_from(value)
    found: list[bytes] = []
    place = _NUMBER.size
    while len(found) < min(count, MAX_FOLDERS) and place + _NUMBER.size <= len(value):
        (length,) = _NUMBER.unpack_from(value, place)
        place += _NUMBER.size
        if place + length > len(value):
            break
        found.append(value[place : place + length])
        place += length
    return found


def encode_subscriptions(entryids: Iterable[bytes]) -> bytes:
    """The property value of these folders."""
    parts = [_NUMBER.pack(len(entryid)) + entryid for entryid in entryids]
    return _NUMBER.pack(len(parts)) + b"".join(parts)
