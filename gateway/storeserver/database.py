"""The store's database: transactions, counters, what is set about a store.

One call of a client is one transaction. Readers see a snapshot (WAL) and never wait; writers take turns, in
the process by a lock and between processes by BEGIN IMMEDIATE. A commit is on disk when `write` returns, so
an answered write survives the end of the process and of the machine (``synchronous=FULL``). Calls that wait for
each other anyway may share one commit (`together`); then it is on disk when the block of `together` ends.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.mapi import times
from gateway.mapi.errors import ErrorCode, StoreBusy
from gateway.storeserver import schema
from gateway.storeserver.attachments import AttachmentFiles
from gateway.storeserver.connections import WAIT_FOR_LOCK, Line, Lines
from gateway.storeserver.directory import ATTACHMENTS, DATABASE, StoreUnusable, unusable
from gateway.storeserver.events import StoreEvent
from gateway.storeserver.statements import Statement

_COUNTERS: Final = tuple(
    column.name for column in schema.server.columns if column.name not in ("id", "version", "guid")
)
_READ_COUNTERS: Final = Statement(sa.select(*[schema.server.columns[name] for name in _COUNTERS]))
_WRITE_COUNTERS: Final = Statement(
    schema.server.update().values({name: sa.bindparam(name) for name in _COUNTERS})
)
_ONE_COUNTER: Final = {name: Statement(sa.select(schema.server.columns[name])) for name in _COUNTERS}


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
    """Largest property value that is kept in the database."""
    content_limit: int = 256 * 1024 * 1024
    """Largest attachment and stored mail."""
    embedded_limit: int = 20
    """Deepest nesting of embedded messages."""
    softdelete_days: int = 30
    sync_days: int = 90
    hide_system: bool = True
    hide_everyone: bool = False
    disabled_features: tuple[str, ...] = ()
    """Features (``imap``, ``pop3``) that a new account does not have."""
    password_time: int = 2
    """Passes of the password hash (argon2id); the defaults are OWASP's. Other hashes are renewed at a logon."""
    password_memory: int = 19 * 1024
    """Memory of the password hash, KiB."""
    quota_warn: int = 0
    quota_soft: int = 0
    quota_hard: int = 0


class TooLong(Exception):
    """What a brief transaction was to do takes long: begin again elsewhere."""


