"""A rendered ENVELOPE read back: SEARCH, SORT and THREAD need what it says, and it is at hand when the message is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

_TOKEN: Final = re.compile(rb'"((?:[^"\\]++|\\.)*+)"|([()])|(NIL)|~?\{(\d+)\+?\}\r\n', re.S | re.I)
_ESCAPE: Final = re.compile(rb"\\(.)", re.S)
_FIELDS: Final = 10

Value: TypeAlias = "bytes | list[Value] | None"
_Token: TypeAlias = "tuple[bytes, bytes, bytes, bytes]"


def envelope_values(text: bytes) -> list[Value]:
    """The ten values of a rendered ENVELOPE, undecoded; address lists as lists of lists. Empty when it is none."""
    stack: list[list[Value]] = [[]]
    top = stack[0]
    for quoted, bracket, nil, literal in _with_literals(text) if b"{" in text else _TOKEN.findall(text):
        if bracket == b"(":
            inner: list[Value] = []
            top.append(inner)
            stack.append(inner)
            top = inner
        elif bracket:
            if len(stack) > 1:
                del stack[-1]
                top = stack[-1]
        elif nil:
            top.append(None)
        elif literal:
            top.append(literal)
        else:
            top.append(_ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
    fields = stack[0][0] if stack[0] else None
    return fields if isinstance(fields, list) and len(fields) == _FIELDS else []


def _with_literals(text: bytes) -> Iterator[_Token]:
    """The tokens, with the octets of a literal in place of their number."""
    place = 0
    while (found := _TOKEN.search(text, place)) is not None:
        place = found.end()
        quoted, bracket, nil, size = found.groups(b"")
        literal = b""
        if size:
            literal = text[place : place + int(size)]
            place += int(size)
        yield quoted, bracket, nil, literal
