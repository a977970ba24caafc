"""APPEND (RFC 9051 6.3.12; RFC 3502, 4315, 4469, 7889)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import catenate, limits
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec.sequence import compact
from gateway.imap.connection import User
from gateway.mailbox.flags import parse_flags
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.uploads import Upload


async def append(user: User, command: c.Append) -> AsyncIterator[bytes | Done]:
    """Store messages, all or none."""
    limits.must_fit(user, len(command.messages))
    mailbox = await user.folder(command.mailbox)
    uids = await stored(user, mailbox, command.messages)
    yield Done("Stored", append_uid(mailbox, uids))


async def stored(user: User, mailbox: Mailbox, messages: tuple[c.NewMessage, ...]) -> list[int]:
    """Put new messages into a mailbox; their UIDs."""
    uploads = [await _upload(user, message) for message in messages]
    uids = await user.account.append(mailbox, uploads)
    user.brings(mailbox, uids)
    view = user.selection.view if user.selection is not None else None
    if view is not None and view.mailbox.entryid == mailbox.entryid and view.index(uids[-1]) < 0:
        await view.refresh()  # 6.3.12: EXISTS comes with the answer
    return uids


def append_uid(mailbox: Mailbox, uids: list[int]) -> str:
    """``APPENDUID uidvalidity uids``; nothing when a UID is not known."""
    return f"APPENDUID {mailbox.uidvalidity} {compact(uids)}" if uids and all(uids) else ""


async def _upload(user: User, message: c.NewMessage) -> Upload:
    flags, keywords = parse_flags(message.flags)
    date = None if message.date is None else message.date.timestamp()
    return Upload(await catenate.assembled(user, message), flags, keywords, date)
