"""Files of Macintosh programs that came as one file: AppleSingle (RFC 1740 B) and BinHex 4.0 (RFC 1741 A).

What other programs want of them is the data fork with its name.
"""

from __future__ import annotations

import binascii
import re
import struct
from typing import Final, NamedTuple

MOST: Final = 64 * 1024 * 1024
"""Octets of an unpacked BinHex file; its runs could make much of little."""
_SINGLE: Final = b"\x00\x05\x16\x00"
_ENTRIES: Final = 24
_DATA, _RESOURCE, _NAME = 1, 2, 3
_MOST_ENTRIES: Final = 100
_HQX: Final = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64: Final = bytes.maketrans(_HQX, _BASE64)
_BODY: Final = re.compile(rb"(?:\A|[\r\n])[ \t]*:([!-9;-r\s]{20,}):?")
_NOT_HQX: Final = bytes(set(range(256)) - set(_HQX))
_RUN: Final = 0x90
_FIXED: Final = struct.Struct(">x8xHII2x")


class MacFile(NamedTuple):
    """A file: its name, and its data fork; ``resource`` tells whether there was more."""

    name: str
    data: bytes
    resource: bool


def apple_single(data: bytes) -> MacFile | None:
    """The file in AppleSingle; None when it is none, or has no data fork."""
    if not data.startswith(_SINGLE) or len(data) < _ENTRIES + 2:
        return None
    (count,) = struct.unpack_from(">H", data, _ENTRIES)
    forks: dict[int, bytes] = {}
    for place in range(_ENTRIES + 2, min(len(data) - 11, _ENTRIES + 2 + 12 * min(count, _MOST_ENTRIES)), 12):
        kind, offset, size = struct.unpack_from(">III", data, place)
        if offset + size > len(data):
            return None
        forks.setdefault(kind, data[offset : offset + size])
    if _DATA not in forks:
        return None
    return MacFile(forks.get(_NAME, b"").decode("mac_roman"), forks[_DATA], bool(forks.get(_RESOURCE)))


def binhex(text: bytes) -> MacFile | None:
    """The file in BinHex 4.0; None when it is none, damaged, or too large."""
    match = _BODY.search(text)
    if match is None:
        return None
    digits = match[1].translate(_TO_BASE64, _NOT_HQX)
    try:
        data = _expanded(binascii.a2b_base64(digits[: len(digits) & ~3] + _padded(digits)))
    except binascii.Error:
        return None
    if data is None or not data or len(data) < 1 + data[0] + _FIXED.size:
        return None
    place = 1 + data[0]
    _, size, more = _FIXED.unpack_from(data, place)
    fork = data[place + _FIXED.size : place + _FIXED.size + size]
    return MacFile(data[1:place].decode("mac_roman"), fork, more > 0) if len(fork) == size else None


def _padded(digits: bytes) -> bytes:
    rest = digits[len(digits) & ~3 :]
    return rest + b"=" * (-len(rest) % 4) if len(rest) > 1 else b""


def _expanded(data: bytes) -> bytes | None:
    """The data with its runs written out; None beyond `MOST`."""
    out = bytearray()
    place = 0
    while (run := data.find(_RUN, place)) >= 0 and run + 1 < len(data):
        out += data[place:run]
        count = data[run + 1]
        out += out[-1:] * (count - 1) if count else bytes([_RUN])
        if len(out) > MOST:
            return None
        place = run + 2
    return bytes(out + data[place:])
