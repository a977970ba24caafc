"""Header fields as bytes: splitting a header block, unfolding, and where a block ends (RFC 5322 2.2).

Nothing here fails: a line that is no field (no colon, an mbox ``From `` line, 8-bit in the name) is passed
over, and the fields after it are still found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from mmap import mmap
from typing import Final, TypeAlias

#: What can be scanned: a message in memory, or a file mapped into it.
Source: TypeAlias = "bytes | mmap"
#: A field as it stands in the header: name, and value still folded.
Field: TypeAlias = "tuple[bytes, bytes]"

BOM: Final = b"\xef\xbb\xbf"
_FIELD: Final = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_LINES: Final = re.compile(rb"(?P<name>[!-9;-~]++(?=[ \t]*+:))?[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
_BLOCK: Final = re.compile(
    rb"(?:>?From [^\n]*+\n)?(?:[!-9;-~]++[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z))*+"
)
_FOLD: Final = re.compile(rb"\r*\n[ \t]?")


def fields_of(data: Source, start: int, end: int) -> list[Field]:
    """Every field between two offsets, in order; values are not yet unfolded."""
    if data[start : start + 3] == BOM:
        start += 3
    return _FIELD.findall(data[start:end])


def unfold(value: bytes) -> bytes:
    """A value on one line: a line break and the blank after it become one space, the ends are stripped."""
    if b"\n" in value:
        value = _FOLD.sub(b" ", value.strip())
    return value.strip()


def lines_of(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The pieces of a header block: lower-case field name and the raw lines, line ends included.

    The name is empty for what is no field; the pieces together are the block.
    """
    position = 0
    while position < len(block):
        match = _LINES.match(block, position)
        if match is None or match.end() == position:
            break
        yield (match["name"] or b"").lower(), match[0]
        position = match.end()


def end_of_header(data: Source, start: int, end: int) -> tuple[int, int]:
    """Where a header block ends and where its body begins: before and after the blank line.

    Without a blank line the block ends before the first line that is neither a field nor its continuation.
    """
    first = data[start : min(start + 2, end)]
    if first[:1] == b"\n":
        return start, start + 1
    if first == b"\r\n":
        return start, start + 2
    blank = _blank_line(data, start, end)
    if blank is None:
        after = _BLOCK.match(data, start, end)
        stop = after.end() if after else start
        return stop, stop
    return blank


def _blank_line(data: Source, start: int, end: int) -> tuple[int, int] | None:
    """The first empty line after ``start``; the likelier kind of line end is sought first."""
    line_end = data.find(b"\n", start, end)
    if line_end > start and data[line_end - 1] == 13:
        crlf = data.find(b"\n\r\n", line_end, end)
        bare = data.find(b"\n\n", line_end, crlf if crlf >= 0 else end)
    else:
        bare = data.find(b"\n\n", start, end)
        crlf = data.find(b"\n\r\n", start, bare if bare >= 0 else end)
    if bare >= 0:
        return bare + 1, bare + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else None
