"""What commands may ask of the protocol below them: to send, to wait for a line, to do something later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class Bell:
    """Something to wait for that may ring any number of times meanwhile."""

    __slots__ = ("_rung", "_waiting", "line")

    def __init__(self) -> None:
        self._rung = False
        self._waiting: Deferred[None] | None = None
        self.line: bytes | None = None
        """The line the client sent."""

    def ring(self) -> None:
        """Something happened."""
        self._rung = True
        if self._waiting is not None and not self._waiting.called:
            self._waiting.callback(None)

    async def rung(self) -> None:
        """Wait until something happened since the last time."""
        if not self._rung:
            self._waiting = Deferred()
            await self._waiting
            self._waiting = None
        self._rung = False


class Wire(Protocol):
    """What a connection needs of the protocol below it."""

    peer: str
    loopback: bool

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""

    def write(self, data: bytes) -> None:
        """Send a little, at once."""

    async def send(self, data: bytes) -> None:
        """Send a piece, wait for room."""

    async def line(self) -> bytes:
        """The next raw line of the client."""

    def line_rings(self, bell: Bell) -> None:
        """The same without waiting: the bell rings when the line is there."""

    def unread(self, line: bytes) -> None:
        """Take a raw line as a command instead."""

    def every(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Do something again and again; returns the way to stop."""

    def seconds(self) -> float:
        """The clock."""

    def after_answer(self, work: Callable[[], None]) -> None:
        """Do this when the tagged response was sent."""

    def start_tls(self) -> None:
        """Begin the TLS handshake."""

    def compress(self) -> None:
        """Compress both directions."""

    def disconnect(self) -> None:
        """Close when everything was sent."""

    def limits_changed(self) -> None:
        """The client may send more, or less, than before."""

    def interject(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this, which says something, as soon as no command is being answered."""
