"""A running embedded store for tests, over the real wire.

``running_store`` runs it on the shared reactor of `tests.support.reactor`; `StoreProcess` runs it as a program
of its own, which can be killed. Both listen on a free TCP port of 127.0.0.1 and on a unix socket.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.storeserver.database import StoreOptions
from gateway.storeserver.options import Options
from gateway.storeserver.service import StoreService, add_user, make_service
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.ports import HeldPort
from tests.support.soap import SoapClient

#: Fast instead of safe: no waiting for the disk, cheap password hashes.
TEST_DATABASE = StoreOptions(synchronous="OFF", password_time=1, password_memory=8)


class RunningStore:
    """A store on the shared reactor. All methods may be called from the test's thread."""

    def __init__(self, directory: Path, *, demo: bool = False, **options: Any) -> None:
        self.directory = directory
        # Socket paths are limited to 107 bytes, and a test's directory can be longer than that.
        self._sockets = Path(tempfile.mkdtemp(prefix="store-"))
        self.unix = f"unix:{self._sockets / 'store.sock'}"
        self._database_options = options.pop("database", TEST_DATABASE)
        patient = {"wrong_password_delay": 0.01, "wrong_password_longest": 0.02}
        self._options = {"demo": demo, **patient} | options
        self.service: StoreService
        self._held = HeldPort()
        self.port = self._held.number
        self.start()

    @property
    def url(self) -> str:
        """Where the store listens: ``http://127.0.0.1:port``."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; after a restart too, on the same port."""
        listen = (f"127.0.0.1:{self.port}", self.unix)
        options = Options(data=str(self.directory), **{**self._options, "listen": listen})
        self.service = make_service(options, reactor.reactor, self._database_options)
        reactor.call(self.service.privilegedStartService)
        reactor.call(self.service.startService)

    def stop(self) -> None:
        """Stop it gracefully; the data stays."""

        async def stop() -> None:
            await self.service.stopService()

        reactor.run(stop)

    def restart(self) -> None:
        """Stop and start it: sessions are gone, data stays."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Give back what lies outside the test's directory."""
        self._held.release()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def add_user(self, name: str, password: str | None = None, **more: Any) -> None:
        """Create a user (password = name unless given) with a store."""

        async def add() -> None:
            await add_user(self.service, name, name if password is None else password, **more)

        reactor.run(add)

    def client(self, user: str = "", password: str | None = None, **options: Any) -> SoapClient:
        """A blocking client over TCP, logged on when a user is named."""
        client = SoapClient(self.url)
        if user:
            reply = client.logon(user, password, **options)
            assert reply.er == 0, f"logon: {reply.er:#x}"
        return client

    def system(self) -> SoapClient:
        """A blocking client over the unix socket, logged on as SYSTEM (the tests run as the server's user)."""
        client = SoapClient(self.unix)
        reply = client.logon("SYSTEM", "")
        assert reply.er == 0, f"logon: {reply.er:#x}"
        return client


@contextmanager
def running_store(
    directory: Path, users: Iterable[str] = (), *, demo: bool = False, **options: Any
) -> Iterator[RunningStore]:
    """A running store with these users (password = name); stopped at the end.

    ``options`` are those of `gateway.storeserver.options.Options`, and ``database`` a `StoreOptions`.
    """
    store = RunningStore(directory, demo=demo, **options)
    try:
        for name in users:
            store.add_user(name)
        yield store
    finally:
        store.stop()
        store.remove()


class StoreProcess:
    """A store in a process of its own."""

    def __init__(self, directory: Path, users: Iterable[str] = (), *, demo: bool = False) -> None:
        self.directory = directory
        self._sockets = Path(tempfile.mkdtemp(prefix="store-"))
        self.unix = f"unix:{self._sockets / 'store.sock'}"
        self._held = HeldPort()
        self.port = self._held.number
        self._users = tuple(users)
        self._demo = demo
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where the store listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it listens."""
        arguments = [str(self.directory), str(self.port), self.unix, str(int(self._demo)), *self._users]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.storeprocess", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "listening\n", f"the store did not start: {line!r}"

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdout is not None
        process.send_signal(number)
        process.wait(PATIENCE)
        process.stdout.close()

    def stop(self) -> None:
        """End it gracefully."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would (kill -9)."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Have it hang: it keeps its connections but does nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again on the same port."""
        self.stop()
        self.start()

    def client(self, user: str = "", password: str | None = None, **options: Any) -> SoapClient:
        """A blocking client over TCP, logged on when a user is named."""
        client = SoapClient(self.url)
        if user:
            assert client.logon(user, password, **options).er == 0
        return client

    def __enter__(self) -> StoreProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._held.release()
        shutil.rmtree(self._sockets, ignore_errors=True)
