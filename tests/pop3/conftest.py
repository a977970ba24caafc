"""One store for all dialogues; every test has a user of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.pop3.options import Options
from tests.pop3.server import Client, Server, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pop3")) as running:
        yield running


@pytest.fixture
def user(server: Server) -> str:
    return server.new_user()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., Client]]:
    """Connections to a server with some options; the same options are the same server."""
    clients: list[Client] = []
    ports: dict[Any, int] = {}

    def open_client(tls: Any = None, time: Any = None, **options: Any) -> Client:
        key = (tls, time, Options(**options))
        if key not in ports:
            ports[key] = server.listen(key[2], tls, time)
        clients.append(Client(ports[key]))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()
