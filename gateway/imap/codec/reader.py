"""The byte stream cut into commands: lines, literals, continuation requests, limits (RFC 9051 2.2, 4.3; RFC 7888).

Pull, not push: `receive` takes what arrived, `next` gives one event. So the session answers one command before it
asks for the next, and may switch to raw lines (IDLE, AUTHENTICATE) or take the rest of the stream (STARTTLS,
COMPRESS) exactly where the client did. A limit is applied before the octets it is about are asked for or stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.imap.codec.cursor import Literal, Spool
from gateway.imap.codec.errors import ParseError

_LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,20})(\+?)\}\Z")
_START: Final = re.compile(rb"([^\x00-\x20(){%*\"\\+\x7f-\xff]+) (?:(?i:UID) +)?([A-Za-z0-9]+)")
#: A line that is too long is thrown away but for this much, where a literal may be announced.
_TAIL: Final = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may send for one command. Sizes in octets."""

    line: int = 65536
    """Text of a command, literals not counted."""
    literal: int = 65536
    """A literal that is no message."""
    literals: int = 200
    """Literals of one command."""
    message: int = 128 << 20
    """A message in APPEND or REPLACE."""
    messages: int = 512 << 20
    """All literals of one command together."""
    memory: int = 65536
    """A larger literal is spooled."""
    unasked: int = 1 << 62
    """A literal that the client sends without asking (LITERAL-: 4096)."""


