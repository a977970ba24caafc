"""Accounts over a running embedded store: pool, sessions and mailboxes as the service puts them together."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway.mailbox.account import Account
from gateway.mailbox.accounts import Accounts
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.store import RunningStore, running_store

T = TypeVar("T")


class Mail:
    """Everything below the protocol heads, for one store."""

    def __init__(self, store: RunningStore, directory: Path, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self.cache = UidCache(directory / "uids.sqlite")
        self.pool = Pool(reactor.reactor, PoolOptions())
        self.sessions = Sessions(self.pool, store.url)
        self.runtime = Runtime(reactor.reactor, self.cache, now=now)
        self.accounts = Accounts(self.sessions, self.runtime)
        self._directory = directory
        self._others: list[tuple[Accounts, Sessions, UidCache]] = []

    def run(self, work: Callable[..., Awaitable[T]], *users: str, timeout: float = PATIENCE) -> T:
        """Run a coroutine function with an account for each user; log them out after it."""

        async def logged_in() -> Any:
            accounts: list[Account] = []
            try:
                for user in users:
                    account = await self.accounts.login(user, user, application="tests")
                    accounts.append(account)
                return await work(*accounts)
            finally:
                for account in accounts:
                    account.logout()

        return reactor.run(logged_in, timeout)

    async def anew(self, user: str, path: Path | None = None, now: Callable[[], float] = time.time) -> Account:
        """An account of a gateway of its own, which shares the store with this one and nothing else but a cache."""
        cache = UidCache(path or self._directory / f"uids{len(self._others)}.sqlite")
        sessions = Sessions(self.pool, self.store.url)
        accounts = Accounts(sessions, Runtime(reactor.reactor, cache, now=now))
        self._others.append((accounts, sessions, cache))
        return await accounts.login(user, user, application="tests")

    def close(self) -> None:
        """Log off and close everything."""
        here = (self.accounts, self.sessions, self.cache)

        async def close() -> None:
            for accounts, sessions, _ in (here, *self._others):
                accounts.close()
                await sessions.close()
            self.pool.close()

        reactor.run(close)
        for _, _, cache in (here, *self._others):
            cache.close()


@contextmanager
def running_mail(
    directory: Path, *users: str, now: Callable[[], float] = time.time, **options: Any
) -> Iterator[Mail]:
    """A store with these users (password = name) and the layers over it, which have a clock."""
    with running_store(directory / "store", users=users, **options) as store:
        mail = reactor.call(lambda: Mail(store, directory / "cache", now))
        try:
            yield mail
        finally:
            mail.close()
