"""ESEARCH: one search in several mailboxes (RFC 7377)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import filters, searching
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search as w
from gateway.imap.codec.searchkeys import uses_modseq
from gateway.imap.commands.search import result
from gateway.imap.connection import Selection, User
from gateway.mailbox.tree import Mailbox

_DEFAULT = c.ReturnOptions(frozenset({"ALL"}))


async def multisearch(user: User, command: c.MultiSearch) -> AsyncIterator[bytes | Done]:
    """Search each mailbox; those without a match are not mentioned (section 2.1)."""
    options = command.returns or _DEFAULT
    if "SAVE" in options.wanted and command.sources:
        raise StateError("SAVE is for the selected mailbox only")
    if not command.sources and user.selection is None:
        raise StateError("No mailbox is selected")
    sources = command.sources or (c.MailboxFilter("SELECTED"),)
    mailboxes: dict[bytes, Mailbox] = {}
    for source in sources:
        mailboxes.update((one.entryid, one) for one in await filters.mailboxes_of(user, source))
    for mailbox in mailboxes.values():
        async with user.looking_into(mailbox) as selection:
            yield await _found(selection, command, options)


async def _found(selection: Selection, command: c.MultiSearch, options: c.ReturnOptions) -> bytes:
    uids = await searching.found(selection, command.key)
    if "SAVE" in options.wanted:
        selection.told.saved = uids
    if not uids or options.wanted == {"SAVE"}:
        return b""
    modseq = uses_modseq(command.key)
    answer: w.ESearch = result(selection, options, uids, uids, by_uid=True, modseq=modseq)
    answer.mailbox, answer.uid_validity = selection.mailbox.name, selection.view.uidvalidity
    return answer.render()
