"""Delivery into a store on another machine: it trusts the gateway for its client certificate, and only for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from gateway.lmtp.options import Options
from gateway.lmtp.service import Lmtp, LmtpFactory
from gateway.mapiclient.options import PoolOptions, SessionOptions, ThrottleOptions, TlsOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from tests.lmtp.server import Client, Server
from tests.mapiclient.test_transport_tls import Identity, identity
from tests.support import reactor

HELLO = b"Subject: hello\r\n\r\nHello.\r\n"


class Inner(Protocol):
    """The side of the store."""

    def __init__(self, outer: Outer) -> None:
        self._outer = outer

    def dataReceived(self, data: bytes) -> None:
        self._outer.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._outer.transport.loseConnection()


class Outer(Protocol):
    """The side of the gateway: TLS as a store speaks it that trusts some client certificates (sslkeys_path)."""

    transport: Any

    def __init__(self, store: str) -> None:
        self._store = store
        self._inner: Any = None
        self._waiting = b""
        self._connecting = False

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.transport.write(data)
            return
        self._waiting += data
        if self._connecting:
            return
        self._connecting = True
        if self.transport.getPeerCertificate() is None:
            self.transport.loseConnection()
            return
        endpoint = UNIXClientEndpoint(reactor.reactor, self._store.removeprefix("unix:"))
        connectProtocol(endpoint, Inner(self)).addCallback(self._connected)

    def _connected(self, inner: Inner) -> None:
        self._inner = inner
        inner.transport.write(self._waiting)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inner is not None:
            self._inner.transport.loseConnection()


class Entry(Factory):
    noisy = False

    def __init__(self, store: str) -> None:
        self._store = store

    def buildProtocol(self, addr: object) -> Outer:
        return Outer(self._store)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("tls"), "gateway", "192.0.2.2")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("tls"), "store", "127.0.0.1")


@contextmanager
def delivering(server: Server, tls: TlsOptions, theirs: Identity, mine: Identity, state: Path) -> Iterator[int]:
    """A port where mail is delivered into the store behind TLS."""
    closing: list[Any] = []

    def build() -> int:
        entry = reactor.reactor.listenSSL(
            0, Entry(server.store.unix), theirs.context(mine), interface="127.0.0.1"
        )
        pool = Pool(reactor.reactor, PoolOptions(tls=tls))
        options = SessionOptions(throttle=ThrottleOptions(first=0.01, most=0.01))
        sessions = Sessions(pool, f"https://127.0.0.1:{entry.getHost().port}/", options)
        backend = Lmtp(sessions, server.mail.runtime, Options(), hostname="mx.example", state=state)
        factory = LmtpFactory(backend, reactor.reactor)
        port = reactor.reactor.listenTCP(0, factory, interface="127.0.0.1")
        closing.extend((port, factory, backend, sessions, pool, entry))
        return int(port.getHost().port)

    async def close() -> None:
        port, factory, backend, sessions, pool, entry = closing
        await port.stopListening()
        await factory.shut_down()
        backend.close()
        await sessions.close()
        pool.close()
        await entry.stopListening()

    try:
        yield reactor.call(build)
    finally:
        reactor.run(close)


def test_a_certificate_that_the_store_knows(
    server: Server, user: str, mine: Identity, theirs: Identity, tmp_path: Path
) -> None:
    tls = TlsOptions(ca_file=str(theirs.certificate), certificate=str(mine.certificate), key=str(mine.key))
    with delivering(server, tls, theirs, mine, tmp_path) as port:
        client = Client(port)
        assert client.deliver(HELLO, f"{user}@example.com") == ["250 2.1.5 delivered"]
        client.close()
    assert server.mails(user) == [HELLO]


@pytest.mark.parametrize("wrong", ["no certificate", "a store that is not the right one"])
def test_without_trust_the_mail_server_keeps_the_mail(
    server: Server, user: str, mine: Identity, theirs: Identity, tmp_path: Path, wrong: str
) -> None:
    shown = {} if wrong == "no certificate" else {"certificate": str(mine.certificate), "key": str(mine.key)}
    believed = theirs if wrong == "no certificate" else mine
    tls = TlsOptions(ca_file=str(believed.certificate), **shown)
    with delivering(server, tls, theirs, mine, tmp_path) as port:
        client = Client(port)
        assert client.deliver(HELLO, f"{user}@example.com")[0].startswith("451 4.3.0")
        client.close()
    assert server.mails(user) == []
