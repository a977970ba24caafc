"""Registrations: who wants to be told of which collection, and where; kept in the gateway's state directory."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

FILE: Final = "webpush.sqlite"
#: How many there may be of one user, and of all.
PER_USER: Final = 200
IN_ALL: Final = 20_000
#: The longest (seconds) that one lasts before its client has to renew it.
LONGEST: Final = 7 * 86_400
_SHORTEST: Final = 60
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS registration (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    folder BLOB NOT NULL,
    topic TEXT NOT NULL,
    url TEXT NOT NULL,
    key BLOB NOT NULL,
    auth BLOB NOT NULL,
    expires INTEGER NOT NULL,
    told TEXT NOT NULL,
    UNIQUE (user, folder, url)
) WITHOUT ROWID
"""
_SELECT: Final = "SELECT id, user, folder, topic, url, key, auth, expires, told FROM registration"
_INSERT: Final = (
    "INSERT OR REPLACE INTO registration (id, user, folder, topic, url, key, auth, expires, told)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a client says of itself: its push resource, public key (65 bytes) and secret (16 bytes)."""

    url: str
    key: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Registration:
    """One wish to be told. ``told`` is the sync token that the client was told last; ``expires`` is Unix time."""

    id: str
    user: str
    folder: bytes
    """The source key of the collection."""
    topic: str
    subscription: Subscription
    expires: int
    told: str


class Full(Exception):
    """There are too many registrations."""


class Registrations:
    """All of them, in memory and on disk. Used in the reactor only: a write is a small transaction without fsync."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The reactor may run in another thread than the one in which it was set up.
        self._file = sqlite3.connect(directory / FILE, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute(_SCHEMA)
        (directory / FILE).chmod(0o600)
        self._by_id: dict[str, Registration] = {}
        self._by_user: dict[str, dict[str, None]] = {}
        for row in self._file.execute(_SELECT):
            name, user, folder, topic, url, key, auth, expires, told = row
            self._keep(Registration(name, user, folder, topic, Subscription(url, key, auth), expires, told))

    def _keep(self, registration: Registration) -> None:
        self._by_id[registration.id] = registration
        self._by_user.setdefault(registration.user, {})[registration.id] = None

    def get(self, name: str) -> Registration | None:
        """The registration of an id."""
        return self._by_id.get(name)

    def users(self) -> list[str]:
        """Everybody who has one."""
        return list(self._by_user)

    def of(self, user: str, folder: bytes | None = None) -> list[Registration]:
        """Those of a user, of one collection or all."""
        found = [self._by_id[name] for name in self._by_user.get(user, ())]
        return found if folder is None else [each for each in found if each.folder == folder]

    def to(self, url: str) -> list[Registration]:
        """Those of a push resource."""
        return [each for each in self._by_id.values() if each.subscription.url == url]

    def put(
        self, user: str, folder: bytes, topic: str, subscription: Subscription, expires: int, told: str
    ) -> tuple[Registration, bool]:
        """Register, or renew what is registered already; whether it is new (Full)."""
        for old in self.of(user, folder):
            if old.subscription.url == subscription.url:
                new = replace(old, topic=topic, subscription=subscription, expires=expires)
                self._write(new)
                return new, False
        if len(self._by_user.get(user, ())) >= PER_USER or len(self._by_id) >= IN_ALL:
            raise Full
        new = Registration(secrets.token_urlsafe(16), user, folder, topic, subscription, expires, told)
        self._write(new)
        return new, True

    def told(self, registration: Registration, token: str) -> None:
        """The client is told of a state."""
        if registration.id in self._by_id:
            self._write(replace(self._by_id[registration.id], told=token))

    def _write(self, registration: Registration) -> None:
        sub = registration.subscription
        values = (
            registration.id, registration.user, registration.folder, registration.topic, sub.url, sub.key,
            sub.auth, registration.expires, registration.told,
        )  # fmt: skip
        self._file.execute(_INSERT, values)
        self._keep(registration)

    def remove(self, registrations: Iterable[Registration]) -> None:
        """Forget some."""
        names = [each.id for each in registrations]
        self._file.execute("BEGIN")
        self._file.executemany("DELETE FROM registration WHERE id = ?", [(name,) for name in names])
        self._file.execute("COMMIT")
        for name in names:
            gone = self._by_id.pop(name, None)
            if gone is None:
                continue
            mine = self._by_user[gone.user]
            del mine[name]
            if not mine:
                del self._by_user[gone.user]

    def expire(self, now: float) -> list[Registration]:
        """Forget what has expired; what that was."""
        gone = [each for each in self._by_id.values() if each.expires <= now]
        if gone:
            self.remove(gone)
        return gone

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def expiry(wanted: float | None, now: float) -> int:
    """When a registration ends of which the client wishes an end, or none."""
    return int(now + min(max((wanted or now + LONGEST) - now, _SHORTEST), LONGEST))
