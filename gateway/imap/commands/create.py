"""CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8; RFC 6154, 8474)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from gateway.imap import listing
from gateway.imap.answers import Done, Refused
from gateway.imap.codec import commands as c
from gateway.imap.connection import User
from gateway.mailbox.names import DELIMITER
from gateway.mailbox.tree import Mailbox
from gateway.mapi.errors import NotFound


async def create(user: User, command: c.Create) -> AsyncIterator[bytes | Done]:
    """Create a mailbox and the parents it lacks; a delimiter at the end is ignored."""
    if len(command.use) > 1:
        raise Refused("A mailbox has one special use here", "USEATTR")
    name = _name(command.mailbox)
    user.renames(name)
    mailbox = await user.account.create(name, *command.use)
    if mailbox.name != name:
        yield listing.normalized(mailbox, name, utf8=user.connection.utf8)
    yield Done("Created", f"MAILBOXID ({mailbox.mailbox_id})")


async def delete(user: User, command: c.Delete) -> AsyncIterator[bytes | Done]:
    """Delete a mailbox. A client that has it selected leaves it."""
    mailbox = await user.mailbox(command.mailbox)
    if mailbox.is_inbox:
        raise Refused("INBOX cannot be deleted", "CANNOT")
    if _selected(user, mailbox):
        user.unselect()
    user.renames(mailbox.name)
    await user.account.delete(mailbox.name)
    yield Done("Deleted")


async def rename(user: User, command: c.Rename) -> AsyncIterator[bytes | Done]:
    """Rename a mailbox with all below it; INBOX gives its messages away (6.3.6)."""
    to = _name(command.to)
    user.renames(command.mailbox, to)
    await user.account.rename(command.mailbox, to)
    if user.selection is not None:
        await user.selection.view.refresh()
    yield Done("Renamed")


async def subscribe(user: User, command: c.Subscribe) -> AsyncIterator[bytes | Done]:
    """Subscribe."""
    user.renames(command.mailbox)
    await user.account.subscribe(command.mailbox, on=True)
    yield Done()


async def unsubscribe(user: User, command: c.Unsubscribe) -> AsyncIterator[bytes | Done]:
    """Unsubscribe. Who deletes a mailbox has unsubscribed it: what does not exist is no error."""
    user.renames(command.mailbox)
    with suppress(NotFound):
        await user.account.subscribe(command.mailbox, on=False)
    yield Done()


def _name(given: str) -> str:
    """The name of a mailbox to be made, without the delimiter it may end with. Raises Refused."""
    name = given.strip(DELIMITER)
    if not name:
        raise Refused("A mailbox needs a name", "CANNOT")
    return name


def _selected(user: User, mailbox: Mailbox) -> bool:
    return user.selection is not None and user.selection.mailbox.entryid == mailbox.entryid
