"""Search: which mails of a View match, with as little work as can be.

A criterion is answered by the View where the View knows (flags, UIDs, dates, sizes), from the UID cache where that
has the ENVELOPEs (subject, people), by one restricted table where the store knows (these too, text), and from bytes,
of headers or whole mails, where nobody does. Parts of an AND narrow
what the next part has to look at, cheapest first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final, Protocol

from gateway.convert.mime.searchtext import header_values
from gateway.convert.mime.structure import scan
from gateway.mailbox import criteria as c
from gateway.mailbox.restrict import MORE_TEXT, header_prefilter, restriction_of, text_prefilter
from gateway.mailbox.rows import Rows
from gateway.mailbox.searchtext import Field, field_of, has_text
from gateway.mapi.restrictions import Restriction


class Searchable(Protocol):
    """What a search asks of a View."""

    @property
    def rows(self) -> Rows:
        """The rows, complete."""

    async def match(self, restriction: Restriction, first: int, last: int) -> set[int]:
        """UIDs between two, both included, that the store says match."""

    async def sizes(self, uids: Iterable[int]) -> Mapping[int, int]:
        """RFC822.SIZE of messages, missing ones left out."""

    async def know_words(self) -> bool:
        """Whether `containing` can tell of nearly every message."""

    async def containing(self, field: Field, text: str, uids: Collection[int]) -> tuple[set[int], set[int]]:
        """Of these messages those with a text in a field of the ENVELOPE, and those of which that is not known."""

    def saved_between(self, first: float, end: float) -> set[int]:
        """UIDs of messages that came in a time, its end excluded."""

    def email_id(self, index: int) -> str:
        """EMAILID of the message at a position."""

    async def thread_ids(self, uids: Collection[int]) -> Mapping[int, str]:
        """THREADID of messages, missing ones left out."""


class Readable(Protocol):
    """What a search asks of the messages themselves; those that are gone are left out."""

    def headers(self, uids: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """Header blocks."""

    async def passing(self, uids: Iterable[int], test: Callable[[bytes], bool]) -> set[int]:
        """UIDs of messages whose bytes pass a test."""


_VIEW: Final = 0
_CACHE: Final = 1
_STORE: Final = 2
_HEADER: Final = 3
_BYTES: Final = 4


class Search:
    """One search over one View."""

    def __init__(self, view: Searchable, reading: Readable, now: float) -> None:
        self._view = view
        self._reading = reading
        self._now = now
        self._words = False
        """Whether the UID cache is asked."""

    def _cost(self, criterion: c.Criterion) -> int:
        """Who must be asked: the View, the cache, the store, or the bytes of messages."""
        if isinstance(criterion, c.And | c.Or):
            return max(map(self._cost, criterion.parts), default=_VIEW)
        if isinstance(criterion, c.Not):
            return self._cost(criterion.part)
        if isinstance(criterion, c.Dated):
            return _STORE if criterion.field is c.DateField.SENT else _VIEW
        if type(criterion) in _BY_VIEW:
            return _VIEW
        if self._words and field_of(criterion) is not None:
            return _CACHE
        if restriction_of(criterion) is not None:
            return _STORE
        return _BYTES if isinstance(criterion, c.Body | c.Text) else _HEADER

    async def run(self, criterion: c.Criterion) -> array[int]:
        """The UIDs of the messages that match, ascending."""
        self._words = _asks_for_words(criterion) and await self._view.know_words()
        return array("I", sorted(await self._among(criterion, set(self._view.rows.uids))))

    async def _among(self, criterion: c.Criterion, candidates: set[int]) -> set[int]:
        if not candidates:
            return candidates
        if isinstance(criterion, c.And):
            return await self._and(criterion, candidates)
        if self._words and (field := field_of(criterion)) is not None:
            return await self._by_words(criterion, field, candidates)
        if self._cost(criterion) == _STORE and (restriction := restriction_of(criterion)) is not None:
            return await self._ask(restriction, candidates)
        if isinstance(criterion, c.Or):
            return await self._or(criterion, candidates)
        if isinstance(criterion, c.Not):
            return candidates - await self._among(criterion.part, candidates)
        if isinstance(criterion, c.Header):
            return await self._by_header(criterion, candidates)
        if isinstance(criterion, c.Body | c.Text):
            return await self._by_text(criterion, candidates)
        if isinstance(criterion, c.Size):
            return await self._by_size(criterion, candidates)
        if isinstance(criterion, c.ThreadId):
            threads = await self._view.thread_ids(candidates)
            return {uid for uid, thread in threads.items() if thread == criterion.value}
        return candidates & _by_view(criterion, self._view, self._now)

    async def _and(self, criterion: c.And, candidates: set[int]) -> set[int]:
        stored = []
        for part in sorted(criterion.parts, key=self._cost):
            restriction = restriction_of(part) if self._cost(part) == _STORE else None
            if restriction is not None:
                stored.append(part)
                continue
            if stored and self._cost(part) >= _HEADER:
                candidates = await self._ask_all(stored, candidates)
                stored = []
            candidates = await self._among(part, candidates)
        return await self._ask_all(stored, candidates) if stored else candidates

    async def _ask_all(self, parts: list[c.Criterion], candidates: set[int]) -> set[int]:
        restriction = restriction_of(c.And(tuple(parts)) if len(parts) > 1 else parts[0])
        return await self._ask(restriction, candidates) if restriction is not None else candidates

    async def _or(self, criterion: c.Or, candidates: set[int]) -> set[int]:
        found: set[int] = set()
        by_store = tuple(
            part for part in criterion.parts if self._cost(part) == _STORE and restriction_of(part)
        )
        rest = [part for part in criterion.parts if part not in by_store]
        for part in sorted(rest, key=self._cost):
            found |= await self._among(part, candidates - found)
        if by_store and (restriction := restriction_of(c.Or(by_store))) is not None:
            found |= await self._ask(restriction, candidates - found)
        return found

    async def _ask(self, restriction: Restriction, candidates: set[int]) -> set[int]:
        if not candidates:
            return candidates
        return candidates & await self._view.match(restriction, min(candidates), max(candidates))

    async def _by_header(self, criterion: c.Header, candidates: set[int]) -> set[int]:
        likely = await self._ask(header_prefilter(criterion), candidates)
        text = criterion.text.casefold()
        name = criterion.name.lower().encode("ascii", "replace")
        found = set()
        async for uid, block in self._reading.headers(sorted(likely)):
            if any(text in value.casefold() for value in header_values(scan(block), name)):
                found.add(uid)
        return found

    async def _by_text(self, criterion: c.Body | c.Text, candidates: set[int]) -> set[int]:
        """The store's answer, and the bytes of those mails that may have more text than it looks into."""
        found = await self._ask(text_prefilter(criterion), candidates)
        unclear = await self._ask(MORE_TEXT, candidates - found)
        return found | await self._reading.passing(sorted(unclear), partial(has_text, criterion))

    async def _by_words(self, criterion: c.Criterion, field: Field, candidates: set[int]) -> set[int]:
        assert isinstance(criterion, c.Header | c.Address)
        found, unknown = await self._view.containing(field, criterion.text, candidates)
        if unknown and (restriction := restriction_of(criterion)) is not None:
            found |= await self._ask(restriction, unknown)
        return found

    async def _by_size(self, criterion: c.Size, candidates: set[int]) -> set[int]:
        rows = self._view.rows
        if len(candidates) * 4 > len(rows) and 0 not in rows.sizes:
            sized = zip(rows.uids, rows.sizes, strict=True)
            if criterion.larger:
                return {uid for uid, size in sized if size > criterion.size} & candidates
            return {uid for uid, size in sized if size < criterion.size} & candidates
        sizes = await self._view.sizes(candidates)
        if criterion.larger:
            return {uid for uid, size in sizes.items() if size > criterion.size}
        return {uid for uid, size in sizes.items() if size < criterion.size}


