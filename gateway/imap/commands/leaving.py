"""CHECK, CLOSE and UNSELECT (RFC 3501 6.4.1; RFC 9051 6.4.1, 6.4.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.connection import Selection


async def check(selection: Selection, command: c.Check) -> AsyncIterator[bytes | Done]:
    """Nothing to do: every write is in the store already. What is new is told, as with NOOP."""
    await selection.view.refresh()
    yield Done()


async def close(selection: Selection, command: c.Close) -> AsyncIterator[bytes | Done]:
    """Remove what is marked, say nothing of it, leave.

    No mod-sequence is told: the client would never ask for what others changed and it was not told of.
    """
    if not selection.read_only:
        await selection.view.expunge()
    selection.user.unselect()
    yield Done("Closed")


async def unselect(selection: Selection, command: c.Unselect) -> AsyncIterator[bytes | Done]:
    """Leave."""
    selection.user.unselect()
    yield Done("Left")
