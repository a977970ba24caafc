"""A store on a real socket: logon, stores, objects, tables, notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mapiclient.wire.calls_session import Logoff
from gateway.mapiclient.wire.calls_store import GetStore
from tests.support.store import RunningStore, running_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store"), ["alice", "bob"]) as running:
        yield running


def test_logon(store: RunningStore) -> None:
    with store.client("alice") as client:
        print(client.ok(GetStore()))
        assert client.er(Logoff()) == 0
