"""Save dates (RFC 8514): when the messages of a folder came into it, as far as anybody watched. Pure.

A MAPI store keeps when a message was made, not when it came into this folder. But UIDs grow in the order of
arrival: that at some moment every UID below a bound was there says of all of them that they came at that moment
at the latest. A list of such observations is all there is, a few bytes for each look that found something new. A
date may be later than the truth, when nobody looked, but never earlier: who deletes by it deletes too late, never
too early. So observations may be left out at any time: their messages get the date of the next one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

import msgspec

#: Part of the packed form: what has another layout is ignored.
LAYOUT: Final = 1
#: Observations that are kept; beyond it the older ones become coarser.
MOST: Final = 2000
#: Messages kept one by one because they came after higher UIDs had been seen.
MOST_LATE: Final = 500
_FINEST: Final = 60


class _Packed(msgspec.Struct, array_like=True):
    layout: int
    bounds: bytes
    times: bytes
    late: dict[int, int]


class SaveDates:
    """The save dates of one folder, in Unix seconds."""

    __slots__ = ("_bounds", "_late", "_times", "changed")

    def __init__(self) -> None:
        self._bounds = array("I")
        """Ascending: all UIDs below it were there..."""
        self._times = array("I")
        """...at this time. Ascending, too."""
        self._late: dict[int, int] = {}
        self.changed = False
        """Whether there is something that was not written down yet; whoever writes it resets it."""

    @property
    def bound(self) -> int:
        """Every UID below this one has a date."""
        return self._bounds[-1] if self._bounds else 1

    def __len__(self) -> int:
        return len(self._bounds)

    def seen(self, bound: int, when: float) -> None:
        """All UIDs below a bound are there now; those that have a date keep it."""
        if bound <= self.bound:
            return
        now = max(int(when), self._times[-1] if self._times else 0)
        self.changed = True
        if self._times and self._times[-1] == now:
            self._bounds[-1] = bound
            return
        self._bounds.append(bound)
        self._times.append(now)
        if len(self) > MOST:
            self._thin()

    def came_late(self, uids: Iterable[int], when: float) -> None:
        """These messages came only now, although higher UIDs had been seen before."""
        for uid in uids:
            self._late[uid] = int(when)
            self.changed = True
        while len(self._late) > MOST_LATE:
            del self._late[next(iter(self._late))]

    def of(self, uids: Iterable[int]) -> list[int]:
        """The dates of messages; 0 where none is known."""
        bounds, late = self._bounds, self._late
        known = [*self._times, 0]
        if not late:
            return [known[bisect_right(bounds, uid)] for uid in uids]
        return [late[uid] if uid in late else known[bisect_right(bounds, uid)] for uid in uids]

    def between(self, uids: Sequence[int], first: float, end: float) -> set[int]:
        """Of these UIDs, ascending, those of messages that came at ``first`` or later and before ``end``."""
        found: set[int] = set()
        start = 0
        for bound, when in zip(self._bounds, self._times, strict=True):
            stop = bisect_left(uids, bound, start)
            if first <= when < end:
                found.update(uids[start:stop])
            start = stop
        for uid in filter(partial(_holds, uids), self._late):
            found.discard(uid)
            if first <= self._late[uid] < end:
                found.add(uid)
        return found

    # Keeping it small

    def _thin(self) -> None:
        """Leave out observations shortly before another; the newest quarter stays as it is."""
        grain = _FINEST
        while len(self) > MOST * 3 // 4:
            recent = len(self) - MOST // 4
            keep = [*range(recent, len(self))]
            for at in reversed(range(recent)):
                if self._times[keep[0]] - self._times[at] > grain:
                    keep.insert(0, at)
            self._keep(keep)
            grain *= 2

    def prune(self, uids: Sequence[int], uidnext: int) -> None:
        """Forget what is about no message: ``uids``, ascending, are all there are below ``uidnext``."""
        keep, start = [], 0
        for at, bound in enumerate(self._bounds):
            stop = bisect_left(uids, bound, start)
            if stop > start or bound >= uidnext:
                keep.append(at)
            start = stop
        self._keep(keep)
        self._late = {uid: when for uid, when in self._late.items() if uid >= uidnext or _holds(uids, uid)}

    def _keep(self, places: Sequence[int]) -> None:
        if len(places) < len(self):
            self._bounds = array("I", [self._bounds[at] for at in places])
            self._times = array("I", [self._times[at] for at in places])

    # Keeping it elsewhere

    def joined(self, other: SaveDates) -> SaveDates:
        """What two know together: of two dates of a message the earlier one, both being late at the most."""
        result = SaveDates()
        for bound in sorted({*self._bounds, *other._bounds}):
            known = [dates for dates in (self, other) if bound <= dates.bound]
            result.seen(bound, min(dates._run(bound - 1) for dates in known))
        result._late = dict(other._late)
        for uid, when in self._late.items():
            result.came_late([uid], min(when, other._late.get(uid, when)))
        return result

    def _run(self, uid: int) -> int:
        return self._times[bisect_right(self._bounds, uid)]

    def copied(self) -> SaveDates:
        """The same, for another thread; what is in it counts as written down."""
        self.changed = False
        copy = SaveDates()
        copy._bounds, copy._times, copy._late = self._bounds[:], self._times[:], dict(self._late)
        return copy

    def pack(self) -> bytes:
        """All of it as one blob."""
        packed = _Packed(LAYOUT, self._bounds.tobytes(), self._times.tobytes(), self._late)
        return msgspec.msgpack.encode(packed)

    @classmethod
    def unpack(cls, blob: bytes) -> SaveDates:
        """What is in a blob; nothing when it is damaged or of another layout."""
        dates = cls()
        try:
            packed = msgspec.msgpack.decode(blob, type=_Packed)
            bounds, times = array("I", packed.bounds), array("I", packed.times)
        except (msgspec.DecodeError, ValueError):
            return dates
        if packed.layout == LAYOUT and len(bounds) == len(times) and _ascend(bounds) and _ascend(times):
            dates._bounds, dates._times, dates._late = bounds, times, packed.late
        return dates


def _holds(uids: Sequence[int], uid: int) -> bool:
    place = bisect_left(uids, uid)
    return place < len(uids) and uids[place] == uid


def _ascend(values: Sequence[int]) -> bool:
    return all(low < high for low, high in pairwise(values))
