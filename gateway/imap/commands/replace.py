"""REPLACE and UID REPLACE (RFC 8508): store a new version of a message, remove the old one."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done, Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.write_status import untagged
from gateway.imap.commands.append import append_uid, stored
from gateway.imap.connection import Selection, User
from gateway.mailbox.tree import Mailbox


async def replace(selection: Selection, command: c.Replace) -> AsyncIterator[bytes | Done]:
    """Append, then remove, both or neither; APPENDUID is told untagged before the EXPUNGE (RFC 8508 3.4, 4.3)."""
    selection.must_be_writable()
    uid = _old(selection, command)
    if selection.view.index(uid) < 0:
        raise Refused("The message is gone", "EXPUNGEISSUED")
    mailbox = await selection.user.folder(command.mailbox)
    uids = await stored(selection.user, mailbox, (command.message,))
    try:
        removed = await selection.view.remove([uid])
    except BaseException:
        await _take_back(selection.user, mailbox, uids)
        raise
    if not removed:
        await _take_back(selection.user, mailbox, uids)
        raise Refused("The message cannot be removed")
    code = append_uid(mailbox, uids)
    if code:
        yield untagged("OK", "Stored", code)
    yield selection.updates(expunge=False)  # EXISTS of the new one first, as RFC 8508 has it
    yield Done("Replaced")


async def _take_back(user: User, mailbox: Mailbox, uids: list[int]) -> None:
    """Remove what was stored in vain."""
    async with user.looking_into(mailbox) as there:
        await there.view.remove(uids, hard=True)


def _old(selection: Selection, command: c.Replace) -> int:
    told = selection.told
    number = told.number(command.number) if command.by_uid and command.number else command.number or told.count
    if not 0 < number <= told.count:
        if command.by_uid:
            raise Refused("No such message", "NONEXISTENT")
        raise StateError("No such message")
    return told.uids[number - 1]
