"""NOTIFY (RFC 5465)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import notifying
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.connection import User


async def notify(user: User, command: c.Notify) -> AsyncIterator[bytes | Done]:
    """Replace what is told without being asked for; what happened so far is told with the answer."""
    if not user.options.idle:
        raise StateError("NOTIFY is not offered")
    if user.selection is not None:
        await user.selection.view.refresh()
    user.wishes = command
    yield await notifying.start(user, command)
