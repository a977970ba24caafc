"""A session: one user logged on to one store server, for everybody in the process who acts for that user.

A session that the server has forgotten is logged on again, once for all who wait for it, and the call that
found out is repeated, because END_OF_SESSION means that it was not carried out. What belonged to the earlier
session (table ids, subscriptions) is gone then: `Session.epoch` counts the logons.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, TypeVar

from twisted.logger import Logger

from gateway.mapi.errors import ErrorCode, LogonFailed, MapiError, WrongServer, error_of
from gateway.mapiclient.address import Server, parse_server
from gateway.mapiclient.credentials import AnyCredentials
from gateway.mapiclient.errors import BadReply, HandlesLost, SessionLost, TransportError
from gateway.mapiclient.logon import Opened, log_on
from gateway.mapiclient.notify import Notices
from gateway.mapiclient.options import SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.waiting import Shared
from gateway.mapiclient.wire.calls_session import Logoff
from gateway.mapiclient.wire.calls_store import GetStore, GetStoreReply, ResolvePseudoUrl
from gateway.mapiclient.wire.schema import Call

R = TypeVar("R")
log = Logger()


class Identity:
    """Who a user's sessions belong to: his credentials as last proven, and his session group.

    ``logons`` counts successful logons, for those who watch.
    """

    __slots__ = ("application", "credentials", "group", "logons", "options", "pool", "session_on")

    def __init__(
        self,
        pool: Pool,
        credentials: AnyCredentials,
        group: int,
        options: SessionOptions,
        application: str = "",
    ) -> None:
        self.pool = pool
        self.credentials = credentials
        self.group = group
        self.options = options
        self.application = application
        self.logons = 0
        self.session_on: Callable[[Server], Session] = lambda server: Session(self, server)
        """The user's session on a server; replaced by whoever keeps the user's sessions."""

    @property
    def user(self) -> str:
        """The user's name."""
        return self.credentials.user

    async def open(self, server: Server) -> Opened:
        """Log on."""
        opened = await log_on(
            self.pool,
            server,
            self.credentials,
            self.options,
            group=self.group,
            turn=self.user,
            application=self.application,
        )
        self.logons += 1
        return opened


