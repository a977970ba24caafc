"""``twistd gateway-store``: the embedded store as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.python import usage

from gateway import config
from gateway.listen import addresses
from gateway.process import Process
from gateway.storeserver.options import Options as StoreOptions
from gateway.storeserver.service import StoreService, make_service


class Options(usage.Options):
    """The command line of ``twistd gateway-store``."""

    synopsis = "twistd [options] gateway-store --data DIR [--listen ADDRESS]... [--demo] [--config FILE]"
    optParameters = (
        ("data", "d", None, "Directory of the data."),
        ("config", "c", None, "Configuration file; its section [embedded] gives what is not said here."),
    )
    optFlags = (("demo", None, "Fill an empty store with the accounts demo and demo2."),)

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []

    def opt_listen(self, address: str) -> None:
        """Where to speak SOAP: host:port, *:port, unix:/path; may be given more than once."""
        self["listen"].append(address)

    opt_l = opt_listen

    def postOptions(self) -> None:
        """Read the addresses; say what is wrong with them."""
        try:
            for text in self["listen"]:
                addresses(text)
        except ValueError as error:
            raise usage.UsageError(str(error)) from error


def makeService(options: Options) -> IService:
    """The service of a command line."""
    from twisted.internet import reactor

    try:
        settings = config.load(Path(options["config"]).absolute()) if options["config"] else config.Config()
    except config.ConfigError as error:
        raise SystemExit(str(error)) from error
    store: StoreOptions = settings.embedded
    changes: dict[str, Any] = {"demo": True} if options["demo"] else {}
    if options["data"]:
        changes["data"] = str(Path(options["data"]).absolute())
    if options["listen"]:
        changes["listen"] = tuple(options["listen"])
    return StoreProcess(msgspec.structs.replace(store, **changes), reactor, settings.log)


def tcp_port(service: StoreService) -> int:
    """A port at which this machine reaches the store, 0 when there is none."""
    return next((host.port for port in service.ports if (host := _host(port)) is not None), 0)


def _host(port: Any) -> Any:
    """The TCP address of a port."""
    host = port.getHost()
    return host if hasattr(host, "port") else None


class StoreProcess(Process):
    """The store server as a process."""

    title = "store"

    def __init__(self, options: StoreOptions, reactor: Any, log_options: config.Log) -> None:
        super().__init__(reactor, log_options)
        self._options = options

    def open(self) -> None:
        """Open the database and the ports."""
        self.service = make_service(self._options, self._reactor)
        self.service.privilegedStartService()

    def startService(self) -> None:
        """Take calls."""
        self.service.startService()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Finish what is running and close."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self.bounded(self.service.stopService))
