"""ESEARCH: one search in several mailboxes (RFC 7377)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from gateway.imap import contexts, filters, searching
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search as w
from gateway.imap.codec.searchkeys import uses_modseq
from gateway.imap.commands.search import relevancy, result
from gateway.imap.connection import Selection, User
from gateway.mailbox.tree import Mailbox

_SELECTED: Final = c.MailboxFilter("SELECTED")
_DEFAULT: Final = c.ReturnOptions(frozenset({"ALL"}))


async def multisearch(user: User, command: c.MultiSearch) -> AsyncIterator[bytes | Done]:
    """Search each mailbox; those without a match are not mentioned (section 2.1)."""
    options = command.returns or _DEFAULT
    _check(user, command, options)
    mailboxes: dict[bytes, Mailbox] = {}
    for source in command.sources or (_SELECTED,):
        mailboxes.update((one.entryid, one) for one in await filters.mailboxes_of(user, source))
    limited = False
    for mailbox in mailboxes.values():
        async with user.looking_into(mailbox) as selection:
            said, not_all = await _found(selection, command, options)
            yield said
            limited = limited or not_all
    yield Done("Only the newest messages were looked at", "LIMIT") if limited else Done()


def _check(user: User, command: c.MultiSearch, options: c.ReturnOptions) -> None:
    """Raise StateError for what needs the selected mailbox and has none, or has others (section 2.2)."""
    sources = command.sources or (_SELECTED,)
    if "SAVE" in options.wanted and set(sources) != {_SELECTED}:
        raise StateError("SAVE is for the selected mailbox only")
    if user.selection is None:
        if _SELECTED in sources or "UPDATE" in options.wanted:
            raise StateError("No mailbox is selected")
    else:
        contexts.check(user.selection, options)


async def _found(selection: Selection, command: c.MultiSearch, options: c.ReturnOptions) -> tuple[bytes, bool]:
    """What is said of one mailbox, and whether not all of it was looked at."""
    serial = selection.view.serial
    uids, limited = await searching.found(selection, command.key, saves="SAVE" in options.wanted)
    kept = contexts.keep(selection, command, uids, serial) if selection is selection.user.selection else b""
    if "SAVE" in options.wanted:
        selection.told.saved = uids
    if not uids or options.wanted == {"SAVE"}:
        return kept, bool(limited)
    modseq = uses_modseq(command.key)
    answer: w.ESearch = result(selection, options, uids, uids, by_uid=True, modseq=modseq)
    answer.relevancy = await relevancy(selection, command.key, options, uids)
    answer.mailbox, answer.uid_validity = selection.mailbox.name, selection.view.uidvalidity
    return answer.render() + kept, bool(limited)
