"""NOTIFY (RFC 5465)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.connection import User
from gateway.imap.notifying import Notifying


async def notify(user: User, command: c.Notify) -> AsyncIterator[bytes | Done]:
    """Replace what is told without being asked for."""
    if not user.options.idle:
        raise StateError("NOTIFY is not offered")
    if not command.groups:
        user.notify(None)
        return
    notifying = Notifying(user, command, user.ring)
    await notifying.begin()
    user.notify(notifying)
    if command.status:
        yield await notifying.status()
    yield Done()
