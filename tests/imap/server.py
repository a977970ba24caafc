"""A gateway before an embedded store, both on the shared reactor, for tests that speak IMAP over a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from gateway.imap.options import Options
from gateway.imap.protocol import IMAPFactory
from gateway.mailbox.accounts import Accounts
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.options import PoolOptions, SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from gateway.mapiclient.wire.calls_directory import ResolveUsername, SetQuota
from gateway.mapiclient.wire.structs import Quota
from tests.support import reactor
from tests.support.store import RunningStore, running_store


class Server:
    """Everything between a socket and a database."""

    def __init__(self, store: RunningStore, directory: Path) -> None:
        self.store = store
        self._names = count(1)
        self._ports: list[Any] = []
        self.factories: dict[Options, IMAPFactory] = {}
        self.directory = directory
        self.ahead = 0.0
        """How far the gateway's clock is ahead of the store's, in seconds."""
        reactor.call(self._build)

    def _build(self) -> None:
        real = reactor.reactor
        self.pool = Pool(real, PoolOptions())
        self.sessions = Sessions(self.pool, parse_server(self.store.url), SessionOptions())
        cache = UidCache(self.directory / "uids.sqlite")
        self.runtime = Runtime(real, cache, now=lambda: time.time() + self.ahead)
        self.accounts = Accounts(self.sessions, self.runtime)
        self._listening: dict[tuple[Options, Any], int] = {}

    def at(self, when: str) -> None:
        """Set the gateway's clock to an ISO date and time (UTC)."""
        self.ahead = datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp() - time.time()

    def new_user(self) -> str:
        """A user nobody else uses; the password is the name."""
        name = f"user{next(self._names)}"
        self.store.add_user(name)
        return name

    def limit(self, user: str, octets: int) -> None:
        """Give a user a quota."""
        with self.store.system() as system:
            entryid = system.ok(ResolveUsername(username=user)).user_entryid
            system.ok(SetQuota(user_entryid=entryid, quota=Quota(False, False, octets, octets, octets)))

    def port(self, options: Options | None = None, tls: Any = None, time: Any = None) -> int:
        """A port where IMAP with these options is spoken, in a time of its own if one is given."""
        options = options or Options()
        if (options, time) not in self._listening:
            reactor.call(self._listen, options, tls, time)
        return self._listening[options, time]

    def _listen(self, options: Options, tls: Any, time: Any) -> None:
        async def authenticate(user: str, password: str, peer: str) -> Any:
            return await self.accounts.login(user, password, application="imap", peer=peer)

        factory = IMAPFactory(authenticate, options, time or reactor.reactor, tls)
        port = reactor.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        self.factories[options] = factory
        self._listening[options, time] = port.getHost().port

    def close(self) -> None:
        async def close() -> None:
            for port in self._ports:
                await port.stopListening()
            for factory in self.factories.values():
                await factory.shut_down()
            self.accounts.close()
            await self.sessions.close()
            self.pool.close()

        reactor.run(close)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    """A store and a gateway."""
    (directory / "store").mkdir()
    with running_store(directory / "store") as store:
        server = Server(store, directory)
        try:
            yield server
        finally:
            server.close()
