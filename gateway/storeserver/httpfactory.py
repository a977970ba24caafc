"""All HTTP connections of a listening socket: made, counted, closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory

from gateway.storeserver.http import Application, HttpLimits
from gateway.storeserver.httpconnection import HttpConnection


class HttpFactory(Factory):
    """Makes connections, knows those that are open, and closes them."""

    noisy = False

    def __init__(
        self,
        application: Application,
        limits: HttpLimits,
        clock: IReactorTime,
        peer_of: Callable[[Any], Any],
        max_connections: int = 10_000,
    ) -> None:
        self.peer_of = peer_of
        self.stopping = False
        self.connections: set[HttpConnection] = set()
        self._application = application
        self._limits = limits
        self._clock = clock
        self._max_connections = max_connections
        self._emptied: list[Deferred[None]] = []

    def buildProtocol(self, addr: Any) -> Any:
        """A connection, unless there are too many already."""
        if self.stopping or len(self.connections) >= self._max_connections:
            return None
        connection = HttpConnection(self._application, self._limits, self._clock)
        connection.factory = self
        self.connections.add(connection)
        return connection

    def forget(self, connection: HttpConnection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if not self.connections:
            waiting, self._emptied = self._emptied, []
            for done in waiting:
                done.callback(None)

    def close(self) -> Deferred[None]:
        """Close idle connections now and busy ones after their answer; fires when none is left."""
        self.stopping = True
        done: Deferred[None] = Deferred()
        for connection in list(self.connections):
            connection.close_when_idle()
        if self.connections:
            self._emptied.append(done)
        else:
            done.callback(None)
        return done

    def abort(self) -> None:
        """Cut every connection."""
        for connection in list(self.connections):
            connection.abort()
