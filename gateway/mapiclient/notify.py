"""Notices: one long poll for a session group, told to everybody who subscribed.

A notice is a hint. Nothing is queued for a subscriber: its callback is called at once and should only set a
flag. `RESYNC` is the notice that there may have been others: after the session or the poll broke, and when a
subscription begins later than its subscriber went on. Subscriptions of the same object and events are one on
the server, and linger for a while after the last subscriber left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.mapi.errors import LogonFailed, MapiError
from gateway.mapi.notices import Event, Notice
from gateway.mapiclient.errors import HandlesLost, SessionLost, TransportError
from gateway.mapiclient.waiting import detached, pause
from gateway.mapiclient.wire.calls_notify import (
    NotifyGetItems,
    NotifySubscribe,
    NotifySubscribeMulti,
    NotifyUnSubscribeMulti,
)
from gateway.mapiclient.wire.structs import Subscription as Sink

if TYPE_CHECKING:
    from gateway.mapiclient.session import Session

log = Logger()
#: How many subscriptions are asked for in one call.
_BATCH: Final = 500


class Resync:
    """Notices may have been lost: look at the store."""

    def __repr__(self) -> str:
        return "RESYNC"


RESYNC: Final = Resync()
Callback: TypeAlias = "Callable[[Notice | Resync], None]"
#: What is watched: an entry id, or a table's number as 4 bytes; the events; the synchronisation's id and state.
Key: TypeAlias = "tuple[bytes, int, int, int]"


class Subscription:
    """A wish to be told. `cancel` ends it; `active` waits until notices come."""

    __slots__ = ("_callback", "_waited", "_watch")

    def __init__(self, watch: _Watch, callback: Callback) -> None:
        self._watch: _Watch | None = watch
        self._callback = callback
        self._waited = False

    def active(self) -> Deferred[None]:
        """Fires when notices of what happens from then on will come; whoever waits gets no `RESYNC` for it.

        Fails when the store refuses the subscription (NotFound, NoAccess) or the session is lost.
        """
        if self._watch is None:
            raise RuntimeError("the subscription was cancelled")
        self._waited = not self._watch.is_settled
        return self._watch.established()

    def cancel(self) -> None:
        """No more notices. Cancelling twice does no harm."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.leave(self)

    def tell(self, notice: Notice | Resync) -> None:
        """Call the callback; its failure is logged and harms nobody else."""
        if self._watch is None or (notice is RESYNC and self._waited):
            self._waited = False
            return
        try:
            self._callback(notice)
        except Exception:
            log.failure("a subscriber failed")


class _Watch:
    """One subscription on the server and those who share it. ``number`` is 0 until it exists there."""

    __slots__ = ("_waiting", "error", "key", "leaving", "notices", "number", "subscribers")

    def __init__(self, notices: Notices, key: Key) -> None:
        self.notices = notices
        self.key = key
        self.number = 0
        self.error: Exception | None = None
        self.subscribers: dict[Subscription, None] = {}
        self.leaving: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []

    def join(self, callback: Callback) -> Subscription:
        """One more."""
        if self.leaving is not None:
            self.leaving.cancel()
            self.leaving = None
        subscription = Subscription(self, callback)
        self.subscribers[subscription] = None
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """One less; the last one starts the lingering."""
        self.subscribers.pop(subscription, None)
        if not self.subscribers:
            self.notices.linger(self)

    @property
    def is_settled(self) -> bool:
        """Whether it exists, or is known not to."""
        return self.number > 0 or self.error is not None

    def established(self) -> Deferred[None]:
        """Fires when the subscription exists."""
        done: Deferred[None] = Deferred(lambda _: self._waiting.remove(done))
        if self.error is not None:
            done.errback(self.error)
        elif self.number:
            done.callback(None)
        else:
            self._waiting.append(done)
        return done

    def begin(self, number: int) -> None:
        """It exists now, perhaps again."""
        self.number, self.error = number, None
        waiting, self._waiting = self._waiting, []
        self.tell(RESYNC)
        for done in waiting:
            done.callback(None)

    def fail(self, error: Exception) -> None:
        """It cannot exist."""
        self.number, self.error = 0, error
        waiting, self._waiting = self._waiting, []
        self.tell(RESYNC)
        for done in waiting:
            done.errback(error)

    def tell(self, notice: Notice | Resync) -> None:
        """Tell everybody."""
        for subscription in [*self.subscribers]:
            subscription.tell(notice)

    @property
    def is_of_a_table(self) -> bool:
        """Whether it ends with the session, as tables do."""
        return bool(self.key[1] & Event.TABLE_MODIFIED) and self.key[1] != Event.ICS

    def sink(self, number: int) -> Sink:
        """The subscription as the server is asked for it."""
        key, mask, sync_id, change_id = self.key
        return Sink(number, key, mask, sync_id, change_id)


