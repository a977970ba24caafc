"""Compressed RTF, the form of PR_RTF_COMPRESSED (MS-OXRTFCP).

A header of four little-endian words (size of what follows it, size of the RTF, kind, CRC) and then either the
RTF itself (kind MELA) or LZ77 over a circular window of 4096 bytes that begins with common RTF words (LZFu).
One input byte gives at most eight output bytes, and output beyond a limit is refused before it is made.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gateway.convert.errors import ParseError

LIMIT: Final = 32 * 1024 * 1024
"""Largest RTF that is decompressed unless told otherwise."""
_HEADER: Final = struct.Struct("<IIII")
_LZFU: Final = 0x75465A4C
_MELA: Final = 0x414C454D
_WINDOW: Final = 4096
#: What the window begins with (MS-OXRTFCP 2.1.3.1.1).
_DICTIONARY: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
#: A window position equals an index into this plus the output, modulo the window's size.
_BEFORE: Final = bytes(_WINDOW) + _DICTIONARY


def decompress(blob: bytes, limit: int = LIMIT) -> bytes:
    """The RTF inside a compressed blob (ParseError when it is none or holds more than ``limit`` bytes).

    A wrong CRC, bytes after the end and a missing end are forgiven: stores have such blobs, and what can be
    read of them is what their owner sees elsewhere.
    """
    size, kind = _header(blob, limit)
    if kind == _MELA:
        return blob[_HEADER.size : _HEADER.size + size]
    return _decompress(blob, min(size, limit))


def beginning(blob: bytes, size: int) -> bytes:
    """The first bytes of the RTF, ``size`` of them when there are as many; for a look at its kind."""
    whole, kind = _header(blob, 0xFFFF_FFFF)
    if kind == _MELA:
        return blob[_HEADER.size : _HEADER.size + min(size, whole)]
    return _decompress(blob, min(size, whole))


def crc(data: bytes) -> int:
    """The checksum of the header: CRC-32 that starts at zero and is not inverted (MS-OXRTFCP 2.1.3.2)."""
    return zlib.crc32(data, 0xFFFF_FFFF) ^ 0xFFFF_FFFF


def stored(rtf: bytes) -> bytes:
    """The RTF in an uncompressed blob (kind MELA)."""
    return _HEADER.pack(len(rtf) + 12, len(rtf), _MELA, 0) + rtf


def compress(rtf: bytes) -> bytes:
    """The RTF in a compressed blob (kind LZFu)."""
    body = b"".join(_runs(_tokens(rtf)))
    return _HEADER.pack(len(body) + 12, len(rtf), _LZFU, crc(body)) + body


def _header(blob: bytes, limit: int) -> tuple[int, int]:
    if len(blob) < _HEADER.size:
        raise ParseError(f"compressed RTF of {len(blob)} bytes is shorter than its header")
    _, size, kind, _ = _HEADER.unpack_from(blob)
    if kind not in (_LZFU, _MELA):
        raise ParseError(f"compressed RTF of unknown kind {kind:#010x}")
    if size > limit:
        raise ParseError(f"compressed RTF holds {size} bytes, more than the allowed {limit}")
    return size, kind


def _decompress(blob: bytes, size: int) -> bytes:
    """The first ``size`` bytes of LZFu data, fewer when the data ends before."""
    output = bytearray(_BEFORE)
    end = len(_BEFORE) + size
    position, last = _HEADER.size, len(blob)
    while position < last and len(output) < end:
        control = blob[position]
        position += 1
        if not control:
            output += blob[position : position + 8]
            position += 8
            continue
        for bit in range(8):
            if not control >> bit & 1:
                output += blob[position : position + 1]
                position += 1
                continue
            if position + 2 > last:
                return bytes(output[len(_BEFORE) : end])
            token = blob[position] << 8 | blob[position + 1]
            position += 2
            distance = (len(output) - (token >> 4)) % _WINDOW
            if not distance:
                return bytes(output[len(_BEFORE) : end])
            length = (token & 0xF) + 2
            found = output[-distance : len(output) - distance + length]
            output += found if len(found) == length else (found * length)[:length]
    return bytes(output[len(_BEFORE) : end])


def _tokens(rtf: bytes) -> Iterator[bytes]:
    """Literals (one byte) and references (two bytes), the end mark last."""
    data = _BEFORE + rtf
    position = len(_BEFORE)
    while position < len(data):
        length, found = _longest(data, position)
        if length:
            yield (found % _WINDOW << 4 | length - 2).to_bytes(2, "big")
        else:
            yield data[position : position + 1]
        position += length or 1
    yield (position % _WINDOW << 4).to_bytes(2, "big")


def _longest(data: bytes, position: int) -> tuple[int, int]:
    """Length and place of the longest earlier occurrence of what comes next, (0, 0) when it is too short."""
    place = max(position - _WINDOW + 1, _WINDOW)
    best = (0, 0)
    for length in range(2, min(17, len(data) - position) + 1):
        # A longer match cannot begin before the first of a shorter one.
        place = data.find(data[position : position + length], place, position + length - 1)
        if place < 0:
            break
        best = (length, place)
    return best


def _runs(tokens: Iterator[bytes]) -> Iterator[bytes]:
    """The tokens in eights, each run behind its control byte (a set bit is a reference)."""
    while run := list(islice(tokens, 8)):
        yield bytes([sum(1 << bit for bit, token in enumerate(run) if len(token) == 2)]) + b"".join(run)
