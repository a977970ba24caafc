"""LIST and LSUB (RFC 9051 6.3.9; RFC 5258, 5819, 6154, 3348; RFC 3501 6.3.9)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import listing
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.commands.status import values_of
from gateway.imap.connection import User


async def list_(user: User, command: c.List) -> AsyncIterator[bytes | Done]:
    """List mailboxes, each with what RETURN asks for behind it."""
    if command.patterns == ("",) and not command.extended:
        yield w.list_root()
        return
    utf8 = user.connection.utf8
    tree = await user.account.mailboxes()
    subscribed = await user.account.subscriptions() if listing.needs_subscriptions(command) else frozenset()
    for found in listing.matches(command, tree, subscribed):
        yield w.list_item(found.attributes, found.name, utf8=utf8, extended=found.extended)
        if "STATUS" in command.returns and found.mailbox is not None and found.mailbox.selectable:
            values = await values_of(user, found.mailbox, command.status)
            yield w.status_item(found.name, values, utf8=utf8)


async def lsub(user: User, command: c.Lsub) -> AsyncIterator[bytes | Done]:
    """List subscribed mailboxes, and with ``%`` the parents of those below."""
    tree = await user.account.mailboxes()
    subscribed = await user.account.subscriptions()
    for name, attributes in listing.lsub_matches(command, tree, subscribed):
        yield w.lsub_item(attributes, name, utf8=user.connection.utf8)
