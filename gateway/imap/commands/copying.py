"""COPY and MOVE (RFC 9051 6.4.7, 6.4.8; RFC 4315, 6851)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import limits, telling
from gateway.imap.answers import Done, Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.sequence import compact
from gateway.imap.codec.write_status import untagged
from gateway.imap.connection import Selection
from gateway.imap.selected import Rows
from gateway.mailbox.tree import Mailbox


async def copy(selection: Selection, command: c.Copy) -> AsyncIterator[bytes | Done]:
    """Copy messages, all or none."""
    rows = messages(selection, command)
    if rows:
        kept, _ = limits.newest(selection, rows)
        limits.must_fit(selection.user, len(rows), kept.uids[0])
    mailbox = await selection.user.folder(command.mailbox)
    pairs = await selection.view.copy(rows.uids, mailbox)
    selection.user.brings(mailbox, (new for _, new in pairs))
    if mailbox.entryid == selection.mailbox.entryid:
        await selection.view.refresh()  # EXISTS comes with the answer
    yield Done("Copied", copy_uid(mailbox, pairs))


async def move(selection: Selection, command: c.Move) -> AsyncIterator[bytes | Done]:
    """Move messages. COPYUID comes before the EXPUNGEs, untagged (6.4.8)."""
    selection.must_be_writable()
    rows, limited = limits.newest(selection, messages(selection, command))
    mailbox = await selection.user.folder(command.mailbox)
    pairs = await selection.view.copy(rows.uids, mailbox, move=True)
    if pairs:
        yield untagged("OK", "Moved", copy_uid(mailbox, pairs))
    for piece in limits.ending(Done("Moved"), limited):
        yield piece


def messages(selection: Selection, command: c.Copy | c.Move) -> Rows:
    """The messages a command names. Raises StateError, and Refused when one of them is gone."""
    rows = selection.told.resolve(command.messages, by_uid=command.by_uid)
    if rows is None:
        raise StateError("No such message")
    if not command.by_uid and -1 in telling.positions(selection.view, rows.uids):
        raise Refused("Some of the messages are gone", "EXPUNGEISSUED")
    return rows


def copy_uid(mailbox: Mailbox, pairs: list[tuple[int, int]]) -> str:
    """``COPYUID uidvalidity old new``; nothing when nothing was copied."""
    if not pairs:
        return ""
    old, new = zip(*pairs, strict=True)
    return f"COPYUID {mailbox.uidvalidity} {compact(old)} {compact(new)}"
