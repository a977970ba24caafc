"""What an answer to a call works with: the server's shared parts, the session, the transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mapi.changes import ChangeClass
from gateway.mapi.errors import InvalidParameter, NoAccess
from gateway.mapi.notices import TableNotice
from gateway.storeserver import locate
from gateway.storeserver.accounts import Actor
from gateway.storeserver.credentials import Credentials
from gateway.storeserver.database import StoreDatabase, Transaction
from gateway.storeserver.events import ChangeEvent, StoreEvent
from gateway.storeserver.notifications import Notifier
from gateway.storeserver.options import Options
from gateway.storeserver.sessions import Locks, Peer, Session, Sessions
from gateway.storeserver.spool import IN_MEMORY
from gateway.storeserver.tableindex import Interest, TableIndex
from gateway.storeserver.tables import Table
from gateway.storeserver.workers import Workers

T = TypeVar("T")
log: Final = Logger()

NOTE_EVERY: Final = 60.0
"""Seconds between two notes of a user's logon."""


class Server:
    """What all calls share."""

    def __init__(
        self,
        options: Options,
        reactor: Any,
        database: StoreDatabase,
        workers: Workers,
        sessions: Sessions,
        notifier: Notifier,
        credentials: Credentials,
    ) -> None:
        self.options = options
        self.reactor = reactor
        self.database = database
        self.workers = workers
        self.sessions = sessions
        self.notifier = notifier
        self.credentials = credentials
        self.tables = TableIndex()
        self.answered = 0
        """Calls answered since the start."""
        self.locks = Locks()
        self._refreshing: dict[Table[Any], bool] = {}
        self._noted: dict[tuple[int, bool], float] = {}
        sessions.closing.append(self._end_session)

    def _end_session(self, session: Session) -> None:
        """Free what an ended session held."""
        self.notifier.leave(session)
        self.locks.forget(session)
        for table in list(session.tables.values()):
            self.tables.remove(table)

    def end_sessions_of(self, user_id: int) -> None:
        """End every session of a user who is no more."""
        for session in self.sessions:
            if session.actor.user_id == user_id:
                self.sessions.close(session)

    def transact(
        self, session: Session, work: Callable[[Context], T], *, writes: bool, brief: bool = False
    ) -> T:
        """Do work in a transaction; tell everybody about it when it is committed.

        ``brief`` reading work, which is done in the reactor's thread, raises `TooLong` if it is not brief after all.
        """
        since = self.tables.published
        with self.database.write() if writes else self.database.read(brief=brief) as tx:
            context = Context(self, session, tx, since)
            result = work(context)
            ancestors = self._ancestors(tx)
        if tx.events or context.after:
            # Not left to whoever waits for this thread: that wait is cancelled when the client leaves.
            committed = partial(self._committed, tx.events, ancestors, context.after)
            self.database.when_committed(partial(self.workers.in_reactor, committed))
        return result

    def _ancestors(self, tx: Transaction) -> dict[int, list[int]]:
        """The folders above changed folders, if somebody follows a hierarchy."""
        folders = {
            event.folder_id
            for event in tx.events
            if isinstance(event, ChangeEvent) and event.change_type & ChangeClass.FOLDER
        }
        if not folders or not self.notifier.follows_hierarchies:
            return {}
        return {folder: locate.ancestors(tx, folder) for folder in folders}

    def _committed(
        self,
        events: Sequence[StoreEvent],
        ancestors: Mapping[int, Sequence[int]],
        after: Sequence[Callable[[], None]],
    ) -> None:
        """In the reactor's thread: do what the answer left for later, and publish the events."""
        for action in after:
            try:
                action()
            except Exception:
                log.failure("work after a call failed")
        if events:
            touched = self.tables.publish(events)
            self.notifier.publish(events, ancestors)
            for table in touched:
                if self.notifier.is_watched(table):
                    self.refresh(table)

    def in_writer(self, session: Session, work: Callable[[Context], T]) -> Deferred[T]:
        """Do work in a transaction of its own, in the writer's thread."""
        return self.workers.write(partial(self.transact, session, work, writes=True))

    def in_background(self, session: Session, work: Callable[[Context], object]) -> None:
        """Have the writer do something for a session that nobody waits for."""
        self.in_writer(session, work).addErrback(lambda failure: log.failure("background work failed", failure))

    def note_logon(self, user_id: int, *, logoff: bool) -> bool:
        """Whether a logon or logoff is to be written down: not more often than every minute."""
        now = self.reactor.seconds()
        key = (user_id, logoff)
        if now - self._noted.get(key, -NOTE_EVERY) < NOTE_EVERY:
            return False
        self._noted[key] = now
        return True

    def reload(self, interests: Sequence[Interest]) -> None:
        """Have the tables of these interests look at everything again."""
        for table in self.tables.reload(interests):
            if self.notifier.is_watched(table):
                self.refresh(table)

    def refresh(self, table: Table[Any]) -> None:
        """Have a watched table read what changed, and tell its subscribers; one reader per table at a time."""
        if table in self._refreshing:
            self._refreshing[table] = True
            return
        self._refreshing[table] = False
        self.workers.read(self._refresh, table).addCallbacks(
            lambda notices: self._refreshed(table, notices),
            lambda failure: self._refresh_failed(table, failure),
        )

    def _refresh(self, table: Table[Any]) -> list[TableNotice]:
        with table.lock, self.database.read() as tx:
            return table.refresh(tx)

    def _refreshed(self, table: Table[Any], notices: Sequence[TableNotice]) -> None:
        self.notifier.publish_table(table, notices)
        if self._refreshing.pop(table) and self.notifier.is_watched(table):
            self.refresh(table)

    def _refresh_failed(self, table: Table[Any], failure: Failure) -> None:
        self._refreshing.pop(table)
        log.failure("a table could not follow its changes", failure)


