"""Sessions of users, leased to everybody who proves that he is the user.

There is one session per user, whichever protocols and connections act for him, and a lease of it is given only
to who shows credentials that the store accepted within the last minutes. Logging in again with the same
password costs nothing; another password asks the store; a wrong one is answered late (`throttle`).
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway.mapi.errors import LogonFailed, NotFound, WrongServer
from gateway.mapiclient.address import Server, parse_server
from gateway.mapiclient.credentials import AnyCredentials, Credentials, Token, Trusted, digest, is_plausible
from gateway.mapiclient.errors import BadReply, PoolClosed, TooManyFailures
from gateway.mapiclient.logon import log_on
from gateway.mapiclient.options import SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.session import Identity, Session
from gateway.mapiclient.throttle import Throttle, address_key
from gateway.mapiclient.waiting import Shared, detached, pause
from gateway.mapiclient.wire.calls_store import GetStore

__all__ = ["Credentials", "Lease", "Sessions", "Token", "Trusted"]
#: So many different proofs are remembered for a user (his password, his token of today and of yesterday).
_MOST_PROOFS: Final = 8


@dataclass(slots=True)
class SessionCounters:
    """What has happened since the start."""

    leases: int = 0
    logons: int = 0
    proofs: int = 0
    refused: int = 0
    logoffs: int = 0


class Lease:
    """A share in a user's session; `release` it. Also a context manager."""

    __slots__ = ("_home", "session")

    def __init__(self, home: _Home) -> None:
        self._home: _Home | None = home
        self.session = home.session

    @property
    def user(self) -> str:
        """The user's name."""
        return self.session.user

    def release(self) -> None:
        """The session is not needed any more. Releasing twice does no harm."""
        home, self._home = self._home, None
        if home is not None:
            home.released()

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.release()


class _Home:
    """A user's sessions: one on his home server, others where he looks into other people's stores."""

    def __init__(self, sessions: Sessions, session: Session) -> None:
        self._sessions = sessions
        self.session = session
        self.elsewhere: dict[Server, Session] = {}
        self.leases = 0
        self.proofs: OrderedDict[bytes, float] = OrderedDict()
        self._idle: IDelayedCall | None = None
        session.identity.session_on = self.session_on

    def session_on(self, server: Server) -> Session:
        """The user's session on a server."""
        if server == self.session.server:
            return self.session
        session = self.elsewhere.get(server)
        if session is None or session.is_lost:
            session = self.elsewhere[server] = Session(self.session.identity, server)
        return session

    def prove(self, credentials: AnyCredentials, proof: bytes, now: float) -> None:
        """The store accepted the credentials just now."""
        self.proofs[proof] = now
        self.proofs.move_to_end(proof)
        if len(self.proofs) > _MOST_PROOFS:
            self.proofs.popitem(last=False)
        if not credentials.trusted:
            self.session.identity.credentials = credentials

    def lease(self) -> Lease:
        """One more share."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self.leases += 1
        return Lease(self)

    def released(self) -> None:
        """One share less; after the last one the idle time begins."""
        self.leases -= 1
        if not self.leases:
            self.wait_idle()

    def wait_idle(self) -> None:
        """Log off when nobody has come after the idle time."""
        self._idle = self._sessions.clock.callLater(self._sessions.options.idle_seconds, self._expired)

    def _expired(self) -> None:
        self._idle = None
        self._sessions.forget(self)

    async def close(self) -> None:
        """Log off everywhere."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        for session in (self.session, *self.elsewhere.values()):
            await session.close()


