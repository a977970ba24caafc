"""One store and one gateway for all dialogues; every test has a user of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.imap.options import Options
from tests.imap.dialogue import Dialogue
from tests.imap.server import Server, running_server


@pytest.fixture(scope="session")
def imap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("imap")) as server:
        yield server


@pytest.fixture
def imap(imap_server: Server) -> Iterator[Dialogue]:
    dialogue = Dialogue(imap_server)
    yield dialogue
    dialogue.close()


@pytest.fixture
def imap_with(imap_server: Server) -> Iterator[Callable[..., Dialogue]]:
    """Dialogues with a gateway that has other options, and perhaps a time of its own."""
    made: list[Dialogue] = []

    def make(tls: Any = None, time: Any = None, **options: Any) -> Dialogue:
        made.append(Dialogue(imap_server, Options(**options), tls, time=time))
        return made[-1]

    yield make
    for dialogue in made:
        dialogue.close()
