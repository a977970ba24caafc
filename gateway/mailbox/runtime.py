"""What everything in this package shares within a process: the clock, threads, and the UID cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool

from gateway.mailbox.uidcache import UidCache
from gateway.mapi.times import from_unix

T = TypeVar("T")

#: Conversions of fewer bytes than this are done at once: a thread costs more.
THREAD_LIMIT: Final = 1 << 17


class Runtime:
    """Clock, threads and cache. ``reactor`` and ``now`` (Unix time) are parameters."""

    def __init__(
        self,
        reactor: Any,
        cache: UidCache,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.reactor = reactor
        self.cache = cache
        self.now = now
        self.withholding: set[bytes] = set()
        """Servers, by their GUIDs, whose tables do not give stored mails."""

    def seconds(self) -> float:
        """A clock that only goes forward."""
        return float(self.reactor.seconds())

    def filetime(self) -> int:
        """The present as FILETIME."""
        return from_unix(self.now())

    async def in_cache(self, work: Callable[[UidCache], T]) -> T:
        """Use the UID cache in a thread."""
        return await self._in_thread(work, self.cache)

    async def compute(self, size: int, work: Callable[[], T]) -> T:
        """Do work over so many bytes: at once when they are few, else in a thread."""
        if size < THREAD_LIMIT:
            return work()
        return await self._in_thread(work)

    def _in_thread(self, work: Callable[..., T], *args: object) -> Deferred[T]:
        return deferToThreadPool(self.reactor, self.reactor.getThreadPool(), work, *args)

    def later(self) -> Later:
        """A timer that can be set and cancelled."""
        return Later(self.reactor)


class Later:
    """One call that may be waiting. Setting it while it waits changes nothing."""

    __slots__ = ("_call", "_reactor")

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._call: IDelayedCall | None = None

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        """Call once, so many seconds from now, unless a call is waiting already."""
        if self._call is None:
            self._call = self._reactor.callLater(seconds, self._run, work)

    def _run(self, work: Callable[[], object]) -> None:
        self._call = None
        work()

    def cancel(self) -> None:
        """Forget a waiting call."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
