"""The outgoing queue of the store: who empties it, when, and which of its messages are due.

The store tells when something comes into the queue; where it does not, and for safety, it is looked at from time to
time. A file lock keeps other processes off; only one machine may send for a store. (The store's own message locks
would outlive a process that dies, by minutes.)
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mailbox.runtime import Runtime
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.table import Table, rows_of
from gateway.smtp.budget import Budget
from gateway.smtp.trusted import Trustees
from gateway.submission.forwarding import MASTER, Forwarding
from gateway.submission.options import Options
from gateway.submission.relay import Relay
from gateway.submission.watching import COLUMNS, QueueWatch

log: Final = Logger()
#: Seconds after which the queue is looked at although the store told nothing.
_SAFETY: Final = 60.0
_TICKS: Final = 10_000_000


class Queue:
    """Empties the outgoing queue while it runs."""

    def __init__(
        self,
        trustees: Trustees,
        runtime: Runtime,
        relay: Relay,
        options: Options,
        *,
        hostname: str,
        state: Path,
    ) -> None:
        self._trustees = trustees
        self._runtime = runtime
        self._options = options
        self._forwarding = Forwarding(trustees, runtime, relay, options, hostname=hostname, state=state)
        self._watch = QueueWatch(runtime.reactor)
        self._budget = Budget(int(options.memory))
        self._waits: dict[bytes, tuple[float, float]] = {}
        """When a message is tried again, and how long it waited, by entry id."""
        self._deferred = 0
        """When the next message is due that its sender held back (FILETIME), 0 when there is none."""
        self._running: Deferred[None] | None = None
        self._lockfile = state / "sending.lock"
        self._lock: int | None = None
        self.looks = 0
        """How often the queue was looked at."""

    def start(self) -> None:
        """Begin."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(_ended)

    async def stop(self) -> None:
        """End; what is being handed over is broken off, and its message stays queued."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        self._watch.close()
        self.unlock()

    def unlock(self) -> None:
        """Let another process send."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    async def _run(self) -> None:
        while True:
            watched = False
            try:
                if self._is_mine():
                    watched = await self._watch.begin(await self._trustees.system())
                await self.empty()
            except CancelledError:
                raise
            except (MapiError, TransportError, OSError) as error:
                log.info("the outgoing queue cannot be read: {error}", error=str(error))
            except Exception:
                log.failure("the outgoing queue cannot be emptied")
            await self._watch.wait(self._pause(watched=watched))

    def _pause(self, *, watched: bool) -> float:
        """Seconds until the queue is looked at again, unless the store tells of something before."""
        times = [_SAFETY if watched else float(self._options.queue_interval)]
        times += [due - self._runtime.seconds() for due, _ in self._waits.values()]
        if self._deferred:
            times.append((self._deferred - self._runtime.filetime()) / _TICKS)
        return max(min(times), 0.05)

    def _is_mine(self) -> bool:
        """Whether this process is the one that sends: the lock goes with the process, however it ends."""
        if self._lock is None:
            self._lock = os.open(self._lockfile, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def empty(self) -> None:
        """Look at the queue once, and send what is due, some at a time."""
        if not self._is_mine():
            log.debug("another process of this machine empties the outgoing queue")
            return
        self.looks += 1
        system = await self._trustees.system()
        table = Table(system, b"", COLUMNS, table_type=TableType.OUTGOING_QUEUE, object_type=ObjectType.MESSAGE)
        rows = [row for row in await rows_of(table) if pr.PR_ENTRYID in row]
        queued = {row[pr.PR_ENTRYID] for row in rows}
        self._waits = {entryid: wait for entryid, wait in self._waits.items() if entryid in queued}
        held = [row.get(pr.PR_DEFERRED_SEND_TIME) or 0 for row in rows]
        self._deferred = min((time for time in held if time > self._runtime.filetime()), default=0)
        turns = DeferredSemaphore(max(1, self._options.connections))
        work = [turns.run(_begin, self._one, system, row) for row in rows if self._is_due(row)]
        try:
            await gatherResults(work, consumeErrors=True)
        except FirstError as error:  # who is told to stop stops: that is no failure
            error.subFailure.raiseException()
        await self._forwarding.finish(system, queued)

    def _is_due(self, row: Props) -> bool:
        flags = row.get(pr.PR_EC_OUTGOING_FLAGS, MASTER)
        deferred = row.get(pr.PR_DEFERRED_SEND_TIME) or 0
        if not flags & MASTER or deferred > self._runtime.filetime():
            return False
        return self._waits.get(row[pr.PR_ENTRYID], (0.0, 0.0))[0] <= self._runtime.seconds()

    async def _one(self, system: Caller, row: Props) -> None:
        entryid: bytes = row[pr.PR_ENTRYID]
        size = int(row.get(pr.PR_MESSAGE_SIZE) or 0)
        await self._budget.take(size)
        try:
            done = await self._forwarding.send(system, row)
        except CancelledError:
            raise
        except (MapiError, TransportError, OSError) as error:
            log.warn("a queued message was not sent: {error}", error=str(error))
            done = False
        except Exception:
            log.failure("a queued message cannot be sent")
            done = False
        finally:
            self._budget.give(size)
        if done:
            self._waits.pop(entryid, None)
        else:
            self._wait(entryid)

    def _wait(self, entryid: bytes) -> None:
        """Try again later, each time after twice as long."""
        waited = self._waits.get(entryid, (0.0, 0.0))[1]
        wait = min(max(waited * 2, float(self._options.retry)), float(self._options.retry_longest))
        self._waits[entryid] = self._runtime.seconds() + wait, wait


def _begin(work: Any, *args: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(work(*args))


def _ended(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        log.failure("the outgoing queue is not emptied any more", failure=failure)
