"""The program behind `tests.support.store.StoreProcess`: a store until it is told to end."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from gateway.mapi.errors import Collision
from gateway.storeserver.database import StoreDatabase, StoreOptions
from gateway.storeserver.options import Options
from gateway.storeserver.service import create_user, make_service


def main() -> None:
    """Arguments: directory, TCP port, unix socket, demo (0 or 1), users."""
    directory, port, unix, demo, *users = sys.argv[1:]
    # Written data must survive kill -9, so this one does wait for the disk.
    database_options = StoreOptions(password_time=1, password_memory=8)
    options = Options(data=directory, listen=(f"127.0.0.1:{port}", unix), demo=demo == "1")
    service = make_service(options, reactor, database_options)
    database = StoreDatabase(Path(directory), options=database_options)
    for name in users:
        with suppress(Collision):
            create_user(database, name, name)
    database.close()

    def start() -> None:
        service.privilegedStartService()
        service.startService()
        print("listening", flush=True)

    def stop() -> Deferred[None]:
        return service.stopService()

    reactor.callWhenRunning(start)  # type: ignore[attr-defined]
    reactor.addSystemEventTrigger("before", "shutdown", stop)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


main()
