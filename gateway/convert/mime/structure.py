"""The structure of a message, read off its bytes: a tree of parts with offsets, and never a copy.

Everything an IMAP server says of a message is a slice of these bytes, so nothing is parsed into another
form and written out again. Real mail is broken in every way; there is no input that fails:

* a multipart without a boundary, or in which it never occurs, is one text part;
* a part whose closing boundary is missing ends where its parent ends;
* of two multiparts with one boundary the inner one ends at the first closing line when the outer goes on behind it;
* a structure deeper or wider than `Limits` ends in application/octet-stream parts that hold the rest;
* line ends may be CRLF or LF, mixed. If there is no LF at all, CR ends lines.

Sources: RFC 5322, RFC 2045, RFC 2046 5.1, RFC 2045 5.2 (defaults).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.convert.mime.fields import Field, Source, end_of_header, fields_of, unfold
from gateway.convert.mime.parameters import Parameters, disposition, get, media
from gateway.convert.mime.transfer import IDENTITY

_NO_PARAMETERS: Final[Parameters] = ()
_DASHES_SCAN: Final = 65536
"""Above this size a region is first searched for any dash: base64 has none."""
_DASH_HOPS: Final = 64
_HEADER_SCAN: Final = 4096
"""Where in a part a boundary is looked for that its own header would name."""
BoundaryLine: TypeAlias = tuple[int, int, bool]
"""Where the part before a boundary line ends, where the next one begins, whether the line closes the multipart."""
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much structure is followed; what is beyond stays inside one octet-stream part."""

    depth: int = 32
    """Multiparts and messages inside one another."""
    parts: int = 1000
    boundary: int = 1000
    """Octets of a boundary parameter."""


DEFAULT_LIMITS: Final = Limits()


class Part:
    """A body part, or the message itself: offsets into ``data`` and what its header says of it.

    ``start`` is where the header begins, ``body`` where the body begins, ``end`` where it ends; the line
    break before a boundary belongs to the boundary. ``type`` and ``subtype`` are what the part is taken for;
    ``declared`` what its header claims (``None`` without a usable Content-Type).
    """

    __slots__ = (
        "_first",
        "body",
        "children",
        "data",
        "declared",
        "encoding",
        "end",
        "fields",
        "message",
        "parameters",
        "start",
        "subtype",
        "type",
    )

    def __init__(self, data: Source, start: int, end: int) -> None:
        self.data = data
        self.start = start
        self.end = end
        self.body = end
        self.type = b"text"
        self.subtype = b"plain"
        self.declared: tuple[bytes, bytes] | None = None
        self.parameters = _NO_PARAMETERS
        self.encoding = b"7bit"
        self.children: list[Part] = []
        """The parts of a multipart; a multipart without any is not taken for one."""
        self.message: Part | None = None
        """The message inside message/rfc822."""
        self.fields: list[Field] = []
        """The header: name as written, value still folded."""
        self._first: dict[bytes, bytes] | None = None

    @property
    def size(self) -> int:
        """Octets of the body, still transfer-encoded."""
        return self.end - self.body

    @property
    def lines(self) -> int:
        """Line ends in the body."""
        if isinstance(self.data, bytes):
            return self.data.count(b"\n", self.body, self.end)
        return self.data[self.body : self.end].count(b"\n")

    @property
    def header_bytes(self) -> bytes:
        """The header with the blank line that ends it."""
        return self.data[self.start : self.body]

    @property
    def body_bytes(self) -> bytes:
        """The body, still transfer-encoded."""
        return self.data[self.body : self.end]

    @property
    def raw_header(self) -> dict[bytes, bytes]:
        """The first value, still folded, of each field by lower-case name."""
        first = self._first
        if first is None:
            first = self._first = {name.lower(): value for name, value in reversed(self.fields)}
        return first

    def header(self, name: bytes) -> bytes | None:
        """The first field of a (lower-case) name, unfolded; duplicates after it do not count."""
        value = self.raw_header.get(name)
        return None if value is None else unfold(value)

    def headers(self, name: bytes) -> list[bytes]:
        """Every field of a (lower-case) name, unfolded."""
        if name not in self.raw_header:
            return []
        return [unfold(value) for key, value in self.fields if key.lower() == name]

    @property
    def disposition(self) -> tuple[bytes, Parameters]:
        """Kind (lower case, empty without the field) and parameters of Content-Disposition."""
        value = self.raw_header.get(b"content-disposition")
        return (b"", ()) if value is None else disposition(value)

    def parameter(self, name: bytes) -> bytes | None:
        """A Content-Type parameter as written."""
        return get(self.parameters, name)

    def walk(self) -> Iterator[Part]:
        """The part and all below it, depth first, nested messages included."""
        yield self
        if self.message is not None:
            yield from self.message.walk()
        for child in self.children:
            yield from child.walk()


def scan(data: Source, limits: Limits = DEFAULT_LIMITS) -> Part:
    """The structure of a message. Any bytes have one."""
    if data.find(b"\n") < 0 and data.find(b"\r") >= 0:
        data = data[:].replace(b"\r", b"\n")
    return _Scanner(data, limits).part(0, len(data), 0, digest=False)


def normalised(data: bytes) -> bytes:
    """The message with every line end CRLF, as IMAP needs it: done once, before it is stored."""
    if b"\n" not in data:
        return data.replace(b"\r", b"\r\n")
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return _BARE_LF.sub(b"\r\n", data)