@dataclass(frozen=True, slots=True)
class Need:
    """Nothing to do until more octets arrive."""


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits to be told that it may send its literal: say ``+ OK``."""


@dataclass(frozen=True, slots=True)
class Received:
    """A complete command: text fragments, and the literals between them."""

    fragments: tuple[bytes, ...]
    literals: tuple[Literal, ...] = ()

    def close(self) -> None:
        """Forget the spooled literals."""
        for literal in self.literals:
            literal.spool.close()


@dataclass(frozen=True, slots=True)
class Line:
    """A raw line, without its end, when `Reader.raw` was asked for."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """A command that cannot be taken; the stream is at the start of the next one."""

    error: ParseError


@dataclass(frozen=True, slots=True)
class Hopeless:
    """The stream cannot be followed any more: say BYE and close."""

    reason: str


Event: TypeAlias = "Need | Continue | Received | Line | Broken | Hopeless"
NEED: Final = Need()


class Memory:
    """A spool in memory."""

    __slots__ = ("_octets",)

    def __init__(self) -> None:
        self._octets = bytearray()

    def write(self, data: bytes) -> None:
        """Take the next octets."""
        self._octets += data

    def chunks(self) -> Iterator[bytes]:
        """All octets."""
        yield bytes(self._octets)

    def close(self) -> None:
        """Forget the octets."""
        self._octets.clear()


class Reader:
    """The state of one client's stream.

    `spool(size)` opens a place for a literal larger than `Limits.memory`. `gate(verb)` may refuse a command before
    the client is told to send a literal of it.
    """

    __slots__ = (
        "_buffer",
        "_error",
        "_fragments",
        "_literal",
        "_literals",
        "_missing",
        "_raw",
        "_scanned",
        "_skipping",
        "_text",
        "_total",
        "gate",
        "limits",
        "spool",
    )

    def __init__(self, limits: Limits = Limits(), spool: Callable[[int], Spool] | None = None) -> None:
        self.limits = limits
        self.spool = spool or (lambda size: Memory())
        self.gate: Callable[[bytes], ParseError | None] = lambda verb: None
        self._buffer = bytearray()
        self._scanned = 0
        self._raw = False
        self._reset()

    def _reset(self) -> None:
        self._fragments: list[bytes] = []
        self._literals: list[Literal] = []
        self._literal: Literal | None = None
        self._missing = 0
        self._text = 0
        self._total = 0
        self._error: ParseError | None = None
        self._skipping = False

    @property
    def pending(self) -> int:
        """Octets received that no event has taken yet."""
        return len(self._buffer)

    @property
    def idle(self) -> bool:
        """Whether the stream stands between two commands with nothing received."""
        return not (self._buffer or self._fragments or self._literal or self._skipping)

    def receive(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def raw(self) -> None:
        """The next event is a `Line`."""
        self._raw = True

    def unread(self, line: bytes) -> None:
        """Give a raw line back: it is read again, as a command."""
        self._buffer[:0] = line + b"\r\n"
        self._scanned = 0

    def rest(self) -> bytes:
        """Take everything received and not used yet."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return rest

    def close(self) -> None:
        """Forget everything, spools too."""
        for literal in (*self._literals, *([self._literal] if self._literal else ())):
            literal.spool.close()
        self._reset()
        self._buffer.clear()

    def next(self) -> Event:
        """One event; `Need` when there is none."""
        while True:
            event = self._octets() if self._missing else self._line()
            if event is not None:
                return event

    # -- literals

    def _octets(self) -> Event | None:
        """Move octets into the literal being received."""
        if not self._buffer:
            return NEED
        piece = bytes(self._buffer[: self._missing])
        del self._buffer[: len(piece)]
        self._missing -= len(piece)
        if self._literal is not None:
            self._literal.spool.write(piece)
            if not self._missing:
                self._keep(self._literal)
        return None

    def _keep(self, literal: Literal) -> None:
        self._literals.append(literal)
        self._literal = None

    def _announced(self, text: bytes, found: re.Match[bytes]) -> Event | None:
        """A line that ends with a literal's announcement."""
        size, waits = int(found[2]), not found[3]
        self._fragments.append(text[: found.start()])
        error = self._error or self._refusal(size, waits=waits) or (self.gate(self.verb) if waits else None)
        if error is not None:
            return self._refused(error, size, waits=waits)
        self._total += size
        literal = Literal(size, self.spool(size) if size > self.limits.memory else Memory(), bool(found[1]))
        self._missing = size
        if size:
            self._literal = literal
        else:
            self._keep(literal)
        return Continue() if waits else None

    def _refusal(self, size: int, *, waits: bool) -> ParseError | None:
        limits = self.limits
        if not waits and size > limits.unasked:
            return ParseError("the literal is too large to be sent unasked", code="TOOBIG")
        message = self.verb in (b"APPEND", b"REPLACE")
        if size > (limits.message if message else limits.literal):
            return ParseError("literal too large", code="TOOBIG", no=True)
        if len(self._literals) >= limits.literals or self._total + size > limits.messages:
            return ParseError("too many literals", code="LIMIT", no=True)
        return None

    def _refused(self, error: ParseError, size: int, *, waits: bool) -> Event | None:
        """Synchronising: the client sends nothing more of this command. Else: let its octets pass by."""
        if waits:
            return self._broken(error)
        if size > self.limits.messages:
            return Hopeless("literal too large")
        self._error = error
        self._missing = size
        return None

    # -- lines

    def _line(self) -> Event | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            return self._partial()
        text = bytes(self._buffer[: end - 1 if end and self._buffer[end - 1] == 13 else end])
        del self._buffer[: end + 1]
        self._scanned = 0
        if self._raw:
            self._raw = False
            return Line(text)
        return self._complete(text)

    def _partial(self) -> Event | None:
        """No end of line yet."""
        if self._text + len(self._buffer) > self.limits.line:
            self._error = self._error or ParseError("command line too long", code="TOOBIG")
            self._skipping = True
            if not self._fragments:
                self._fragments.append(bytes(self._buffer[:256]))  # the tag is needed for the answer
            del self._buffer[:-_TAIL]
            if self._raw:
                return Hopeless("line too long")
        self._scanned = len(self._buffer)
        return NEED

    def _complete(self, text: bytes) -> Event | None:
        self._text += len(text)
        if self._text > self.limits.line and self._error is None:
            self._error = ParseError("command line too long", code="TOOBIG")
        found = _LITERAL.search(text[-_TAIL:])
        if found is not None and (found := _LITERAL.search(text, max(0, len(text) - _TAIL))) is not None:
            return self._announced(text, found)
        self._fragments.append(text)
        if self._error is not None:
            return self._broken(self._error)
        command = Received(tuple(self._fragments), tuple(self._literals))
        self._reset()
        return command

    def _broken(self, error: ParseError) -> Broken:
        start = _START.match(self._fragments[0])
        for literal in self._literals:
            literal.spool.close()
        self._reset()
        return Broken(error.tagged(start[1].decode("ascii") if start else ""))

    @property
    def verb(self) -> bytes:
        """The name of the command being received, in capitals, UID aside; empty if there is none."""
        start = _START.match(self._fragments[0]) if self._fragments else None
        return start[2].upper() if start else b""
