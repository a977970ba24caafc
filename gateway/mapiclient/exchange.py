"""One request and its reply: what is sent, where the answer goes, who is told.

These are the values and the plumbing of `gateway.mapiclient.transport`: an `Exchange` describes the work, an
`Intake` brings a reply's body to the sink in slices, an `Outgoing` body is sent as fast as the server takes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from gateway.mapiclient.http import LAST_CHUNK, HttpError, Inflate, chunk, inflate

if TYPE_CHECKING:
    from gateway.mapiclient.transport import Connection

#: How much at least is decoded between two looks at the clock.
SLICE_BYTES: Final = 16_384
XML: Final = b"text/xml; charset=utf-8"


class Sink(Protocol):
    """Takes a reply's body; the wire's reply decoder is one."""

    def feed(self, data: bytes) -> None:
        """The next piece. Raises WireError when it cannot be right."""
        ...

    def close(self) -> Any:
        """The body is complete: the reply. Raises WireError, or Fault when the server answered one."""
        ...


@dataclass(slots=True)
class Exchange:
    """What is to be sent, what to do with the answer, and how long it may take.

    ``body`` is bytes, or an iterable of pieces that is read as fast as the server takes them; without
    ``length`` it is sent chunked. ``sink`` makes the sink from the reply's Content-Type. ``idle_seconds`` is
    the longest pause between pieces of the request or the reply, ``seconds`` the limit for everything.
    """

    call: str
    body: bytes | Iterable[bytes]
    sink: Callable[[str], Sink]
    seconds: float
    idle_seconds: float
    reply_bytes: int
    content_type: bytes = XML
    length: int | None = None


class Owner(Protocol):
    """Who is told how an exchange ended. The connection is free, or gone, before it is told."""

    def replied(self, connection: Connection, exchange: Any, reply: Any) -> None:
        """The reply is complete. ``connection.reusable`` tells whether the connection is."""
        ...

    def failed(self, connection: Connection, exchange: Any, error: Exception) -> None:
        """There is no reply; the connection is closed."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection ended while nothing ran on it."""
        ...


class Intake:
    """The way of a reply's body into the sink, a slice at a time."""

    __slots__ = ("_bytes", "_inflate", "_limit", "_pieces", "_sink")

    def __init__(self, sink: Sink, encoding: str, limit: int) -> None:
        self._sink = sink
        self._inflate: Inflate | None = inflate(encoding)
        self._limit = limit
        self._bytes = 0
        self._pieces: deque[Iterator[bytes] | bytes] = deque()

    def add(self, pieces: list[bytes]) -> None:
        """Pieces of the body as it was sent."""
        decoder = self._inflate
        self._pieces.extend(pieces if decoder is None else map(decoder.feed, pieces))

    def work(self, clock: Callable[[], float], until: float) -> bool:
        """Decode what there is; False when time ran out first. Raises what the sink and `inflate` raise."""
        unlooked = 0
        pieces = self._pieces
        while pieces:
            first = pieces[0]
            piece = first if isinstance(first, bytes) else next(first, b"")
            if piece is first or not piece:
                pieces.popleft()
            self._take(piece)
            unlooked += len(piece)
            if unlooked >= SLICE_BYTES:
                unlooked = 0
                if clock() >= until:
                    return not pieces
        return True

    def _take(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes > self._limit:
            raise HttpError(f"the reply is larger than {self._limit} bytes")
        self._sink.feed(piece)

    def close(self) -> Any:
        """The body is complete: the reply."""
        if self._inflate is not None:
            self._inflate.close()
        return self._sink.close()


@implementer(IPullProducer)
class Outgoing:
    """Sends an iterable body as fast as the transport asks for it."""

    def __init__(self, connection: Connection, pieces: Iterable[bytes], length: int | None) -> None:
        self._connection = connection
        self._pieces = iter(pieces)
        self._left = length

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        self._connection.send_piece(self)

    def stopProducing(self) -> None:
        """The connection ended; `connectionLost` follows."""

    def next(self) -> bytes | None:
        """The next bytes for the transport; None after the last. ValueError when the length was wrong."""
        for piece in self._pieces:
            if not piece:
                continue
            if self._left is None:
                return chunk(piece)
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError("the body is longer than it was said to be")
            return piece
        if self._left:
            raise ValueError(f"the body ends {self._left} bytes too early")
        return None

    @property
    def end(self) -> bytes:
        """What marks the end of the body."""
        return LAST_CHUNK if self._left is None else b""
