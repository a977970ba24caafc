"""Push resources, which are addresses that users name: where the gateway may send to, and the sending itself.

Only https is spoken, a name is resolved once and the connection goes to an address that was looked at, redirects are
not followed, and of the answer no more is read than its head.
"""

from __future__ import annotations

import io
import ipaddress
import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL.crypto import X509
from twisted.internet import ssl
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.threads import deferToThreadPool
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, _HTTP11ClientFactory
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

MAX_URL: Final = 2000
_HTTPS: Final = 443
_CONNECT_SECONDS: Final = 10
_SECONDS: Final = 20.0
#: Names that are looked up at the same time.
_LOOKUPS: Final = 3
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(ValueError):
    """Nothing is sent to this push resource; the text says why."""


def check_url(url: str, *, private: bool) -> str:
    """A push resource as the client writes it (Forbidden); names are looked at only when something is sent."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden("the push resource is no proper address") from error
    if parts.scheme != "https" or not parts.hostname:
        raise Forbidden("a push resource is an https address")
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or port == 0:
        raise Forbidden("the push resource is no proper address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Forbidden("a push resource has neither user nor fragment")
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return url
    check_address(parts.hostname, private=private)
    return url


def check_address(text: str, *, private: bool) -> str:
    """An IP address to which the gateway may connect (Forbidden)."""
    address = _inner(ipaddress.ip_address(text.partition("%")[0]))
    is_public = address.is_global and not address.is_reserved
    if address.is_multicast or address.is_unspecified or not (private or is_public):
        raise Forbidden(f"{text} is not an address of the Internet")
    return text


def _inner(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address in one of IPv6 that leads to it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


@implementer(IAgentEndpointFactory)
class _Fixed:
    """Connects to one address, as the host of the URI."""

    def __init__(self, reactor: Any, address: str, trust: Any) -> None:
        self._reactor, self._address, self._trust = reactor, address, trust

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:
        """The endpoint of a request (IAgentEndpointFactory)."""
        kind: Any = TCP6ClientEndpoint if ":" in self._address else TCP4ClientEndpoint
        plain = kind(self._reactor, self._address, uri.port, timeout=_CONNECT_SECONDS)
        options = ssl.optionsForClientTLS(uri.host.decode("ascii"), trustRoot=self._trust)
        endpoint: IStreamClientEndpoint = wrapClientTLS(options, plain)
        return endpoint


class _Unread(Protocol):
    """Takes nothing of a body."""

    def connectionMade(self) -> None:
        """The head is there."""
        transport: Any = self.transport
        transport.loseConnection()


class Endpoints:
    """Sends to push resources. ``ca_file`` has the authorities to be believed, "" means the system's."""

    def __init__(self, reactor: Any, *, private: bool, ca_file: str = "") -> None:
        self._reactor = reactor
        self._private = private
        self._lookups = DeferredSemaphore(_LOOKUPS)
        self._trust: Any = ssl.platformTrust()  # type: ignore[no-untyped-call]
        if ca_file:
            roots = load_pem_x509_certificates(Path(ca_file).read_bytes())
            self._trust = ssl.trustRootFromCertificates(  # type: ignore[no-untyped-call]
                [ssl.Certificate(X509.from_cryptography(root)) for root in roots]  # type: ignore[no-untyped-call]
            )

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """Status and Retry-After of a POST (Forbidden; any error of connections, names and certificates)."""
        work = Deferred.fromCoroutine(self._post(url, headers, body))
        return await work.addTimeout(_SECONDS, self._reactor)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        check_url(url, private=self._private)
        parts = urlsplit(url)
        address = await self._address(parts.hostname or "", parts.port or _HTTPS)
        pool = HTTPConnectionPool(self._reactor, persistent=False)  # type: ignore[no-untyped-call]
        pool._factory = _Silent
        agent = Agent.usingEndpointFactory(self._reactor, _Fixed(self._reactor, address, self._trust), pool)  # type: ignore[no-untyped-call]
        sent = Headers({name: [value] for name, value in headers.items()})
        response: Any = await agent.request(b"POST", url.encode("ascii"), sent, _Body(body))
        response.deliverBody(_Unread())
        retry = response.headers.getRawHeaders("retry-after") or [""]
        return response.code, retry[0]

    async def _address(self, host: str, port: int) -> str:
        """One address of a host; when one of them is not allowed none is taken (Forbidden, OSError)."""

        def resolve() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return [str(each[4][0]) for each in found]

        await self._lookups.acquire()
        found: Deferred[list[str]] = Deferred()

        def ended(result: Any) -> None:
            # Not before the thread has ended: others need the reactor's threads, too.
            self._lookups.release()
            if not found.called:
                found.callback(result)

        deferToThreadPool(self._reactor, self._reactor.getThreadPool(), resolve).addBoth(ended)
        addresses = await found
        for each in addresses:
            check_address(each, private=self._private)
        return addresses[0]


class _Silent(_HTTP11ClientFactory):
    """Does not log each connection."""

    noisy = False


class _Body(FileBodyProducer):
    """A small body."""

    def __init__(self, body: bytes) -> None:
        super().__init__(io.BytesIO(body))  # type: ignore[no-untyped-call]
