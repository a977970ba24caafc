"""POP3 on the wire (RFC 1939, 2449, 5034, 6856): lines in, commands out; replies and message bodies in wire form.

Pure: no transport, no clock. Any input gives a command or a ParseError; no input grows the buffer past its limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

CRLF: Final = b"\r\n"
END: Final = b".\r\n"
AUTH_LINE: Final = 16 * 1024
"""Longest line of an AUTH exchange; bearer tokens are long."""
_NUMBER: Final = re.compile(r"[0-9]{1,10}")


class ParseError(ValueError):
    """The client's line is not a command; the text tells the client why."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line: the name in capitals, its numbers and its text, whichever the grammar asks for."""

    name: str
    numbers: tuple[int, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How many numbers a command takes, or that it takes the rest of the line."""

    least: int = 0
    most: int = 0
    text: bool = False


GRAMMAR: Final = {
    "USER": Grammar(least=1, text=True),
    "PASS": Grammar(text=True),
    "AUTH": Grammar(text=True),
    "STLS": Grammar(),
    "CAPA": Grammar(),
    "UTF8": Grammar(),
    "LANG": Grammar(text=True),
    "QUIT": Grammar(),
    "NOOP": Grammar(),
    "STAT": Grammar(),
    "LIST": Grammar(most=1),
    "UIDL": Grammar(most=1),
    "RETR": Grammar(least=1, most=1),
    "DELE": Grammar(least=1, most=1),
    "TOP": Grammar(least=2, most=2),
    "RSET": Grammar(),
}
"""RFC 1939 sections 5-7, RFC 2449 section 5, RFC 2595 section 4, RFC 5034 section 4, RFC 6856 sections 2 and 3."""


def parse(line: bytes) -> Command:
    """Read one command line, without its line end."""
    name, space, rest = line.partition(b" ")
    word = name.decode("ascii", "replace").upper()
    grammar = GRAMMAR.get(word)
    if grammar is None:
        raise ParseError("unknown command")
    if b"\0" in line or b"\r" in line:
        raise ParseError("NUL and CR are not allowed in a command")
    if grammar.text:
        if grammar.least and not rest.strip():
            raise ParseError(f"{word} needs an argument")
        return Command(word, text=_text(rest if space else b""))
    return Command(word, _numbers(word, rest, grammar))


def _numbers(word: str, rest: bytes, grammar: Grammar) -> tuple[int, ...]:
    """The message numbers and line counts of a command."""
    words = rest.decode("latin-1").split(" ") if rest.strip() else []
    words = [each for each in words if each]
    if not grammar.least <= len(words) <= grammar.most:
        raise ParseError(f"{word} takes {_count(grammar)}")
    if not all(_NUMBER.fullmatch(each) for each in words):
        raise ParseError("a number was expected")
    return tuple(map(int, words))


def _count(grammar: Grammar) -> str:
    """How many arguments a command takes, in words."""
    if grammar.most == 0:
        return "no argument"
    number = str(grammar.most) if grammar.least == grammar.most else f"{grammar.least} or {grammar.most}"
    return f"{number} argument" + ("s" if grammar.most > 1 else "")


def _text(data: bytes) -> str:
    """UTF-8 (RFC 6856 section 2.1), or what old clients send instead."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class LineBuffer:
    """Collects what arrives and gives out whole lines, on demand.

    A line that exceeds the limit of the moment is passed over to its end and reported once, as ParseError, in its turn.
    Bare LF is taken for a line end, as every server does.
    """

    __slots__ = ("_at", "_data", "_skipping")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0  # what stands before was given out
        self._skipping = False

    def __len__(self) -> int:
        """How many bytes wait."""
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Add what arrived; while a line that is too long is passed over, nothing is kept before its end."""
        if self._skipping:
            _, end, data = data.partition(b"\n")
            self._skipping = not end
        self._data = self._data[self._at :] + data
        self._at = 0

    def line(self, limit: int) -> bytes | None:
        """The next line without its end, None when none is complete; raise ParseError for one over `limit`."""
        end = self._data.find(b"\n", self._at)
        if end < 0 and len(self) <= limit + 1:
            return None
        if end < 0:
            self.clear()
            self._skipping = True
            raise ParseError("the line is too long")
        line = self._data[self._at : end].removesuffix(b"\r")
        self._at = end + 1
        if self._at == len(self._data):
            self.clear()
        if len(line) > limit:
            raise ParseError("the line is too long")
        return line

    def clear(self) -> None:
        """Forget everything that waits."""
        self._data = b""
        self._at = 0
        self._skipping = False


def ok(text: str = "") -> bytes:
    """A positive reply of one line."""
    return _line("+OK", text)


def err(text: str, code: str = "") -> bytes:
    """A negative reply, with an extended response code (RFC 2449 section 8) if one fits."""
    return _line("-ERR", f"[{code}] {text}" if code else text)


def _line(status: str, text: str) -> bytes:
    """A status line of at most 512 octets (RFC 2449 section 4); no text can break the line."""
    clean = text.replace("\r", " ").replace("\n", " ").encode("utf-8")[:480].decode("utf-8", "ignore")
    return f"{status} {clean}".rstrip(" ").encode("utf-8") + CRLF


def listing(first: str, lines: list[bytes]) -> bytes:
    """A reply of many lines; each is given without its end and none begins with a dot."""
    return b"".join((ok(first), *(line + CRLF for line in lines), END))


class DotStuffer:
    """Turns a message, chunk by chunk, into the body of a reply (RFC 1939 section 3).

    A line that begins with "." gets another one. Many clients take a bare LF for a line end, so a dot after one is doubled, too: else
    such a message could end the reply early. Everything else goes out as it is.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = CRLF

    def feed(self, chunk: bytes) -> bytes:
        """The wire form of the next chunk."""
        if not chunk:
            return b""
        starts_line = self._last.endswith(b"\n")
        self._last = (self._last + chunk)[-2:] if len(chunk) < 2 else chunk[-2:]
        stuffed = chunk.replace(b"\n.", b"\n..")
        return b"." + stuffed if starts_line and chunk[:1] == b"." else stuffed

    def finish(self) -> bytes:
        """What ends the reply, and the message's last line if it has no end of its own."""
        return END if self._last == CRLF else CRLF + END


class TopCut:
    """Cuts a message after its header, the empty line and `lines` lines of the body (RFC 1939 TOP), chunk by chunk.

    Lines end with LF, with or without CR. `done` tells that nothing more is wanted.
    """

    __slots__ = ("_left", "_tail", "done")

    def __init__(self, lines: int) -> None:
        self._left = lines
        self._tail: bytes | None = b"\n"  # the end of what came so far, until the header is over
        self.done = False

    def feed(self, chunk: bytes) -> bytes:
        """The part of the chunk that is wanted."""
        if self.done or not chunk:
            return b""
        start = 0
        if self._tail is not None:
            start = self._header_end(chunk)
            if start < 0:
                return chunk
        return chunk[: self._body_end(chunk, start)]

    def _header_end(self, chunk: bytes) -> int:
        """Where in the chunk the body begins, -1 when it is not in it."""
        before = self._tail or b""
        seen = before + chunk
        empty = re.search(rb"\n\r?\n", seen)
        self._tail = None if empty else seen[-2:]
        return empty.end() - len(before) if empty else -1

    def _body_end(self, chunk: bytes, start: int) -> int:
        """Where the wanted lines end."""
        if self._left > 0 and (newlines := chunk.count(b"\n", start)) < self._left:
            self._left -= newlines
            return len(chunk)
        self.done = True
        for _ in range(self._left):
            start = chunk.index(b"\n", start) + 1
        return start
