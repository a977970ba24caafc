"""A running store for the tests of the objects, and sessions on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias, TypeVar

import pytest

from gateway.mapiclient import connect
from gateway.mapiclient.options import PoolOptions
from tests.support import reactor
from tests.support.store import RunningStore, running_store

T = TypeVar("T")
Work: TypeAlias = Callable[..., Coroutine[Any, Any, T]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store"), ["ann", "bob"]) as running:
        yield running


@pytest.fixture
def as_ann(server: RunningStore) -> Callable[[Work[T]], T]:
    """Runs a coroutine function with a session of Ann's."""

    def run(work: Work[T]) -> T:
        async def connected() -> T:
            options = PoolOptions(spool_from=1 << 16)
            async with connect(
                server.url, "ann", "ann", reactor=reactor.reactor, pool_options=options
            ) as session:
                return await work(session)

        return reactor.run(connected)

    return run


@pytest.fixture
def as_both(server: RunningStore) -> Callable[[Work[T]], T]:
    """Runs a coroutine function with a session of Ann's and one of Bob's."""

    def run(work: Work[T]) -> T:
        async def connected() -> T:
            async with (
                connect(server.url, "ann", "ann", reactor=reactor.reactor) as ann,
                connect(server.url, "bob", "bob", reactor=reactor.reactor) as bob,
            ):
                return await work(ann, bob)

        return reactor.run(connected)

    return run
