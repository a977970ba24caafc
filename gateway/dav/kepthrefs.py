"""Hrefs of items, on disk: so that a gateway that was started anew can tell what was removed since a client last asked.

The store's change log names a removed item by its source key alone, and a client may have given it another name. One
SQLite file for a process; deleting it costs clients whose tokens lie before a removal a complete listing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import msgspec
from twisted.internet.defer import DeferredLock
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from gateway.mapiclient.waiting import detached

T = TypeVar("T")
#: Source key to href; "" stands for the name that is made of the key. Names that it had before follow, after slashes.
Hrefs: TypeAlias = dict[bytes, str]

#: Raised whenever the table or the blobs change their meaning: older files are started afresh.
VERSION: Final = 1
#: How long (seconds) changes are gathered before they are written.
DELAY: Final = 5.0
#: Items of one folder, those that are gone included; and bytes of all folders.
MOST: Final = 50_000
MOST_BYTES: Final = 256 << 20
_SCHEMA: Final = """
CREATE TABLE folder (key BLOB PRIMARY KEY, used REAL NOT NULL, hrefs BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX by_age ON folder (used);
"""


class HrefFile:
    """The file. All methods block for disk time."""

    log = Logger()

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fresh = self._version() != VERSION
        except sqlite3.DatabaseError as error:
            self.log.warn("{path} is damaged ({error}): it is made anew", path=path, error=error)
            fresh = True
        if fresh:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            with closing(self._connect()) as connection:
                connection.executescript(f"{_SCHEMA}PRAGMA user_version={VERSION};")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _version(self) -> int:
        with closing(self._connect()) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def load(self, key: bytes) -> Hrefs:
        """What is known of a folder."""
        with closing(self._connect()) as connection:
            return _load(connection, key)

    def add(self, key: bytes, there: Mapping[bytes, str]) -> None:
        """Add the items that are there now; of those known before the latest are kept too."""
        with closing(self._connect()) as connection:
            known = _load(connection, key)
            if all(known.get(each) == href for each, href in there.items()):
                return
            gone = [each for each in known if each not in there]
            kept = gone[max(0, len(gone) + len(there) - MOST) :]
            hrefs = {each: known[each] for each in kept} | dict(there)
            blob = msgspec.msgpack.encode(hrefs)
            connection.execute("INSERT OR REPLACE INTO folder VALUES (?, ?, ?)", (key, time.time(), blob))
            _trim(connection)


def _load(connection: sqlite3.Connection, key: bytes) -> Hrefs:
    found = connection.execute("SELECT hrefs FROM folder WHERE key = ?", (key,)).fetchone()
    try:
        return msgspec.msgpack.decode(found[0], type=dict[bytes, str]) if found else {}
    except msgspec.DecodeError:
        return {}


def _trim(connection: sqlite3.Connection) -> None:
    """Have the folders that were not used for longest give way."""
    (size,) = connection.execute("SELECT coalesce(sum(length(hrefs)), 0) FROM folder").fetchone()
    while size > MOST_BYTES:
        oldest = connection.execute("SELECT key, length(hrefs) FROM folder ORDER BY used LIMIT 1").fetchone()
        connection.execute("DELETE FROM folder WHERE key = ?", (oldest[0],))
        size -= oldest[1]


class Named(Protocol):
    """A listing, as far as the names of its items go."""

    def names(self) -> Hrefs:
        """The hrefs of all items that are there and of those that are known to be gone."""


class KeptHrefs:
    """Keeps hrefs while a process runs. In the reactor; the file is used in its threads, by one at a time."""

    log = Logger()

    def __init__(self, reactor: Any, path: Path) -> None:
        self._reactor = reactor
        self._file = HrefFile(path)
        self._lock = DeferredLock()
        self._changed: dict[bytes, Named] = {}
        self._timer: Any = None

    def changed(self, key: bytes, listing: Named) -> None:
        """Items of a folder came, went or got other names."""
        self._changed[key] = listing
        if self._timer is None:
            self._timer = self._reactor.callLater(DELAY, self._due)

    def _due(self) -> None:
        self._timer = None
        detached(self.write(), lambda failure: self.log.failure("hrefs were not kept", failure=failure))

    async def write(self) -> None:
        """Write what changed; what a full disk does not take is not kept."""
        changed, self._changed = self._changed, {}
        try:
            for key, listing in changed.items():
                await self._in_thread(partial(self._file.add, key, listing.names()))
        except sqlite3.Error as error:
            self.log.warn("names of items were not kept: {error}", error=str(error))

    async def load(self, key: bytes) -> Hrefs:
        """What is known of a folder: nothing when the file cannot be read."""
        await self.write()
        try:
            return await self._in_thread(partial(self._file.load, key))
        except sqlite3.Error as error:
            self.log.warn("kept names of items cannot be read: {error}", error=str(error))
            return {}

    async def _in_thread(self, work: Callable[[], T]) -> T:
        await self._lock.acquire()
        try:
            return await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)
        finally:
            self._lock.release()

    async def stop(self) -> None:
        """Write what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.write()
