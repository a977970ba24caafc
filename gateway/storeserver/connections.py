"""Connections to the database, kept open and lent to one transaction at a time.

A connection is SQLAlchemy's with the driver's below it; both speak in the same transaction. Transactions are begun
and ended with the driver: the driver's own idea of them would begin them too late, SQLAlchemy's costs more than
most statements do.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, create_engine, event

from gateway.mapi.errors import StoreBusy
from gateway.storeserver import likely

WAIT_FOR_LOCK: Final = 30.0
"""Seconds a writer waits for another one."""
_CONNECTIONS: Final = 16
_SYNCHRONOUS: Final = ("FULL", "NORMAL", "OFF", "EXTRA")


class Line:
    """One connection."""

    __slots__ = ("alchemy", "driver")

    def __init__(self, engine: Engine) -> None:
        self.alchemy: Final[Connection] = engine.connect()
        self.driver: Final = cast("sqlite3.Connection", self.alchemy.connection.driver_connection)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open. A full disk, for one, may have ended it already."""
        return self.driver.in_transaction

    def begin(self, *, writes: bool) -> None:
        """Begin: to read a snapshot, or as the only writer."""
        self.driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def commit(self) -> None:
        """End the transaction, with what was written on disk."""
        self.driver.execute("COMMIT")
        if self.alchemy.in_transaction():
            self.alchemy.commit()

    def rollback(self) -> None:
        """End the transaction with nothing done."""
        if self.driver.in_transaction:
            self.driver.execute("ROLLBACK")
        if self.alchemy.in_transaction():
            self.alchemy.rollback()

    def close(self) -> None:
        """End the connection."""
        self.alchemy.close()


class Lines:
    """All connections to one database. May be used from several threads."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.engine: Final = _engine(path, synchronous)
        self._idle: deque[Line] = deque()
        self._free = threading.BoundedSemaphore(_CONNECTIONS)

    @contextmanager
    def lent(self) -> Iterator[Line]:
        """A connection for one transaction, which is undone unless it was committed."""
        line = self._take()
        try:
            yield line
        finally:
            try:
                line.rollback()
            finally:
                self._idle.append(line)
                self._free.release()

    def _take(self) -> Line:
        """A connection that nobody uses (StoreBusy when there is none for too long)."""
        if not self._free.acquire(timeout=WAIT_FOR_LOCK):
            raise StoreBusy("all connections to the database have been in use for too long")
        try:
            with suppress(IndexError):
                return self._idle.pop()
            return Line(self.engine)
        except BaseException:
            self._free.release()
            raise

    def close(self) -> None:
        """Close all that are given back."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def _engine(path: Path, synchronous: str) -> Engine:
    if synchronous not in _SYNCHRONOUS:
        raise ValueError(f"synchronous cannot be {synchronous!r}; use FULL, NORMAL or OFF")
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=_CONNECTIONS,
        max_overflow=0,
        connect_args={"timeout": WAIT_FOR_LOCK, "check_same_thread": False, "cached_statements": 512},
    )

    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.create_function(likely.FUNCTION, 2, likely.may_contain, deterministic=True)
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

    event.listen(engine, "connect", configure)
    return engine
