"""What can happen to a session behind its back."""

from __future__ import annotations

from gateway.mapiclient import Session
from gateway.mapiclient.wire.calls_session import Logoff


async def forgotten(session: Session) -> None:
    """Have the server forget the session, as it does after a restart."""
    await session.pool.call(session.server, Logoff(), session_id=session._session_id)
