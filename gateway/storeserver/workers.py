"""Threads for calls: one that writes, a few that read, and some for the slow work of checking passwords.

Writing calls take turns in one thread instead of waiting for each other in many, so that readers always find a
thread. A thread that hashes passwords never keeps a call waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from gateway.mapi.errors import StoreBusy

T = TypeVar("T")

READERS: Final = 4
LOGONS: Final = 2
MAX_LOGONS: Final = 200
"""Passwords that may wait to be checked."""


class Workers:
    """The thread pools; they run from `start` to `stop`."""

    def __init__(self, reactor: Any, *, readers: int = READERS, logons: int = LOGONS) -> None:
        self._reactor = reactor
        self._readers = ThreadPool(1, readers, "store-reader")
        self._writer = ThreadPool(1, 1, "store-writer")
        self._logons = ThreadPool(0, logons, "store-logon")
        self._waiting_logons = 0

    def start(self) -> None:
        """Start the threads."""
        for pool in (self._readers, self._writer, self._logons):
            pool.start()

    def stop(self) -> Deferred[None]:
        """Let running work finish, then end the threads; fires when they have ended."""

        def wait() -> None:
            for pool in (self._logons, self._readers, self._writer):
                pool.stop()

        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), wait)

    def read(self, work: Callable[..., T], *args: Any) -> Deferred[T]:
        """Run work that only reads."""
        return deferToThreadPool(self._reactor, self._readers, work, *args)

    def write(self, work: Callable[..., T], *args: Any) -> Deferred[T]:
        """Run work that writes, when all earlier writing work is done."""
        return deferToThreadPool(self._reactor, self._writer, work, *args)

    def log_on(self, work: Callable[..., T], *args: Any) -> Deferred[T]:
        """Check a password (StoreBusy when too many wait already)."""
        if self._waiting_logons >= MAX_LOGONS:
            raise StoreBusy("too many logons at once")
        self._waiting_logons += 1

        def done(result: Any) -> Any:
            self._waiting_logons -= 1
            return result

        return deferToThreadPool(self._reactor, self._logons, work, *args).addBoth(done)
