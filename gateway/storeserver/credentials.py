"""Proof of identity: passwords, local sockets, impersonation.

Every failure looks the same and takes its time: after a wrong password the answer waits, longer with every
further one for the same name or from the same address. Only that answer waits; no thread does.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.task import deferLater
from twisted.logger import Logger

from gateway.mapi.errors import LogonFailed, NotFound, StoreBusy
from gateway.storeserver.accounts import (
    SYSTEM_ID,
    Account,
    Actor,
    account_named,
    actor_of,
    authenticate,
    renewed_hash,
    replace_hash,
)
from gateway.storeserver.database import StoreDatabase
from gateway.storeserver.options import Options
from gateway.storeserver.sessions import Peer
from gateway.storeserver.workers import Workers

log: Final = Logger()

FORGIVEN_AFTER: Final = 300.0
"""Seconds without a failure after which all is forgotten."""
MAX_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Failures:
    """Failed logons by name and by address, so many of them at most."""

    def __init__(self, clock: Callable[[], float], first: float, longest: float) -> None:
        self._clock = clock
        self._first = first
        self._longest = longest
        self._known: OrderedDict[str, _Failures] = OrderedDict()

    def note(self, *keys: str) -> float:
        """Count a failure; how long its answer is to wait, in seconds."""
        now = self._clock()
        worst = 0
        for key in keys:
            before = self._known.pop(key, None)
            count = before.count + 1 if before is not None and now - before.last < FORGIVEN_AFTER else 1
            self._known[key] = _Failures(count, now)
            worst = max(worst, count)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return min(self._first * 2.0 ** min(worst - 1, 30), self._longest)

    def forgive(self, *keys: str) -> None:
        """A right password ends the count."""
        for key in keys:
            self._known.pop(key, None)


class Credentials:
    """Tells who a client is."""

    def __init__(self, database: StoreDatabase, workers: Workers, reactor: Any, options: Options) -> None:
        self._database = database
        self._workers = workers
        self._reactor = reactor
        self._trusted = {*options.trusted_uids, os.geteuid()}
        first, longest = float(options.wrong_password_delay), float(options.wrong_password_longest)
        self._failures = Failures(reactor.seconds, first, longest)

    async def log_on(
        self, name: str, password: str, impersonate: str, peer: Peer, *, use_uid: bool
    ) -> tuple[Account, Actor]:
        """The account that a session is opened for (LogonFailed, after a while)."""
        trusted = use_uid and peer.uid is not None and peer.uid in self._trusted
        keys = (f"name {name.casefold()}", f"address {peer.address}")
        try:
            account = await self._workers.log_on(self._check, name, password, impersonate, trusted)
        except LogonFailed:
            await deferLater(self._reactor, self._failures.note(*keys))
            raise
        self._failures.forgive(*keys)
        return account, actor_of(account)

    def _check(self, name: str, password: str, impersonate: str, trusted: bool) -> Account:
        """In a thread: the account of a name, proven by the peer or a password, or the one it stands in for."""
        renewed: tuple[str, str] | None = None
        with self._database.read() as tx:
            try:
                if trusted:
                    account = account_named(tx, name)
                elif name.casefold() == "system":
                    raise LogonFailed("SYSTEM has no password")
                else:
                    account = authenticate(tx, name, password)
                    renewed = renewed_hash(tx, account, password)
                if account.is_group:
                    raise LogonFailed("a group cannot log on")
                self._renew(account, renewed)
                if not impersonate:
                    return account
                if account.id != SYSTEM_ID and account.admin_level < 1:
                    raise LogonFailed("only an administrator may impersonate")
                return account_named(tx, impersonate)
            except NotFound as error:
                raise LogonFailed(str(error)) from None

    def _renew(self, account: Account, hashes: tuple[str, str] | None) -> None:
        """Keep a password with today's costs. Nobody is refused because that does not work just now."""
        if hashes is None:
            return
        try:
            with self._database.write() as tx:
                replace_hash(tx, account, *hashes)
        except StoreBusy as error:
            log.warn("the password of {name} keeps its old hash: {error}", name=account.name, error=error)
