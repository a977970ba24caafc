"""The store as a Twisted service: alone under twistd, or inside another process.

Starting opens the database and the listening sockets; stopping lets running calls finish, ends the parked
polls and closes everything, and what was answered before is safe.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gateway.garbage import collect_seldom
from gateway.listen import Listening
from gateway.mapi.errors import NotFound
from gateway.storeserver import accounts, stores, upkeep
from gateway.storeserver.context import Server
from gateway.storeserver.credentials import Credentials
from gateway.storeserver.database import StoreDatabase, StoreOptions
from gateway.storeserver.directory import DirectoryLock
from gateway.storeserver.httpfactory import HttpFactory
from gateway.storeserver.notifications import Notifier
from gateway.storeserver.options import Options
from gateway.storeserver.sessions import MIN_TIMEOUT, Peer, Sessions
from gateway.storeserver.soap import SoapApplication
from gateway.storeserver.workers import Workers

log: Final = Logger()

SWEEP_EVERY: Final = 5.0
"""Seconds between two looks for expired sessions."""
TIDY_EVERY: Final = 86_400.0
STOP_WITHIN: Final = 10.0
"""Seconds that running calls get to finish."""
GC_THRESHOLDS: Final = (50_000, 20, 100)
SWITCH_EVERY: Final = 0.0005
"""Seconds for which a thread may keep all others waiting, where Python's own idea is ten times as long."""
_CREDENTIALS: Final = struct.Struct("3i")


class StoreService(Service):
    """A store server."""

    name = "store"

    def __init__(self, options: Options, reactor: Any, database_options: StoreOptions | None = None) -> None:
        self.options = options
        self._reactor = reactor
        self._database_options = database_options
        self._factories: list[HttpFactory] = []
        self._listening: list[Listening] = []
        self._sweeper: LoopingCall | None = None
        self._tidier: LoopingCall | None = None
        self._lock: DirectoryLock | None = None
        self.server: Server | None = None
        """What the calls share; None while stopped."""

    @property
    def ports(self) -> list[IListeningPort]:
        """The open listening sockets."""
        return [port for listening in self._listening for port in listening.ports]

    def privilegedStartService(self) -> None:
        """Open the database, then the listening sockets (StoreUnusable, ListenError)."""
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._open()
        for listening in self._listening:
            listening.privilegedStartService()

    def startService(self) -> None:
        """Take calls."""
        super().startService()  # type: ignore[no-untyped-call]
        collect_seldom(GC_THRESHOLDS)
        # Threads that read tables work without a pause; the reactor's thread and short calls are to get their turn.
        sys.setswitchinterval(min(SWITCH_EVERY, sys.getswitchinterval()))
        server = self.server or self._open()
        server.workers.start()
        for listening in self._listening:
            listening.startService()
        self._sweeper = LoopingCall(server.sessions.expire)
        self._sweeper.clock = self._reactor
        self._sweeper.start(SWEEP_EVERY, now=False)
        self._tidier = LoopingCall(self._tidy, server)
        self._tidier.clock = self._reactor
        self._tidier.start(TIDY_EVERY)

    def _tidy(self, server: Server) -> Deferred[None]:
        """Clear away what is past its time; a failure is no reason not to try again tomorrow."""
        done = server.workers.read(upkeep.tidy, server.database)
        return done.addCallbacks(
            lambda tidied: log.info("tidied up: {tidied}", tidied=tidied),
            lambda failure: log.failure("tidying up failed", failure),
        )

    def _open(self) -> Server:
        options, reactor = self.options, self._reactor
        self._lock = DirectoryLock(Path(options.data))
        try:
            database = StoreDatabase(Path(options.data), options=self._database_options)
            _prepare(database, options)
        except BaseException:
            self._lock.release()
            raise
        workers = Workers(reactor, together=database.together, readers=options.readers)
        sessions = Sessions(
            reactor.seconds,
            database.random,
            timeout=max(MIN_TIMEOUT, float(options.session_timeout)),
            check_address=options.check_address,
        )
        credentials = Credentials(database, workers, reactor, options)
        self.server = Server(options, reactor, database, workers, sessions, Notifier(reactor), credentials)
        application = SoapApplication(self.server)
        for address in options.listen:
            limits = options.http(local=address.startswith("unix:"))
            factory = HttpFactory(application, limits, reactor, peer_of, options.connections)
            self._factories.append(factory)
            self._listening.append(Listening("store", (address,), factory, reactor))
        return self.server

    def stopService(self) -> Deferred[None]:
        """Finish what is running, refuse what is new, close everything."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        server, self.server = self.server, None
        if server is None:
            return
        for looping in (self._sweeper, self._tidier):
            if looping is not None and looping.running:
                looping.stop()
        await DeferredList([listening.stopService() for listening in self._listening], consumeErrors=True)
        closing = [factory.close() for factory in self._factories]
        server.sessions.close_all()
        cut = self._reactor.callLater(STOP_WITHIN, self._cut)
        await DeferredList(closing, consumeErrors=True)
        if cut.active():
            cut.cancel()
        self._factories, self._listening = [], []
        await server.workers.stop()
        server.database.close()
        if self._lock is not None:
            self._lock.release()

    def _cut(self) -> None:
        for factory in self._factories:
            factory.abort()


def _prepare(database: StoreDatabase, options: Options) -> None:
    """Make what every store has, and the demo accounts when they are wanted."""
    with database.write() as tx:
        try:
            stores.public_store(tx)
        except NotFound:
            stores.create_public(tx)
    if options.demo:
        from gateway.storeserver import demo

        demo.fill(database)


def peer_of(transport: Any) -> Peer:
    """Who is at the other end of a connection."""
    handle = transport.getHandle()
    if handle.family != socket.AF_UNIX:
        return Peer(str(transport.getPeer().host))
    found = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return Peer(f"process {pid}", uid)


def make_service(
    options: Options, reactor: Any = None, database_options: StoreOptions | None = None
) -> StoreService:
    """A store server that listens and keeps its data as the options say."""
    if reactor is None:
        from twisted.internet import reactor as installed

        reactor = installed
    return StoreService(options, reactor, database_options)


def add_user(
    service: StoreService, name: str, password: str, *, full_name: str = "", email: str = "", admin: int = 0
) -> Deferred[accounts.Account]:
    """Create a user with a store, on a running service."""
    server = service.server
    if server is None:
        raise RuntimeError("the store is not running")
    work: Callable[[], accounts.Account] = lambda: create_user(  # noqa: E731
        server.database, name, password, full_name=full_name, email=email, admin=admin
    )
    return server.workers.write(work)


def create_user(
    database: StoreDatabase, name: str, password: str, *, full_name: str = "", email: str = "", admin: int = 0
) -> accounts.Account:
    """Create a user with a store (Collision when the name is taken). Blocks: call it in a thread."""
    new = accounts.NewAccount(
        name, full_name or name, email or f"{name}@localhost", password, admin_level=admin
    )
    with database.write() as tx:
        account = accounts.create_account(tx, accounts.SYSTEM, new)
        stores.create_private(tx, account)
    return account
