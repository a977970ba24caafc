"""What was delivered lately, so that a mail that comes twice is stored once. Bounded in time and number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

_MOST: Final = 50_000


class Recent:
    """Remembers keys for some seconds."""

    def __init__(self, seconds: float, most: int = _MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._known: OrderedDict[Hashable, float] = OrderedDict()

    def has(self, key: Hashable, now: float) -> bool:
        """Whether a key was added lately."""
        at = self._known.get(key)
        return at is not None and now - at < self._seconds

    def add(self, key: Hashable, now: float) -> None:
        """Remember a key."""
        if not self._seconds:
            return
        self._known[key] = now
        self._known.move_to_end(key)
        while len(self._known) > self._most or now - next(iter(self._known.values())) >= self._seconds:
            self._known.popitem(last=False)
