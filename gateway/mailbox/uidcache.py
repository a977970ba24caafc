"""The UID cache: what a View knows, on disk, so that the next start need not ask the store for it again.

One SQLite file per process group, in WAL mode. But for save dates it holds nothing that the store does not: deleting
it costs the first SELECT its speed, and messages count as saved when they are next seen. All methods block for disk
time: call them in a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, NamedTuple, ParamSpec, TypeAlias, TypeVar

from twisted.logger import Logger

from gateway.mailbox.savedates import SaveDates
from gateway.mailbox.searchtext import Field, search_text

#: Raised whenever tables or blobs change their meaning: older files are started afresh.
VERSION: Final = 3

_SCHEMA: Final = """
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    sync_id INTEGER NOT NULL,
    change_id INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    uidnext INTEGER NOT NULL,
    messages BLOB NOT NULL
);
CREATE TABLE meta (
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    size INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    body BLOB NOT NULL,
    structure BLOB NOT NULL,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE TABLE words (
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    subject BLOB NOT NULL,
    sender BLOB NOT NULL,
    "to" BLOB NOT NULL,
    cc BLOB NOT NULL,
    bcc BLOB NOT NULL,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
"""
#: What came later, and older programs may leave alone.
_ADDITIONS: Final = """
CREATE TABLE IF NOT EXISTS saved (
    key BLOB PRIMARY KEY,
    dates BLOB NOT NULL
) WITHOUT ROWID;
"""
_BY_UID: Final = ("meta", "words")
_CHUNK: Final = 900


@dataclass(frozen=True, slots=True)
class CachedFolder:
    """A folder as it was when it was last saved."""

    sync_id: int
    change_id: int
    settled: int
    """Up to where nothing can have been missed (`gateway.mailbox.logwindow`)."""
    uidnext: int
    messages: bytes
    """Packed `gateway.mailbox.rows.Rows`."""


class Meta(NamedTuple):
    """What never changes about a message, ready for IMAP."""

    uid: int
    size: int
    """RFC822.SIZE in octets."""
    envelope: bytes
    """ENVELOPE with its parentheses (RFC 9051 7.5.2)."""
    body: bytes
    """BODY without extension data."""
    structure: bytes
    """BODYSTRUCTURE."""


#: A `Meta` as the database gives it: many are read, and few of their names are used.
MetaRow: TypeAlias = tuple[int, int, bytes, bytes, bytes]

P = ParamSpec("P")
T = TypeVar("T")


def _one_at_a_time(method: Callable[Concatenate[UidCache, P], T]) -> Callable[Concatenate[UidCache, P], T]:
    """Have calls of all threads take turns: a connection must not be closed under a call that uses it."""

    @wraps(method)
    def guarded(self: UidCache, /, *args: P.args, **more: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **more)

    return guarded


class UidCache:
    """The file. Safe to use from several threads; after `close` every call raises sqlite3.ProgrammingError."""

    log = Logger()

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._closed = False
        self._prepare()

    def _prepare(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fresh = self._version() != VERSION
            if not fresh:
                self._connection().executescript(_ADDITIONS)
        except sqlite3.DatabaseError as error:
            self.log.warn("UID cache {path} is damaged ({error}): it is made anew", path=self.path, error=error)
            fresh = True
        if fresh:
            self._close_all()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            connection = self._connection()
            connection.executescript(_SCHEMA + _ADDITIONS)
            connection.execute(f"PRAGMA user_version={VERSION}")
            connection.commit()

    def _version(self) -> int:
        (version,) = self._connection().execute("PRAGMA user_version").fetchone()
        return int(version)

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("the UID cache is closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    @_one_at_a_time
    def close(self) -> None:
        """Close every thread's connection, when the call that is under way is over."""
        self._closed = True
        self._close_all()

    def _close_all(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()

    @_one_at_a_time
    def load(self, key: bytes) -> CachedFolder | None:
        """The folder saved under this key."""
        found = (
            self._connection()
            .execute("SELECT sync_id, change_id, settled, uidnext, messages FROM folder WHERE key = ?", (key,))
            .fetchone()
        )
        return CachedFolder(*found) if found else None

    @_one_at_a_time
    def save(self, key: bytes, folder: CachedFolder, gone: Sequence[int] = ()) -> None:
        """Save a folder in place of what was there, and drop what is known of the UIDs that are gone."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO folder (key, sync_id, change_id, settled, uidnext, messages) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET sync_id = excluded.sync_id, change_id = excluded.change_id,"
                " settled = excluded.settled, uidnext = excluded.uidnext, messages = excluded.messages",
                (key, folder.sync_id, folder.change_id, folder.settled, folder.uidnext, folder.messages),
            )
            number = self._number(connection, key)
            for table in _BY_UID:
                connection.executemany(
                    f"DELETE FROM {table} WHERE folder = ? AND uid = ?",  # noqa: S608
                    ((number, uid) for uid in gone),
                )

    @_one_at_a_time
    def forget(self, key: bytes) -> None:
        """Drop everything known of a folder."""
        with self._connection() as connection:
            for table in _BY_UID:
                connection.execute(
                    f"DELETE FROM {table} WHERE folder IN (SELECT id FROM folder WHERE key = ?)",  # noqa: S608
                    (key,),
                )
            connection.execute("DELETE FROM folder WHERE key = ?", (key,))
            connection.execute("DELETE FROM saved WHERE key = ?", (key,))

    @_one_at_a_time
    def uidnext(self, key: bytes) -> int:
        """Higher than any UID that is known to have been in a folder."""
        connection = self._connection()
        found = connection.execute("SELECT uidnext FROM folder WHERE key = ?", (key,)).fetchone()
        return max(found[0] if found else 1, self._save_dates(connection, key).bound)

    @_one_at_a_time
    def save_dates(self, key: bytes) -> SaveDates:
        """The save dates of a folder, as far as they are known."""
        return self._save_dates(self._connection(), key)

    @staticmethod
    def _save_dates(connection: sqlite3.Connection, key: bytes) -> SaveDates:
        found = connection.execute("SELECT dates FROM saved WHERE key = ?", (key,)).fetchone()
        return SaveDates.unpack(found[0]) if found else SaveDates()

    @_one_at_a_time
    def add_save_dates(
        self, key: bytes, dates: SaveDates, there: tuple[Sequence[int], int] | None = None
    ) -> None:
        """Add to the save dates of a folder; ``there``, its UIDs and UIDNEXT, says which are still of use."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")  # others may be adding to the same folder
            known = self._save_dates(connection, key).joined(dates)
            if there is not None:
                known.prune(*there)
            connection.execute("INSERT OR REPLACE INTO saved VALUES (?, ?)", (key, known.pack()))

    @_one_at_a_time
    def metas(self, key: bytes, uids: Sequence[int]) -> dict[int, MetaRow]:
        """What is known of these messages; ascending UIDs make it fast."""
        connection = self._connection()
        number = self._number(connection, key)
        if number is None or not uids:
            return {}
        first, last = min(uids), max(uids)
        if len(uids) > _CHUNK or last - first < 2 * len(uids):
            rows = connection.execute(
                "SELECT uid, size, envelope, body, structure FROM meta WHERE folder = ? AND uid BETWEEN ? AND ?",
                (number, first, last),
            )
            if last - first < len(uids):
                return {row[0]: row for row in rows}
            wanted = set(uids)
            return {row[0]: row for row in rows if row[0] in wanted}
        marks = ",".join("?" * len(uids))
        rows = connection.execute(
            f"SELECT uid, size, envelope, body, structure FROM meta WHERE folder = ? AND uid IN ({marks})",  # noqa: S608
            (number, *uids),
        )
        return {row[0]: row for row in rows}

    @_one_at_a_time
    def add_metas(self, key: bytes, metas: Collection[Meta]) -> None:
        """Remember what never changes of these messages, whether or not their folder was saved before."""
        with self._connection() as connection:
            connection.execute("INSERT OR IGNORE INTO folder VALUES (NULL, ?, 0, 0, 0, 1, x'')", (key,))
            number = self._number(connection, key)
            connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?, ?, ?, ?, ?)", [(number, *meta) for meta in metas]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO words VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(number, meta.uid, *search_text(meta.envelope)) for meta in metas],
            )

    @_one_at_a_time
    def known(self, key: bytes, first: int, last: int) -> int:
        """Of how many messages between two UIDs, both included, `containing` knows the words."""
        connection = self._connection()
        found = connection.execute(
            "SELECT count(*) FROM words WHERE folder = ? AND uid BETWEEN ? AND ?",
            (self._number(connection, key), first, last),
        )
        return int(found.fetchone()[0])

    @_one_at_a_time
    def containing(self, key: bytes, field: Field, text: bytes, first: int, last: int) -> list[tuple[int, int]]:
        """Every message between two UIDs whose words are known: its UID, and whether the field has the text (not 0)."""
        connection = self._connection()
        found = connection.execute(
            f'SELECT uid, instr("{field.value}", ?) FROM words WHERE folder = ? AND uid BETWEEN ? AND ?',  # noqa: S608
            (text, self._number(connection, key), first, last),
        )
        return found.fetchall()

    @staticmethod
    def _number(connection: sqlite3.Connection, key: bytes) -> int | None:
        found = connection.execute("SELECT id FROM folder WHERE key = ?", (key,)).fetchone()
        return int(found[0]) if found else None
