"""STORE and UID STORE (RFC 9051 6.4.6; RFC 7162 3.1.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from gateway.imap import limits
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.sequence import compact
from gateway.imap.connection import Selection
from gateway.imap.selected import Rows
from gateway.mailbox.flags import Flag, parse_flags
from gateway.mailbox.writes import Changed, FlagChange, Mode

_MODES: Final[dict[str, Mode]] = {"": "set", "+": "add", "-": "remove"}


async def store(selection: Selection, command: c.Store) -> AsyncIterator[bytes | Done]:
    """Change flags of messages."""
    selection.must_be_writable()
    if command.unchanged_since is not None:
        selection.connection.enabled.add("CONDSTORE")
    rows = selection.told.resolve(command.messages, by_uid=command.by_uid)
    if rows is None:
        raise StateError("No such message")
    rows, limited = limits.newest(selection, rows)
    view = selection.view
    flags, keywords = parse_flags(command.flags)
    change = FlagChange(_MODES[command.change], flags, keywords)
    result = await view.change_flags(rows.uids, change, unchanged_since=command.unchanged_since)
    if selection.connection.condstore and result.changed:
        await view.refresh(force=True)  # the mod-sequence is the store's to give
    yield _told(selection, command, rows, result)
    if selection.user.options.expunge_on_delete and flags & Flag.DELETED and command.change != "-":
        await view.expunge(rows.uids)
    for piece in limits.ending(_done(command, selection, result), limited):
        yield piece


def _told(selection: Selection, command: c.Store, rows: Rows, result: Changed) -> bytes:
    """The new flags, unless the client does not want to hear of them.

    With mod-sequences it must hear all the same (RFC 7162 3.1.3).
    """
    told = selection.told
    if command.silent and not selection.connection.condstore:
        own = frozenset(result.changed).difference(result.mixed)
        return selection.updates(expunge=False, mention=told.rows_of(result.mixed), leave_out=own)
    refused = frozenset(result.modified)
    uids = (
        {*result.changed, *result.mixed} if command.silent else [uid for uid in rows.uids if uid not in refused]
    )
    return selection.updates(expunge=False, mention=told.rows_of(sorted(uids)))


def _done(command: c.Store, selection: Selection, result: Changed) -> Done:
    if result.modified:
        failed = result.modified if command.by_uid else selection.told.numbers(result.modified)
        return Done("Some messages were changed meanwhile", f"MODIFIED {compact(sorted(failed))}")
    if result.gone and not command.by_uid:
        return Done("Some messages are gone", "EXPUNGEISSUED")
    return Done()
