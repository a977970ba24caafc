"""A connection on a transport in memory, for tests."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gateway.mapiclient.address import parse_server
from gateway.mapiclient.transport import Connection
from tests.mapiclient.toy import Say, encode


class Turns(Clock):
    """A clock that notes how long each delayed call took."""

    def __init__(self) -> None:
        super().__init__()
        self.took: list[float] = []

    def callLater(self, when: float, what: Any, *args: Any, **kwargs: Any) -> Any:
        def timed() -> None:
            before = self.rightNow
            what(*args, **kwargs)
            self.took.append(self.rightNow - before)

        return super().callLater(when, timed)


class Bench:
    """A connection, its transport, its clock, and what its owner was told."""

    def __init__(self) -> None:
        self.clock = Turns()
        self.told: list[Any] = []
        self.connection = Connection(parse_server("http://store:236"), self.clock, self)
        self.transport = StringTransport()
        self.connection.makeConnection(self.transport)

    def replied(self, connection: Connection, exchange: Any, reply: Any) -> None:
        self.told.append((reply.text, connection.reusable))

    def failed(self, connection: Connection, exchange: Any, error: Exception) -> None:
        assert not connection.reusable
        self.told.append(error)

    def lost(self, connection: Connection) -> None:
        self.told.append("lost")

    def ask(self, text: str = "hi", **changes: Any) -> None:
        self.transport.clear()
        self.connection.start(encode(Say(text), 7, **changes))

    def answer(self, body: bytes, head: bytes = b"", status: bytes = b"200 OK") -> None:
        self.connection.dataReceived(
            b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, head, len(body), body)
        )

    def end(self, reason: type[Exception] = ConnectionDone) -> None:
        self.connection.connectionLost(Failure(reason()))

    @property
    def error(self) -> Any:
        (error,) = self.told
        assert isinstance(error, Exception)
        assert self.transport.disconnecting or self.transport.disconnected
        return error
