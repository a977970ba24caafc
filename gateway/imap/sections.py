"""Sections of a message: which octets ``BODY[1.2.MIME]`` or ``BINARY[3]`` means (RFC 9051 6.4.5, RFC 3516).

A section is a span of the message's own octets wherever it can be, so that nothing is copied and a large one can
be sent piece by piece.
"""

from __future__ import annotations

import tempfile
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import Final

from gateway.convert.mime.fields import end_of_header, lines_of
from gateway.convert.mime.structure import Part, scan
from gateway.imap.answers import Refused
from gateway.imap.codec.fetchitems import Section
from gateway.mailbox.source import Source
from gateway.mapi.content import Blob

#: Octets that are sent at a time.
PIECE: Final = 1 << 16
_IDENTITY: Final = frozenset((b"7bit", b"8bit", b"binary", b""))


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
        """All of it, a bounded piece at a time."""
        for offset in range(0, self.size, PIECE):
            yield self.at(offset, min(PIECE, self.size - offset))

    def read(self) -> bytes:
        """All of it."""
        return self.at(0, self.size)


def of_bytes(data: bytes) -> Octets:
    """Octets in memory."""
    return Octets(len(data), lambda offset, length: data[offset : offset + length])


def of_source(source: Source) -> Octets:
    """A whole message."""
    return Octets(source.size, source.slice)


def of_span(data: bytes | mmap, start: int, end: int) -> Octets:
    """A span of a message."""
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


def find(message: Part, path: tuple[int, ...]) -> Part | None:
    """The part a path of numbers leads to (6.4.5.1); a message that is no multipart is its own part 1."""
    level = message.children or [message]
    found: Part | None = None
    for number in path:
        if number > len(level):
            return None
        found = level[number - 1]
        if found.children and found is not message:
            level = found.children
        elif found.message is not None:
            level = found.message.children or [found.message]
        else:
            level = []
    return found


def section_of(message: Part, wanted: Section) -> Octets | None:
    """The octets of a section; None when there is no such part."""
    owner = message
    if wanted.part:
        part = find(message, wanted.part)
        if part is None:
            return None
        if not wanted.text:
            return of_span(part.data, part.body, part.end)
        if wanted.text == "MIME":
            return of_span(part.data, part.start, part.body)
        if part.message is None:
            return None  # HEADER and TEXT are of messages only
        owner = part.message
    return _of_message(owner, wanted)


def _of_message(message: Part, wanted: Section) -> Octets:
    data = message.data
    if wanted.text == "":
        return of_span(data, message.start, message.end)
    if wanted.text == "TEXT":
        return of_span(data, message.body, message.end)
    if wanted.text == "HEADER":
        return of_span(data, message.start, message.body)
    block = data[message.start : message.body]
    return of_bytes(fields_of(block, wanted))


def section_of_header(block: bytes, wanted: Section) -> Octets:
    """The octets of HEADER, HEADER.FIELDS or HEADER.FIELDS.NOT of a whole message, from its header block alone."""
    if wanted.text == "HEADER":
        return of_bytes(block)
    return of_bytes(fields_of(block, wanted))


def fields_of(block: bytes, wanted: Section) -> bytes:
    """The fields that were asked for, or all but these, and the empty line (6.4.5.1)."""
    names = {name.lower().encode("utf-8", "replace") for name in wanted.fields}
    keep = wanted.text == "HEADER.FIELDS"
    stop, _ = end_of_header(block, 0, len(block))
    lines = [lines for name, lines in lines_of(block[:stop]) if name and (name in names) is keep]
    text = b"".join(lines)
    return text + (b"\r\n" if text.endswith(b"\n") or not text else b"\r\n\r\n")


def needs_header_only(wanted: Section) -> bool:
    """Whether a header block is enough."""
    return not wanted.part and wanted.text.startswith("HEADER")


# -- BINARY


def encoded_part(message: Part, path: tuple[int, ...]) -> Part | None:
    """The part whose decoded octets are asked for. Raises Refused for an encoding nobody knows."""
    part = find(message, path) if path else message
    if part is not None and path and part.encoding not in _DECODERS and part.encoding not in _IDENTITY:
        raise Refused("The encoding of the part is not known", "UNKNOWN-CTE")
    return part


def decoded(part: Part, path: tuple[int, ...]) -> Octets:
    """The decoded octets of a part; an empty path is the whole message as it is (RFC 3516 4.2)."""
    if not path:
        return of_span(part.data, part.start, part.end)
    decode = _DECODERS.get(part.encoding)
    if decode is None or part.children:
        return of_span(part.data, part.body, part.end)
    return of_bytes(decode(part.data[part.body : part.end]))


def _base64(data: bytes) -> bytes:
    for padding in (b"", b"=", b"=="):
        try:
            return a2b_base64(data + padding)
        except Error:
            continue
    return a2b_base64(data[: len(data) // 4 * 4 - 4] + b"====")


_DECODERS: Final[dict[bytes, Callable[[bytes], bytes]]] = {b"base64": _base64, b"quoted-printable": a2b_qp}
