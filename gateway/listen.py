"""Where servers listen: addresses as the configuration writes them become listening ports.

``host:port``, ``[v6]:port`` and ``*:port`` (every address, both families), ``unix:/path`` (mode 0660) and ``systemd:name`` for sockets
that systemd opened (by FileDescriptorName or number). A port that cannot be opened is an error in plain words.
"""

from __future__ import annotations

import errno
import functools
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.systemd import ListenFDs

log: Final = Logger()
_BACKLOG: Final = 1024
_UNIX_MODE: Final = 0o660


class ListenError(ValueError):
    """An address is malformed or cannot be listened on; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to listen: a family with (host, port), a path, or the name of an inherited socket."""

    kind: str
    """``tcp``, ``unix`` or ``systemd``."""
    host: str
    """IP address, path, or name of the socket."""
    port: int = 0

    def __str__(self) -> str:
        if self.kind == "tcp":
            return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return f"{self.kind}:{self.host}"


def addresses(text: str) -> list[Address]:
    """Read an address of the configuration; raise ListenError."""
    kind, _, rest = text.partition(":")
    if kind in ("unix", "systemd") and rest:
        return [Address(kind, rest)]
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 0xFFFF:
        raise ListenError(
            f'"{text}" is no address; write e.g. "127.0.0.1:143", "[::1]:143", "*:143", "unix:/path"'
        )
    if host in ("*", ""):
        return [Address("tcp", "0.0.0.0", int(port)), Address("tcp", "::", int(port))]  # noqa: S104
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise ListenError(f'"{text}": {host} is no IP address (names are not looked up here)') from error
    return [Address("tcp", host, int(port))]


class Listening(Service):
    """A factory on all its addresses; binding happens before privileges are dropped."""

    def __init__(self, name: str, texts: tuple[str, ...], factory: IProtocolFactory, reactor: Any) -> None:
        self.setName(name)  # type: ignore[no-untyped-call]
        self._addresses = [(text, address) for text in texts for address in addresses(text)]
        self._factory = factory
        self._reactor = reactor
        self.ports: list[IListeningPort] = []

    def privilegedStartService(self) -> None:
        """Open every port or none; raise ListenError."""
        for text, address in self._addresses:
            try:
                self.ports.append(self._open(address))
            except OSError as error:
                if address.host == "::" and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    continue  # a machine without IPv6
                raise ListenError(f"{self.name}: {_reason(text, error)}") from error
        for port in self.ports:
            log.info("{name} listens on {place}", name=self.name, place=place_of(port))

    def startService(self) -> None:
        """Open the ports unless that has been done."""
        super().startService()  # type: ignore[no-untyped-call]
        if not self.ports:
            self.privilegedStartService()

    def stopService(self) -> Deferred[Any]:
        """Close the ports; connections stay."""
        super().stopService()  # type: ignore[no-untyped-call]
        ports, self.ports = self.ports, []
        waits = [done for port in ports if (done := port.stopListening()) is not None]
        return gatherResults(waits, consumeErrors=True)

    def _open(self, address: Address) -> IListeningPort:
        """Open one port."""
        if address.kind == "systemd":
            return self._adopt(inherited(address.host))
        if address.kind == "unix":
            port = self._adopt(_unix_socket(address.host))
            os.chmod(address.host, _UNIX_MODE)  # adopting it has opened it to everybody
            return port
        return self._adopt(_tcp_socket(address))

    def _adopt(self, listening: socket.socket) -> IListeningPort:
        """Hand a listening socket to the reactor, which duplicates its descriptor."""
        with listening:
            listening.setblocking(False)
            descriptor, family = listening.fileno(), listening.family
            port: IListeningPort = self._reactor.adoptStreamPort(descriptor, family, self._factory)
            return port


def _tcp_socket(address: Address) -> socket.socket:
    """A listening TCP socket; an IPv6 one takes IPv6 only, so that "*" is two sockets and client addresses are plain."""
    opened = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((address.host, address.port))
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _unix_socket(path: str) -> socket.socket:
    """A listening local socket; one that nobody answers on any more is replaced."""
    opened = socket.socket(socket.AF_UNIX)
    try:
        if os.path.exists(path) and opened.connect_ex(path) == errno.ECONNREFUSED:
            os.unlink(path)
        opened.close()
        opened = socket.socket(socket.AF_UNIX)
        opened.bind(path)
        os.chmod(path, _UNIX_MODE)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


@functools.cache
def _passed() -> ListenFDs:
    """What systemd passed; Twisted removes it from the environment when it reads it."""
    return ListenFDs.fromEnvironment()


def inherited(name: str) -> socket.socket:
    """The socket that systemd passed under this name or number; raise ListenError."""
    passed = _passed()
    by_name = passed.inheritedNamedDescriptors()
    numbered = passed.inheritedDescriptors()
    if name in by_name:
        return socket.socket(fileno=os.dup(by_name[name]))
    if name.isdigit() and int(name) < len(numbered):
        return socket.socket(fileno=os.dup(numbered[int(name)]))
    passed_names = ", ".join(by_name) or "none"
    raise ListenError(f'systemd passed no socket "{name}"; it passed {len(numbered)}: {passed_names}')


def _reason(text: str, error: OSError) -> str:
    """Why a port cannot be opened, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"{text} is taken: another program (or another gateway) listens there. Stop it, or choose another address"
    if error.errno == errno.EACCES:
        return f"{text}: not permitted. Ports below 1024 need root or CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{text}: this machine has no such address"
    return f"{text}: {error.strerror}"


def place_of(port: IListeningPort) -> str:
    """Where a port listens, as one would write it."""
    host: Any = port.getHost()
    if isinstance(host, UNIXAddress):
        return f"unix:{os.fsdecode(host.name or b'')}"
    return str(Address("tcp", host.host, host.port))
