"""Sessions: who is logged on, since when, from where, and what their calls have opened.

A session ends when it logs off, when nothing was heard of it for the time-out, or with the process. Everything
it holds (tables, subscriptions, locks) ends with it. This state belongs to the reactor's thread, but calls in
other threads may look sessions up and add tables.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.mapi.errors import EndOfSession, NotFound, StoreBusy
from gateway.storeserver.accounts import Actor
from gateway.storeserver.tables import Table

MIN_TIMEOUT: Final = 300.0
"""A session lives at least so many seconds after its last call."""
MAX_TABLES: Final = 10_000

# Capabilities
COMPRESSION: Final = 0x1
LARGE_SESSION_ID: Final = 0x10
MULTI_SERVER: Final = 0x40
ENHANCED_ICS: Final = 0x100
UNICODE: Final = 0x200
MESSAGE_LOCKS: Final = 0x400
EXTENDED_ANON: Final = 0x4000
_ALWAYS: Final = 0x8 | 0x80 | 0x800 | 0x1000 | 0x8000
"""CRYPT, LOADPROP_ENTRYID, EXPORT_PROPTAG, IMPERSONATION, GIFN32: what this server can do for everybody."""
_ON_REQUEST: Final = MULTI_SERVER | ENHANCED_ICS | UNICODE | MESSAGE_LOCKS


def granted(asked: int) -> int:
    """The capabilities of the answer to those of a logon."""
    return _ALWAYS | asked & _ON_REQUEST


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection."""

    address: str
    """What a session is bound to: the IP address, or the process at the other end of a local socket."""
    uid: int | None = None
    """User of the process at the other end; None over TCP."""

    @property
    def is_local(self) -> bool:
        """Whether it is a process of this machine."""
        return self.uid is not None or self.address in ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Client:
    """What a client says of itself."""

    version: str = ""
    application: str = ""
    application_version: str = ""
    misc: str = ""


@dataclass(slots=True, eq=False)
class Session:
    """One logon."""

    id: int
    actor: Actor
    user_name: str
    capabilities: int
    """What the client asked for."""
    group: int
    """The session group's id as the client gave it; 0: a group of its own, which hears nothing."""
    peer: Peer
    client: Client
    last_used: float
    closed: bool = False
    compressed: bool = False
    """Whether answers may be compressed."""
    busy: int = 0
    """Calls of it that are running, and polls that are parked."""
    requests: int = 0
    tables: dict[int, Table[Any]] = field(default_factory=dict)
    _table_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def chunked(self) -> bool:
        """Whether its answers travel chunked, as those of a session with streams do."""
        return bool(self.capabilities & ENHANCED_ICS)

    def add_table(self, table: Table[Any]) -> int:
        """Give a table a number (StoreBusy when there are too many)."""
        if len(self.tables) >= MAX_TABLES:
            raise StoreBusy(f"the session has {MAX_TABLES} open tables")
        number = next(self._table_numbers)
        self.tables[number] = table
        return number

    def table(self, number: int) -> Table[Any]:
        """The table of that number (NotFound)."""
        table = self.tables.get(number)
        if table is None:
            raise NotFound("there is no such table")
        return table


class Sessions:
    """All sessions."""

    def __init__(
        self,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        *,
        timeout: float = MIN_TIMEOUT,
        check_address: bool = True,
        limit: int = 20_000,
    ) -> None:
        self._clock = clock
        self._random = random
        self._timeout = timeout
        self._check_address = check_address
        self._limit = limit
        self._by_id: dict[int, Session] = {}
        self.closing: list[Callable[[Session], None]] = []
        """Called with every session that ends."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_id.values()))

    def open(
        self, actor: Actor, user_name: str, capabilities: int, group: int, peer: Peer, client: Client
    ) -> Session:
        """A new session (StoreBusy when there are too many)."""
        if len(self._by_id) >= self._limit:
            raise StoreBusy("too many sessions")
        number = self.new_id(capabilities)
        session = Session(number, actor, user_name, capabilities, group, peer, client, self._clock())
        self._by_id[number] = session
        return session

    def new_id(self, capabilities: int) -> int:
        """An id that no session has: 64 bits, or 32 for old clients; never 0."""
        size = 8 if capabilities & LARGE_SESSION_ID else 4
        while True:
            number = int.from_bytes(self._random(size), "little")
            if number and number not in self._by_id:
                return number

    def find(self, number: int, peer: Peer) -> Session:
        """The session of that id, if it is this peer's (EndOfSession)."""
        session = self._by_id.get(number)
        if session is None or session.closed:
            raise EndOfSession("no such session")
        if self._check_address and session.peer.address != peer.address:
            raise EndOfSession("the session belongs to another address")
        session.last_used = self._clock()
        return session

    def touch(self, session: Session) -> None:
        """Note a sign of life."""
        session.last_used = self._clock()

    def close(self, session: Session) -> None:
        """End a session and everything it holds."""
        if self._by_id.pop(session.id, None) is None:
            return
        session.closed = True
        for closing in self.closing:
            closing(session)
        session.tables.clear()

    def expire(self) -> int:
        """End the sessions that were not used for too long; how many."""
        latest = self._clock() - self._timeout
        expired = [one for one in self._by_id.values() if one.last_used < latest and not one.busy]
        for session in expired:
            self.close(session)
        return len(expired)

    def close_all(self) -> None:
        """End all sessions."""
        for session in list(self._by_id.values()):
            self.close(session)


class Locks:
    """Messages that a session has locked; others may neither read nor change them (setLockState)."""

    def __init__(self) -> None:
        self._holders: dict[bytes, Session] = {}

    def holder(self, entryid: bytes) -> Session | None:
        """Who holds the lock of a message."""
        return self._holders.get(entryid)

    def lock(self, entryid: bytes, session: Session) -> bool:
        """Take the lock; whether that was possible."""
        return not session.closed and self._holders.setdefault(entryid, session) is session

    def unlock(self, entryid: bytes, session: Session) -> bool:
        """Give the lock back; False when it is another session's."""
        if self._holders.get(entryid, session) is not session:
            return False
        self._holders.pop(entryid, None)
        return True

    def forget(self, session: Session) -> None:
        """Free what an ended session held."""
        for entryid in [entryid for entryid, holder in self._holders.items() if holder is session]:
            del self._holders[entryid]
