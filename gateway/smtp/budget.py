"""How many octets of mail are worked on at the same time: large mails wait for each other, small ones hardly ever."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred


class Budget:
    """Shares of a number of octets, given in the order of asking; one that is larger than all of it is given alone."""

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._used = 0
        self._waiting: deque[tuple[int, Deferred[None]]] = deque()

    async def take(self, size: int) -> None:
        """Wait for a share; give it back with `give`. Cancelling gives up the place."""
        if not self._waiting and self._fits(size):
            self._used += size
            return
        turn: Deferred[None] = Deferred(lambda _: self._leave(turn))
        self._waiting.append((size, turn))
        await turn

    def give(self, size: int) -> None:
        """A share is not needed any more."""
        self._used -= size
        self._serve()

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._octets

    def _leave(self, turn: Deferred[None]) -> None:
        self._waiting = deque(entry for entry in self._waiting if entry[1] is not turn)
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            self._used += size
            turn.callback(None)
