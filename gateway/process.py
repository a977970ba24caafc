"""What every process of ours does under twistd: its log, one clear line when it cannot start, signals, a word when it is ready."""

from __future__ import annotations

import os
import signal
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import maybeDeferred
from twisted.logger import ILogObserver, Logger

from gateway import config, logs
from gateway.listen import ListenError
from gateway.tls import CertificateError

log: Final = Logger()
STOP_SECONDS: Final = 12.0
"""How long each stage of stopping may take."""


class Process(Service):
    """A service that is a process; subclasses say what is to be opened and how everything ends."""

    title = "process"

    def __init__(self, reactor: Any, options: config.Log) -> None:
        self._reactor = reactor
        self._log_options = options
        self._output = logs.Output(options)

    def setServiceParent(self, parent: Any) -> None:
        """Belong to twistd's application; it takes the log's observer from there."""
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]
        if hasattr(parent, "setComponent"):
            parent.setComponent(ILogObserver, logs.observer(self._log_options, self._output))

    def open(self) -> None:
        """Build everything and open every port, while that is permitted."""
        raise NotImplementedError

    def privilegedStartService(self) -> None:
        """Open everything; end the program with one clear line if that fails."""
        os.umask(0o077)  # mail, caches and keys are nobody else's business; local sockets set their own mode
        try:
            self.open()
        except (CertificateError, ListenError, OSError) as error:
            log.critical("cannot start: {error}", error=str(error))
            raise SystemExit(f"{self.title}: {error}") from error

    def startService(self) -> None:
        """Everything is open: take signals and say so once the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self.ready)

    def ready(self) -> None:
        """The reactor runs."""
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        log.info("the {title} is ready", title=self.title)

    def reload(self) -> None:
        """Go on in a new log file (SIGHUP)."""
        self._output.reopen()
        log.info("the log file was opened anew")

    async def bounded(self, *works: Any) -> None:
        """Do things at the same time, for a limited time; one that fails is logged and does not keep the others."""
        waits = [maybeDeferred(work).addTimeout(STOP_SECONDS, self._reactor) for work in works]
        for wait in waits:
            try:
                await wait
            except Exception:
                log.failure("stopping")
