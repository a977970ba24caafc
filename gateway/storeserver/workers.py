"""Threads for calls: one that writes, a few that read, and some for the slow work of checking passwords.

Writing calls take turns in one thread instead of waiting for each other in many, so that readers always find a
thread. Short ones that wait at the same time are written together, with one commit. A thread that hashes passwords
never keeps a call waiting.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mapi.errors import StoreBusy

T = TypeVar("T")
log: Final = Logger()

READERS: Final = 4
LOGONS: Final = 2
MAX_LOGONS: Final = 200
"""Passwords that may wait to be checked."""
MAX_TOGETHER: Final = 32
"""Calls that share a commit."""
TOGETHER_WITHIN: Final = 0.02
"""Seconds after which a commit is not put off any further."""


@dataclass(slots=True, eq=False)
class _Job:
    """Work on its way through a thread."""

    work: Callable[[], Any]
    result: Deferred[Any]
    brief: bool = False
    discard: Callable[[Any], None] | None = None
    """Frees a result that nobody waits for any more."""
    cancelled: bool = False

    def run(self) -> Any:
        """The result, a Failure if there is none."""
        try:
            return self.work()
        except BaseException:
            return Failure()  # type: ignore[no-untyped-call]

    def drop(self, outcome: Any) -> None:
        """Free a result that is not going to be used."""
        if self.discard is not None and not isinstance(outcome, Failure):
            self.discard(outcome)


class _Calls:
    """Calls for the reactor's thread, in order; many of them wake it up only once."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: deque[Callable[[], None]] = deque()
        self._woken = False

    def add(self, call: Callable[[], None]) -> None:
        """Have something done by the reactor's thread. From any thread."""
        self._waiting.append(call)
        if not self._woken:
            self._woken = True
            self._reactor.callFromThread(self._run)

    def _run(self) -> None:
        self._woken = False
        while self._waiting:
            try:
                self._waiting.popleft()()
            except Exception:
                log.failure("what a thread left to do failed")


class _Threads:
    """Some threads that take work from one queue, which None ends."""

    def __init__(self, name: str, count: int, loop: Callable[[SimpleQueue[_Job | None]], None]) -> None:
        self.queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=loop, args=(self.queue,), name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Start."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in the queue and end; returns when that is done."""
        for _ in self._threads:
            self.queue.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()


class Workers:
    """The threads; they run from `start` to `stop`.

    ``together`` is what writing work that shares a commit is done in; when it fails, each is done again alone.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        together: Callable[[], AbstractContextManager[None]],
        readers: int = READERS,
        logons: int = LOGONS,
    ) -> None:
        self._reactor = reactor
        self._together = together
        self._calls = _Calls(reactor)
        self._readers = _Threads("store-reader", readers, self._read)
        self._writer = _Threads("store-writer", 1, self._write)
        self._logons = _Threads("store-logon", logons, self._read)
        self._waiting_logons = 0
        self._reading = 0

    def start(self) -> None:
        """Start the threads."""
        for threads in (self._readers, self._writer, self._logons):
            threads.start()

    def stop(self) -> Deferred[None]:
        """Let running work finish, then end the threads; fires when they have ended."""

        def wait() -> None:
            for threads in (self._logons, self._readers, self._writer):
                threads.stop()

        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), wait)

    # -- in the reactor's thread

    @property
    def reading(self) -> bool:
        """Whether reading work is waiting or being done."""
        return self._reading > 0

    def read(
        self, work: Callable[..., T], *args: Any, discard: Callable[[T], None] | None = None
    ) -> Deferred[T]:
        """Run work that only reads; left out when the result is cancelled before its turn has come."""
        self._reading += 1

        def done(result: Any) -> Any:
            self._reading -= 1
            return result

        return self._put(self._readers, partial(work, *args), discard).addBoth(done)

    def write(
        self,
        work: Callable[..., T],
        *args: Any,
        brief: bool = False,
        discard: Callable[[T], None] | None = None,
    ) -> Deferred[T]:
        """Run work that writes, when all earlier writing work is done; ``brief`` work may share a commit."""
        return self._put(self._writer, partial(work, *args), discard, brief=brief)

    def log_on(self, work: Callable[..., T], *args: Any) -> Deferred[T]:
        """Check a password (StoreBusy when too many wait already)."""
        if self._waiting_logons >= MAX_LOGONS:
            raise StoreBusy("too many logons at once")
        self._waiting_logons += 1

        def done(result: Any) -> Any:
            self._waiting_logons -= 1
            return result

        return self._put(self._logons, partial(work, *args), None).addBoth(done)

    def _put(
        self,
        threads: _Threads,
        work: Callable[[], Any],
        discard: Callable[[Any], None] | None,
        *,
        brief: bool = False,
    ) -> Deferred[Any]:
        def cancel(_: Deferred[Any]) -> None:
            job.cancelled = True

        job = _Job(work, Deferred(cancel), brief, discard)
        threads.queue.put(job)
        return job.result

    def _finish(self, job: _Job, outcome: Any) -> None:
        if job.cancelled:
            job.drop(outcome)
        else:
            job.result.callback(outcome)  # a Failure is as good as errback

    # -- in a worker's thread

    def in_reactor(self, call: Callable[[], None]) -> None:
        """Have the reactor's thread do something before it gets the result of the work that says so."""
        self._calls.add(call)

    def _deliver(self, job: _Job, outcome: Any) -> None:
        self._calls.add(partial(self._finish, job, outcome))

    def _read(self, queue: SimpleQueue[_Job | None]) -> None:
        while (job := queue.get()) is not None:
            if not job.cancelled:
                self._deliver(job, job.run())

    def _write(self, queue: SimpleQueue[_Job | None]) -> None:
        ended = False
        while not ended:
            jobs, ended = _gathered(queue)
            brief = [job for job in jobs if job.brief]
            while len(brief) > 1:
                brief = brief[self._write_together(brief) :]
            for job in (*brief, *[job for job in jobs if not job.brief]):
                self._deliver(job, job.run())

    def _write_together(self, group: list[_Job]) -> int:
        """Do some of the work in one commit; how much of it is done."""
        outcomes: list[Any] = []
        enough = time.monotonic() + TOGETHER_WITHIN
        try:
            with self._together():
                for job in group:
                    outcomes.append(job.run())
                    if time.monotonic() > enough:
                        break
        except Exception:
            for job, outcome in zip(group, outcomes, strict=False):
                job.drop(outcome)
            outcomes = [job.run() for job in group]
        for job, outcome in zip(group, outcomes, strict=False):
            self._deliver(job, outcome)
        return len(outcomes)


def _gathered(queue: SimpleQueue[_Job | None]) -> tuple[list[_Job], bool]:
    """The work that waits: all that is brief, up to one that is not; and whether the end has come."""
    jobs: list[_Job] = []
    while True:
        job = queue.get()
        if job is None:
            return jobs, True
        jobs.append(job)
        if not job.brief or len(jobs) == MAX_TOGETHER or queue.empty():
            return jobs, False
