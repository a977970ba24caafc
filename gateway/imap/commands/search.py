"""SEARCH, UID SEARCH and CANCELUPDATE (RFC 9051 6.4.4; RFC 4731, 5182, 5267, 7162, 9394)."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Sequence

from gateway.imap import contexts, fuzzy, searching
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search as w
from gateway.imap.codec.searchkeys import Key, uses_modseq
from gateway.imap.connection import Selection
from gateway.imap.windows import window


async def search(selection: Selection, command: c.Search) -> AsyncIterator[bytes | Done]:
    """Find messages."""
    returns = command.returns
    contexts.check(selection, returns)
    saves = returns is not None and "SAVE" in returns.wanted
    serial = selection.view.serial
    uids, limited = await searching.found(selection, command.key, saves=saves)
    modseq = uses_modseq(command.key)
    if returns is None and not selection.connection.rev2:
        numbers = uids if command.by_uid else searching.numbers_of(selection.told, uids)
        yield w.search(numbers, searching.highest_modseq(selection, uids) if modseq else None)
        yield Done(code=limited)
        return
    options = returns or c.ReturnOptions(frozenset({"ALL"}))
    numbers = uids if command.by_uid else searching.numbers_of(selection.told, uids)
    if "SAVE" in options.wanted:
        selection.told.saved = saved(options, uids)
    if options.wanted != {"SAVE"}:
        answer = result(selection, options, uids, numbers, by_uid=command.by_uid, modseq=modseq)
        answer.relevancy = await relevancy(selection, command.key, options, uids)
        yield answer.render()
    yield contexts.keep(selection, command, uids, serial)
    yield Done(code=limited)


async def cancel_update(selection: Selection, command: c.CancelUpdate) -> AsyncIterator[bytes | Done]:
    """Keep results up to date no longer (RFC 5267 4.3.5)."""
    unknown = [tag for tag in command.tags if tag not in selection.contexts]
    if unknown:
        raise StateError(f"No search with the tag {unknown[0]} is kept up to date")
    for tag in command.tags:
        selection.contexts.pop(tag, None)
    yield Done("No further updates")


def saved(options: c.ReturnOptions, uids: Sequence[int]) -> array[int]:
    """What ``$`` holds afterwards (RFC 5182 2.4, RFC 9394 3.2): all, or just what PARTIAL, MIN and MAX tell."""
    wanted = options.wanted
    if wanted & {"ALL", "COUNT"} or not wanted & {"PARTIAL", "MIN", "MAX"}:
        return array("I", sorted(uids))
    told = set(window(uids, options.partial)) if options.partial is not None else set()
    if uids:
        told.update(uid for name, uid in (("MIN", min(uids)), ("MAX", max(uids))) if name in wanted)
    return array("I", sorted(told))


def result(
    selection: Selection,
    options: c.ReturnOptions,
    uids: Sequence[int],
    numbers: Sequence[int],
    *,
    by_uid: bool,
    modseq: bool,
) -> w.ESearch:
    """ESEARCH for results in their order; `uids` and `numbers` (which is what is told) go side by side."""
    wanted = options.wanted
    answer = w.ESearch(selection.connection.tag, by_uid, utf8=selection.connection.utf8)
    answer.count = len(uids) if "COUNT" in wanted else None
    answer.least = min(numbers, default=None) if "MIN" in wanted else None
    answer.most = max(numbers, default=None) if "MAX" in wanted else None
    answer.all = numbers if "ALL" in wanted else None
    if options.partial is not None:
        answer.partial = (options.partial, window(numbers, options.partial))
    if modseq and uids:
        answer.modseq = searching.highest_modseq(selection, _told_of(options, uids))
    return answer


async def relevancy(
    selection: Selection, key: Key, options: c.ReturnOptions, uids: Sequence[int]
) -> Sequence[int] | None:
    """The scores of the results, in their order (RFC 6203 section 4); None unless they are asked for."""
    if "RELEVANCY" not in options.wanted:
        return None
    told = uids if options.partial is None else window(uids, options.partial)
    scores = await fuzzy.scores(selection, key, told)
    return [scores[uid] for uid in told]


def _told_of(options: c.ReturnOptions, uids: Sequence[int]) -> Sequence[int]:
    """The messages whose mod-sequences count: with MIN and MAX alone only theirs (RFC 7162 3.1.10)."""
    if options.wanted & {"ALL", "COUNT", "PARTIAL"}:
        return uids
    return [uid for name, uid in (("MIN", min(uids)), ("MAX", max(uids))) if name in options.wanted] or uids
