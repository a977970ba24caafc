"""Sessions without passwords: the store trusts the gateway on its Unix socket, or by a client certificate.

Mail is stored as the user it is for, so that ownership and quota are right; the address book is asked as SYSTEM.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.mapiclient.credentials import Trusted
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Lease, Sessions

SYSTEM: Final = "SYSTEM"


class Trustees:
    """Leases of trusted sessions. ``sessions`` logs on where the store trusts us."""

    def __init__(self, sessions: Sessions, application: str = "lmtp") -> None:
        self._sessions = sessions
        self._application = application
        self._system: Lease | None = None
        self.clock: Any = sessions.clock

    async def lease(self, user: str) -> Lease:
        """A share in a user's session (LogonFailed, TransportError)."""
        return await self._sessions.lease(Trusted(user), application=self._application)

    async def lease_system(self) -> Lease:
        """A share in SYSTEM's session."""
        return await self.lease(SYSTEM)

    async def system(self) -> Session:
        """SYSTEM's session, held as long as it works."""
        if self._system is None or self._system.session.is_lost:
            self._system = await self.lease_system()
        return self._system.session
