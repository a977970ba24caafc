"""Sections of a message as octets that need not be held in memory: ``BODY[1.2.MIME]``, ``BINARY[3]``.

A section is a span of the message's own octets wherever it can be (`gateway.convert.mime.sections` says which), so
that nothing is copied and a large one can be sent piece by piece.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import Final, Literal, cast

from gateway.convert.mime.fields import lines_of
from gateway.convert.mime.sections import header_fields, part_at, span
from gateway.convert.mime.structure import Part, scan
from gateway.convert.mime.transfer import IDENTITY, decoded_pieces
from gateway.imap.answers import Goodbye
from gateway.imap.codec.fetchitems import Section
from gateway.mailbox.source import Source, gathered
from gateway.mapi.content import Blob

#: Octets that are sent at a time.
PIECE: Final = 1 << 16
#: Octets that are decoded at a time.
_ENCODED: Final = 1 << 18
_BLANK: Final = (b"\r\n", b"\n")


@dataclass(frozen=True, slots=True)
class Octets:
    """Some octets of known size; `at(offset, length)` reads."""

    size: int
    at: Callable[[int, int], bytes]

    def cut(self, partial: tuple[int, int] | None) -> Octets:
        """The part a client asked for: nothing when it begins behind the end (6.4.5)."""
        if partial is None:
            return self
        offset, length = partial
        start = min(offset, self.size)
        return Octets(min(length, self.size - start), lambda more, count: self.at(start + more, count))

    def pieces(self) -> Iterator[bytes]:
        """All of it, a bounded piece at a time. Raises Goodbye: half a literal cannot be taken back."""
        for offset in range(0, self.size, PIECE):
            expected = min(PIECE, self.size - offset)
            piece = self.at(offset, expected)
            if len(piece) != expected:
                raise Goodbye("A message cannot be read to its end")
            yield piece

    def read(self) -> bytes:
        """All of it."""
        return self.at(0, self.size)


def of_bytes(data: bytes) -> Octets:
    """Octets in memory."""
    return Octets(len(data), lambda offset, length: data[offset : offset + length])


def of_source(source: Source) -> Octets:
    """A whole message."""
    return Octets(source.size, source.slice)


def _of_span(data: bytes | mmap, start: int, end: int) -> Octets:
    return Octets(end - start, lambda offset, length: data[start + offset : min(start + offset + length, end)])


def scanned(source: Source) -> Part:
    """The structure of a message; a large one is scanned in a file, not in memory. Blocks in proportion to the size."""
    data = source.data
    return scan(_mapped(data) if isinstance(data, Blob) else data)


def _mapped(blob: Blob) -> bytes | mmap:
    with tempfile.TemporaryFile(prefix="mapi-gateway-imap-") as file:
        file.writelines(blob.chunks())
        file.flush()
        return mmap(file.fileno(), 0, access=ACCESS_READ) if blob.size else b""


def section_of(message: Part, wanted: Section) -> Octets | None:
    """The octets of a section; None when there is no such part."""
    if wanted.fields:
        exclude = wanted.text.endswith("NOT")
        found = header_fields(message, wanted.part, _names(wanted), exclude=exclude)
        return None if found is None else of_bytes(found)
    what = cast("Literal['', 'HEADER', 'TEXT', 'MIME']", wanted.text)
    place = span(message, wanted.part, what)
    return None if place is None else _of_span(message.data, *place)


def section_of_header(block: bytes, wanted: Section) -> Octets:
    """The octets of HEADER, HEADER.FIELDS or HEADER.FIELDS.NOT of a whole message, from its header block alone."""
    if not wanted.fields:
        return of_bytes(block)
    names, exclude = _names(wanted), wanted.text.endswith("NOT")
    lines = lines_of(block)
    return of_bytes(
        b"".join([text for name, text in lines if text in _BLANK or (name in names) is not exclude])
    )


def _names(wanted: Section) -> frozenset[bytes]:
    return frozenset(name.lower().encode("utf-8", "replace") for name in wanted.fields)


def needs_header_only(wanted: Section) -> bool:
    """Whether a header block is enough."""
    return not wanted.part and wanted.text.startswith("HEADER")


def decoded(message: Part, path: tuple[int, ...]) -> Octets | None:
    """BINARY: a part with its transfer encoding undone (RFC 3516 4.2), a large one in a file. Raises UnknownEncoding."""
    plain = _without_encoding(message, path)
    if isinstance(plain, tuple):
        return _of_span(message.data, *plain)
    return None if plain is None else _of_content(gathered(_decoded_pieces(plain)))


def decoded_size(message: Part, path: tuple[int, ...]) -> int:
    """BINARY.SIZE: exactly as many octets as `decoded` has; 0 when there is no such part. Raises UnknownEncoding."""
    plain = _without_encoding(message, path)
    if isinstance(plain, tuple):
        return plain[1] - plain[0]
    return 0 if plain is None else sum(map(len, _decoded_pieces(plain)))


def _without_encoding(message: Part, path: tuple[int, ...]) -> tuple[int, int] | Part | None:
    """The place of a section that comes as it is, or the part that has to be decoded; None if there is no such part.

    Multiparts and messages have no encoding of their own.
    """
    place, part = span(message, path), part_at(message, path)
    if place is None or part is None:
        return None
    if not path or part.children or part.message is not None or part.encoding in IDENTITY:
        return place
    return part


def _decoded_pieces(part: Part) -> Iterator[bytes]:
    pieces = (part.data[at : min(at + _ENCODED, part.end)] for at in range(part.body, part.end, _ENCODED))
    return decoded_pieces(pieces, part.encoding)


def _of_content(content: bytes | Blob) -> Octets:
    return of_bytes(content) if isinstance(content, bytes) else Octets(content.size, content.slice)
