"""The way out: a bounded amount of octets under way, compression, and turns for everybody else.

Answers are made while they are sent: `send` returns when the transport wants more. So a slow reader holds up its
own command and nothing else, and what it costs is one piece and the transport's buffer.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from zope.interface import implementer

#: A command that has been answering for so long without a pause lets others go first (seconds).
SLICE: Final = 0.008


@implementer(IPushProducer)
class Output:
    """What one client is sent. `stuck` is called when it took nothing in for `timeout` seconds."""

    __slots__ = (
        "_clock",
        "_compress",
        "_paused",
        "_since",
        "_stuck",
        "_timeout",
        "_transport",
        "_waiting",
        "sent",
    )

    def __init__(self, transport: Any, clock: Any, timeout: float, stuck: Callable[[], None]) -> None:
        self._transport = transport
        self._clock = clock
        self._timeout = timeout
        self._stuck = stuck
        self._paused = False
        self._waiting: Deferred[None] | None = None
        self._compress: Any = None
        self._since = 0.0
        self.sent = 0
        transport.registerProducer(self, True)

    def write(self, data: bytes) -> None:
        """Send a little, whatever the state of the transport."""
        self.sent += len(data)
        if self._compress is not None:
            data = self._compress.compress(data) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        self._transport.write(data)

    async def send(self, data: bytes) -> None:
        """Send a piece; return when there is room for the next one."""
        if data:
            self.write(data)
        now = self._clock.seconds()
        if self._paused:
            await self._room()
        elif now - self._since > SLICE:
            await self._turn()
        else:
            return
        self._since = self._clock.seconds()

    def begin(self) -> None:
        """A turn of the reactor begins."""
        self._since = self._clock.seconds()

    def compress(self) -> None:
        """Compress everything from now on (RFC 4978: raw deflate; 16 KiB of window keep it small)."""
        self._compress = zlib.compressobj(6, zlib.DEFLATED, -14, 6)

    def close(self) -> None:
        """Nothing more will be sent."""
        self._transport.unregisterProducer()

    async def _room(self) -> None:
        timer: IDelayedCall = self._clock.callLater(self._timeout, self._stuck)
        self._waiting = Deferred()
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer.active():
                timer.cancel()

    async def _turn(self) -> None:
        turn: Deferred[None] = Deferred()
        timer = self._clock.callLater(0, turn.callback, None)
        try:
            await turn
        finally:
            if timer.active():
                timer.cancel()

    # IPushProducer

    def pauseProducing(self) -> None:
        """The transport has enough."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The transport wants more."""
        self._paused = False
        if self._waiting is not None and not self._waiting.called:
            self._waiting.callback(None)

    def stopProducing(self) -> None:
        """The connection is gone; whoever waits is cancelled with its command."""
