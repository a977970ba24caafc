"""How a connection to a store server is made: TCP, TLS or a Unix socket, and what its failures mean.

TLS checks the server's certificate against a CA file (or the system's) and its name (RFC 9525), or, when
fingerprints are pinned, accepts exactly those certificates, self-signed or not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import VerificationError
from twisted.internet import endpoints as _endpoints
from twisted.internet import error
from twisted.internet import ssl as _ssl
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer

from gateway.mapiclient.address import Server
from gateway.mapiclient.errors import ConnectFailed, TlsFailed
from gateway.mapiclient.options import PoolOptions, TlsOptions
from gateway.mapiclient.transport import Connection

endpoints: Any = _endpoints  # partly untyped
ssl: Any = _ssl


class _One(Factory):
    """Makes the one connection that was asked for."""

    noisy = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def buildProtocol(self, _addr: Any) -> Connection:
        """The connection of this attempt."""
        return self._connection


class Connector:
    """Connects to servers. ``options`` gives the timeout and what TLS needs; files are read once, when needed."""

    def __init__(self, reactor: Any, options: PoolOptions) -> None:
        self._reactor = reactor
        self._options = options
        self._creators: dict[Server, IOpenSSLClientConnectionCreator] = {}

    def connect(self, connection: Connection) -> Deferred[Connection]:
        """Connect it to its server. Fails with ConnectFailed or TlsFailed; cancelling gives up."""
        seconds = self._options.connect_seconds
        return Deferred.fromCoroutine(self._connect(connection)).addTimeout(
            seconds, self._reactor, lambda _, __: self._too_slow(connection.server, seconds)
        )

    def _too_slow(self, server: Server, seconds: float) -> Connection:
        raise ConnectFailed(f"no connection within {seconds:g} seconds", server=str(server))

    async def _connect(self, connection: Connection) -> Connection:
        server = connection.server
        try:
            await self._endpoint(server).connect(_One(connection))
            return await connection.opened
        except CancelledError:
            connection.close()
            raise
        except Exception as problem:
            connection.close()
            raise explain(problem, server) from problem

    def _endpoint(self, server: Server) -> IStreamClientEndpoint:
        reactor, seconds = self._reactor, self._options.connect_seconds
        if server.is_local:
            plain: IStreamClientEndpoint = endpoints.UNIXClientEndpoint(reactor, server.path, timeout=seconds)
        elif isIPAddress(server.host):
            plain = endpoints.TCP4ClientEndpoint(reactor, server.host, server.port, timeout=seconds)
        elif isIPv6Address(server.host):
            plain = endpoints.TCP6ClientEndpoint(reactor, server.host, server.port, timeout=seconds)
        else:
            plain = endpoints.HostnameEndpoint(reactor, server.host, server.port, timeout=seconds)
        if server.scheme == "https":
            plain = endpoints.wrapClientTLS(self._creator(server), plain)
        return plain

    def _creator(self, server: Server) -> IOpenSSLClientConnectionCreator:
        creator = self._creators.get(server)
        if creator is None:
            creator = self._creators[server] = tls_creator(server, self._options.tls)
        return creator


def tls_creator(server: Server, options: TlsOptions) -> IOpenSSLClientConnectionCreator:
    """What makes the TLS side of connections to this server; OSError or ValueError when a file is no good."""
    own = _own_certificate(options) if server.trusted or options.always_show_certificate else {}
    trust: Any = ssl.platformTrust()
    if options.ca_file and not options.pinned:
        roots = [ssl.Certificate(X509.from_cryptography(root)) for root in _certificates(options.ca_file)]
        trust = ssl.trustRootFromCertificates(roots)
    if options.verify_hostname and not options.pinned:
        creator: IOpenSSLClientConnectionCreator = ssl.optionsForClientTLS(
            server.host, trustRoot=trust, extraCertificateOptions=own
        )
        return creator
    context = ssl.CertificateOptions(trustRoot=trust, **own).getContext()
    if options.pinned:
        pins = frozenset(pin.replace(":", "").lower() for pin in options.pinned)
        context.set_verify(SSL.VERIFY_PEER, lambda *seen: _is_pinned(pins, seen[1], seen[3]))
    return _Unnamed(context, server.host)


def _own_certificate(options: TlsOptions) -> dict[str, Any]:
    """The gateway's certificate as arguments of CertificateOptions; nothing when there is none."""
    if not options.certificate:
        return {}
    first, *others = _certificates(options.certificate)
    key = load_pem_private_key(Path(options.key or options.certificate).read_bytes(), None)
    return {"certificate": first, "extraCertChain": others, "privateKey": key}


def _certificates(path: str) -> list[Certificate]:
    """The certificates of a PEM file."""
    try:
        return load_pem_x509_certificates(Path(path).read_bytes())
    except ValueError as problem:
        raise ValueError(f"{path} contains no certificate") from problem


def _is_pinned(pins: frozenset[str], certificate: X509, depth: int) -> bool:
    """Only the server's own certificate counts; its issuers are not looked at."""
    return depth > 0 or certificate.digest("sha256").decode().replace(":", "").lower() in pins


@implementer(IOpenSSLClientConnectionCreator)
class _Unnamed:
    """TLS without a check of the server's name."""

    def __init__(self, context: SSL.Context, host: str) -> None:
        self._context = context
        self._sni = None if isIPAddress(host) or isIPv6Address(host) else host.encode("idna")

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """The OpenSSL connection of one handshake."""
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        if self._sni is not None:
            connection.set_tlsext_host_name(self._sni)
        return connection


def explain(problem: Exception, server: Server) -> ConnectFailed:
    """What a failed attempt means."""
    name = str(server)
    if isinstance(problem, ConnectFailed):
        return problem
    if isinstance(problem, (SSL.Error, VerificationError)):
        return TlsFailed(f"TLS failed: {_tls_reason(problem)}", server=name)
    if isinstance(problem, error.DNSLookupError):
        return ConnectFailed(f"the host name {server.host!r} is unknown", server=name)
    if isinstance(problem, (error.TimeoutError, error.TCPTimedOutError)):
        return ConnectFailed("no connection: it took too long", server=name)
    if isinstance(problem, error.ConnectionRefusedError):
        return ConnectFailed("connection refused: nothing listens there", server=name)
    if isinstance(problem, (error.ConnectionLost, error.ConnectionDone)):
        return ConnectFailed("the connection was closed during the TLS handshake", server=name)
    return ConnectFailed(f"no connection: {problem}", server=name)


def _tls_reason(problem: Exception) -> str:
    if isinstance(problem, VerificationError):
        return "the certificate is for another name"
    details = problem.args[0] if problem.args else []
    words = (
        [str(entry[-1]) for entry in details if isinstance(entry, tuple)] if isinstance(details, list) else []
    )
    return ", ".join(word for word in words if word) or str(problem) or type(problem).__name__
