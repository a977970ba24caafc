"""Content transfer encodings undone (RFC 2045 6), as leniently as mail needs it."""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_qp, a2b_uu
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.convert.mime.encoded import base64, base64_pieces

IDENTITY: Final = frozenset((b"7bit", b"8bit", b"binary", b"", b"7-bit", b"8-bit", b"none", b"plain"))
_QUOTED_PRINTABLE: Final = frozenset((b"quoted-printable", b"quotedprintable", b"quoted_printable"))
_UUENCODE: Final = frozenset((b"x-uuencode", b"x-uue", b"uuencode", b"x-uu", b"uue"))
_SOFT_BREAK: Final = re.compile(rb"=[ \t]++(?=\r?\n|\Z)")


class UnknownEncoding(ValueError):
    """The transfer encoding is not one of RFC 2045 and not uuencode: the bytes cannot be read."""


def known(encoding: bytes) -> bool:
    """Whether a (lower-case) transfer encoding can be undone."""
    return (
        encoding in IDENTITY or encoding == b"base64" or encoding in _QUOTED_PRINTABLE or encoding in _UUENCODE
    )


def decoded(data: bytes, encoding: bytes) -> bytes:
    """The bytes behind a transfer encoding; `UnknownEncoding` when it is not known, else no input fails."""
    if encoding in IDENTITY:
        return data
    if encoding == b"base64":
        return base64(data)
    if encoding in _QUOTED_PRINTABLE:
        return _quoted_printable(data)
    if encoding in _UUENCODE:
        return _uudecoded(data)
    raise UnknownEncoding(f"unknown transfer encoding {encoding[:40].decode('latin-1')}")


def decoded_pieces(pieces: Iterable[bytes], encoding: bytes) -> Iterator[bytes]:
    """The same as `decoded`, piece by piece: quoted-printable is held line by line, uuencode as a whole."""
    if encoding in IDENTITY:
        return iter(pieces)
    if encoding == b"base64":
        return base64_pieces(pieces)
    if encoding in _QUOTED_PRINTABLE:
        return map(_quoted_printable, _whole_lines(pieces))
    return iter((decoded(b"".join(pieces), encoding),))


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join((*held, piece[:end]))
            held = []
        held.append(piece[end:])
    yield b"".join(held)


def _quoted_printable(data: bytes) -> bytes:
    """Quoted-printable; blanks after a soft line break, which relays add, do not undo it."""
    if b"= " in data or b"=\t" in data:
        data = _SOFT_BREAK.sub(b"=", data)
    return a2b_qp(data)


def _uudecoded(data: bytes) -> bytes:
    """The file between ``begin`` and ``end``; lines that are none are passed over."""
    lines = data.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith(b"begin ")), -1)
    result = []
    for line in lines[begin + 1 :]:
        if line.strip() == b"end":
            break
        result.append(_uu_line(line))
    return b"".join(result)


def _uu_line(line: bytes) -> bytes:
    if not line or not 32 < line[0] <= 96:
        return b""
    try:
        return a2b_uu(line)
    except BinasciiError:
        pass
    # Some encoders write characters after the line's data.
    usable = ((line[0] - 32 & 63) * 4 + 5) // 3
    try:
        return a2b_uu(line[:usable])
    except BinasciiError:
        return b""
