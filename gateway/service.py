"""``twistd gateway``: one process that serves every enabled protocol before one store.

Started in this order and stopped in the reverse one: the embedded store, the connection to the store, the protocols' ports.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python import usage

from gateway import assembly
from gateway.config import Config, ConfigError, load
from gateway.garbage import collect_seldom
from gateway.gate import Census
from gateway.listen import Listening, place_of
from gateway.mailbox.accounts import Accounts
from gateway.mailflow import MailFlow, embedded_socket
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from gateway.process import Process
from gateway.storecommand import tcp_port
from gateway.storeserver.options import Options as StoreOptions
from gateway.storeserver.service import StoreService, make_service
from gateway.tls import CertificateError, Certificates

log: Final = Logger()


class Options(usage.Options):
    """The command line of ``twistd gateway``."""

    synopsis = "twistd [options] gateway --config FILE"
    optParameters = (("config", "c", "/etc/mapi-gateway/gateway.toml", "The configuration file."),)
    optFlags = (("greet", None, "Tell on standard output what to connect to."),)


def makeService(options: Options) -> IService:
    """The service of a command line; a mistake in the configuration ends the program with one clear line."""
    from twisted.internet import reactor

    file = Path(options["config"]).absolute()
    try:
        config = load(file)
    except ConfigError as error:
        raise SystemExit(str(error)) from error
    return Gateway(config, reactor, greet=bool(options["greet"]))


class Gateway(Process):
    """The whole gateway."""

    title = "gateway"

    def __init__(self, config: Config, reactor: Any, *, greet: bool = False) -> None:
        super().__init__(reactor, config.log)
        self.config = config
        self._greet = greet
        self._certificates: Certificates | None = None
        self._store: StoreService | None = None
        self._listening: list[Listening] = []
        self._factories: dict[str, Any] = {}

    def open(self) -> None:
        """Build every part from the configuration and open every port."""
        config, reactor = self.config, self._reactor
        if config.tls.certificate:
            self._certificates = Certificates(config.tls)
        self._pool = Pool(reactor, assembly.pool_options(config))
        server = parse_server(self._open_store() if config.store.embedded else config.store.url)
        self._sessions = Sessions(self._pool, server, assembly.session_options(config))
        self._runtime = assembly.runtime(config, reactor, time.time)
        # Threads use the cache until the reactor has joined them, and that is after this service has stopped.
        reactor.addSystemEventTrigger("after", "shutdown", self._runtime.cache.close)
        self._accounts = Accounts(self._sessions, self._runtime)
        self._flow = MailFlow(
            config,
            self._pool,
            self._accounts,
            self._runtime,
            assembly.session_options(config),
            self._certificates,
            assembly.hostname_of(config),
        )
        self._factories = assembly.heads(
            config,
            self._accounts,
            self._sessions,
            reactor,
            self._certificates,
            time.time,
            self._flow.dav,
            self._flow.trusted,
        )
        self._factories |= self._flow.factories
        self._listen()

    def _open_store(self) -> str:
        """Open the embedded store; its URL."""
        options: StoreOptions = self.config.embedded
        if not any(text.rpartition(":")[2].isdigit() for text in options.listen):
            options = msgspec.structs.replace(options, listen=(*options.listen, "127.0.0.1:0"))
        if socket := embedded_socket(self.config):
            options = msgspec.structs.replace(options, listen=(*options.listen, socket))
        self._store = make_service(options, self._reactor)
        self._store.privilegedStartService()
        return f"http://127.0.0.1:{tcp_port(self._store)}/"

    def _listen(self) -> None:
        """Open the ports of every protocol."""
        config, reactor, certificates = self.config, self._reactor, self._certificates
        census = Census(config.limits.connections, config.limits.connections_per_address)
        for name, factory in self._factories.items():
            section = getattr(config, name)
            self._open_ports(
                name, section.listen, assembly.gate(name, factory, config, census, reactor, clear=True)
            )
            if certificates is not None:
                wrapped = TLSMemoryBIOFactory(certificates, False, factory)
                tls_gate = assembly.gate(name, wrapped, config, census, reactor, clear=False)
                self._open_ports(f"{name}s", section.tls_listen, tls_gate)
            elif section.tls_listen:
                log.info("{name}s listens nowhere: there is no [tls] certificate", name=name)

    def _open_ports(self, name: str, texts: tuple[str, ...], factory: Any) -> None:
        """Open the ports of one protocol in one manner."""
        listening = Listening(name, texts, factory, self._reactor)
        listening.privilegedStartService()
        self._listening.append(listening)

    def startService(self) -> None:
        """Let the embedded store take calls."""
        if self._store is not None:
            self._store.startService()
        self._flow.start()
        super().startService()

    def ready(self) -> None:
        """The reactor runs."""
        super().ready()
        collect_seldom()
        if self._greet:
            print(self._greeting(), file=sys.__stdout__, flush=True)

    def reload(self) -> None:
        """Read the certificates again and go on in a new log file (SIGHUP)."""
        super().reload()
        if self._certificates is not None:
            try:
                self._certificates.reload()
            except CertificateError as error:
                log.error("the certificates stay as they are: {error}", error=str(error))
            else:
                log.info("the certificates were read again")

    def _greeting(self) -> str:
        """What to connect to."""
        lines = [
            f"  {each.name:<11} {', '.join(map(place_of, each.ports))}"
            for each in self._listening
            if each.ports
        ]
        if self._store is not None:
            lines.append(f"  {'store':<11} http://127.0.0.1:{tcp_port(self._store)}/")
        accounts = "User demo, password demo; and demo2, password demo2. " if self.config.embedded.demo else ""
        return "\n".join(("", "Ready. Connect to", *lines, f"{accounts}Ctrl-C stops everything.", ""))

    def stopService(self) -> Deferred[None]:
        """Take no more clients, say goodbye to those that are there, log off, stop the store."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """Stop stage after stage."""
        await self.bounded(*(listening.stopService for listening in self._listening))
        await self.bounded(*(factory.shut_down for factory in self._factories.values()))
        await self.bounded(lambda: Deferred.fromCoroutine(self._flow.stop()))
        await self.bounded(self._accounts.close)
        await self.bounded(self._sessions.close)
        await self.bounded(self._pool.close)
        if self._store is not None:
            await self.bounded(self._store.stopService)