def _is_final(trouble: Exception) -> bool:
    """Whether the session is gone for good: the store does not take the credentials any more."""
    lost = isinstance(trouble, SessionLost) and not isinstance(trouble, HandlesLost)
    return lost or isinstance(trouble, LogonFailed)


def subscribe(session: Session, entryid: bytes, mask: int, callback: Callback) -> Subscription:
    """Be told of events of an object; see `Notices.subscribe`."""
    return session.notices.subscribe(entryid, mask, callback)


class Notices:
    """The notices of one session. Polls only while somebody is subscribed, with a session of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._options = session.identity.options
        self._clock: Any = session.identity.pool.reactor
        self._watches: dict[Key, _Watch] = {}
        self._by_number: dict[int, _Watch] = {}
        self._wanted: dict[_Watch, None] = {}
        self._unwanted: list[int] = []
        self._last_number = 0
        self._polling: Deferred[Any] | None = None
        self._asking: Deferred[Any] | None = None
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
            watch = self._watches[key] = _Watch(self, key)
            self._wanted[watch] = None
        elif watch.error is not None:
            watch.error = None
            self._wanted[watch] = None
        subscription = watch.join(callback)
        self._work()
        return subscription

    def linger(self, watch: _Watch) -> None:
        """Nobody listens: forget it if that stays so for a while."""
        if self._closed or watch.leaving is not None:
            return
        watch.leaving = self._clock.callLater(self._options.linger_seconds, self._forget, watch)

    def _forget(self, watch: _Watch) -> None:
        watch.leaving = None
        self._watches.pop(watch.key, None)
        self._wanted.pop(watch, None)
        if watch.number:
            del self._by_number[watch.number]
            self._unwanted.append(watch.number)
            watch.number = 0
        self._work()

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
        await self._session.call(NotifyUnSubscribeMulti(connections=numbers))

    async def _subscribe(self, batch: list[_Watch]) -> None:
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

    def _settle(self, watch: _Watch, number: int, error: MapiError | None) -> None:
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
        self._again(self._watches.values())

    def _again(self, watches: Iterable[_Watch]) -> None:
        for watch in [*watches]:
            if watch.number:
                self._by_number.pop(watch.number, None)
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
                    await self._recover(wait)
                    wait = min(wait * 2, self._options.poll_retry_most)
                    continue
                wait = self._options.poll_retry
                for delivery in reply.notifications or ():
                    watch = self._by_number.get(delivery.connection)
                    if watch is not None:
                        self.delivered += 1
                        watch.tell(delivery.notice)
        finally:
            detached(twin.close())

    async def _recover(self, wait: float) -> None:
        """Wait a little, then have everything subscribed anew under other numbers."""
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

    def close(self) -> None:
        """End everything; nobody is told."""
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

    def __repr__(self) -> str:
        return (
            f"<Notices: {len(self._watches)} subscriptions, {len(self._wanted)} being made, {self.polls} polls>"
        )
