"""What can be set about a store server."""

from __future__ import annotations

import msgspec

from gateway.storeserver.http import HttpLimits
from gateway.units import Duration, Size


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store server: where it listens, and its limits. Sizes in bytes, times in seconds."""

    data: str = "/var/lib/mapi-gateway"
    """Directory of the database and the attachment files."""
    listen: tuple[str, ...] = ("127.0.0.1:12360",)
    """Where the store speaks SOAP: host:port, *:port, unix:/path."""
    demo: bool = False
    """Fill an empty store with two accounts to try: demo and demo2."""
    session_timeout: Duration = Duration(300)
    """How long a session lives after its last call; at least 300 seconds count."""
    check_address: bool = True
    """Whether a session may be used only from the address that opened it."""
    idle_timeout: Duration = Duration(60)
    """How long an idle TCP connection is kept; local sockets are kept for ever."""
    read_timeout: Duration = Duration(60)
    """How long a client may take to send a request (large ones longer)."""
    write_timeout: Duration = Duration(60)
    """How long a client may take no data of an answer."""
    max_request: Size = Size(512 * 1024 * 1024)
    """Largest request that is taken."""
    connections: int = 10_000
    """Connections at the same time."""
    wrong_password_delay: Duration = Duration(0.25)
    """How long the answer to a wrong password waits; it doubles with each one ..."""
    wrong_password_longest: Duration = Duration(8)
    """... up to this."""
    readers: int = 4
    """Threads that read for calls."""
    compression: bool = True
    """Compress answers for clients of other machines that ask for it."""
    trusted_uids: tuple[int, ...] = (0,)
    """Unix users that may log on over a local socket as anybody without a password; the server's own user always may."""

    def http(self, *, local: bool) -> HttpLimits:
        """The limits of connections, which differ for local sockets."""
        return HttpLimits(
            int(self.max_request),
            None if local else float(self.idle_timeout),
            float(self.read_timeout),
            float(self.write_timeout),
        )
