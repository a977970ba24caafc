"""LIST and LSUB (RFC 9051 6.3.9; RFC 5258, 5819, 6154, 3348, 8440, 9590; RFC 3501 6.3.9)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

from gateway.imap import listing
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.commands.acl import rights_of
from gateway.imap.commands.metadata import chosen
from gateway.imap.commands.status import values_of
from gateway.imap.connection import User
from gateway.mailbox.reading import overlapping
from gateway.mailbox.tree import Mailbox
from gateway.mapi.errors import NoAccess, NotFound

#: Mailboxes whose numbers are asked for at a time.
AHEAD: Final = 8


async def list_(user: User, command: c.List) -> AsyncIterator[bytes | Done]:
    """List mailboxes, each with what RETURN asks for behind it."""
    if command.patterns == ("",) and not command.extended:
        yield w.list_root()
        return
    utf8 = user.connection.utf8
    if "HIGHESTMODSEQ" in command.status:
        user.connection.enabled.add("CONDSTORE")  # RFC 7162 3.1
    subscribed = await user.account.subscriptions() if listing.needs_subscriptions(command) else frozenset()
    tree = await user.account.mailboxes(listing.wanted_others(command))
    listed = list(listing.matches(command, tree, subscribed))
    boxes = [found.mailbox for found in listed if found.mailbox is not None]
    annotations = await user.account.all_annotations(boxes) if "METADATA" in command.returns else {}

    async def one(place: int) -> bytes:
        found = listed[place]
        line = w.list_item(found.attributes, found.name, utf8=utf8, extended=found.extended)
        if found.mailbox is None:
            return line
        return line + await _returned(user, command, found.mailbox, annotations)

    async for said in overlapping(range(len(listed)), one, AHEAD):
        yield said


async def _returned(
    user: User, command: c.List, mailbox: Mailbox, annotations: Mapping[bytes, Mapping[str, bytes]]
) -> bytes:
    utf8 = user.connection.utf8
    parts = []
    if "STATUS" in command.returns and mailbox.selectable:
        with suppress(NotFound, NoAccess):  # gone meanwhile: the others are told all the same
            values = await values_of(user, mailbox, command.status)
            parts.append(w.status_item(mailbox.name, values, utf8=utf8))
    if "MYRIGHTS" in command.returns:
        with suppress(NotFound, NoAccess):
            parts.append(rights_of(user, await user.account.as_granted(mailbox)))
    if "METADATA" in command.returns:
        found = chosen(annotations[mailbox.entryid], command.metadata, 0)
        parts.append(w.metadata(mailbox.name, found, utf8=utf8))
    return b"".join(parts)


async def lsub(user: User, command: c.Lsub) -> AsyncIterator[bytes | Done]:
    """List subscribed mailboxes, and with ``%`` the parents of those below."""
    subscribed = await user.account.subscriptions()
    tree = await user.account.mailboxes()
    for name, attributes in listing.lsub_matches(command, tree, subscribed):
        yield w.lsub_item(attributes, name, utf8=user.connection.utf8)
