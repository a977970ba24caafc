"""Notices: one long poll for a session group, told to everybody who subscribed.

A notice is a hint. Nothing is queued for a subscriber: its callback is called in the next turn of the reactor and
should only set a flag. `RESYNC` is the notice that there may have been others: after the session or the poll broke, and when a
subscription begins later than its subscriber went on. Subscriptions of the same object and events are one on
the server, and linger for a while after the last subscriber left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gateway.mapi.errors import LogonFailed, MapiError
from gateway.mapi.notices import Delivery, Event
from gateway.mapiclient.errors import HandlesLost, SessionLost, TransportError
from gateway.mapiclient.waiting import detached, pause
from gateway.mapiclient.watches import RESYNC, Callback, Key, Resync, Subscription, Watch
from gateway.mapiclient.wire.calls_notify import (
    NotifyGetItems,
    NotifySubscribe,
    NotifySubscribeMulti,
    NotifyUnSubscribeMulti,
)

if TYPE_CHECKING:
    from gateway.mapiclient.session import Session

__all__ = ["RESYNC", "Callback", "Notices", "Resync", "Subscription", "subscribe", "subscribe_messages"]
log = Logger()
#: How many subscriptions are asked for in one call.
_BATCH: Final = 500
#: Events about the messages of one folder. Of more than ten that one call changes the store tells only that the folder has
#: changed.
_CONTENTS: Final = (
    Event.CREATED | Event.DELETED | Event.MODIFIED | Event.MOVED | Event.COPIED | Event.ONLY_MESSAGES,
    Event.MODIFIED | Event.ONLY_FOLDERS,
)


def _is_final(trouble: Exception) -> bool:
    """Whether the session is gone for good: the store does not take the credentials any more."""
    lost = isinstance(trouble, SessionLost) and not isinstance(trouble, HandlesLost)
    return lost or isinstance(trouble, LogonFailed)


def subscribe(session: Session, entryid: bytes, mask: int, callback: Callback) -> Subscription:
    """Be told of events of an object; see `Notices.subscribe`."""
    return session.notices.subscribe(entryid, mask, callback)


def subscribe_messages(session: Session, folder: bytes, callback: Callable[[], None]) -> Callable[[], None]:
    """Be told whenever messages of a folder changed, came or went; returns the way to stop it.

    It begins with a call, so that nothing is missed.
    """
    told = [subscribe(session, folder, int(mask), lambda _notice: callback()) for mask in _CONTENTS]

    def stop() -> None:
        for each in told:
            each.cancel()

    return stop


class Notices:
    """The notices of one session. Polls only while somebody is subscribed, with a session of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._options = session.identity.options
        self._clock: Any = session.identity.pool.reactor
        self._watches: dict[Key, Watch] = {}
        self._by_number: dict[int, Watch] = {}
        self._wanted: dict[Watch, None] = {}
        self._unwanted: list[int] = []
        self._last_number = 0
        self._polling: Deferred[Any] | None = None
        self._asking: Deferred[Any] | None = None
        self._leaving: Deferred[Any] | None = None
        self._outbox: list[Callable[[], None]] = []
        self._retired: list[int] = []
        self._unwatch: Callable[[], None] | None = None
        self._closed = False
        self.polls = 0
        self.delivered = 0

    # subscribers

    def subscribe(
        self, entryid: bytes, mask: int, callback: Callback, *, sync_id: int = 0, change_id: int = 0
    ) -> Subscription:
        """Be told of the events ``mask`` (`gateway.mapi.notices.Event`) of an object.

        Returns at once. Read the store after ``await subscription.active()``, or, without waiting, expect a
        RESYNC when the subscription begins. With `Event.TABLE_MODIFIED` the key is `table_key`; such a
        subscription ends with a RESYNC when the session is logged on again. With `Event.ICS` the key is empty
        and ``sync_id`` and ``change_id`` say which synchronisation it is.
        """
        key = entryid, int(mask), sync_id, change_id
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = Watch(self, key)
            self._wanted[watch] = None
        elif watch.error is not None:
            watch.error = None
            self._wanted[watch] = None
        if self._closed:
            watch.error = SessionLost("the session was closed", server=str(self._session.server))
        subscription = watch.join(callback)
        self._work()
        return subscription

    def linger(self, watch: Watch) -> None:
        """Nobody listens: forget it if that stays so for a while."""
        if self._closed or watch.leaving is not None or self._watches.get(watch.key) is not watch:
            return
        watch.leaving = self._clock.callLater(self._options.linger_seconds, self._forget, watch)

    def _forget(self, watch: Watch) -> None:
        watch.leaving = None
        self._watches.pop(watch.key, None)
        self._wanted.pop(watch, None)
        if watch.number:
            self._by_number.pop(watch.number, None)
            self._unwanted.append(watch.number)
            watch.number = 0
        self._work()

    def later(self, news: Callable[[], None]) -> None:
        """Tell somebody in the next turn of the reactor, where he may do whatever he likes to this session."""
        if not self._outbox:
            self._clock.callLater(0, self._send)
        self._outbox.append(news)

    def _send(self) -> None:
        outbox, self._outbox = self._outbox, []
        for news in outbox:
            news()

    # asking the server

    def _work(self) -> None:
        """See that what is wanted is asked for, and that the poll runs while something is."""
        if self._closed:
            return
        if self._unwatch is None:
            self._unwatch = self._session.watch(self._renewed)
        if (self._wanted or self._unwanted) and self._asking is None:
            self._asking = detached(self._ask(), lambda why: self._broken(why.value)).addBoth(self._asked)
        if self._watches and self._polling is None:
            self._polling = detached(self._poll(), lambda why: self._broken(why.value)).addBoth(self._polled)
        elif not self._watches and self._polling is not None:
            self._polling.cancel()

    def _asked(self, _: Any) -> None:
        self._asking = None
        if self._wanted or self._unwanted:
            self._work()

    def _polled(self, _: Any) -> None:
        self._polling = None
        if self._watches:
            self._work()

    async def _ask(self) -> None:
        """Subscribe to what is wanted, then unsubscribe the rest; in pauses that grow while the store is away."""
        wait = self._options.poll_retry
        await pause(self._clock, 0)  # whoever else subscribes in this turn of the reactor goes along
        while self._wanted or self._unwanted:
            try:
                await self._ask_once()
                wait = self._options.poll_retry
            except TransportError as trouble:
                if _is_final(trouble):
                    raise
                await pause(self._clock, wait)
                wait = min(wait * 2, self._options.poll_retry_most)

    async def _ask_once(self) -> None:
        batch = [*self._wanted][:_BATCH]
        if batch:
            await self._subscribe(batch)
            return
        numbers, self._unwanted = self._unwanted, []
        self._retired += numbers
        await self._session.call(NotifyUnSubscribeMulti(connections=numbers))

    async def _subscribe(self, batch: list[Watch]) -> None:
        """Several at once; when one of them cannot be, which fails all, one after the other."""
        numbers = self._numbers(len(batch))
        sinks = [watch.sink(number) for watch, number in zip(batch, numbers, strict=True)]
        epoch = self._session.epoch
        error: MapiError | None = None
        try:
            if len(batch) == 1:
                await self._session.call(NotifySubscribe(subscription=sinks[0]))
            else:
                await self._session.call(NotifySubscribeMulti(subscriptions=sinks))
        except MapiError as refused:
            error = refused
        if error is not None and len(batch) > 1:
            for watch in batch:
                await self._subscribe([watch])
            return
        if error is None and self._session.epoch != epoch:
            # Logged on again meanwhile: nobody knows whether they are of the old or of the new session.
            self._unwanted += numbers
            return
        for watch, number in zip(batch, numbers, strict=True):
            self._settle(watch, number, error)

    def _settle(self, watch: Watch, number: int, error: MapiError | None) -> None:
        """A subscription was made or refused, while the watch may have been forgotten."""
        wanted = watch in self._wanted
        self._wanted.pop(watch, None)
        if error is not None:
            watch.fail(error)
        elif not wanted or self._watches.get(watch.key) is not watch:
            self._unwanted.append(number)
        else:
            self._by_number[number] = watch
            watch.begin(number)

    def _numbers(self, count: int) -> range:
        first = self._last_number + 1
        self._last_number += count
        return range(first, first + count)

    def _renewed(self) -> None:
        """The session was logged on again: its subscriptions are gone."""
        self._by_number.clear()
        self._unwanted.clear()
        self._retired.clear()
        self._again(self._watches.values())

    def _again(self, watches: Iterable[Watch]) -> None:
        for watch in [*watches]:
            watch.number = 0
            if watch.is_of_a_table:
                self._watches.pop(watch.key, None)
                self._wanted.pop(watch, None)
                watch.fail(HandlesLost("the table is gone", server=str(self._session.server)))
            elif watch.error is None:
                self._wanted[watch] = None
        self._work()

    # polling

    async def _poll(self) -> None:
        """Poll, tell, poll again; after trouble subscribe anew, because then notices may be lost."""
        twin = self._session.twin()
        wait = self._options.poll_retry
        await pause(self._clock, 0)
        epoch = self._session.epoch
        try:
            while self._watches:
                try:
                    if not twin.epoch:
                        await twin.renew(0)
                    self.polls += 1
                    reply = await twin.call(NotifyGetItems(), epoch=twin.epoch)
                except (MapiError, TransportError) as trouble:
                    if _is_final(trouble):
                        raise
                    if not (isinstance(trouble, HandlesLost) and self._session.epoch != epoch):
                        await self._recover(wait)
                    # Otherwise the session was logged on again, too, and its subscriptions are new already.
                    wait = min(wait * 2, self._options.poll_retry_most)
                else:
                    wait = self._options.poll_retry
                    self._deliver(reply.notifications or ())
                epoch = self._session.epoch
        finally:
            self._leaving = detached(twin.close())

    def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        retired, self._retired = self._retired, []
        for delivery in deliveries:
            watch = self._by_number.get(delivery.connection)
            if watch is not None:
                self.delivered += 1
                watch.tell(delivery.notice)
        for number in retired:
            self._by_number.pop(number, None)

    async def _recover(self, wait: float) -> None:
        """Wait a little, then have everything subscribed anew under other numbers.

        The old numbers are known for one poll more: what still comes under them is told.
        """
        await pause(self._clock, wait)
        self._unwanted += [*self._by_number]
        self._again([watch for watch in self._watches.values() if watch.number])

    def _broken(self, why: BaseException | None) -> None:
        """The session is lost for good: say so to everybody, once."""
        if not isinstance(why, (MapiError, TransportError)):
            log.error("notices of {user} end: {why}", user=self._session.user, why=why)
        error = why if isinstance(why, Exception) else SessionLost("notices ended")
        watches, self._watches = self._watches, {}
        self._wanted.clear()
        self._by_number.clear()
        self._unwanted.clear()
        for watch in watches.values():
            watch.fail(error)
        self._work()

    async def close(self) -> None:
        """End everything and log the poll's session off; nobody is told."""
        self._closed = True
        if self._unwatch is not None:
            self._unwatch()
        for watch in self._watches.values():
            if watch.leaving is not None:
                watch.leaving.cancel()
        self._watches.clear()
        for running in (self._asking, self._polling):
            if running is not None:
                running.cancel()
        if self._leaving is not None:
            await self._leaving

    def __repr__(self) -> str:
        return (
            f"<Notices: {len(self._watches)} subscriptions, {len(self._wanted)} being made, {self.polls} polls>"
        )
