"""IDLE (RFC 9051 6.3.13)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.write_status import CONTINUE_IDLE
from gateway.imap.connection import User


async def idle(user: User, command: c.Idle) -> AsyncIterator[bytes | Done]:
    """Tell what happens as it happens, until the client says DONE."""
    if not user.options.idle:
        raise StateError("IDLE is not offered")
    with user.listening() as bell:
        yield CONTINUE_IDLE
        async for piece in user.updates(unasked=True):
            yield piece
        while bell.line is None:
            await bell.rung()
            async for piece in user.updates(unasked=True):
                yield piece
    if not user.is_done(bell.line):
        raise StateError("Expected DONE")
    yield Done("Idle ended")
