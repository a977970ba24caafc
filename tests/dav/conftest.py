"""One store and one DAV head for all tests of this directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dav.server import Client, Server, running_server


@pytest.fixture(scope="session")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("dav")) as server:
        yield server


@pytest.fixture
def client(dav: Server) -> Client:
    return dav.client()
