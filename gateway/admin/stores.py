"""Asking a store server over SOAP whether it lets a user in, for ``gateway-admin check``."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from gateway.admin.probes import TIMEOUT, Problem
from gateway.mapi.errors import LogonFailed, MapiError, NotFound
from gateway.mapiclient.credentials import Credentials
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from gateway.mapiclient.store import Store


def probe(url: str, user: str, password: str) -> str:
    """Log on and open the user's store; raise Problem. Runs the reactor, so only once in a process."""
    from twisted.internet import reactor as installed

    reactor: Any = installed

    outcome: list[Any] = []
    work = Deferred.fromCoroutine(_open(reactor, url, user, password))
    work.addTimeout(TIMEOUT, reactor)
    work.addBoth(outcome.append)
    work.addBoth(lambda _: reactor.callLater(0, reactor.stop))
    reactor.run(installSignalHandlers=False)
    result = outcome[0]
    if isinstance(result, str):
        return result
    raise _problem(result.value, url)


async def _open(reactor: Any, url: str, user: str, password: str) -> str:
    """Log on, open the store, log off."""
    pool = Pool(reactor)
    sessions = Sessions(pool, url)
    try:
        with await sessions.lease(Credentials(user, password), application="check") as lease:
            await Store.default(lease.session)
            return f"logged on to version {lease.session.version}, the user has a store"
    finally:
        await sessions.close()
        pool.close()


def _problem(error: BaseException, url: str) -> Exception:
    """What went wrong, for an administrator."""
    if isinstance(error, LogonFailed):
        return Problem("the store refuses the user name or the password")
    if isinstance(error, NotFound):
        return Problem("the user has no store; with Kopano, kopano-storeadm makes one")
    if isinstance(error, TransportError):
        return Problem(f"{error.reason or error}. Does the store run, and is this its address: {url}?")
    if isinstance(error, (MapiError, ValueError)):
        return Problem(str(error))
    return Problem(f"{type(error).__name__}: {error}")
