"""What can go wrong between the gateway and a store server, apart from what the store refuses.

A store that answers "no" raises `gateway.mapi.errors.MapiError`; everything here means that there was no
usable answer. Every error names the server and the call. ``unknown`` tells whether the server may have
carried the call out all the same: then only an idempotent call can be repeated blindly.
"""

from __future__ import annotations

from gateway.mapi.errors import ErrorCode, MapiError


class TransportError(Exception):
    """No usable answer from the store server.

    ``server`` is its address in words, ``call`` the call's name, ``reason`` what happened; ``unknown`` is
    true when the call may have been carried out.
    """

    def __init__(self, reason: str, *, server: str = "", call: str = "", unknown: bool = False) -> None:
        self.reason = reason
        self.server = server
        self.call = call
        self.unknown = unknown
        super().__init__(reason)

    def __str__(self) -> str:
        where = f"store server {self.server}" if self.server else "store server"
        return f"{where}: {self.call}: {self.reason}" if self.call else f"{where}: {self.reason}"


class ConnectFailed(TransportError):
    """No connection could be made: refused, unreachable, unknown host, no such socket, too slow."""


class TlsFailed(ConnectFailed):
    """The TLS handshake failed: a certificate that is not trusted, a wrong name, no common version."""


class ConnectionClosed(TransportError):
    """The connection ended before the reply was complete."""


class StaleConnection(ConnectionClosed):
    """A kept-alive connection ended before the first byte of the reply: the server had closed it."""


class CallTimeout(TransportError):
    """The reply did not come, or did not go on, in time."""


class BadReply(TransportError):
    """The server answered something that is no reply: not HTTP, a wrong status, too large, not SOAP."""


class Overloaded(TransportError):
    """The call never started: too many are waiting, or it waited too long for its turn."""


class PoolClosed(TransportError):
    """The pool was closed; the process is stopping."""


class SessionLost(TransportError):
    """The session is gone and could not be opened again with the credentials it has."""


class HandlesLost(SessionLost):
    """The session was opened again: table ids and subscriptions of the earlier one mean nothing now."""


class ServerFault(MapiError):
    """The server answered a SOAP fault: it did not understand the request. A defect on one of the sides."""

    default = ErrorCode.CALL_FAILED


class TooManyFailures(TransportError):
    """Too many logins that failed are waiting already for this user or from this address."""
