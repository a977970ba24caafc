"""Results of SEARCH and SORT that are kept up to date: RETURN (UPDATE) (RFC 5267 section 4.3, RFC 5465 section 7).

A context remembers the UIDs it told, in their order. When the View has moved on, only messages that came or changed
are searched again; what is gone leaves before its EXPUNGE, what is new comes after its EXISTS.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.imap import fetching, searching, sorting
from gateway.imap.answers import StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search as w
from gateway.imap.codec.fetchitems import Item
from gateway.imap.codec.sequence import runs
from gateway.imap.codec.write_status import untagged
from gateway.imap.connection import Selection
from gateway.mailbox import criteria as m

#: Results of one client that are kept up to date.
MOST: Final = 16


@dataclass(slots=True)
class Context:
    """One result as the client knows it."""

    tag: str
    by_uid: bool
    criterion: m.Criterion
    order: tuple[tuple[str, bool], ...]
    """Criteria of SORT; none is the order of the mailbox."""
    items: tuple[Item, ...]
    """What is fetched of new messages."""
    found: list[int]
    """UIDs in order."""
    serial: int
    """The version of the View they were looked up in."""
    next_uid: int

    # -- what left

    def leave(self, selection: Selection) -> bytes:
        """REMOVEFROM for messages that are gone, while they still have their numbers."""
        gone = [uid for uid in self.found if selection.view.index(uid) < 0]
        return w.context(self.tag, by_uid=self.by_uid, removed=self._removed(selection, gone)) if gone else b""

    def _removed(self, selection: Selection, uids: Sequence[int]) -> list[w.Step]:
        if not self.order:
            leaving = set(uids)
            self.found = [uid for uid in self.found if uid not in leaving]
            return [(0, self._numbers(selection, uids))]
        steps: list[w.Step] = []
        for uid in uids:
            place = self.found.index(uid)
            del self.found[place]
            steps.append((place + 1, self._numbers(selection, [uid])))
        return steps

    # -- what came and changed

    async def change(self, selection: Selection, serial: int) -> AsyncIterator[bytes]:
        """What the client asked to have fetched of new messages, then REMOVEFROM and ADDTO.

        `serial` is the version of the View that the client was told of.
        """
        next_now = next_uid(selection)
        if serial == self.serial and next_now == self.next_uid:
            return
        looked_at, since = self._looked_at(selection), self.next_uid
        self.serial, self.next_uid = serial, next_now
        among = m.Uids(tuple(runs(sorted(looked_at))))
        matching = set(await selection.view.search(m.And((among, self.criterion))))
        known = set(self.found)
        old = sorted((looked_at & known) - matching)
        new = sorted(uid for uid in matching - known if selection.told.number(uid))
        async for piece in self._fetched(selection, [uid for uid in new if uid >= since]):
            yield piece
        removed = self._removed(selection, old) if old else []
        added = await self._added(selection, new) if new else []
        if removed or added:
            yield w.context(self.tag, by_uid=self.by_uid, removed=removed, added=added)

    def _looked_at(self, selection: Selection) -> set[int]:
        """The messages that may have begun or ceased to match."""
        view = selection.view
        delta = view.since(self.serial)
        if not delta.complete:
            return set(view.uids)
        fresh = view.uids[bisect_left(view.uids, self.next_uid) :]
        return {*delta.flagged, *delta.touched, *delta.late, *fresh}

    async def _fetched(self, selection: Selection, uids: Sequence[int]) -> AsyncIterator[bytes]:
        if self.items and uids:
            rows = selection.told.rows_of(uids[-fetching.MOST_NEW :])
            async for piece in fetching.batch(selection, fetching.unasked(selection, self.items), rows):
                yield piece

    async def _added(self, selection: Selection, uids: Sequence[int]) -> list[w.Step]:
        if not self.order:
            for uid in uids:
                insort(self.found, uid)
            return [(0, self._numbers(selection, uids))]
        mails = await sorting.mails_of(selection.view, sorted({*self.found, *uids}), self.order)
        new, places = set(uids), {uid: place for place, uid in enumerate(self.found)}
        steps: list[w.Step] = []
        place = 0
        for uid in sorting.in_order(mails, self.order):
            if uid in new:
                self.found.insert(place, uid)
                place += 1
                steps.append((place, self._numbers(selection, [uid])))
            else:
                place = places[uid] + len(steps) + 1
        return steps

    def _numbers(self, selection: Selection, uids: Iterable[int]) -> list[int]:
        return list(uids) if self.by_uid else selection.told.numbers(uids)


def next_uid(selection: Selection) -> int:
    """The lowest UID a message may have that the client does not know yet."""
    told = selection.told
    return told.uids[-1] + 1 if told.count else 1


def check(selection: Selection, options: c.ReturnOptions | None) -> None:
    """Raise StateError when a result is to be kept under a tag that another one has (RFC 5267 section 4.3)."""
    if options is not None and "UPDATE" in options.wanted and selection.connection.tag in selection.contexts:
        raise StateError("A search with this tag is kept up to date already")


def keep(
    selection: Selection,
    command: c.Search | c.Sort | c.MultiSearch,
    found: Sequence[int],
    serial: int,
) -> bytes:
    """Keep a result up to date if the command asks for it; NOUPDATE when there are too many (4.3.1).

    `found` are its UIDs in their order, as of the version `serial` of the View.
    """
    options = command.returns
    if options is None or "UPDATE" not in options.wanted:
        return b""
    tag = selection.connection.tag
    order = command.criteria if isinstance(command, c.Sort) else ()
    if len(selection.contexts) >= MOST or sorting.by_relevancy(order):
        return untagged("NO", "The result is not kept up to date", f'NOUPDATE "{tag}"')
    selection.contexts[tag] = Context(
        tag,
        getattr(command, "by_uid", True),
        searching.criterion(selection, command.key, kept=True),
        order,
        options.update,
        list(found),
        serial,
        next_uid(selection),
    )
    return b""
