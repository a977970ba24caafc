"""A client of MAPI stores over SOAP: connections, sessions and the objects behind them (Twisted).

As a library::

    import sys
    from twisted.internet import defer, task
    from gateway.mapi.proptags import PR_MESSAGE_DELIVERY_TIME, PR_SUBJECT
    from gateway.mapi.tables import SortDirection, SortKey
    from gateway.mapiclient import Store, Table, connect

    async def main(reactor, url, user, password):
        async with connect(url, user, password) as session:
            inbox = await (await Store.default(session)).receive_folder()
            newest_first = [SortKey(PR_MESSAGE_DELIVERY_TIME, SortDirection.DESCENDING)]
            async with Table.contents(session, inbox, [PR_SUBJECT], sort=newest_first) as table:
                async for row in table:
                    print(row[0][1])

    task.react(lambda reactor: defer.ensureDeferred(main(reactor, *sys.argv[1:])))

The names below are imported when they are first used, so that the pure parts (`gateway.mapiclient.wire`) can be
had without Twisted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gateway.mapiclient import attachment, directory, folder, message, replacing, sync
    from gateway.mapiclient.library import connect
    from gateway.mapiclient.names import Names
    from gateway.mapiclient.session import Session
    from gateway.mapiclient.store import Special, Store
    from gateway.mapiclient.table import Table

__all__ = (
    "Names",
    "Session",
    "Special",
    "Store",
    "Table",
    "attachment",
    "connect",
    "directory",
    "folder",
    "message",
    "replacing",
    "sync",
)

_MODULES: Final = {
    "connect": "library",
    "Names": "names",
    "Session": "session",
    "Special": "store",
    "Store": "store",
    "Table": "table",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES.get(name)
    return (
        getattr(import_module(f"{__name__}.{module}"), name) if module else import_module(f"{__name__}.{name}")
    )
