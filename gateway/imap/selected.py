"""What one client has been told of its selected mailbox, and what it must still be told. Pure.

The View is shared and moves on by itself; a client counts messages by what it was told. `Selected` keeps the
difference: it holds the View's UIDs by reference, so that a client that is up to date costs nothing, and a
copy only between an expunge and the moment it may be told (RFC 9051 7.5.1, 5.5).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.imap.codec.sequence import Range, SequenceSet
from gateway.mailbox.state import Delta

#: Messages that are looked at in one go.
BATCH: Final = 1000
#: Shared by all clients that have nothing in them.
_NONE: Final[frozenset[int]] = frozenset()
_NOTHING: Final[array[int]] = array("I")


class Followed(Protocol):
    """What `Selected` reads of a View."""

    @property
    def uids(self) -> array[int]:
        """UIDs, ascending, never changed in place."""

    @property
    def uidnext(self) -> int:
        """UIDNEXT."""

    @property
    def modseqs(self) -> array[int]:
        """Mod-sequences, parallel."""

    @property
    def serial(self) -> int:
        """The version."""

    @property
    def highest_modseq(self) -> int:
        """HIGHESTMODSEQ."""

    def since(self, serial: int) -> Delta:
        """What changed after a version."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Messages that were asked for: sequence numbers and UIDs, side by side, ascending."""

    numbers: Sequence[int]
    uids: Sequence[int]

    def __len__(self) -> int:
        return len(self.uids)

    def batches(self, size: int = BATCH) -> Iterator[Rows]:
        """The same in pieces."""
        for at in range(0, len(self.uids), size):
            yield Rows(self.numbers[at : at + size], self.uids[at : at + size])


@dataclass(frozen=True, slots=True)
class Updates:
    """What to tell: in this order, expunged messages, the count if it changed, messages whose flags changed."""

    expunged: tuple[int, ...] = ()
    """UIDs, ascending."""
    expunged_numbers: tuple[int, ...] = ()
    """Their sequence numbers before any of them went, ascending."""
    exists: int | None = None
    flagged: Rows = field(default_factory=lambda: Rows((), ()))
    again: frozenset[int] = _NONE
    """UIDs of those whose flags may have changed more than once."""
    arrived: Rows = field(default_factory=lambda: Rows((), ()))


