"""The gate before every port: counting, refusing, the client's address behind a proxy."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gateway.gate import Census, Gate, networks


class Echo(Protocol):
    """Greets with the address it sees, then echoes."""

    def connectionMade(self) -> None:
        self.transport.write(f"hello {self.transport.getPeer().host}\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.factory.gone += 1


class EchoFactory(Factory):
    protocol = Echo
    noisy = False

    def __init__(self) -> None:
        self.gone = 0


class FakeSocket:
    def __init__(self) -> None:
        self.options: list[tuple[int, ...]] = []

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)


class Transport(StringTransport):
    """A TCP transport in memory."""

    def __init__(self, host: str) -> None:
        super().__init__(IPv4Address("TCP", "127.0.0.1", 143), IPv4Address("TCP", host, 40000))
        self.socket = FakeSocket()
        self.no_delay = self.aborted = False

    def getHandle(self) -> FakeSocket:
        return self.socket

    def setTcpNoDelay(self, on: bool) -> None:
        self.no_delay = on

    def setTcpKeepAlive(self, on: bool) -> None:
        self.keep_alive = on

    def abortConnection(self) -> None:
        self.aborted = True


def gate(most: int = 10, per_address: int = 5, proxies: tuple[str, ...] = ()) -> Gate:
    census = Census(most, per_address)
    return Gate(
        EchoFactory(),
        census,
        Clock(),
        proxies=networks(proxies),
        refusal=b"* BYE too many\r\n",
        header_timeout=10,
    )


def connect(server: Gate, host: str = "192.0.2.1") -> tuple[Any, Transport]:
    transport = Transport(host)
    protocol = server.buildProtocol(transport.getPeer())
    protocol.makeConnection(transport)
    return protocol, transport


def lose(protocol: Any) -> None:
    protocol.connectionLost(Failure(ConnectionDone()))


def test_a_connection_reaches_its_protocol_and_is_counted() -> None:
    server = gate()
    protocol, transport = connect(server)
    protocol.dataReceived(b"ping")
    assert transport.value() == b"hello 192.0.2.1\r\nping"
    assert (server.census.total, server.census.by_address) == (1, {"192.0.2.1": 1})
    assert transport.no_delay
    assert len(transport.socket.options) == 3
    lose(protocol)
    assert (server.census.total, server.census.by_address, server.inner.gone) == (0, {}, 1)


def test_one_too_many_from_an_address_is_told_so() -> None:
    server = gate(per_address=2)
    first, _ = connect(server)
    connect(server)
    refused, transport = connect(server)
    assert transport.value() == b"* BYE too many\r\n"
    assert transport.disconnecting
    lose(refused)
    assert server.census.total == 2
    _, other = connect(server, "192.0.2.2")
    assert other.value().startswith(b"hello")
    lose(first)
    _, again = connect(server)
    assert again.value().startswith(b"hello")


def test_all_together_are_limited_too_and_local_sockets_count() -> None:
    server = gate(most=2)
    assert server.census.enter("")
    connect(server)
    _, transport = connect(server, "192.0.2.9")
    assert transport.value() == b"* BYE too many\r\n"
    server.census.leave("")
    assert server.census.total == 1
    assert server.buildProtocol(UNIXAddress(b"/tmp/x")) is not None


def test_a_factory_that_wants_no_connection() -> None:
    server = gate()
    server.inner.buildProtocol = lambda addr: None  # type: ignore[method-assign]
    assert server.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)) is None
    assert server.census.total == 0


HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.2 5000 143\r\n"


@pytest.mark.parametrize("size", [1, 10, 100])
def test_behind_a_proxy_the_client_is_seen(size: int) -> None:
    server = gate(proxies=("10.0.0.0/8",))
    protocol, transport = connect(server, "10.1.2.3")
    assert transport.value() == b""
    data = HEADER + b"ping"
    for start in range(0, len(data), size):
        protocol.dataReceived(data[start : start + size])
    assert transport.value() == b"hello 203.0.113.7\r\nping"
    assert server.census.by_address == {"203.0.113.7": 1}
    assert transport.no_delay
    lose(protocol)
    assert server.census.total == 0
    assert server.reactor.getDelayedCalls() == []


def test_limits_hold_for_the_address_behind_the_proxy() -> None:
    server = gate(per_address=1, proxies=("10.0.0.1",))
    connect(server, "10.0.0.1")[0].dataReceived(HEADER)
    protocol, transport = connect(server, "10.0.0.1")
    protocol.dataReceived(HEADER)
    assert transport.value() == b"* BYE too many\r\n"
    lose(protocol)
    assert server.census.total == 1


@pytest.mark.parametrize("data", [b"a1 CAPABILITY\r\n", b"PROXY nonsense\r\n"])
def test_a_proxy_without_header_is_cut_off(data: bytes) -> None:
    server = gate(proxies=("10.0.0.0/8",))
    protocol, transport = connect(server, "10.0.0.1")
    protocol.dataReceived(data)
    assert transport.aborted
    assert server.reactor.getDelayedCalls() == []
    lose(protocol)
    assert server.census.total == 0


def test_a_header_that_does_not_come_is_not_waited_for() -> None:
    server = gate(proxies=("10.0.0.0/8",))
    _, transport = connect(server, "10.0.0.1")
    server.reactor.advance(9)
    assert not transport.aborted
    server.reactor.advance(2)
    assert transport.aborted


def test_others_need_no_header() -> None:
    _, transport = connect(gate(proxies=("10.0.0.0/8",)), "192.0.2.1")
    assert transport.value() == b"hello 192.0.2.1\r\n"
