"""SORT and UID SORT (RFC 5256, 5267, 5957)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import contexts, fuzzy, searching, sorting
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search as w
from gateway.imap.codec.searchkeys import uses_modseq
from gateway.imap.commands.search import relevancy, result, saved
from gateway.imap.connection import Selection


async def sort(selection: Selection, command: c.Sort) -> AsyncIterator[bytes | Done]:
    """Find messages and put them in order."""
    returns = command.returns
    contexts.check(selection, returns)
    serial = selection.view.serial
    saves = returns is not None and "SAVE" in returns.wanted
    matches, _ = await searching.found(selection, command.key, whole=True, saves=saves)
    mails = await sorting.mails_of(selection.view, matches, command.criteria)
    if sorting.by_relevancy(command.criteria):
        mails = sorting.scored(mails, await fuzzy.scores(selection, command.key, matches))
    uids = sorting.in_order(mails, command.criteria)
    uids = [uid for uid in uids if selection.told.number(uid)]
    numbers = uids if command.by_uid else selection.told.numbers(uids)
    if returns is None:
        modseq = uses_modseq(command.key)
        yield w.sort(numbers, searching.highest_modseq(selection, uids) if modseq else None)
        return
    if "SAVE" in returns.wanted:
        selection.told.saved = saved(returns, uids)
    if returns.wanted != {"SAVE"}:
        modseq = uses_modseq(command.key)
        answer = result(selection, returns, uids, numbers, by_uid=command.by_uid, modseq=modseq)
        answer.relevancy = await relevancy(selection, command.key, returns, uids)
        yield answer.render()
    yield contexts.keep(selection, command, uids, serial)