class Transaction:
    """One SQL transaction, with the time it happens at, what it did, and what it has looked up already."""

    def __init__(self, database: StoreDatabase, line: Line, *, writes: bool, brief: bool = False) -> None:
        self.database = database
        self.writes: Final = writes
        self.brief: Final = brief
        """It holds up everything else, so nothing in it may take long."""
        self.options: Final = database.options
        self.server_guid: Final = database.guid
        self.events: Final[list[StoreEvent]] = []
        self.cache: Final[dict[Any, Any]] = {}
        """Rows looked up in this transaction, keyed by whoever put them there."""
        self.exact_now: Final = times.from_unix(database.clock())
        self.now: Final = self.exact_now - self.exact_now % times.TICKS_PER_SECOND
        """FILETIME of this transaction, whole seconds as the store stamps them."""
        self._line = line
        self._execute = line.driver.execute
        self._counters: dict[str, int] | None = None

    @property
    def connection(self) -> Connection:
        """For statements that are made for the occasion: SQLAlchemy's connection, in this transaction."""
        return self._line.alchemy

    def takes_long(self, so: bool) -> None:
        """Give up a brief transaction in which something is going to take more than a millisecond (TooLong)."""
        if so and self.brief:
            raise TooLong

    # -- prepared statements

    def rows(self, statement: Statement, /, **values: Any) -> list[Any]:
        """All rows, each a tuple."""
        found = self._execute(*statement.bound(values)).fetchall()
        return found if statement.convert is None else [statement.convert(row) for row in found]

    def row(self, statement: Statement, /, **values: Any) -> Any:
        """The first row, a tuple; None when there is none."""
        found = self._execute(*statement.bound(values)).fetchone()
        return found if found is None or statement.convert is None else statement.convert(found)

    def value(self, statement: Statement, /, **values: Any) -> Any:
        """The first column of the first row; None when there is none."""
        found = self._execute(*statement.bound(values)).fetchone()
        return None if found is None else found[0]

    def column(self, statement: Statement, /, **values: Any) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self._execute(*statement.bound(values))]

    def run(self, statement: Statement, /, **values: Any) -> int:
        """Change rows; how many."""
        return self._execute(*statement.bound(values)).rowcount

    def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a changing statement once for every row of parameters."""
        if len(rows) == 1:
            self._execute(*statement.bound(rows[0]))
        elif rows:
            self._line.driver.executemany(*statement.bound_many(rows))

    def trace(self, listener: Callable[[str], object] | None) -> None:
        """Have somebody told of every statement on this connection; nobody any more with None."""
        self._line.driver.set_trace_callback(listener)

    # -- numbers

    def take(self, counter: str, count: int = 1) -> int:
        """The first of ``count`` new consecutive numbers of a counter of the `schema.server` table."""
        if not self.writes:
            raise RuntimeError("a reading transaction cannot take numbers")
        counters = self._counters
        if counters is None:
            counters = self._counters = dict(zip(_COUNTERS, self.row(_READ_COUNTERS), strict=True))
        first = counters[counter] + 1
        counters[counter] += count
        return first

    def last(self, counter: str) -> int:
        """The number a counter gave last."""
        if self._counters is not None:
            return self._counters[counter]
        return int(self.value(_ONE_COUNTER[counter]))

    def random(self, size: int) -> bytes:
        """Random bytes."""
        return self.database.random(size)

    def new_guid(self) -> bytes:
        """A random GUID, 16 bytes."""
        return UUID(bytes=self.random(16), version=4).bytes_le

    def flush(self) -> None:
        """Write what the transaction keeps in memory until its commit."""
        if self._counters is not None:
            self.run(_WRITE_COUNTERS, **self._counters)


@dataclass(slots=True)
class _Group:
    """Writing transactions that share one commit."""

    thread: int
    line: Line
    broken: bool = False
    """The database undid all of it."""
    committed: list[Callable[[], None]] = field(default_factory=list)


class StoreDatabase:
    """A directory with the database and the attachment files (StoreUnusable). Safe to use from several threads."""

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
        self.path = directory / DATABASE
        self.files = AttachmentFiles(directory / ATTACHMENTS, durable=self.options.synchronous != "OFF")
        self._lines = Lines(self.path, self.options.synchronous)
        self.write_lock = threading.Lock()
        self._group: _Group | None = None
        self.named_ids: frozenset[int] = frozenset()
        """Property ids known to have a name."""
        self.guid = b""
        try:
            self.guid = self._open()
        except StoreBusy as error:
            self.close()
            if isinstance(error.__cause__, (SQLAlchemyError, sqlite3.DatabaseError)):
                raise unusable(self.path, error.__cause__) from error
            raise
        except BaseException:
            self.close()
            raise

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""
        return self._lines.engine

    def _open(self) -> bytes:
        # Here, because these are modules above this one.
        from gateway.storeserver.accounts import create_builtin
        from gateway.storeserver.stores import create_system

        with self.write() as tx:
            schema.metadata.create_all(tx.connection)
            row = tx.connection.execute(sa.select(schema.server)).mappings().one_or_none()
            if row is None:
                guid = tx.new_guid()
                tx.connection.execute(schema.server.insert(), _first_counters(guid))
                create_builtin(tx)
                create_system(tx)
                return guid
            if row["version"] != schema.VERSION:
                raise StoreUnusable(
                    f"the store database has version {row['version']}, this program needs {schema.VERSION}:"
                    " use the program that made it"
                )
            return bytes(row["guid"])

    @contextmanager
    def read(self, *, brief: bool = False) -> Iterator[Transaction]:
        """A transaction that only reads, on a snapshot."""
        with self._line(writes=False) as line:
            yield Transaction(self, line, writes=False, brief=brief)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write: committed, and on disk, when the block ends; undone when it raises."""
        group = self._group
        if group is not None and group.thread == threading.get_ident():
            with _part_of(group):
                tx = Transaction(self, group.line, writes=True)
                yield tx
                tx.flush()
            return
        with self._turn(), self._line(writes=True) as line:
            tx = Transaction(self, line, writes=True)
            yield tx
            tx.flush()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have this thread's writing transactions share one commit, which is on disk when the block ends.

        Each is still undone alone when it raises. When the commit itself fails (StoreBusy) all of them are undone.
        """
        with self._turn(), self._line(writes=True) as line:
            group = self._group = _Group(threading.get_ident(), line)
            try:
                yield
            finally:
                self._group = None
            if group.broken:
                raise StoreBusy("the database gave up a transaction", code=ErrorCode.DATABASE_ERROR)
        for action in group.committed:
            action()

    def when_committed(self, action: Callable[[], None]) -> None:
        """Do something once what this thread has written is on disk: now, or at the end of `together`."""
        group = self._group
        if group is not None and group.thread == threading.get_ident():
            group.committed.append(action)
        else:
            action()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Among the writers of this process."""
        if not self.write_lock.acquire(timeout=WAIT_FOR_LOCK):
            raise StoreBusy("another call has been writing for too long")
        try:
            yield
        finally:
            self.write_lock.release()

    @contextmanager
    def _line(self, *, writes: bool) -> Iterator[Line]:
        """A connection with a transaction, which ends with the block."""
        try:
            with self._lines.lent() as line:
                line.begin(writes=writes)
                yield line
                line.commit()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreBusy(f"database: {error}", code=ErrorCode.DATABASE_ERROR) from error

    def close(self) -> None:
        """Close all connections. No transaction may be running."""
        self._lines.close()


@contextmanager
def _part_of(group: _Group) -> Iterator[None]:
    """One transaction of several that share a commit."""
    driver = group.line.driver
    if group.broken:
        raise StoreBusy("the database gave up a transaction", code=ErrorCode.DATABASE_ERROR)
    try:
        driver.execute("SAVEPOINT call")
        yield
        driver.execute("RELEASE call")
    except BaseException as error:
        # After some errors the database has undone everything, not just this part.
        if driver.in_transaction:
            driver.execute("ROLLBACK TO call")
            driver.execute("RELEASE call")
        else:
            group.broken = True
        if isinstance(error, (SQLAlchemyError, sqlite3.Error)):
            raise StoreBusy(f"database: {error}", code=ErrorCode.DATABASE_ERROR) from error
        raise


def _first_counters(guid: bytes) -> dict[str, object]:
    # Ids of accounts start above Everyone (1) and SYSTEM (2), named property numbers at 2.
    counters: dict[str, object] = dict.fromkeys(_COUNTERS, 0)
    return counters | {"id": 1, "version": schema.VERSION, "guid": guid, "account": 2, "name": 1}
