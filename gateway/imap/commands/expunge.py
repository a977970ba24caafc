"""EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9; RFC 7162 3.2.7)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import limits
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec.sequence import SequenceSet
from gateway.imap.connection import Selection
from gateway.imap.selected import Rows
from gateway.mailbox.flags import Flag


async def expunge(selection: Selection, command: c.Expunge) -> AsyncIterator[bytes | Done]:
    r"""Remove messages marked \Deleted; which, is told with the answer."""
    selection.must_be_writable()
    uids, limited = None, ""
    if command.uids is not None:
        rows, limited = limits.newest(selection, _marked(selection, command.uids))
        uids = rows.uids
    await selection.view.expunge(uids)
    done = Done("Expunged")
    if selection.connection.condstore:
        await selection.view.refresh(force=True)
        told = selection.told
        highest = told.settled if told.hidden else selection.view.highest_modseq
        done = Done("Expunged", f"HIGHESTMODSEQ {highest}")
    for piece in limits.ending(done, limited):
        yield piece


def _marked(selection: Selection, wanted: SequenceSet) -> Rows:
    """The messages of a set that are marked."""
    rows = selection.told.resolve(wanted, by_uid=True) or Rows((), ())
    view = selection.view
    return selection.told.rows_of(
        uid for uid in rows.uids if (at := view.index(uid)) >= 0 and view.flags[at] & Flag.DELETED
    )
