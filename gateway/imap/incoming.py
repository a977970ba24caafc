"""The way in: a reader behind an optional decompressor, both bounded, and what is allowed in which state."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

from gateway.imap.answers import Goodbye
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parser import COMMANDS
from gateway.imap.codec.reader import Event, Limits, Need, Reader
from gateway.imap.options import Options
from gateway.imap.spool import FileSpool

#: Octets that one step of decompression may give.
_INFLATED: Final = 1 << 16
_LINE_BEFORE_LOGIN: Final = 16384
#: The largest literal before login, and the largest without asking where LITERAL- is offered (RFC 7888).
_SMALL: Final = 4096
_BEFORE_LOGIN: Final = Limits(_LINE_BEFORE_LOGIN, _SMALL, 10, _SMALL, 4 * _SMALL, unasked=_SMALL)
_ALLOWED_BEFORE_LOGIN: Final = frozenset({"LOGIN", "AUTHENTICATE", "ID"})


class Incoming:
    """What one client sends."""

    __slots__ = ("_deflated", "_full", "_inflate", "_logged_in", "reader")

    def __init__(self) -> None:
        self.reader = Reader(_BEFORE_LOGIN, lambda size: FileSpool())
        self.reader.gate = self._gate
        self._logged_in = False
        self._inflate: Any = None
        self._deflated = b""
        self._full = False

    @property
    def pending(self) -> int:
        """Octets received and not used yet."""
        return self.reader.pending + len(self._deflated)

    def receive(self, data: bytes) -> None:
        """Take what arrived. Raises Goodbye when it cannot be decompressed."""
        if self._inflate is not None:
            self._deflated += data
            data = self._inflated()
        self.reader.receive(data)

    def next(self) -> Event:
        """The next event; `Need` when more has to arrive. Raises Goodbye like `receive`."""
        while True:
            event = self.reader.next()
            if not isinstance(event, Need) or not (self._deflated or self._full):
                return event
            self.reader.receive(self._inflated())

    def decompress(self) -> None:
        """Everything from now on is compressed (RFC 4978)."""
        self._inflate = zlib.decompressobj(-15)
        self._deflated = self.reader.rest()

    def _inflated(self) -> bytes:
        """The next octets of a compressed stream, a bounded number of them."""
        try:
            data: bytes = self._inflate.decompress(self._deflated, _INFLATED)
        except zlib.error:
            raise Goodbye("Compressed data is damaged") from None
        self._deflated = self._inflate.unconsumed_tail
        self._full = len(data) == _INFLATED
        return data

    def limit(self, options: Options, *, logged_in: bool) -> None:
        """Apply the limits of a state."""
        self._logged_in = logged_in
        if not logged_in:
            self.reader.limits = _BEFORE_LOGIN
            return
        self.reader.limits = Limits(
            line=options.max_line,
            literal=options.max_literal,
            message=options.max_message,
            messages=options.max_upload,
            memory=options.spool_above,
            unasked=_SMALL if options.non_sync_literals == "small" else 1 << 62,
        )

    def _gate(self, verb: bytes) -> ParseError | None:
        """Refuse a command before its literal is sent, when it would be refused anyway."""
        name = verb.decode("ascii", "replace")
        if name not in COMMANDS:
            return ParseError(f"unknown command {name}")
        if not self._logged_in and name not in _ALLOWED_BEFORE_LOGIN:
            return ParseError("The command is allowed after login only")
        return None


class Repeated:
    """A call again and again until it is stopped."""

    __slots__ = ("_call", "_clock", "_seconds", "_work")

    def __init__(self, clock: Any, seconds: float, work: Callable[[], None]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._work = work
        self._call: IDelayedCall = clock.callLater(seconds, self._tick)

    def _tick(self) -> None:
        self._call = self._clock.callLater(self._seconds, self._tick)
        self._work()

    def stop(self) -> None:
        """No more."""
        if self._call.active():
            self._call.cancel()
