"""The client as a library."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import gateway.mapiclient
from gateway.mapi.errors import LogonFailed
from gateway.mapiclient import Store, connect
from gateway.mapiclient.errors import ConnectFailed, SessionLost
from gateway.mapiclient.options import PoolOptions, SessionOptions, ThrottleOptions
from tests.support import reactor
from tests.support.store import RunningStore


def test_a_session_ends_with_its_block(server: RunningStore) -> None:
    async def work() -> None:
        async with connect(server.url, "ann", "ann", reactor=reactor.reactor) as session:
            await Store.default(session)
        with pytest.raises(SessionLost):
            await Store.default(session)

    reactor.run(work)


def test_wrong_passwords_and_places_are_told(server: RunningStore) -> None:
    quick = SessionOptions(throttle=ThrottleOptions(first=0.0, most=0.0, most_before=0.0))

    async def tried(url: str, password: str) -> None:
        options: dict[str, Any] = {"session_options": quick, "pool_options": PoolOptions(back_off=0.01)}
        async with connect(url, "ann", password, reactor=reactor.reactor, **options):
            raise AssertionError("connected")

    with pytest.raises(LogonFailed):
        reactor.run(lambda: tried(server.url, "wrong"))
    with pytest.raises(ConnectFailed):
        reactor.run(lambda: tried("http://127.0.0.1:1", "ann"))
    with pytest.raises(ValueError, match="scheme"):
        reactor.run(lambda: tried("gopher:x", "ann"))


def test_an_error_inside_the_block_comes_out(server: RunningStore) -> None:
    async def work() -> None:
        async with connect(server.unix, "ann", "ann", reactor=reactor.reactor):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        reactor.run(work)


def test_every_public_name_is_there() -> None:
    for name in gateway.mapiclient.__all__:
        assert getattr(gateway.mapiclient, name)
    with pytest.raises(AttributeError):
        gateway.mapiclient.nothing  # noqa: B018


def test_the_wire_needs_no_reactor() -> None:
    code = "import sys, gateway.mapiclient.wire.envelope; sys.exit('twisted' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
