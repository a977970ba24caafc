"""Turns: who writes to an item waits until whoever wrote to it before is done, so that conditions hold until the save.

The store's saveObject knows no condition. Within one process a turn makes condition and save one step; against another
gateway the change key is compared when the item is read for replacing (`gateway.mapiclient.replacing`), and read once more
when invitations were sent in between; that leaves the time between two calls to the store.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import DeferredLock

#: A folder's source key, and an href or a UID.
Key = tuple[bytes, str]


class Turns:
    """All turns of a process. Runs in the reactor."""

    def __init__(self) -> None:
        self._locks: dict[Key, DeferredLock] = {}

    async def take(self, keys: Iterable[Key]) -> list[Key]:
        """Wait for the turn of all keys; in order, so that nobody waits in a circle."""
        taken: list[Key] = []
        try:
            for key in sorted(set(keys)):
                await self._locks.setdefault(key, DeferredLock()).acquire()
                taken.append(key)
        except BaseException:
            self.end(taken)
            raise
        return taken

    def end(self, taken: Iterable[Key]) -> None:
        """The turn of keys that were taken is over."""
        for key in taken:
            lock = self._locks[key]
            lock.release()
            if not lock.locked:
                del self._locks[key]