class Session:
    """Makes calls as a user. Not made directly: see `gateway.mapiclient.sessions`.

    ``server`` is where, ``server_guid``, ``capabilities`` and ``version`` are what that server said of itself,
    ``epoch`` is how often the session was logged on (0: not yet).
    """

    def __init__(self, identity: Identity, server: Server) -> None:
        self.identity = identity
        self.user = identity.user
        self.server = server.as_trusted(identity.credentials.trusted)
        self.server_guid = b""
        self.capabilities = 0
        self.version = ""
        self.epoch = 0
        self.notices = Notices(self)
        self._pool = identity.pool
        self._session_id = 0
        self._renewing: Shared[None] | None = None
        self._lost: SessionLost | None = None
        self._own_store: GetStoreReply | None = None
        self._watchers: list[Callable[[], None]] = []

    @property
    def is_lost(self) -> bool:
        """Whether no call will succeed any more."""
        return self._lost is not None

    @property
    def pool(self) -> Pool:
        """The connections it uses."""
        return self._pool

    async def call(self, call: Call[R], *, accept: Container[int] = (), epoch: int | None = None) -> R:
        """Make a call and return its reply.

        A refusal raises its `MapiError` (PARTIAL_COMPLETION too) unless its code is in ``accept``. A call that
        names something of the session, a table say, gives the ``epoch`` it belongs to: HandlesLost is raised
        instead of calling in another. Raises also TransportError, SessionLost, ServerFault.
        """
        if self._own_store is not None and _is_own_store(call):
            return self._own_store  # type: ignore[return-value]
        await self._ready(call, epoch)
        seen = self.epoch
        reply: Any = await self._pool.call(self.server, call, session_id=self._session_id, turn=self.user)
        if reply.er == ErrorCode.END_OF_SESSION:
            await self.renew(seen)
            if epoch is not None or hasattr(call, "table_id"):
                raise HandlesLost("the session was logged on again", server=str(self.server), call=call.name)
            reply = await self._pool.call(self.server, call, session_id=self._session_id, turn=self.user)
            if reply.er == ErrorCode.END_OF_SESSION:
                raise SessionLost(
                    "the session ended as soon as it was logged on", server=str(self.server), call=call.name
                )
        if reply.er and reply.er != ErrorCode.POSITION_CHANGED and reply.er not in accept:
            raise _refusal(call, reply)
        if _is_own_store(call):
            self._own_store = reply
        return reply  # type: ignore[no-any-return]

    async def _ready(self, call: Call[Any], epoch: int | None) -> None:
        if self._lost is not None:
            raise self._lost
        if not self._session_id:
            await self.renew(self.epoch)
        if epoch is not None and epoch != self.epoch:
            raise HandlesLost("the session was logged on again", server=str(self.server), call=call.name)

    # logon

    async def renew(self, seen: int) -> None:
        """Log on unless somebody did since epoch ``seen``. Everybody who asks meanwhile waits for the same logon."""
        if self._lost is not None:
            raise self._lost
        if self.epoch != seen:
            return
        if self._renewing is None:
            self._renewing = Shared(self._log_on(), keep=True, done=self._renewed)
        await self._renewing.wait()

    def _renewed(self) -> None:
        self._renewing = None

    async def _log_on(self) -> None:
        again = self.epoch > 0
        try:
            opened = await self.identity.open(self.server)
        except LogonFailed as refused:
            if not again:
                raise
            self._lost = SessionLost(
                f"the session of {self.user!r} ended and the store refuses a new one", server=str(self.server)
            )
            raise self._lost from refused
        self._session_id = opened.session_id
        self.server_guid = opened.server_guid
        self.capabilities, self.version = opened.capabilities, opened.version
        self._own_store = None
        self.epoch += 1
        if again:
            log.info("{user}: logged on again to {server}", user=self.user, server=str(self.server))
            for watcher in [*self._watchers]:
                watcher()

    def watch(self, renewed: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after every new logon of this session; returns the way to stop that."""
        self._watchers.append(renewed)
        return lambda: self._watchers.remove(renewed) if renewed in self._watchers else None

    def twin(self) -> Session:
        """Another session of the same user and group, not logged on yet: for the long poll."""
        return Session(self.identity, self.server)

    async def close(self) -> None:
        """Log off. Calls that come later raise SessionLost; nothing is raised here."""
        if self._lost is None:
            self._lost = SessionLost(f"the session of {self.user!r} was closed", server=str(self.server))
        await self.notices.close()
        if self._renewing is not None:
            self._renewing.cancel()
        number, self._session_id = self._session_id, 0
        if number:
            try:
                await self._pool.call(self.server, Logoff(), session_id=number, turn=self.user, repeat=True)
            except (MapiError, TransportError):
                return  # the server forgets it by itself

    # other servers

    async def resolve(self, path: str) -> Server:
        """The server of a path that a reply named, ``pseudo://name`` included (MAPI over SOAP, redirects).

        A server reached by TLS may not send us to one without.
        """
        if path.lower().startswith("pseudo:"):
            reply = await self.call(ResolvePseudoUrl(pseudo_url=path))
            if reply.is_peer:
                return self.server
            path = reply.server_path or ""
        try:
            server = parse_server(path).as_trusted(self.server.trusted)
        except ValueError as error:
            raise BadReply(
                f"it names another server that makes no sense: {error}", server=str(self.server)
            ) from error
        if self.server.scheme == "https" and server.scheme == "http":
            raise BadReply(f"it wants the password to go to {server} without TLS", server=str(self.server))
        return server

    async def on_server(self, path: str) -> Session:
        """The same user's session on the server that a `WrongServer` error named (``error.server_path``)."""
        server = await self.resolve(path)
        return self if server == self.server else self.identity.session_on(server)

    async def follow(self, call: Call[R]) -> tuple[Session, R]:
        """Make a call on whichever server has its object; the session it was made with and the reply."""
        session = self
        for _ in range(3):
            try:
                return session, await session.call(call)
            except WrongServer as elsewhere:
                if not elsewhere.server_path:
                    raise
                session = await session.on_server(elsewhere.server_path)
        raise BadReply("the servers send us around in circles", server=str(self.server), call=call.name)

    def __repr__(self) -> str:
        state = "lost" if self.is_lost else f"epoch {self.epoch}"
        return f"<Session of {self.user!r} on {self.server}, {state}>"


def _is_own_store(call: Call[Any]) -> bool:
    """Whether it asks for the user's own store, which does not change while the session lasts."""
    return type(call) is GetStore and call.entryid is None


def _refusal(call: Call[Any], reply: Any) -> MapiError:
    error = error_of(reply.er, call.name) or MapiError(code=reply.er, call=call.name)
    if isinstance(error, WrongServer):
        error.server_path = getattr(reply, "server_path", None) or ""
    return error
