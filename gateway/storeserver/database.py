"""The store's database: engine, transactions, counters.

One call of a client is one transaction. Readers see a snapshot (WAL) and never wait; writers take turns, in
the process by a lock and between processes by BEGIN IMMEDIATE. A commit is on disk when `write` returns, so
an answered write survives the end of the process and of the machine (``synchronous=FULL``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from gateway.mapi import times
from gateway.mapi.errors import ErrorCode, StoreBusy
from gateway.storeserver import schema
from gateway.storeserver.attachments import AttachmentFiles
from gateway.storeserver.events import StoreEvent

_WAIT_FOR_LOCK: Final = 30.0
"""Seconds a writer waits for another one."""
_CONNECTIONS: Final = 16
_READ_COUNTERS: Final = sa.select(schema.server).with_for_update()
_COUNTERS: Final = tuple(
    column.name for column in schema.server.columns if column.name not in ("id", "version", "guid")
)


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What can be set about a store; sizes in bytes."""

    name: str = "Unknown"
    """Name of the server in ``pseudo://name`` paths."""
    synchronous: str = "FULL"
    """SQLite's word for how often it waits for the disk; OFF only for tests."""
    inline_limit: int = 32 * 1024
    """Attachment data and stored mails from this size on become files."""
    value_limit: int = 64 * 1024 * 1024
    """Largest single property value."""
    embedded_limit: int = 20
    """Deepest nesting of embedded messages."""
    softdelete_days: int = 30
    sync_days: int = 90
    hide_system: bool = True
    hide_everyone: bool = False
    disabled_features: tuple[str, ...] = ()
    """Features (``imap``, ``pop3``) that a new account does not have."""
    password_time: int = 3
    """Passes of the password hash (argon2id)."""
    password_memory: int = 64 * 1024
    """Memory of the password hash, KiB."""
    quota_warn: int = 0
    quota_soft: int = 0
    quota_hard: int = 0


class Transaction:
    """One SQL transaction, with the time it happens at, what it did, and what it has looked up already."""

    def __init__(self, database: StoreDatabase, connection: Connection, *, writes: bool) -> None:
        self.database = database
        self.connection: Final = connection
        self.writes: Final = writes
        self.options: Final = database.options
        self.server_guid: Final = database.guid
        self.events: Final[list[StoreEvent]] = []
        self.cache: Final[dict[Any, Any]] = {}
        """Rows looked up in this transaction, keyed by whoever put them there."""
        self.exact_now: Final = times.from_unix(database.clock())
        self.now: Final = self.exact_now - self.exact_now % times.TICKS_PER_SECOND
        """FILETIME of this transaction, whole seconds as the store stamps them."""
        self._counters: dict[str, int] | None = None

    def take(self, counter: str, count: int = 1) -> int:
        """The first of ``count`` new consecutive numbers of a counter of the `schema.server` table."""
        if not self.writes:
            raise RuntimeError("a reading transaction cannot take numbers")
        counters = self._load_counters()
        first = counters[counter] + 1
        counters[counter] += count
        return first

    def last(self, counter: str) -> int:
        """The number a counter gave last."""
        if self._counters is not None:
            return self._counters[counter]
        value = self.connection.execute(sa.select(schema.server.columns[counter])).scalar_one()
        return int(value)

    def random(self, size: int) -> bytes:
        """Random bytes."""
        return self.database.random(size)

    def new_guid(self) -> bytes:
        """A random GUID, 16 bytes."""
        return UUID(bytes=self.random(16), version=4).bytes_le

    def _load_counters(self) -> dict[str, int]:
        if self._counters is None:
            row = self.connection.execute(_READ_COUNTERS).mappings().one()
            self._counters = {name: row[name] for name in _COUNTERS}
        return self._counters

    def flush(self) -> None:
        """Write what the transaction keeps in memory until its commit."""
        if self._counters is not None:
            self.connection.execute(_WRITE_COUNTERS, self._counters)


_WRITE_COUNTERS: Final = schema.server.update().values({name: sa.bindparam(name) for name in _COUNTERS})


class StoreDatabase:
    """A directory with the database and the attachment files. Safe to use from several threads."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
        options: StoreOptions | None = None,
    ) -> None:
        self.clock = clock
        self.random = random
        self.options = options or StoreOptions()
        directory.mkdir(parents=True, exist_ok=True)
        self.files = AttachmentFiles(directory / "attachments", durable=self.options.synchronous != "OFF")
        self.engine = _engine(directory / "store.db", self.options.synchronous)
        self.write_lock = threading.Lock()
        self.named_ids: frozenset[int] = frozenset()
        """Property ids known to have a name."""
        self.guid = b""
        self.guid = self._open()

    def _open(self) -> bytes:
        # Here, because these are modules above this one.
        from gateway.storeserver.accounts import create_builtin
        from gateway.storeserver.stores import create_system

        with self._transaction(writes=True) as tx:
            schema.metadata.create_all(tx.connection)
            row = tx.connection.execute(sa.select(schema.server)).mappings().one_or_none()
            if row is None:
                guid = tx.new_guid()
                tx.connection.execute(schema.server.insert(), _first_counters(guid))
                create_builtin(tx)
                create_system(tx)
                return guid
            if row["version"] != schema.VERSION:
                raise RuntimeError(
                    f"the store database has version {row['version']}, this program needs {schema.VERSION}"
                )
            return bytes(row["guid"])

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads, on a snapshot."""
        with self._transaction(writes=False) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write: committed, and on disk, when the block ends; undone when it raises."""
        if not self.write_lock.acquire(timeout=_WAIT_FOR_LOCK):
            raise StoreBusy("another call has been writing for too long")
        try:
            with self._transaction(writes=True) as tx:
                yield tx
        finally:
            self.write_lock.release()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Transaction]:
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(store_writes=writes)
                with connection.begin():
                    tx = Transaction(self, connection, writes=writes)
                    yield tx
                    tx.flush()
        except SQLAlchemyError as error:
            raise StoreBusy(f"database: {error}", code=ErrorCode.DATABASE_ERROR) from error

    def close(self) -> None:
        """Close all connections. No transaction may be running."""
        self.engine.dispose()


def _first_counters(guid: bytes) -> dict[str, object]:
    # Ids of accounts start above Everyone (1) and SYSTEM (2), named property numbers at 2.
    counters: dict[str, object] = dict.fromkeys(_COUNTERS, 0)
    return counters | {"id": 1, "version": schema.VERSION, "guid": guid, "account": 2, "name": 1}


def _engine(path: Path, synchronous: str) -> Engine:
    if synchronous not in ("FULL", "NORMAL", "OFF", "EXTRA"):
        raise ValueError(f"synchronous cannot be {synchronous!r}; use FULL, NORMAL or OFF")
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_WAIT_FOR_LOCK,
        connect_args={"timeout": _WAIT_FOR_LOCK, "check_same_thread": False},
    )

    def configure(connection: Any, _: object) -> None:
        # The driver's own idea of transactions would begin them too late; `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "cache_size=-32768",
            "mmap_size=268435456",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("store_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", begin)
    return engine
