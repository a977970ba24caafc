"""Waiting without a thread: work that several wait for, and pauses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Shared(Generic[T]):
    """One piece of work with any number of waiters; it starts when the first one waits.

    A waiter that is cancelled only leaves; when the last one leaves, the work is cancelled, unless it is to
    finish in any case (``keep``). ``done`` is called when the work is over, before the waiters are told.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], *, keep: bool = False, done: Callable[[], object] | None = None
    ) -> None:
        self._coroutine = work
        self._waiters: list[Deferred[T]] = []
        self._keep = keep
        self._done = done
        self._running: Deferred[Any] | None = None
        self._over = False

    def wait(self) -> Deferred[T]:
        """The result or the failure of the work. Not to be called when it is over."""
        waiter: Deferred[T] = Deferred(self._leave)
        self._waiters.append(waiter)
        if self._running is None:
            self._running = Deferred.fromCoroutine(self._coroutine)
            self._running.addBoth(self._finish)
        return waiter

    def cancel(self) -> None:
        """Cancel the work; its waiters see it cancelled."""
        if self._running is not None:
            self._running.cancel()

    def _leave(self, waiter: Deferred[T]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if not self._waiters and not self._keep and not self._over:
            self.cancel()

    def _finish(self, result: T | Failure) -> None:
        self._over = True
        if self._done is not None:
            self._done()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(result)


def pause(clock: IReactorTime, seconds: float) -> Deferred[None]:
    """Wait; cancelling takes the timer away."""
    timer = clock.callLater(seconds, lambda: done.callback(None))
    done: Deferred[None] = Deferred(lambda _: timer.cancel())
    return done


def detached(
    work: Coroutine[Any, Any, Any], failed: Callable[[Failure], Any] = lambda _: None
) -> Deferred[Any]:
    """Run work that nobody waits for; ``failed`` hears of its failure, unless it was cancelled."""

    def end(why: Failure) -> None:
        if not isinstance(why.value, CancelledError):
            failed(why)

    return Deferred.fromCoroutine(work).addErrback(end)
