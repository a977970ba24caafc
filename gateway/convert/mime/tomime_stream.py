"""Generated mail as a sequence of pieces: its exact size without its bytes, and its bytes in chunks.

A piece is either ready bytes or something larger that is encoded while it is sent, so a 50 MB attachment
costs one chunk of memory, and its size is arithmetic.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, TypeAlias

from gateway.mapi.content import Blob

LINE_OCTETS: Final = 57
"""Octets in one base64 line of 76 characters (RFC 2045 6.8)."""
_BLOCK: Final = LINE_OCTETS * 1024
_CHUNK: Final = 64 * 1024


class ContentChanged(ValueError):
    """An attachment's data has another length than was announced: it changed since, or the store lied."""


class Streamed(Protocol):
    """A piece that is made while it is sent."""

    @property
    def size(self) -> int:
        """Exact number of octets `chunks` gives."""

    def chunks(self) -> Iterator[bytes]:
        """The octets; the same ones each time."""


#: The type bytes under a name that `Mime.bytes` does not hide.
Octets: TypeAlias = bytes
#: One piece of a generated mail.
Piece: TypeAlias = "bytes | Streamed"


@dataclass(frozen=True, slots=True)
class Base64:
    """Data in base64 lines with CRLF between them, none after the last."""

    data: Blob

    @property
    def size(self) -> int:
        """Octets of the encoded form."""
        return base64_size(self.data.size)

    def chunks(self) -> Iterator[bytes]:
        """The lines, about 80 KB at a time."""
        first = True
        for block in _blocks(self.data):
            yield base64_lines(block) if first else b"\r\n" + base64_lines(block)
            first = False


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Data as it is."""

    data: Blob

    @property
    def size(self) -> int:
        """Octets of the data."""
        return self.data.size

    def chunks(self) -> Iterator[bytes]:
        """The data's own chunks."""
        return _checked(self.data)


def base64_size(octets: int) -> int:
    """Length of so many octets in base64 lines, CRLF between the lines only."""
    encoded = (octets + 2) // 3 * 4
    return encoded + 2 * ((encoded - 1) // 76) if encoded else 0


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, CRLF between them only (RFC 2045 6.8)."""
    encoded = b2a_base64(data, newline=False)
    return b"\r\n".join([encoded[start : start + 76] for start in range(0, len(encoded), 76)])


def _checked(data: Blob) -> Iterator[bytes]:
    """The chunks of a blob, never more octets than its size (ContentChanged when more or less come)."""
    left = data.size
    for chunk in data.chunks():
        left -= len(chunk)
        if left < 0:
            raise ContentChanged(f"attachment data is longer than its size of {data.size} octets")
        yield chunk
    if left:
        raise ContentChanged(f"attachment data is {left} octets shorter than its size of {data.size}")


def _blocks(data: Blob) -> Iterator[bytes]:
    """The data in blocks that are whole base64 lines, but for the last."""
    pending = bytearray()
    for chunk in _checked(data):
        pending += chunk
        whole = len(pending) // _BLOCK * _BLOCK
        for start in range(0, whole, _BLOCK):
            yield bytes(pending[start : start + _BLOCK])
        del pending[:whole]
    if pending:
        yield bytes(pending)


class Mime:
    """A generated mail: ``size`` octets that `chunks` gives the same way each time."""

    def __init__(self, header: Octets, body: list[Piece]) -> None:
        self.header = header
        """The header block with its closing blank line."""
        self.body = body
        """What follows it, in order."""

    @cached_property
    def size(self) -> int:
        """Octets of the whole mail (RFC822.SIZE)."""
        return len(self.header) + sum(
            len(piece) if isinstance(piece, Octets) else piece.size for piece in self.body
        )

    def chunks(self) -> Iterator[Octets]:
        """The octets, small pieces joined. Raises ContentChanged when a blob breaks its word."""
        pending = [self.header]
        held = len(self.header)
        for piece in self.body:
            if isinstance(piece, Octets):
                pending.append(piece)
                held += len(piece)
                if held < _CHUNK:
                    continue
            yield b"".join(pending)
            pending, held = [], 0
            if not isinstance(piece, Octets):
                yield from piece.chunks()
        if pending:
            yield b"".join(pending)

    def bytes(self) -> Octets:
        """The whole mail; for callers that know it is small."""
        return b"".join(self.chunks())
