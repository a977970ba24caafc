"""A search as the client wrote it becomes criteria of `gateway.mailbox`: numbers become UIDs, names become flags."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from gateway.imap import fuzzy, limits
from gateway.imap.answers import StateError
from gateway.imap.codec import searchkeys as k
from gateway.imap.codec.sequence import STAR
from gateway.imap.connection import Selection
from gateway.imap.selected import Selected
from gateway.mailbox import criteria as m
from gateway.mailbox.flags import FLAGS_BY_NAME

_NOTHING: Final = m.Not(m.All())
_MOST: Final = (1 << 32) - 1


class Translation:
    """Turns the keys of one search in one mailbox into criteria; numbers that do not exist match nothing (RFC 7377 2).

    `kept`: for a result that is kept up to date, so that ``*`` of a UID set has no end. Raises StateError.
    """

    def __init__(self, told: Selected, *, uid_only: bool = False, kept: bool = False) -> None:
        self._told = told
        self._uid_only = uid_only
        self._kept = kept

    def __call__(self, key: k.Key) -> m.Criterion:
        """The criterion of a key."""
        found: m.Criterion = _TRANSLATIONS[type(key)](self, key)
        return found

    def numbers(self, key: k.Numbers) -> m.Criterion:
        """A set of messages."""
        if self._uid_only and not key.by_uid and not key.numbers.saved:
            raise StateError("Message numbers are not used any more", "UIDREQUIRED")
        ranges = self._told.uid_ranges(key.numbers, by_uid=key.by_uid)
        if self._kept and key.by_uid and key.numbers.ranges and key.numbers.ranges[-1][1] == STAR:
            ranges = (*ranges, (min(key.numbers.ranges[-1][0], _MOST), _MOST))  # also what is still to come
        return m.Uids(ranges)

    def both(self, key: k.And) -> m.Criterion:
        """All of several."""
        return m.And(tuple(map(self, key.keys)))

    def either(self, key: k.Or) -> m.Criterion:
        """One of two."""
        return m.Or((self(key.left), self(key.right)))

    def opposite(self, key: k.Not) -> m.Criterion:
        """The opposite."""
        return m.Not(self(key.key))

    def fuzzily(self, key: k.Fuzzy) -> m.Criterion:
        """Words instead of phrases."""
        return fuzzy.loose(self(key.key))


def _flagged(key: k.Flagged) -> m.Criterion:
    bit = FLAGS_BY_NAME.get(key.flag.lower())
    if bit is not None:
        return m.Flagged(bit)
    return _NOTHING if key.flag.startswith("\\") else m.Keyword(key.flag)  # nothing is \Recent


_FIELDS: Final = {
    k.DateOf.INTERNAL: m.DateField.INTERNAL,
    k.DateOf.SENT: m.DateField.SENT,
    k.DateOf.SAVED: m.DateField.SAVED,
}


def _dated(key: k.Dated) -> m.Criterion:
    field, day = _FIELDS[key.of], key.day
    after = day + timedelta(days=1) if day < date.max else None
    if key.relation is k.Relation.BEFORE:
        return m.Dated(field, None, day)
    return m.Dated(field, day, after if key.relation is k.Relation.ON else None)


_TRANSLATIONS: Final[dict[type, Callable[[Translation, Any], m.Criterion]]] = {
    k.All: lambda self, key: m.All(),
    k.And: Translation.both,
    k.Or: Translation.either,
    k.Not: Translation.opposite,
    k.Fuzzy: Translation.fuzzily,
    k.Numbers: Translation.numbers,
    k.UidRange: lambda self, key: m.Uids(((key.low, key.high),)),
    k.Flagged: lambda self, key: _flagged(key),
    k.Address: lambda self, key: fuzzy.text_criterion(key),
    k.Header: lambda self, key: fuzzy.text_criterion(key),
    k.Body: lambda self, key: fuzzy.text_criterion(key),
    k.Text: lambda self, key: fuzzy.text_criterion(key),
    k.Dated: lambda self, key: _dated(key),
    k.Larger: lambda self, key: m.Size(key.size, larger=True),
    k.Smaller: lambda self, key: m.Size(key.size, larger=False),
    k.Younger: lambda self, key: m.Age(key.seconds, younger=True),
    k.Older: lambda self, key: m.Age(key.seconds, younger=False),
    k.ModSeq: lambda self, key: m.ModifiedSince(key.least),
    k.EmailId: lambda self, key: m.EmailId(key.id),
    k.ThreadId: lambda self, key: m.ThreadId(key.id),
    k.SaveDateSupported: lambda self, key: m.All(),
}


def criterion(selection: Selection, key: k.Key, *, kept: bool = False) -> m.Criterion:
    """The criterion of a search. Raises StateError."""
    return Translation(selection.told, uid_only=selection.connection.uid_only, kept=kept)(key)


async def found(
    selection: Selection, key: k.Key, *, whole: bool = False, saves: bool = False
) -> tuple[array[int], str]:
    """The UIDs of messages the client knows that match, ascending; a response code if not all were looked at.

    `whole`: all must be looked at. `saves`: ``$`` is to be set, and is empty if the search fails. Raises StateError, and
    Refused when they are too many to be looked at.
    """
    if k.uses_modseq(key):
        selection.connection.enabled.add("CONDSTORE")
    told = selection.told
    wanted, lowest = _newest(selection, criterion(selection, key))
    if saves:
        told.forget_saved()
    if lowest and whole:
        limits.must_fit(selection.user, told.count)
    uids = await selection.view.search(wanted)
    if told.ghosts:
        known = set(told.uids)
        uids = array("I", [uid for uid in uids if uid in known])
    return uids, limits.code(selection.user, lowest) if lowest else ""


def _newest(selection: Selection, wanted: m.Criterion) -> tuple[m.Criterion, int]:
    """The search among as many messages as one command may look at, and the lowest UID of these if not all."""
    most, told = selection.user.options.message_limit, selection.told.uids
    if not most or len(told) <= most:
        return wanted, 0
    parts = wanted.parts if isinstance(wanted, m.And) else (wanted,)
    among = sorted(set(told).intersection(*(_within(told, part) for part in parts if isinstance(part, m.Uids))))
    if len(among) <= most:
        return wanted, 0
    return m.And((m.Uids(((among[-most], _MOST),)), wanted)), among[-most]


def _within(uids: array[int], wanted: m.Uids) -> set[int]:
    return {
        uid for low, high in wanted.ranges for uid in uids[bisect_left(uids, low) : bisect_right(uids, high)]
    }


def numbers_of(told: Selected, uids: Sequence[int]) -> list[int]:
    """The sequence numbers of ascending UIDs that the client knows."""
    if len(uids) == told.count:
        return list(range(1, told.count + 1))
    if len(uids) * 8 < told.count:
        return told.numbers(uids)
    wanted = set(uids)
    return [number for number, uid in enumerate(told.uids, 1) if uid in wanted]


def highest_modseq(selection: Selection, uids: Sequence[int]) -> int | None:
    """The highest mod-sequence of some messages."""
    view = selection.view
    return max((view.modseqs[at] for at in map(view.index, uids) if at >= 0), default=None)
