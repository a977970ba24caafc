"""Leases of sessions on the store in memory, for tests."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

from twisted.internet.defer import Deferred

from gateway.mapiclient.options import SessionOptions, ThrottleOptions
from gateway.mapiclient.sessions import Credentials, Lease, Sessions
from tests.mapiclient.fakestore import FakeStore

ANN = Credentials("ann", "secret")
WRONG = Credentials("ann", "guess")
ATTACKER = "198.51.100.7"
OPTIONS = SessionOptions(proof_seconds=300, idle_seconds=60, throttle=ThrottleOptions(waiting=3))


def begun(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    return Deferred.fromCoroutine(work)


def result(work: Coroutine[Any, Any, Any] | Deferred[Any]) -> Any:
    """What the work, which is over, has given or raised."""
    seen: list[Any] = []
    deferred = work if isinstance(work, Deferred) else begun(work)
    deferred.addBoth(seen.append)
    assert seen, "it is still waiting"
    if hasattr(seen[0], "raiseException"):
        seen[0].raiseException()
    return seen[0]


def setup(server: str = "http://one:236", **changes: Any) -> tuple[FakeStore, Sessions]:
    store = FakeStore(ann="secret", bob="bob")
    return store, Sessions(cast("Any", store), server, OPTIONS, store.reactor, **changes)


def lease(sessions: Sessions, credentials: Any = ANN, **more: Any) -> Lease:
    found = result(sessions.lease(credentials, **more))
    assert isinstance(found, Lease)
    return found