class Sessions:
    """All sessions of the process. ``server`` is where users log on first: a `Server` or its URL."""

    def __init__(
        self,
        pool: Pool,
        server: Server | str,
        options: SessionOptions | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        self.pool: Final = pool
        self.server: Final = parse_server(server) if isinstance(server, str) else server
        self.options: Final = options or SessionOptions()
        self.clock: Final[Any] = clock or pool.reactor
        self.counters: Final = SessionCounters()
        self._salt = secrets.token_bytes(16)
        self._homes: dict[str, _Home] = {}
        self._proving: dict[tuple[str, bytes], Shared[_Home]] = {}
        self._refused: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        self._throttle = Throttle(self.options.throttle)
        self._waiting: dict[str, int] = {}
        self._closed = False

    async def lease(self, credentials: AnyCredentials, *, application: str = "", address: str = "") -> Lease:
        """A share in the user's session.

        ``application`` ("imap") is what the store shows administrators, ``address`` the client's, for slowing
        down guesses. Raises LogonFailed (late), TooManyFailures, TransportError.
        """
        if self._closed:
            raise PoolClosed("the sessions are closed", server=str(self.server))
        home = self._homes.get(credentials.user)
        proof = digest(credentials, self._salt)
        if home is None or home.session.is_lost or not self._is_proven(home, credentials, proof):
            home = await self._asked(credentials, proof, application, address)
        self.counters.leases += 1
        return home.lease()

    def share(self, session: Session) -> Lease | None:
        """One more lease for somebody who has one; None when the session is not the user's any more."""
        home = self._homes.get(session.user)
        if self._closed or home is None or home.session is not session or session.is_lost:
            return None
        return home.lease()

    def _is_proven(self, home: _Home, credentials: AnyCredentials, proof: bytes) -> bool:
        if credentials.trusted:
            return True
        at: float | None = home.proofs.get(proof)
        return at is not None and bool(self.clock.seconds() - at < self.options.proof_seconds)

    # asking the store

    async def _asked(self, credentials: AnyCredentials, proof: bytes, application: str, address: str) -> _Home:
        """Ask the store, slowly where guesses were made before; a refusal is told slowly."""
        place = address_key(address)
        if place and self._waiting.get(place, 0) >= self.options.throttle.waiting:
            raise TooManyFailures(f"too many logins from {address} are waiting", server=str(self.server))
        self._waiting[place] = self._waiting.get(place, 0) + 1
        try:
            return await self._asked_slowly(credentials, proof, application, address)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]

    async def _asked_slowly(
        self, credentials: AnyCredentials, proof: bytes, application: str, address: str
    ) -> _Home:
        user, seconds, throttle = credentials.user, self.clock.seconds, self._throttle
        wait = 0.0 if credentials.trusted else throttle.before(user, address, seconds())
        if wait:
            await pause(self.clock, wait)
        try:
            home = await self._one_asks(credentials, proof, application)
        except LogonFailed:
            self.counters.refused += 1
            await pause(self.clock, throttle.failed(user, address, seconds()))
            raise
        throttle.passed(address, seconds())
        return home

    def _one_asks(self, credentials: AnyCredentials, proof: bytes, application: str) -> Deferred[_Home]:
        """Ask the store once for all who show the same credentials at the same time."""
        key = credentials.user, proof
        if not is_plausible(credentials) or self.clock.seconds() < self._refused.get(key, 0.0):
            raise LogonFailed(f"the store refused user {credentials.user!r}", call="logon")
        asking = self._proving.get(key)
        if asking is None:
            asking = self._proving[key] = Shared(
                self._proven(credentials, proof, application),
                done=lambda: self._proving.pop(key, None),
            )
        return asking.wait()

    def _remember_refusal(self, key: tuple[str, bytes]) -> None:
        self._refused[key] = self.clock.seconds() + self.options.throttle.refused_seconds
        self._refused.move_to_end(key)
        while len(self._refused) > self.options.throttle.remembered:
            self._refused.popitem(last=False)

    async def _proven(self, credentials: AnyCredentials, proof: bytes, application: str) -> _Home:
        home = self._homes.get(credentials.user)
        try:
            if home is None or home.session.is_lost:
                home = await self._open(credentials, application)
            elif not credentials.trusted:
                await self._ask_whether(credentials)
        except LogonFailed:
            self._remember_refusal((credentials.user, proof))
            if home is not None:
                home.proofs.pop(proof, None)
            raise
        home.prove(credentials, proof, self.clock.seconds())
        return home

    async def _ask_whether(self, credentials: AnyCredentials) -> None:
        """Ask the store about credentials of a user whose session there is already."""
        self.counters.proofs += 1
        turn = f"logon of {credentials.user}"
        await log_on(self.pool, self.server, credentials, self.options, proof_only=True, turn=turn)

    async def _open(self, credentials: AnyCredentials, application: str) -> _Home:
        """Log the user on where his store is; the first of several who do so at the same time wins."""
        group = secrets.randbits(63) | 1
        identity = Identity(self.pool, credentials, group, self.options, application)
        session = await self._at_home(Session(identity, self.server))
        other = self._homes.get(credentials.user)
        if other is not None and not other.session.is_lost:
            detached(session.close())
            return other
        if other is not None:
            detached(other.close())
        self.counters.logons += 1
        home = self._homes[credentials.user] = _Home(self, session)
        home.wait_idle()
        return home

    async def _at_home(self, session: Session) -> Session:
        """Log on and go where the servers send us (multi-server installations)."""
        for _ in range(4):
            try:
                await session.renew(0)
                await session.call(GetStore())
                return session
            except NotFound:
                return session  # a user without a store: an administrator, say
            except WrongServer as elsewhere:
                server = await session.resolve(elsewhere.server_path)
                detached(session.close())
                session = Session(session.identity, server)
            except BaseException:
                detached(session.close())
                raise
        raise BadReply("the servers send us around in circles", server=str(session.server), call="getStore")

    # the end

    def forget(self, home: _Home) -> None:
        """Nobody has used a user's sessions for a while: log off."""
        if self._homes.get(home.session.user) is home:
            del self._homes[home.session.user]
        self.counters.logoffs += 1
        detached(home.close())

    async def close(self, seconds: float = 5.0) -> None:
        """Log everybody off, at most that long; leases become useless."""
        self._closed = True
        for asking in [*self._proving.values()]:
            asking.cancel()
        homes, self._homes = self._homes, {}
        closing = DeferredList([detached(home.close()) for home in homes.values()])
        closing.addTimeout(seconds, self.clock, lambda _, __: None)
        await closing

    def __len__(self) -> int:
        return len(self._homes)

    def __repr__(self) -> str:
        leased = sum(home.leases for home in self._homes.values())
        return f"<Sessions: {len(self._homes)} users, {leased} leases, {len(self._proving)} logging on>"
