"""The client as a library: one call that connects, logs on, and cleans up afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.mapiclient.credentials import Credentials
from gateway.mapiclient.options import PoolOptions, SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Sessions


@asynccontextmanager
async def connect(
    url: str,
    user: str,
    password: str,
    *,
    application: str = "script",
    pool_options: PoolOptions | None = None,
    session_options: SessionOptions | None = None,
    reactor: Any = None,
) -> AsyncIterator[Session]:
    """A session of a user on a store server: ``http://host:236``, ``https://host:237`` or ``unix:/path``.

    >>> async with connect("http://localhost:236", "demo", "demo") as session:
    ...     store = await Store.default(session)
    ...     async with Table.contents(session, await store.receive_folder(), (PR_SUBJECT,)) as table:
    ...         async for row in table:
    ...             print(row)

    Runs under Twisted's reactor (the default one unless given). Leaving the block logs off and closes all
    connections. Raises LogonFailed, TransportError, ValueError for a URL that makes no sense.
    """
    if reactor is None:
        from twisted.internet import reactor as default

        reactor = default
    pool = Pool(reactor, pool_options)
    try:
        sessions = Sessions(pool, url, session_options)
        try:
            with await sessions.lease(Credentials(user, password), application=application) as lease:
                yield lease.session
        finally:
            await sessions.close()
    finally:
        pool.close()
