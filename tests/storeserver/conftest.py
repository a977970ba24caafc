"""What the tests of the store share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mapiclient.wire.calls_session import Logoff
from tests.support.soap import SoapClient
from tests.support.store import RunningStore, running_store
from tests.support.storecore import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A database with the users alice and bob."""
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    """A store on a real socket with the users alice and bob, one per module."""
    with running_store(tmp_path_factory.mktemp("store"), ["alice", "bob"]) as running:
        yield running


@pytest.fixture
def alice(store: RunningStore) -> Iterator[SoapClient]:
    """A client of alice's."""
    with store.client("alice") as client:
        yield client
        client.call(Logoff())


@pytest.fixture
def bob(store: RunningStore) -> Iterator[SoapClient]:
    """A client of bob's."""
    with store.client("bob") as client:
        yield client
        client.call(Logoff())
