"""One store for all tests; every test has users of its own and a smarthost that takes everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.submission.server import Server, running_server


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("submission")) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.smarthost.mails.clear()
    running.smarthost.recipients.clear()
    running.smarthost.data = None
    return running


@pytest.fixture
def user(server: Server) -> str:
    return server.new_user()
