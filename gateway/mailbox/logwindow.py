"""How far back the store's change log is read again, because changes become visible late. Pure.

The store gives a change its number when a transaction makes it and shows it when the transaction is committed:
what is committed late has a lower number than what was read already. Most looks read a little again. Now and
then, and whenever a look found nothing, a thorough one reads everything again that is not settled: what was
newest `SETTLING` seconds ago, which is longer than a transaction takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

#: How many change numbers are read again by every look.
OVERLAP: Final = 32
#: The same for the first look after a folder was listed.
FIRST_OVERLAP: Final = 256
#: The longest transaction that is reckoned with (seconds).
SETTLING: Final = 30.0
#: A look is thorough when the last such is longer ago (seconds); when it found nothing new, already then.
THOROUGH_EVERY: Final = 10.0
THOROUGH_AGAIN: Final = 1.0
#: No more changes than this are read again.
MOST: Final = 2000


class LogWindow:
    """The part of one folder's log that is read again. Times are seconds of any clock that goes forward."""

    __slots__ = ("_looks", "_position", "_seen", "_settled", "_thorough_at")

    def __init__(self, position: int, settled: int | None = None) -> None:
        """Go on from a position; without what is settled it was just listed."""
        self._position = position
        self._settled = max(1, position - FIRST_OVERLAP if settled is None else settled)
        self._thorough_at = float("-inf")
        self._looks: tuple[tuple[float, int], ...] = ()
        """When which position was read up to, since what is settled."""
        self._seen: frozenset[int] = frozenset()
        """Changes that were read since what is settled."""

    def start(self, now: float) -> int:
        """The change number after which a look reads."""
        if now - self._thorough_at >= THOROUGH_EVERY:
            return self._settled
        return max(self._settled, self._position - OVERLAP)

    def must_look_again(self, start: int, now: float) -> bool:
        """Whether a look that read from ``start`` and found nothing may have missed something."""
        return start > self._settled and now - self._thorough_at >= THOROUGH_AGAIN

    @property
    def settled(self) -> int:
        """Everything up to here has been read and nothing will be added."""
        return self._settled

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can come to light below what was read up to."""
        return self._settled >= self._position

    def fresh(self, numbers: Iterable[int]) -> Sequence[int]:
        """Those that were not read before."""
        return [number for number in numbers if number not in self._seen]

    def read(self, start: int, position: int, now: float, numbers: Collection[int]) -> None:
        """A look that began at ``now`` read from ``start`` up to ``position``; ``numbers`` were fresh in it."""
        if numbers:
            self._seen = self._seen.union(numbers)
        self._position = max(self._position, position)
        if start <= self._settled:
            self._thorough_at = now
            while self._looks and self._looks[0][0] <= now - SETTLING:
                self._settle(self._looks[0][1])
                self._looks = self._looks[1:]
            newest = self._looks[-1][1] if self._looks else self._settled
            if position > newest:
                self._looks = (*self._looks, (now, position))
        if len(self._seen) > MOST:
            self._settle(sorted(self._seen)[-MOST])

    def _settle(self, position: int) -> None:
        self._settled = max(self._settled, position)
        if self._seen:
            self._seen = frozenset([number for number in self._seen if number > self._settled])
