"""STATUS (RFC 9051 6.3.11; RFC 7162, 7889, 8438, 8474, 9208)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox
from gateway.imap.connection import User
from gateway.mailbox.account import Status
from gateway.mailbox.flags import Flag
from gateway.mailbox.tree import Mailbox

_VALUES: Final[dict[str, Callable[[Status, Mailbox, User], int | str]]] = {
    "MESSAGES": lambda status, mailbox, user: status.messages,
    "RECENT": lambda status, mailbox, user: 0,
    "UIDNEXT": lambda status, mailbox, user: status.uidnext,
    "UIDVALIDITY": lambda status, mailbox, user: status.uidvalidity,
    "UNSEEN": lambda status, mailbox, user: status.unseen,
    "DELETED": lambda status, mailbox, user: status.deleted,
    "SIZE": lambda status, mailbox, user: status.size,
    "HIGHESTMODSEQ": lambda status, mailbox, user: status.highest_modseq,
    "MAILBOXID": lambda status, mailbox, user: f"({mailbox.mailbox_id})",
    "APPENDLIMIT": lambda status, mailbox, user: int(user.options.max_message),
}
#: Items that need every message looked at.
_FULL: Final = frozenset({"DELETED", "SIZE", "HIGHESTMODSEQ"})


async def status(user: User, command: c.Status) -> AsyncIterator[bytes | Done]:
    """The numbers of a mailbox that need not be selected."""
    mailbox = await user.folder(command.mailbox)
    if "HIGHESTMODSEQ" in command.items:
        user.connection.enabled.add("CONDSTORE")  # RFC 7162 3.1: this enables it
    values = await values_of(user, mailbox, command.items)
    yield write_mailbox.status_item(mailbox.name, values, utf8=user.connection.utf8)


async def values_of(user: User, mailbox: Mailbox, items: tuple[str, ...]) -> dict[str, int | str]:
    """The items asked for."""
    full = not _FULL.isdisjoint(items)
    found = await user.account.status(mailbox, full=full, uidnext="UIDNEXT" in items)
    values = {item: _VALUES[item](found, mailbox, user) for item in items if item in _VALUES}
    if "DELETED-STORAGE" in items:
        values["DELETED-STORAGE"] = await _deleted_storage(user, mailbox)
    return values


async def _deleted_storage(user: User, mailbox: Mailbox) -> int:
    """Octets that EXPUNGE would free (RFC 9208 section 5.1)."""
    async with user.looking_into(mailbox) as selection:
        view = selection.view
        marked = [uid for uid, flags in zip(view.uids, view.flags, strict=True) if flags & Flag.DELETED]
        return sum((await view.sizes(marked)).values())
