"""The real reactor for tests that need sockets: it runs in a background thread for the whole test session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import blockingCallFromThread
from twisted.python.threadable import isInIOThread

from tests.support.patience import PATIENCE

T = TypeVar("T")
reactor: Any = _reactor
_lock = threading.Lock()


def start() -> None:
    """Start the reactor's thread, once."""
    with _lock:
        if reactor.running:
            return
        started = threading.Event()
        reactor.callWhenRunning(started.set)
        threading.Thread(
            target=reactor.run, kwargs={"installSignalHandlers": False}, name="reactor", daemon=True
        ).start()
        if not started.wait(PATIENCE):
            raise RuntimeError("the reactor did not start in time")


def run(work: Callable[[], Coroutine[Any, Any, T]], timeout: float = PATIENCE) -> T:
    """Run a coroutine function in the reactor's thread; return or raise what it does.

    After `timeout` seconds the work is cancelled and CancelledError is raised.
    """
    start()

    def begin() -> Deferred[T]:
        done: Deferred[T] = Deferred.fromCoroutine(work())
        return done.addTimeout(timeout, reactor)

    return blockingCallFromThread(reactor, begin)  # type: ignore[no-any-return]


def call(function: Callable[..., T], *args: Any) -> T:
    """Call a plain function in the reactor's thread."""
    start()
    return blockingCallFromThread(reactor, function, *args)  # type: ignore[no-any-return]


class OwnTime:
    """The reactor, but with a time of its own: what is to happen in some seconds does once a test lets them pass.

    However busy the machine is, nobody is too slow for a short time limit.
    """

    def __init__(self) -> None:
        self._clock = Clock()

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

    def seconds(self) -> float:
        """How much time has passed."""
        return float(self._clock.seconds())

    def callLater(self, seconds: float, work: Callable[..., object], *args: Any, **more: Any) -> Any:
        """Call when the time has come; at once means in the reactor's next turn, as always."""
        return (self._clock if seconds > 0 else reactor).callLater(seconds, work, *args, **more)

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        if isInIOThread():
            self._clock.advance(seconds)
        else:
            call(self._clock.advance, seconds)
