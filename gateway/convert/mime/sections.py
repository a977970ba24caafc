"""Sections of a message: what FETCH BODY[...] and BINARY[...] name, as slices (RFC 9051 6.4.5, RFC 3516).

A path is the tuple of part numbers, empty for the message itself. A section that does not exist is None.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, TypeAlias

from gateway.convert.mime.fields import lines_of
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded

#: The text after the part numbers; empty for the part as a whole.
What: TypeAlias = 'Literal["", "HEADER", "TEXT", "MIME"]'

_BLANK: Final = (b"\r\n", b"\n")


def part_at(message: Part, path: Sequence[int]) -> Part | None:
    """The part with these numbers; a message that is no multipart is its own part 1."""
    part, whole = message, True
    for number in path:
        if not whole and part.message is not None:
            part, whole = part.message, True
        if part.children:
            if not 1 <= number <= len(part.children):
                return None
            part = part.children[number - 1]
        elif not whole or number != 1:
            return None
        whole = False
    return part


def span(message: Part, path: Sequence[int] = (), what: What = "") -> tuple[int, int] | None:
    """Where in the message's bytes a section begins and ends."""
    if not path and what == "":
        return message.start, message.end
    part = part_at(message, path)
    if part is None:
        return None
    if what == "":
        return part.body, part.end
    if what == "MIME":
        return (part.start, part.body) if path else None
    inner = part.message if path else part
    if inner is None:
        return None
    return (inner.start, inner.body) if what == "HEADER" else (inner.body, inner.end)


def section(message: Part, path: Sequence[int] = (), what: What = "") -> bytes | None:
    """The bytes of a section."""
    found = span(message, path, what)
    return None if found is None else message.data[found[0] : found[1]]


def header_fields(
    message: Part, path: Sequence[int], names: Collection[bytes], *, exclude: bool = False
) -> bytes | None:
    """HEADER.FIELDS of the (lower-case) names, or HEADER.FIELDS.NOT, with the blank line if there is one."""
    header = section(message, path, "HEADER")
    if header is None:
        return None
    kept = []
    for name, lines in lines_of(header):
        if lines in _BLANK or (name in names) is not exclude:
            kept.append(lines)
    return b"".join(kept)


def binary(message: Part, path: Sequence[int] = ()) -> bytes | None:
    """A section with its transfer encoding undone; `transfer.UnknownEncoding` when that is impossible.

    Multiparts and messages have no encoding of their own and come as they are (RFC 3516 4.2).
    """
    content = section(message, path)
    part = part_at(message, path)
    if content is None or part is None or not path or part.children or part.message is not None:
        return content
    return decoded(content, part.encoding)
