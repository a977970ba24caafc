"""What every client connection passes before its protocol sees it: limits, socket options, the PROXY header.

One `Gate` stands before each listening port; all of them share one `Census`. A connection costs a small object here and
nothing per byte: the protocol gets the real transport, and incoming data goes straight to it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IReactorTime, ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway import proxyheader

log: Final = Logger()
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Census:
    """How many connections there are, in all and from each address."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self.total = 0
        self.refused = 0
        self.by_address: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        """Count a connection in; False when there are too many. "" (a local socket) counts only in the total."""
        here = self.by_address.get(address, 0)
        if self.total >= self.most or (address and here >= self.most_per_address):
            self.refused += 1
            log.warn(
                "connection from {address} refused: {here} from there, {total} in all",
                address=address or "a local socket",
                here=here,
                total=self.total,
            )
            return False
        self.total += 1
        if address:
            self.by_address[address] = here + 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self.total -= 1
        if address:
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Networks or single addresses from their text; raise ValueError."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


class Gate(Factory):
    """The factory that listens; it hands each admitted connection to `inner`.

    `refusal` is sent to a client that is one too many, in the clear. Connections from the networks `proxies` begin with a
    PROXY header, which must be complete after `header_timeout` seconds.
    """

    noisy = False

    def __init__(
        self,
        inner: IProtocolFactory,
        census: Census,
        reactor: IReactorTime,
        *,
        proxies: tuple[Network, ...] = (),
        refusal: bytes = b"",
        header_timeout: float = 30,
    ) -> None:
        self.inner = inner
        self.census = census
        self.reactor = reactor
        self.proxies = proxies
        self.refusal = refusal
        self.header_timeout = header_timeout

    def doStart(self) -> None:
        """Listening begins."""
        super().doStart()  # type: ignore[no-untyped-call]
        self.inner.doStart()

    def doStop(self) -> None:
        """Listening ends."""
        self.inner.doStop()
        super().doStop()  # type: ignore[no-untyped-call]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The protocol of a new connection."""
        host = getattr(addr, "host", "")
        if host and any(ipaddress.ip_address(host.partition("%")[0]) in network for network in self.proxies):
            return Announced(self)
        return self.admit(addr)

    def admit(self, addr: Any) -> IProtocol | None:
        """The protocol for a client at `addr`, or the one that turns it away."""
        host = getattr(addr, "host", "")
        if not self.census.enter(host):
            return Refused(self.refusal)
        protocol = self.inner.buildProtocol(addr)
        if protocol is None:
            self.census.leave(host)
            return None
        return Passage(protocol, host, self.census)


def set_socket_options(transport: Any) -> None:
    """Small answers leave at once, dead peers are noticed: after 10 minutes, then 6 probes a minute apart."""
    if not isinstance(transport.getHost(), (IPv4Address, IPv6Address)):
        return
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    handle = transport.getHandle()
    for option, value in ((socket.TCP_KEEPIDLE, 600), (socket.TCP_KEEPINTVL, 60), (socket.TCP_KEEPCNT, 6)):
        handle.setsockopt(socket.IPPROTO_TCP, option, value)


@implementer(IProtocol)
class Passage:
    """An admitted connection: everything goes to the protocol behind, the end is counted."""

    __slots__ = ("_census", "_host", "_inner", "dataReceived")

    def __init__(self, inner: IProtocol, host: str, census: Census) -> None:
        self._inner = inner
        self._host = host
        self._census = census
        self.dataReceived: Callable[[bytes], None] = inner.dataReceived

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is there."""
        set_socket_options(transport)
        self._inner.makeConnection(transport)

    def connectionMade(self) -> None:
        """The protocol behind has been told by makeConnection."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        self._census.leave(self._host)
        self._inner.connectionLost(reason)


class Refused(Protocol):
    """One connection too many: say so and close."""

    transport: Any

    def __init__(self, farewell: bytes) -> None:
        self._farewell = farewell

    def connectionMade(self) -> None:
        """Write the farewell and close."""
        if self._farewell:
            self.transport.write(self._farewell)
        self.transport.loseConnection()


class Announced(Protocol):
    """A connection of a proxy: its first bytes tell who the client is; only then it is admitted."""

    transport: Any

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._data = b""
        self._passage: IProtocol | None = None

    def connectionMade(self) -> None:
        """Wait for the header."""
        gate = self._gate
        self._patience = gate.reactor.callLater(gate.header_timeout, self._refuse, "no PROXY header came")

    def dataReceived(self, data: bytes) -> None:
        """Collect the header; what follows it belongs to the client."""
        self._data += data
        try:
            header = proxyheader.parse(self._data)
        except proxyheader.ProxyHeaderError as error:
            self._refuse(str(error))
            return
        if header is not None:
            self._patience.cancel()
            self._admit(header)

    def _admit(self, header: proxyheader.ProxyHeader) -> None:
        """Build the client's protocol and let it see the client's address."""
        rest, self._data = self._data[header.length :], b""
        relay(self.transport, header)
        passage = self._gate.admit(self.transport.getPeer())
        if passage is None:
            self.transport.loseConnection()
            return
        self._passage = passage
        self.dataReceived = passage.dataReceived  # type: ignore[method-assign]
        passage.makeConnection(self.transport)
        if rest:
            passage.dataReceived(rest)

    def _refuse(self, why: str) -> None:
        """Close a connection that does not begin as it must."""
        if self._patience.active():
            self._patience.cancel()
        log.warn("connection from the proxy {peer} closed: {why}", peer=self.transport.getPeer(), why=why)
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        if self._patience.active():
            self._patience.cancel()
        if self._passage is not None:
            self._passage.connectionLost(reason)


def relay(transport: Any, header: proxyheader.ProxyHeader) -> None:
    """Let a transport tell the addresses of the PROXY header as its own.

    On the transport itself, not around it: STARTTLS and everything else go on working as if the client had connected.
    """
    peer, host = _endpoint(header.source), _endpoint(header.destination)
    if peer is not None and host is not None:
        transport.getPeer = lambda: peer
        transport.getHost = lambda: host


def _endpoint(address: tuple[str, int] | None) -> IAddress | None:
    """Twisted's address object."""
    if address is None:
        return None
    kind = IPv6Address if ":" in address[0] else IPv4Address
    found: IAddress = kind("TCP", *address)
    return found
