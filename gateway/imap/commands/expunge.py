"""EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9; RFC 7162 3.2.7)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.connection import Selection


async def expunge(selection: Selection, command: c.Expunge) -> AsyncIterator[bytes | Done]:
    r"""Remove messages marked \Deleted; which, is told with the answer."""
    selection.must_be_writable()
    uids = None
    if command.uids is not None:
        rows = selection.told.resolve(command.uids, by_uid=True)
        uids = rows.uids if rows is not None else []
    await selection.view.expunge(uids)
    if selection.connection.condstore:
        await selection.view.refresh(force=True)
        yield Done("Expunged", f"HIGHESTMODSEQ {selection.view.highest_modseq}")
    else:
        yield Done("Expunged")