class Selected:
    """The bookkeeping of one client in one mailbox.

    A message whose UID is not above all that the client was told of (two deliveries at once may be committed in
    the other order) stays unknown to it until it selects the mailbox anew: sequence numbers follow UIDs, and new
    messages have the highest ones (RFC 9051 2.3.1). ``settled`` stays below it, so that QRESYNC tells of it then.

    `saved` is the result of the last SEARCH RETURN (SAVE), ``$`` (6.4.4.1).
    """

    __slots__ = ("_floor", "_ghosts", "_highest", "_late", "_serial", "_told", "saved", "settled", "view")

    def __init__(self, view: Followed) -> None:
        self.view = view
        self._told = view.uids
        self._serial = view.serial
        self._highest = view.highest_modseq
        self._floor = view.uidnext - 1
        """The highest UID the client was told of."""
        self._ghosts = _NONE
        """UIDs of messages that are gone and the client does not know."""
        self._late = _NONE
        """UIDs of messages that are there and the client will not be told of."""
        self.saved = _NOTHING
        self.settled = view.highest_modseq
        """The highest mod-sequence up to which the client knows of everything that came or is gone."""

    @property
    def uids(self) -> array[int]:
        """The UIDs of the messages the client counts."""
        return self._told

    @property
    def count(self) -> int:
        """How many messages the client believes there are."""
        return len(self._told)

    @property
    def ghosts(self) -> bool:
        """Whether the client counts other messages than the View has."""
        return bool(self._ghosts) or self._told is not self.view.uids

    @property
    def waiting(self) -> bool:
        """Whether messages that are gone are still to be told."""
        return bool(self._ghosts)

    @property
    def hidden(self) -> bool:
        """Whether there are messages that the client is not told of before it selects the mailbox anew."""
        return bool(self._late)

    @property
    def known_modseq(self) -> int:
        """The mod-sequence up to which the client knows of everything, if flags were told, too."""
        return self.settled if self._ghosts or self._late else self.view.highest_modseq

    def number(self, uid: int) -> int:
        """The sequence number of a UID; 0 when the client does not know the message."""
        place = bisect_left(self._told, uid)
        return place + 1 if place < len(self._told) and self._told[place] == uid else 0

    def forget_saved(self) -> None:
        """``$`` is empty: a search that fails leaves nothing (RFC 9051 6.4.4.1)."""
        self.saved = _NOTHING

    def numbers(self, uids: Iterable[int]) -> list[int]:
        """The sequence numbers of UIDs, those the client does not know left out."""
        return [number for number in map(self.number, uids) if number]

    # -- sets

    def resolve(self, wanted: SequenceSet, *, by_uid: bool) -> Rows | None:
        """The messages a set names; None if it names a sequence number that does not exist.

        UIDs that do not exist are passed over (6.4.9). In an empty mailbox ``1:*`` names nothing, as clients
        expect that send it blindly.
        """
        if wanted.saved:
            return self._known(self.saved)
        told = self._told
        if not by_uid:
            ranges = wanted.resolve(len(told))
            if ranges and ranges[-1][1] > len(told):
                return None
            return self._rows([(low - 1, high) for low, high in ranges])
        found = wanted.resolve(told[-1] if told else 0)
        return self._rows([(bisect_left(told, low), bisect_right(told, high)) for low, high in found])

    def rows_of(self, uids: Iterable[int]) -> Rows:
        """Messages by ascending UID; those the client does not know are left out."""
        return self._known(uids)

    def everything(self) -> Rows:
        """All messages."""
        return Rows(range(1, len(self._told) + 1), self._told)

    def uid_ranges(self, wanted: SequenceSet, *, by_uid: bool) -> tuple[Range, ...]:
        """The UID ranges that a set in a search means; numbers that do not exist mean nothing (RFC 7377 section 2)."""
        told = self._told
        if wanted.saved:
            return tuple((uid, uid) for uid in self._known(self.saved).uids)
        if by_uid:
            return tuple(wanted.resolve(told[-1] if told else 0))
        count = len(told)
        ranges = wanted.resolve(count)
        return tuple((told[low - 1], told[min(high, count) - 1]) for low, high in ranges if low <= count)

    def _known(self, uids: Iterable[int]) -> Rows:
        pairs = [(number, uid) for uid in uids if (number := self.number(uid))]
        return Rows([number for number, _ in pairs], [uid for _, uid in pairs])

    def _rows(self, spans: list[Range]) -> Rows:
        """The messages between positions, each pair half open."""
        spans = [(start, stop) for start, stop in spans if stop > start]
        if len(spans) == 1:
            start, stop = spans[0]
            return Rows(range(start + 1, stop + 1), self._told[start:stop])
        numbers: list[int] = []
        uids = array("I")
        for start, stop in spans:
            numbers.extend(range(start + 1, stop + 1))
            uids.extend(self._told[start:stop])
        return Rows(numbers, uids)

    # -- updates

    def updates(self, *, expunge: bool, modseq: bool = False) -> Updates:
        """What the client must be told now; it counts as told.

        Without `expunge` messages that are gone stay counted. With `modseq` a change of the mod-sequence alone is
        told too.
        """
        view = self.view
        if view.serial == self._serial and not (expunge and self._ghosts):
            return Updates()
        flagged, again = self._note_changes(modseq=modseq)
        before = self._told
        gone = sorted(self._ghosts) if expunge else []
        gone_numbers = self.numbers(gone)
        arrived = self._advance(expunge=expunge)
        if not self._ghosts and not self._late:
            self.settled = view.highest_modseq
        return Updates(
            tuple(gone),
            tuple(gone_numbers),
            len(self._told) if arrived else None,
            self._known(uid for uid in flagged if uid not in self._ghosts and _has(before, uid)),
            again,
            self._rows([(len(self._told) - arrived, len(self._told))]),
        )

    def _note_changes(self, *, modseq: bool) -> tuple[Iterable[int], frozenset[int]]:
        """Read the View's history; the UIDs, ascending, whose flags changed, and those that may have done so twice."""
        view = self.view
        delta = view.since(self._serial)
        self._serial = delta.serial
        if delta.complete:
            if delta.expunged:
                self._ghosts = self._ghosts.union(uid for uid in delta.expunged if self.number(uid))
            if delta.late or self._late:
                late = [uid for uid in delta.late if uid <= self._floor and not self.number(uid)]
                self._late = self._late.union(late).difference(delta.expunged)
            flagged: Iterable[int] = delta.flagged
            again = delta.again
            if modseq and delta.touched:
                flagged = sorted({*delta.flagged, *delta.touched})
        else:
            self._ghosts = self._ghosts.union(set(self._told).difference(view.uids))
            old = view.uids[: bisect_right(view.uids, self._floor)]
            self._late = frozenset(old).difference(self._told)
            pairs, ahead = zip(view.uids, view.modseqs, strict=True), set(delta.flagged)
            flagged = [uid for uid, value in pairs if value > self._highest or uid in ahead]
            again = frozenset(flagged)
        self._highest = view.highest_modseq
        return flagged, again

    def _advance(self, *, expunge: bool) -> int:
        """Take the View's messages as told; how many of them are new. UIDs only ever grow at the end."""
        told, now = self._told, self.view.uids
        first_new = bisect_right(now, self._floor)
        if expunge or not self._ghosts:
            self._ghosts = _NONE
            late = self._late
            self._told = array("I", [uid for uid in now if uid not in late]) if late else now
        elif first_new < len(now):
            self._told = told + now[first_new:]
        if first_new < len(now):
            self._floor = now[-1]
        return len(now) - first_new


def _has(uids: array[int], uid: int) -> bool:
    place = bisect_left(uids, uid)
    return place < len(uids) and uids[place] == uid
