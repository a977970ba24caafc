"""One POP3 session (RFC 1939 section 3): its state, what it may do in which state, and where commands find their work.

A session knows nothing of sockets: it is given lines and gives back replies, either bytes or pieces of a long one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from gateway.pop3.maildrop import Maildrop
from gateway.pop3.options import Options

if TYPE_CHECKING:
    from gateway.mailbox.account import Account

Reply = bytes | AsyncIterator[bytes]
Authenticate = Callable[[str, str, str], Awaitable["Account"]]
"""``(user, password, peer's address)`` to the account; raises LogonFailed, TransportError."""


class State(Enum):
    """Where a session stands."""

    AUTHORIZATION = "authorization"
    TRANSACTION = "transaction"
    UPDATE = "update"


class Connection(Protocol):
    """What commands may want of the connection."""

    def start_tls(self) -> None:
        """Begin TLS after the reply."""

    def close(self) -> None:
        """Close after the reply."""


class Shared:
    """What all sessions of one server share: options, the way in, locks and recent logins."""

    def __init__(
        self, authenticate: Authenticate, options: Options, clock: Callable[[], float], *, tls: bool = False
    ) -> None:
        self.authenticate = authenticate
        self.options = options
        self.clock = clock
        """Unix time."""
        self.tls = tls
        """Whether STLS is offered."""
        self.locks: set[tuple[str, bytes]] = set()
        self._logins: dict[str, float] = {}

    def logged_in_lately(self, user: str) -> bool:
        """Whether a user's last login is too short ago; else this one is noted."""
        delay = self.options.login_delay
        if not delay:
            return False
        now = self.clock()
        if len(self._logins) > 10_000:
            self._logins = {name: when for name, when in self._logins.items() if now - when < delay}
        if now - self._logins.get(user, -delay) < delay:
            return True
        self._logins[user] = now
        return False


class Session:
    """The state of one session."""

    __slots__ = (
        "connection",
        "exchange",
        "local",
        "lock",
        "maildrop",
        "peer",
        "secure",
        "shared",
        "state",
        "user",
        "utf8",
    )

    def __init__(self, shared: Shared, connection: Connection, peer: str, *, secure: bool, local: bool) -> None:
        self.shared = shared
        self.connection = connection
        self.peer = peer
        self.secure = secure
        self.local = local
        self.state = State.AUTHORIZATION
        self.user = ""
        self.utf8 = False
        self.maildrop: Maildrop | None = None
        self.lock: tuple[str, bytes] | None = None
        self.exchange: Callable[[bytes], Awaitable[Reply]] | None = None
        """What takes the next line instead of the commands (AUTH)."""

    @property
    def may_log_in(self) -> bool:
        """Whether a password may be sent over this connection."""
        allowed = self.shared.options.plaintext_login
        return self.secure or allowed == "always" or (allowed == "loopback" and self.local)

    @property
    def drop(self) -> Maildrop:
        """The maildrop of the TRANSACTION state."""
        if self.maildrop is None:
            raise AssertionError("commands of the TRANSACTION state run only there")
        return self.maildrop

    def leave(self) -> None:
        """Release everything the session holds; deleting nothing."""
        maildrop, self.maildrop = self.maildrop, None
        if self.lock is not None:
            self.shared.locks.discard(self.lock)
            self.lock = None
        if maildrop is not None:
            maildrop.close()
