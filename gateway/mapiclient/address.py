"""Where a store server listens: the URL forms of Kopano's clients as a value.

=============================  =============================================
``http://host[:236][/path]``   TCP
``https://host[:237][/path]``  TLS
``unix:/path``                 a Unix socket; also ``file:///path``
``default:``                   the socket ``/var/run/kopano/server.sock``
=============================  =============================================
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

DEFAULT_SOCKET: Final = "/var/run/kopano/server.sock"
DEFAULT_PORTS: Final = {"http": 236, "https": 237}


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a store server.

    ``trusted`` connections present the gateway's client certificate, which lets the server log anybody on
    **without looking at the password**: they carry the sessions of delivery agents, never password logons.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = "/"
    trusted: bool = False

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path if self.path != '/' else ''}"

    @property
    def is_local(self) -> bool:
        """Whether it is a Unix socket."""
        return self.scheme == "unix"

    @property
    def host_header(self) -> str:
        """The value of the Host header (RFC 9112 3.2); empty on Unix sockets, as the stock client sends it."""
        if self.is_local:
            return ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def as_trusted(self, trusted: bool) -> Server:
        """The same server over connections with or without the client certificate."""
        return self if self.trusted == trusted else replace(self, trusted=trusted)


@functools.lru_cache(maxsize=1024)
def parse_server(url: str) -> Server:
    """The server a URL names; ValueError says what is wrong with it."""
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise ValueError(f"store address {url!r} has no scheme: write http://host, https://host or unix:/path")
    if scheme == "default":
        return Server("unix", path=DEFAULT_SOCKET)
    if scheme in {"unix", "file"}:
        return Server("unix", path=_socket_path(url, rest))
    if scheme in DEFAULT_PORTS:
        return _tcp_server(url, scheme)
    raise ValueError(f"store address {url!r}: unknown scheme {scheme!r} (use http, https, unix or file)")


def _socket_path(url: str, rest: str) -> str:
    """The path of ``unix:/path``, ``unix:///path`` and ``file://path``."""
    path = rest[2:] if rest.startswith("//") else rest
    if not path.startswith("/") or "\0" in path or "\r" in path or "\n" in path:
        raise ValueError(f"store address {url!r}: a socket needs an absolute path")
    return path


def _tcp_server(url: str, scheme: str) -> Server:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"store address {url!r}: the port is no number between 1 and 65535") from None
    if port == 0:
        raise ValueError(f"store address {url!r}: the port is no number between 1 and 65535")
    if not parts.hostname:
        raise ValueError(f"store address {url!r} has no host")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"store address {url!r}: only scheme, host, port and path are allowed")
    path = parts.path or "/"
    if not (path.isascii() and path.isprintable() and " " not in path):
        raise ValueError(f"store address {url!r}: the path must be printable ASCII")
    return Server(scheme, parts.hostname, port or DEFAULT_PORTS[scheme], path)
