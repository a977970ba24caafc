"""Who is to be told of what: subscriptions, and the watches on the server that they share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.mapi.notices import Event, Notice
from gateway.mapiclient.wire.structs import Subscription as Sink

log = Logger()


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

    def __init__(self, watch: Watch, callback: Callback) -> None:
        self._watch: Watch | None = watch
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


class Owner(Protocol):
    """Who keeps the watches."""

    def linger(self, watch: Watch) -> None:
        """Nobody listens any more."""
        ...

    def later(self, news: Callable[[], None]) -> None:
        """Do something that runs other people's code, in a turn of the reactor of its own."""
        ...


class Watch:
    """One subscription on the server and those who share it. ``number`` is 0 until it exists there."""

    __slots__ = ("_owner", "_waiting", "error", "key", "leaving", "number", "subscribers")

    def __init__(self, owner: Owner, key: Key) -> None:
        self._owner = owner
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
            self._owner.linger(self)

    @property
    def is_settled(self) -> bool:
        """Whether it exists, or is known not to."""
        return self.number > 0 or self.error is not None

    def established(self) -> Deferred[None]:
        """Fires when the subscription exists."""
        done: Deferred[None] = Deferred(self._give_up)
        if self.error is not None:
            done.errback(self.error)
        elif self.number:
            done.callback(None)
        else:
            self._waiting.append(done)
        return done

    def _give_up(self, done: Deferred[None]) -> None:
        if done in self._waiting:
            self._waiting.remove(done)

    def begin(self, number: int) -> None:
        """It exists now, perhaps again."""
        self.number, self.error = number, None
        self.tell(RESYNC)
        self._release(lambda done: done.callback(None))

    def fail(self, error: Exception) -> None:
        """It cannot exist."""
        self.number, self.error = 0, error
        self.tell(RESYNC)
        self._release(lambda done: done.errback(error))

    def _release(self, fire: Callable[[Deferred[None]], None]) -> None:
        waiting, self._waiting = self._waiting, []

        def fire_all() -> None:
            for done in waiting:
                if not done.called:
                    fire(done)

        if waiting:
            self._owner.later(fire_all)

    def tell(self, notice: Notice | Resync) -> None:
        """Tell everybody."""
        for subscription in self.subscribers:
            self._owner.later(partial(subscription.tell, notice))

    @property
    def is_of_a_table(self) -> bool:
        """Whether it ends with the session, as tables do."""
        return bool(self.key[1] & Event.TABLE_MODIFIED) and self.key[1] != Event.ICS

    def sink(self, number: int) -> Sink:
        """The subscription as the server is asked for it."""
        key, mask, sync_id, change_id = self.key
        return Sink(number, key, mask, sync_id, change_id)
