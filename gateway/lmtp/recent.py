"""What was delivered lately, so that a mail that comes twice is stored once. Bounded in time and number.

Asked in memory; written to a small database behind the deliveries' backs, many at a time, so that a restart does not
forget. What a killed process had not written yet may be stored twice, which RFC 1047 allows.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mailbox.runtime import Runtime

log: Final = Logger()
_MOST: Final = 50_000


class Recent:
    """Remembers for some seconds which mail (by Message-ID) came to which mailbox."""

    def __init__(
        self, runtime: Runtime, seconds: float, state: Path | None = None, *, most: int = _MOST
    ) -> None:
        self._runtime = runtime
        self._seconds = seconds
        self._most = most
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._new: list[tuple[bytes, float]] = []
        self._on_the_way: list[tuple[bytes, float]] = []
        self._writing: Deferred[None] | None = None
        self._lock = Lock()
        self._database = self._opened(state) if state is not None and seconds else None

    def _opened(self, state: Path) -> sqlite3.Connection | None:
        """The database with what it remembers; without one the memory is this process's alone."""
        try:
            state.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(state / "delivered.sqlite", check_same_thread=False)
            database.execute("pragma journal_mode=wal")
            database.execute(
                "pragma synchronous=off"
            )  # a power cut may forget, the file stays sound by its log
            database.execute(
                "create table if not exists delivered (key blob primary key, at real) without rowid"
            )
            database.execute("create index if not exists delivered_at on delivered (at)")
            rows = database.execute(
                "select key, at from delivered where at > ? order by at desc limit ?",
                (self._oldest(), self._most),
            ).fetchall()
        except (OSError, sqlite3.Error) as error:
            log.warn(
                "what was delivered lately is not kept in {place}: {why}", place=str(state), why=str(error)
            )
            return None
        self._known.update(reversed(rows))
        return database

    def _oldest(self) -> float:
        return self._runtime.now() - self._seconds

    def has(self, user: str, folder: str, message_id: str) -> bool:
        """Whether this mail came to this mailbox lately; one without an id never did."""
        at = self._known.get(_key(user, folder, message_id)) if message_id else None
        return at is not None and at > self._oldest()

    def add(self, user: str, folder: str, message_id: str) -> None:
        """Remember a mail."""
        if not self._seconds or not message_id:
            return
        key, now, oldest = _key(user, folder, message_id), self._runtime.now(), self._oldest()
        self._known[key] = now
        self._known.move_to_end(key)
        while len(self._known) > self._most or next(iter(self._known.values())) <= oldest:
            self._known.popitem(last=False)
        if self._database is not None:
            self._new.append((key, now))
            self._write()

    def _write(self) -> None:
        if self._writing is None and self._new:
            rows, self._new = self._new, []
            self._on_the_way = rows
            reactor, oldest = self._runtime.reactor, next(iter(self._known.values()))
            self._writing = deferToThreadPool(reactor, reactor.getThreadPool(), self._insert, rows, oldest)
            self._writing.addBoth(self._written)

    def _insert(self, rows: list[tuple[bytes, float]], oldest: float) -> None:
        with self._lock:
            if self._database is not None:
                with self._database as database:
                    database.execute("delete from delivered where at < ?", (oldest,))
                    database.executemany("insert or replace into delivered values (?, ?)", rows)

    def _written(self, outcome: object) -> None:
        self._writing = None
        self._on_the_way = []
        if isinstance(outcome, Failure):
            log.warn("what was delivered lately is not kept: {why}", why=outcome.getErrorMessage())
        self._write()

    def close(self) -> None:
        """Write what is left, close the database."""
        rows, self._new = self._on_the_way + self._new, []  # whether those have arrived does not matter
        with suppress(sqlite3.Error):
            self._insert(rows, self._oldest())
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None


def _key(user: str, folder: str, message_id: str) -> bytes:
    return blake2b(f"{user}\0{folder}\0{message_id}".encode(), digest_size=16).digest()
