"""A deadline that moves often and passes seldom, at the cost of storing a number.

Moving a DelayedCall for every byte that arrives would cost more than the byte. An `Alarm` leaves the
DelayedCall where it is when the deadline moves away, and looks again when it goes off.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Alarm:
    """Calls ``ring`` once when the deadline passes. `set` moves it, `clear` takes it away."""

    __slots__ = ("_at", "_clock", "_delayed", "_delayed_until", "_ring")

    def __init__(self, clock: IReactorTime, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._at: float | None = None
        self._delayed: IDelayedCall | None = None
        self._delayed_until = 0.0

    def set(self, at: float) -> None:
        """The deadline is ``at`` now (in the clock's seconds)."""
        self._at = at
        if self._delayed is None:
            self._schedule(at)
        elif at < self._delayed_until:
            self._delayed.cancel()
            self._schedule(at)

    def clear(self) -> None:
        """There is no deadline. The DelayedCall stays and will do nothing."""
        self._at = None

    def stop(self) -> None:
        """There is no deadline and no DelayedCall either."""
        self._at = None
        if self._delayed is not None:
            self._delayed.cancel()
            self._delayed = None

    def _schedule(self, at: float) -> None:
        self._delayed_until = at
        self._delayed = self._clock.callLater(max(0.0, at - self._clock.seconds()), self._fired)

    def _fired(self) -> None:
        self._delayed = None
        if self._at is None:
            return
        if self._clock.seconds() < self._at:
            self._schedule(self._at)
            return
        self._at = None
        self._ring()
