"""One store for all dialogues; every test has a user of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.lmtp.options import Options
from tests.lmtp.server import Client, Server, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("lmtp")) as running:
        yield running


@pytest.fixture
def user(server: Server) -> str:
    return server.new_user()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def open_client(tls: Any = None, **options: Any) -> Client:
        clients.append(Client(server.listen(Options(**options), tls)))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()