@dataclass(slots=True)
class Quick:
    """A call that is answered in the reactor's thread, without the database. ``session`` is that of the call."""

    server: Server
    session: Session
    peer: Peer


@dataclass(slots=True)
class Anonymous:
    """A call without a session: a logon."""

    server: Server
    session_id: int
    peer: Peer


@dataclass(slots=True)
class Context:
    """A call that works on the database, in a thread."""

    server: Server
    session: Session
    tx: Transaction
    since: int
    """`TableIndex.published` before the transaction began."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """What the reactor's thread is to do once the transaction is committed."""
    files: list[IO[bytes]] = field(default_factory=list)
    """Files that the reply is read from; closed when it has been encoded."""

    @property
    def actor(self) -> Actor:
        """On whose behalf the call is made."""
        return self.session.actor

    def file(self) -> IO[bytes]:
        """A temporary file that lives as long as the call."""
        file = SpooledTemporaryFile(IN_MEMORY, prefix="gateway-store-")  # noqa: SIM115
        self.files.append(file)
        return file

    def require_system(self) -> None:
        """NoAccess unless the session belongs to a system administrator."""
        if not self.actor.is_system and self.actor.admin_level < 2:
            raise NoAccess("only a system administrator may do this")

    def require_unlocked(self, entryid: bytes) -> None:
        """NoAccess when another session has locked the message."""
        if entryid and self.server.locks.holder(locate.plain(entryid)) not in (None, self.session):
            raise NoAccess("another session has locked the message")

    def close_table(self, number: int, table: Table[Any]) -> None:
        """Take a table out of the session."""
        self.session.tables.pop(number, None)
        self.server.tables.remove(table)


def required(value: T | None, name: str) -> T:
    """The value of an argument that must not be absent (InvalidParameter)."""
    if value is None:
        raise InvalidParameter(f"{name} is missing")
    return value


def entryid_of(entryid: bytes) -> bytes:
    """An entry id that must not be empty (InvalidParameter)."""
    if not entryid:
        raise InvalidParameter("an empty entry id")
    return entryid
