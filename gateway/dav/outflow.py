"""Answers of many pieces: the next one is made when the client has taken the last, so that none wait in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Outflow:
    """The body of one answer on its way; who does not read for ``patience`` seconds is cut off (CancelledError)."""

    def __init__(self, request: Any, reactor: Any, patience: float) -> None:
        self._request = request
        self._reactor = reactor
        self._patience = patience
        self._resumed: Deferred[None] | None = None
        request.registerProducer(self, True)

    def pauseProducing(self) -> None:
        """The client reads more slowly than we write."""
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        """It has read what there was."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not resumed.called:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """It went away: whoever waits is cancelled by the request's own notice."""

    async def write(self, data: bytes) -> None:
        """Send a piece, and wait until there is room for the next."""
        self._request.write(data)
        if self._resumed is not None:
            await self._resumed.addTimeout(self._patience, self._reactor)

    def end(self) -> None:
        """All is sent."""
        self._request.unregisterProducer()


def compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as gzip."""
    packer = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()
