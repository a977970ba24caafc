"""FETCH and UID FETCH (RFC 9051 6.4.5; RFC 7162 3.1.4, 3.2.6; RFC 9394)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import fetching, limits, telling
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.fetchitems import Attribute, marks_seen
from gateway.imap.codec.write_mailbox import vanished_earlier
from gateway.imap.connection import Selection
from gateway.imap.selected import Rows
from gateway.imap.windows import window


async def fetch(selection: Selection, command: c.Fetch) -> AsyncIterator[bytes | Done]:
    """Answer what was asked of each message, a batch at a time."""
    rows = selection.told.resolve(command.messages, by_uid=command.by_uid)
    if rows is None:
        raise StateError("No such message")
    if command.changed_since is not None or Attribute.MODSEQ in command.items:
        selection.connection.enabled.add("CONDSTORE")
    if command.partial is not None:  # before what changed is looked for (RFC 9394 3.4)
        rows = Rows(window(rows.numbers, command.partial), window(rows.uids, command.partial))
        limits.must_fit(selection.user, len(rows))
    if command.changed_since is not None:
        async for piece in _earlier(selection, command):
            yield piece
        rows = await _changed(selection, rows, command.changed_since)
    rows, limited = limits.newest(selection, rows)
    plan = fetching.plan(command.items)
    seen = marks_seen(command.items) and not selection.read_only
    for batch in rows.batches(plan.batch):
        async for piece in fetching.batch(selection, plan, batch):
            yield piece
        if seen and await selection.view.mark_seen(batch.uids) and selection.connection.condstore:
            await selection.view.refresh(force=True)  # the mod-sequence is the store's to give
    gone = not command.by_uid and -1 in telling.positions(selection.view, rows.uids)
    done = Done("Some messages are gone", "EXPUNGEISSUED") if gone else Done()
    for said in limits.ending(done, limited):
        yield said


async def _earlier(selection: Selection, command: c.Fetch) -> AsyncIterator[bytes]:
    """VANISHED (EARLIER) for UID FETCH with the modifier VANISHED (RFC 7162 3.2.6)."""
    if not command.vanished:
        return
    if not selection.connection.qresync:
        raise StateError("VANISHED needs QRESYNC")
    view = selection.view
    known = command.messages.resolve(max(view.uidnext - 1, 1))
    yield vanished_earlier(await view.vanished_since(command.changed_since or 0, known))


async def _changed(selection: Selection, rows: Rows, modseq: int) -> Rows:
    """The messages among these that changed since."""
    asked = set(rows.uids)
    return selection.told.rows_of(uid for uid in await selection.view.changed_since(modseq) if uid in asked)
