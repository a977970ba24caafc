"""An ENVELOPE read back: SORT and THREAD need what it says, and it is at hand when the message is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

_TOKEN: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"|~?\{(\d+)\+?\}\r\n|(NIL)|([()])', re.S | re.I)
_ESCAPE: Final = re.compile(rb"\\(.)", re.S)

_Value: TypeAlias = "bytes | list[_Value] | None"


class Address(NamedTuple):
    """The first address of a field, undecoded; empty where there is none."""

    name: bytes = b""
    mailbox: bytes = b""
    host: bytes = b""


class Envelope(NamedTuple):
    """What SORT and THREAD ask of a message."""

    date: bytes = b""
    subject: bytes = b""
    sender: Address = Address()
    to: Address = Address()
    cc: Address = Address()
    in_reply_to: bytes = b""
    message_id: bytes = b""


def parse_envelope(text: bytes) -> Envelope:
    """The values of a rendered ENVELOPE; what cannot be read is empty."""
    fields = _list(_tokens(text))
    fields = fields[0] if fields and isinstance(fields[0], list) else []
    if len(fields) != 10:
        return Envelope()
    return Envelope(
        _text(fields[0]),
        _text(fields[1]),
        _first(fields[2]),
        _first(fields[5]),
        _first(fields[6]),
        _text(fields[8]),
        _text(fields[9]),
    )


def _tokens(text: bytes) -> Iterator[bytes | str | None]:
    """Strings as bytes, NIL as None, parentheses as text."""
    place = 0
    while (found := _TOKEN.search(text, place)) is not None:
        place = found.end()
        quoted, size, nil, bracket = found.groups()
        if bracket is not None:
            yield bracket.decode("ascii")
        elif nil is not None:
            yield None
        elif size is not None:
            yield text[place : place + int(size)]
            place += int(size)
        else:
            yield _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted


def _list(tokens: Iterator[bytes | str | None]) -> list[_Value]:
    stack: list[list[_Value]] = [[]]
    for token in tokens:
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) > 1:
                done = stack.pop()
                stack[-1].append(done)
        elif not isinstance(token, str):
            stack[-1].append(token)
    return stack[0]


def _text(value: _Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _first(value: _Value) -> Address:
    """The first address that is no group."""
    for address in value if isinstance(value, list) else ():
        if isinstance(address, list) and len(address) == 4 and address[3] is not None:
            return Address(_text(address[0]), _text(address[2]), _text(address[3]))
    return Address()
