"""A store and a gateway, two processes, for the clients of this directory; every test has a user of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.gateway import ADMIN, GatewayProcess, Running, run_program, store


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store's directory."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def store_process(data: Path) -> Iterator[Running]:
    with store(data, demo=True) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(store_process: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    url = f"http://{store_process.places['store']}/"
    with GatewayProcess(tmp_path_factory.mktemp("gateway"), url) as running:
        yield running


def add_user(data: Path, name: str) -> str:
    """Create a user whose password is his name."""
    run_program(ADMIN, "user", "--data", str(data), "add", name, "--password", name)
    return name


@pytest.fixture(scope="session")
def new_user(data: Path, gateway: GatewayProcess) -> Callable[[], str]:
    names = count(1)
    return lambda: add_user(data, f"user{next(names)}")


@pytest.fixture
def user(new_user: Callable[[], str]) -> str:
    return new_user()
