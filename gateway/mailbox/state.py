"""The state of a View and its history: what changed since somebody last looked. Pure.

Every change gets a serial number. A log of the last changes answers `since` at the cost of the changes; who
looks after the log has moved on pays for a comparison of two arrays of UIDs instead.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.mailbox.modseqs import change_known, modseq_of_change
from gateway.mailbox.rows import Entry, Rows
from gateway.mailbox.savedates import SaveDates

#: Changes that are remembered one by one.
LOG_LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed between two serials."""

    serial: int
    expunged: tuple[int, ...] = ()
    flagged: tuple[int, ...] = ()
    """UIDs, ascending, whose flags or keywords changed; they may be gone again."""
    again: frozenset[int] = frozenset()
    """Those of them whose flags changed more than once."""
    touched: tuple[int, ...] = ()
    """UIDs, ascending, of which only the mod-sequence changed."""
    arrived: bool = False
    late: tuple[int, ...] = ()
    """UIDs of those that arrived although higher ones had been seen; they may be gone again."""
    complete: bool = True
    """False when the log does not reach back: compare the UIDs, and the mod-sequences of what is not in ``flagged``."""


class _Event(NamedTuple):
    serial: int
    expunged: tuple[int, ...] = ()
    flagged: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()
    arrived: bool = False
    late: tuple[int, ...] = ()


class State:
    """Rows, their history and the numbers IMAP makes of them."""

    def __init__(
        self,
        rows: Rows | None = None,
        uidnext: int = 1,
        change_id: int = 0,
        base: int = 0,
        *,
        saved: SaveDates | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.rows = rows if rows is not None else Rows()
        last = self.rows.uids[-1] if self.rows.uids else 0
        self._uidnext = max(uidnext, last + 1)
        self.change_id = change_id
        """How far the store's change log was read."""
        self.base = base
        """The mod-sequences of the rows are complete for changes after this one."""
        self.saved = saved if saved is not None else SaveDates()
        """When the messages came (SAVEDATE)."""
        self._now = now
        self.saved.seen(self._uidnext, now())
        self.serial = 0
        self._highest = max(self.rows.modseqs, default=1)
        self._ahead: set[int] = set()
        """UIDs whose flags are newer than their mod-sequence: the store's log has not told of them yet."""
        self._log: deque[_Event] = deque(maxlen=LOG_LENGTH)

    @property
    def uidnext(self) -> int:
        """Higher than any UID ever seen here."""
        return self._uidnext

    @property
    def highest_modseq(self) -> int:
        """HIGHESTMODSEQ (RFC 7162 3.1.2.1)."""
        return max(self._highest, modseq_of_change(self.change_id), 1)

    def raise_to(self, modseq: int) -> None:
        """Let HIGHESTMODSEQ be no lower than this, whatever the messages have."""
        self._highest = max(self._highest, modseq)

    def _happened(self, **what: object) -> None:
        self.serial += 1
        self._log.append(_Event(self.serial, **what))  # type: ignore[arg-type]

    def is_next(self, entries: Sequence[Entry]) -> bool:
        """Whether the store gave no other UID and no other change number out before and between these messages."""
        uid, number = self._uidnext, change_known(self.highest_modseq) + 1
        expected = ((uid + n, modseq_of_change(number + n)) for n in range(len(entries)))
        return [(entry.uid, entry.modseq) for entry in entries] == [*expected]

    def arrive(self, entries: Iterable[Entry]) -> list[int]:
        """Add new messages; return their UIDs."""
        rows = self.rows
        uids = rows.add(entries)
        if uids:
            late = tuple(uid for uid in uids if uid < self._uidnext)
            self._uidnext = max(self._uidnext, uids[-1] + 1)
            self.saved.seen(self._uidnext, self._now())
            self.saved.came_late(late, self._now())
            self._highest = max(self._highest, max(rows.modseqs[index] for index in rows.indices(uids)))
            self._happened(arrived=True, late=late)
        return uids

    def reserve(self, uidnext: int) -> None:
        """Let UIDNEXT be no lower than it was known to be."""
        self._uidnext = max(self._uidnext, uidnext)

    def expunge(self, uids: Iterable[int]) -> list[int]:
        """Drop messages; return the UIDs that were there, ascending."""
        indices = sorted(index for index in map(self.rows.index, uids) if index >= 0)
        gone = self.rows.remove(indices)
        if gone:
            self._ahead.difference_update(gone)
            self._happened(expunged=tuple(gone))
        return gone

    def amend(self, changes: Iterable[tuple[int, int, tuple[str, ...], int]]) -> None:
        """Set ``(uid, flags, keywords, modseq)`` of messages; a modseq of 0 leaves theirs."""
        flagged, touched = [], []
        rows = self.rows
        for uid, flags, keywords, modseq in changes:
            index = rows.index(uid)
            if index < 0:
                continue
            keyword_set = rows.keyword_set(keywords)
            if rows.flags[index] != flags or rows.keywords[index] != keyword_set:
                rows.flags[index] = flags
                rows.keywords[index] = keyword_set
                flagged.append(uid)
                self._ahead.add(uid)
            elif modseq > rows.modseqs[index]:
                touched.append(uid)
            if modseq > rows.modseqs[index]:
                self._ahead.discard(uid)
                rows.modseqs[index] = modseq
                self._highest = max(self._highest, modseq)
        if not self._ahead:
            self._ahead = set()  # a large one keeps its memory otherwise
        if flagged or touched:
            self._happened(flagged=tuple(sorted(flagged)), touched=tuple(sorted(touched)))

    def replace(self, entries: Sequence[Entry], below: int | None = None) -> list[int]:
        """Take a complete listing as the truth: what is not in it is gone; return those UIDs.

        ``below`` is the UIDNEXT when the listing began: what came since need not be in it.
        """
        there = {entry.uid for entry in entries}
        limit = self._uidnext if below is None else below
        gone = self.expunge([uid for uid in self.rows.uids if uid not in there and uid < limit])
        self.amend((entry.uid, entry.flags, entry.keywords, entry.modseq) for entry in entries)
        self.arrive(entries)
        return gone

    def since(self, serial: int) -> Delta:
        """What changed after a serial this state had."""
        if serial >= self.serial:
            return Delta(self.serial)
        if not self._log or self._log[0].serial > serial + 1:
            return Delta(self.serial, flagged=tuple(sorted(self._ahead)), complete=False, arrived=True)
        expunged: set[int] = set()
        flagged: set[int] = set()
        again: set[int] = set()
        touched: set[int] = set()
        late: set[int] = set()
        arrived = False
        for event in reversed(self._log):
            if event.serial <= serial:
                break
            expunged.update(event.expunged)
            again.update(flagged.intersection(event.flagged))
            flagged.update(event.flagged)
            touched.update(event.touched)
            late.update(event.late)
            arrived = arrived or event.arrived
        return Delta(
            self.serial,
            tuple(sorted(expunged)),
            tuple(sorted(flagged - expunged)),
            frozenset(again),
            tuple(sorted(touched - flagged - expunged)),
            arrived,
            tuple(sorted(late - expunged)),
        )

    def changed_since(self, modseq: int) -> array[int]:
        """UIDs of messages with a higher mod-sequence; complete when ``modseq >= base``."""
        rows = self.rows
        return array("I", [uid for uid, value in zip(rows.uids, rows.modseqs, strict=True) if value > modseq])
