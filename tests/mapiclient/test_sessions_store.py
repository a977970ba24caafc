"""Sessions and notices against the embedded store over real sockets: a restart, a hang, trust, and no leak."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gateway.mapi.content import MessageContent
from gateway.mapi.errors import LogonFailed
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.notices import Event
from gateway.mapi.proptags import PR_MESSAGE_CLASS, PR_SUBJECT
from gateway.mapiclient.errors import CallTimeout, TransportError
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.notify import RESYNC, subscribe
from gateway.mapiclient.options import PoolOptions, SessionOptions, ThrottleOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Credentials, Sessions, Trusted
from gateway.mapiclient.store import Store
from gateway.mapiclient.wire.calls_store import GetPublicStore
from gateway.mapiclient.wire.schema import Wait
from tests.support.reactor import reactor, run
from tests.support.store import RunningStore, StoreProcess, running_store

ANN = Credentials("ann", "ann")
MASK = Event.CREATED | Event.ONLY_MESSAGES


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store"), ["ann", "bob"]) as running:
        yield running


@asynccontextmanager
async def client(url: str, **pool_options: Any) -> AsyncIterator[tuple[Pool, Sessions]]:
    """A pool and sessions; in the end nothing may be left of them."""
    pool = Pool(reactor, PoolOptions(back_off=0.02, back_off_most=0.02, **pool_options))
    options = SessionOptions(
        poll_retry=0.02, poll_retry_most=0.1, throttle=ThrottleOptions(first=0.01, most=0.01)
    )
    sessions = Sessions(pool, url, options)
    try:
        yield pool, sessions
        await sessions.close()
        assert (pool.busy, pool.queued) == (0, 0), repr(pool)
    finally:
        pool.close()
        assert pool.open == 0


class Told:
    """Notices, and somebody who waits for one of a kind."""

    def __init__(self) -> None:
        self.notices: list[Any] = []
        self._waiting: list[Deferred[None]] = []

    def __call__(self, notice: Any) -> None:
        self.notices.append(notice)
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)

    async def first(self, wanted: Callable[[Any], bool]) -> Any:
        while not any(map(wanted, self.notices)):
            arrived: Deferred[None] = Deferred()
            self._waiting.append(arrived)
            await arrived
        return next(filter(wanted, self.notices))


async def deliver(session: Any) -> bytes:
    """A new message in the inbox."""
    own = await Store.default(session)
    content = MessageContent({PR_MESSAGE_CLASS: "IPM.Note", PR_SUBJECT: "hello"})
    guid = parse_object_entryid(own.entryid).store
    return (await save_new_message(session, await own.receive_folder(), guid, content)).entryid


def test_login_and_wrong_password(store: RunningStore) -> None:
    async def story() -> None:
        async with client(store.url) as (_, sessions):
            for credentials in (
                Credentials("ann", "wrong"),
                Credentials("nobody", "x"),
                Credentials("ann", ""),
            ):
                with pytest.raises(LogonFailed):
                    await sessions.lease(credentials)
            lease = await sessions.lease(ANN, application="test")
            assert len(lease.session.server_guid) == 16
            with pytest.raises(LogonFailed):
                await sessions.lease(Credentials("ann", "wrong"))
            assert (await sessions.lease(ANN)).session is lease.session
            assert sessions.counters.logons == 1

    run(story)


def test_a_password_is_looked_at_even_where_the_store_trusts_our_unix_user(store: RunningStore) -> None:
    async def story() -> None:
        async with client(store.unix) as (_, sessions):
            with pytest.raises(LogonFailed):
                await sessions.lease(Credentials("ann", "wrong"))
            assert (await sessions.lease(ANN)).session.epoch == 1
            trusted = await sessions.lease(Trusted("bob"))
            assert (await Store.default(trusted.session)).entryid
            with pytest.raises(LogonFailed):
                await sessions.lease(Credentials("bob", "wrong"))

    run(story)


def test_a_new_message_is_told(store: RunningStore) -> None:
    async def story() -> None:
        async with client(store.url) as (pool, sessions):
            with await sessions.lease(ANN) as lease:
                inbox = await (await Store.default(lease.session)).receive_folder()
                told = Told()
                subscription = subscribe(lease.session, inbox, MASK, told)
                await subscription.active()
                entryid = await deliver(lease.session)
                notice = await told.first(lambda notice: True)
                assert (notice.event, notice.entryid, notice.parent) == (Event.CREATED, entryid, inbox)
                assert "polls of" in repr(pool)
                subscription.cancel()

    run(story)


def test_a_restart_of_the_store_is_survived(tmp_path: Path) -> None:
    with running_store(tmp_path, ["ann"]) as store:

        async def story() -> tuple[Any, ...]:
            pool = Pool(reactor, PoolOptions(back_off=0.02, back_off_most=0.02))
            sessions = Sessions(pool, store.url, SessionOptions(poll_retry=0.02, poll_retry_most=0.1))
            lease = await sessions.lease(ANN)
            told = Told()
            subscription = subscribe(
                lease.session, await (await Store.default(lease.session)).receive_folder(), MASK, told
            )
            await subscription.active()
            return pool, sessions, lease, told

        pool, sessions, lease, told = run(story)
        store.restart()

        async def after() -> None:
            await told.first(lambda notice: notice is RESYNC)
            await deliver(lease.session)
            assert (await told.first(lambda notice: notice is not RESYNC)).event == Event.CREATED
            assert lease.session.epoch == 2
            await sessions.close()
            assert (pool.busy, pool.queued) == (0, 0), repr(pool)
            pool.close()

        run(after)


def test_a_store_that_hangs_fails_each_call_in_time_and_is_used_again_when_it_wakes(tmp_path: Path) -> None:
    with StoreProcess(tmp_path, ["ann"]) as store:

        async def story() -> None:
            seconds = {Wait.SHORT: 20.0, Wait.LONG: 20.0, Wait.POLL: 90.0}
            async with client(store.url, call_seconds=seconds) as (pool, sessions):
                session = (await sessions.lease(ANN)).session
                store.pause()
                seconds[Wait.SHORT] = 0.3
                with pytest.raises(CallTimeout, match="getPublicStore"):
                    await session.call(GetPublicStore())
                assert pool.busy == 0
                store.resume()
                seconds[Wait.SHORT] = 20.0
                assert (await session.call(GetPublicStore())).er == 0
                assert session.epoch == 1

        run(story)


def test_a_store_that_is_killed_and_started_again(tmp_path: Path) -> None:
    with StoreProcess(tmp_path, ["ann"]) as store:

        async def story() -> None:
            async with client(store.url) as (pool, sessions):
                session = (await sessions.lease(ANN)).session
                store.kill()
                with pytest.raises(TransportError):
                    await session.call(GetPublicStore())
                assert pool.busy == 0
                store.start()
                while True:
                    try:
                        assert (await session.call(GetPublicStore())).er == 0
                        break
                    except TransportError:
                        retry: Deferred[None] = Deferred()
                        reactor.callLater(0.02, retry.callback, None)
                        await retry
                assert session.epoch == 2

        run(story)