def _asks_for_words(criterion: c.Criterion) -> bool:
    """Whether the fields of ENVELOPEs matter."""
    if isinstance(criterion, c.And | c.Or):
        return any(map(_asks_for_words, criterion.parts))
    if isinstance(criterion, c.Not):
        return _asks_for_words(criterion.part)
    return field_of(criterion) is not None


def _by_view(criterion: c.Criterion, view: Searchable, now: float) -> set[int]:
    return _BY_VIEW[type(criterion)](criterion, view, now)


def _all(_: c.All, view: Searchable, _now: float) -> set[int]:
    return set(view.rows.uids)


def _uids(criterion: c.Uids, view: Searchable, _now: float) -> set[int]:
    uids = view.rows.uids
    found: set[int] = set()
    for first, last in criterion.ranges:
        found.update(uids[bisect_left(uids, first) : bisect_right(uids, last)])
    return found


def _flagged(criterion: c.Flagged, view: Searchable, _now: float) -> set[int]:
    mask = int(criterion.flag)
    rows = view.rows
    return {uid for uid, flags in zip(rows.uids, rows.flags, strict=True) if flags & mask}


def _keyword(criterion: c.Keyword, view: Searchable, _now: float) -> set[int]:
    wanted = criterion.keyword.lower()
    rows = view.rows
    sets = {
        index for index, words in enumerate(rows.keyword_sets) if any(word.lower() == wanted for word in words)
    }
    if not sets:
        return set()
    return {uid for uid, index in zip(rows.uids, rows.keywords, strict=True) if index in sets}


def _dated(criterion: c.Dated, view: Searchable, _now: float) -> set[int]:
    rows = view.rows
    first = _seconds(criterion.first, 0)
    end = _seconds(criterion.end, 1 << 40)
    if criterion.field is c.DateField.SAVED:
        return view.saved_between(first, end)
    return {uid for uid, when in zip(rows.uids, rows.dates, strict=True) if first <= when < end}


def _seconds(day: date | None, default: int) -> int:
    if day is None:
        return default
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _age(criterion: c.Age, view: Searchable, now: float) -> set[int]:
    limit = now - criterion.seconds
    rows = view.rows
    if criterion.younger:
        return {uid for uid, when in zip(rows.uids, rows.dates, strict=True) if when >= limit}
    return {uid for uid, when in zip(rows.uids, rows.dates, strict=True) if when <= limit}


def _modified(criterion: c.ModifiedSince, view: Searchable, _now: float) -> set[int]:
    rows = view.rows
    return {uid for uid, value in zip(rows.uids, rows.modseqs, strict=True) if value >= criterion.modseq}


def _email_id(criterion: c.EmailId, view: Searchable, _now: float) -> set[int]:
    uids = view.rows.uids
    return {uid for index, uid in enumerate(uids) if view.email_id(index) == criterion.value}


_BY_VIEW: Final[dict[type, Callable[[Any, Searchable, float], set[int]]]] = {
    c.All: _all,
    c.Uids: _uids,
    c.Flagged: _flagged,
    c.Keyword: _keyword,
    c.Dated: _dated,
    c.Age: _age,
    c.ModifiedSince: _modified,
    c.EmailId: _email_id,
}