class _Scanner:
    """One pass over a message: counts the parts it has made."""

    def __init__(self, data: Source, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.left = limits.parts

    def part(self, start: int, end: int, depth: int, *, digest: bool) -> Part:
        """The part between two offsets, with all below it."""
        part = Part(self.data, start, end)
        self.left -= 1
        _read_header(part, digest=digest)
        main = part.type
        if main == b"multipart":
            self._multipart(part, depth)
        elif main == b"message" and part.subtype in (b"rfc822", b"global"):
            self._message(part, depth)
        return part

    def _message(self, part: Part, depth: int) -> None:
        """Look into message/rfc822; one that is encoded or too deep is opaque (RFC 2046 5.2.1)."""
        if part.encoding in IDENTITY and depth < self.limits.depth and self.left > 0:
            part.message = self.part(part.body, part.end, depth + 1, digest=False)
        else:
            _make_opaque(part)

    def _multipart(self, part: Part, depth: int) -> None:
        boundary = (part.parameter(b"boundary") or b"").rstrip()
        if depth >= self.limits.depth or self.left <= 0:
            _make_opaque(part)
            return
        if boundary and len(boundary) <= self.limits.boundary:
            digest = part.subtype == b"digest"
            for start, end in _regions(self.data, part.body, part.end, b"--" + boundary):
                if self.left <= 1:
                    part.children.append(self._rest(start, part.end))
                    break
                part.children.append(self.part(start, end, depth + 1, digest=digest))
        if not part.children:
            part.type, part.subtype, part.parameters = b"text", b"plain", ()

    def _rest(self, start: int, end: int) -> Part:
        """One opaque part for what is beyond the limit."""
        part = Part(self.data, start, end)
        part.body = start
        _make_opaque(part)
        self.left -= 1
        return part


def _make_opaque(part: Part) -> None:
    part.type, part.subtype, part.parameters = b"application", b"octet-stream", ()


def _read_header(part: Part, *, digest: bool) -> None:
    """Find the end of the header and the content fields in it (RFC 2045 5, 6; RFC 2046 5.1.5)."""
    stop, part.body = end_of_header(part.data, part.start, part.end)
    part.fields = fields_of(part.data, part.start, stop)
    if not part.fields:
        if stop > part.start:
            part.body = part.start
        if digest:
            part.type, part.subtype = b"message", b"rfc822"
        return
    header = part.raw_header
    content_type = header.get(b"content-type")
    if content_type is not None:
        part.type, part.subtype, part.parameters = media(content_type)
        part.declared = (part.type, part.subtype)
    elif digest:
        part.type, part.subtype = b"message", b"rfc822"
    encoding = header.get(b"content-transfer-encoding")
    if encoding is not None:
        part.encoding = _encoding(encoding)


def _encoding(value: bytes) -> bytes:
    """The transfer encoding in lower case, without comments and what else follows it."""
    words = value.strip(b' \t\r\n"').partition(b";")[0].split(None, 1)
    return words[0].lower().strip(b'"') if words else b"7bit"


def _regions(data: Source, start: int, end: int, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """The regions between the boundary lines of a multipart body (RFC 2046 5.1.1)."""
    at = _boundary_line(data, start, end, delimiter)
    may_nest = True
    while at is not None:
        _, begin, last = at
        if last:
            return
        at = _boundary_line(data, begin, end, delimiter)
        if at is None:
            yield begin, end
            return
        if may_nest and _is_multipart_of(data, begin, max(begin, at[0]), delimiter):
            behind = _behind_closing(data, at, end, delimiter)
            may_nest, at = behind is not None, behind or at
        yield begin, max(begin, at[0])


def _is_multipart_of(data: Source, start: int, end: int, delimiter: bytes) -> bool:
    """Whether a part is a multipart with the boundary of its parent: old clients of Apple's write such."""
    if data.find(delimiter[2:], start, min(end, start + _HEADER_SCAN)) < 0:
        return False
    part = Part(data, start, end)
    _read_header(part, digest=False)
    return part.type == b"multipart" and (part.parameter(b"boundary") or b"").rstrip() == delimiter[2:]


def _behind_closing(data: Source, at: BoundaryLine, end: int, delimiter: bytes) -> BoundaryLine | None:
    """The boundary line behind the next closing one: it is the parent's; None when the parent does not go on."""
    found: BoundaryLine | None = at
    while found is not None:
        _, begin, closes = found
        found = _boundary_line(data, begin, end, delimiter)
        if closes:
            return found
    return None


def _boundary_line(data: Source, start: int, end: int, delimiter: bytes) -> BoundaryLine | None:
    """The next boundary line: where the part before it ends, where the next begins, if it closes."""
    size = len(delimiter)
    position = start
    while (at := _find(data, delimiter, position, end)) >= 0:
        position = at + size
        if at > start and data[at - 1] != 10:
            continue
        line_end = data.find(b"\n", position, end)
        rest = data[position : end if line_end < 0 else line_end]
        closes = rest[:2] == b"--"
        if (rest[2:] if closes else rest).strip(b" \t\r"):
            continue
        before = at - 1 if at > start else at
        if before > start and data[before - 1] == 13:
            before -= 1
        return before, end if line_end < 0 else line_end + 1, closes
    return None


def _find(data: Source, delimiter: bytes, start: int, end: int) -> int:
    """``data.find``, but in a large region that has few dashes ten times as fast."""
    if end - start > _DASHES_SCAN:
        for _ in range(_DASH_HOPS):
            dash = data.find(b"-", start, end)
            if dash < 0 or data[dash : dash + len(delimiter)] == delimiter:
                return dash
            start = dash + 1
    return data.find(delimiter, start, end)
