"""Push as a whole: registrations, the feeds that they need, and the messages that follow. Runs in the reactor."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.dav.homes import Homes
from gateway.dav.listing import Listings
from gateway.dav.options import Options
from gateway.dav.push.delivery import Delivery
from gateway.dav.push.endpoints import Endpoints
from gateway.dav.push.feeds import Feed
from gateway.dav.push.keys import load_key
from gateway.dav.push.registrations import Registration, Registrations, Subscription, expiry
from gateway.dav.scheduling.watch import Inboxes
from gateway.mapi.errors import MapiError
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Lease
from gateway.mapiclient.waiting import detached, pause

log: Final = Logger()
#: How long (seconds) until feeds that could not begin are tried again, and registrations looked at for their end.
_RETRY: Final = 30.0
_SWEEP: Final = 600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What push needs of the process."""

    state: Path
    contact: str = ""
    """A mailto: URI for operators of push services."""
    trusted: Callable[[str], Awaitable[Lease]] | None = None
    """A share of a session of any user, where the store trusts the gateway."""
    pace: float = 5.0
    """The least time (seconds) between two messages to the same push resource."""


class Push:
    """Push for the users of a process (OSError when its state cannot be kept)."""

    def __init__(
        self,
        reactor: Any,
        options: Options,
        settings: Settings,
        homes: Homes,
        listings: Listings,
        share: Callable[[Session], Lease | None],
        now: Callable[[], float],
        inboxes: Inboxes | None = None,
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._homes, self._listings = homes, listings
        self._share = share
        self._inboxes = inboxes
        self.now = now
        self.allows_private: Final = options.push_private
        try:
            self.key: Final = load_key(settings.state, settings.contact)
            self.registrations: Final = Registrations(settings.state)
            endpoints = Endpoints(reactor, private=options.push_private, ca_file=options.push_ca_file)
        except (ValueError, sqlite3.Error) as error:
            raise OSError(f"[dav] push cannot keep its state in {settings.state}: {error}") from error
        self._delivery = Delivery(
            reactor, self.key, self.registrations, endpoints, settings.pace, now, self._gone
        )
        self._feeds: dict[str, Feed] = {}
        self._held: Counter[str] = Counter()
        self._beginning: Deferred[Any] | None = None
        self._again: IDelayedCall | None = None
        self._sweeping: IDelayedCall | None = None
        self._stopped = False
        reactor.callWhenRunning(self._start)

    def _start(self) -> None:
        self._sweep()
        self._begin()

    def _sweep(self) -> None:
        """Forget what has expired, and the feeds that were for it."""
        if self._stopped:
            return
        for user in {each.user for each in self.registrations.expire(self.now())}:
            self._follow(user)
        self._sweeping = self._reactor.callLater(_SWEEP, self._sweep)

    # feeds

    def _begin(self) -> None:
        """Begin the feeds that are missing, where nobody has to log on for that."""
        self._again = None
        if self._settings.trusted is not None and self._beginning is None and not self._stopped:
            work = self._begin_all(self._settings.trusted)
            self._beginning = detached(work, lambda why: log.failure("feeds", failure=why))

    async def _begin_all(self, trusted: Callable[[str], Awaitable[Lease]]) -> None:
        missing = False
        try:
            await pause(self._reactor, 0)
            for user in self.registrations.users():
                if self._has_feed(user):
                    continue
                try:
                    self._adopt(await trusted(user))
                except (MapiError, TransportError) as error:
                    missing = True
                    log.info("push for {user} waits: {error}", user=user, error=str(error))
        finally:
            self._beginning = None
            if missing and not self._stopped and self._again is None:
                self._again = self._reactor.callLater(_RETRY, self._begin)

    def visited(self, session: Session) -> None:
        """A user has logged on: his session serves when there is no other."""
        if (
            self._settings.trusted is None
            and self.registrations.of(session.user)
            and not self._has_feed(session.user)
        ):
            lease = self._share(session)
            if lease is not None:
                self._adopt(lease)

    def _has_feed(self, user: str) -> bool:
        feed = self._feeds.get(user)
        return feed is not None and not feed.is_lost

    def _adopt(self, lease: Lease) -> None:
        user = lease.user
        if self._stopped or self._has_feed(user):
            lease.release()
            return
        old = self._feeds.pop(user, None)
        if old is not None:
            old.close()
        self._feeds[user] = Feed(
            self._reactor,
            lease,
            self._homes,
            self._listings,
            lambda folder, token: self._changed(user, folder, token),
            lambda feed: self._lost(user, feed),
            self._inboxes.watch(lease.session) if self._inboxes is not None else None,
        )
        self._follow(user)

    def _lost(self, user: str, feed: Feed) -> None:
        """A session is lost: try again where that needs no password."""
        if self._feeds.get(user) is feed:
            del self._feeds[user]
        if self._again is None and self._settings.trusted is not None and not self._stopped:
            self._again = self._reactor.callLater(_RETRY, self._begin)

    def _follow(self, user: str) -> None:
        feed = self._feeds.get(user)
        if feed is None:
            return
        folders = {each.folder for each in self.registrations.of(user)}
        if folders:
            feed.follow(folders)
        else:
            del self._feeds[user]
            feed.close()

    def _changed(self, user: str, folder: bytes, token: str) -> None:
        """A collection has this state now; who does not know it is told."""
        found = self.registrations.of(user, folder)
        if not token:
            return  # deleted, or not the user's to read any more: the registrations end by themselves
        for each in found:
            if self._told(each) != token and each.id not in self._held and each.expires > self.now():
                self._delivery.send(each, token)

    def _told(self, registration: Registration) -> str:
        """The state that a client knows, or is being told."""
        return self._delivery.newest.get(registration.id, registration.told)

    def _gone(self, url: str) -> None:
        """A push resource is no more."""
        found = self.registrations.to(url)
        self.registrations.remove(found)
        for user in {each.user for each in found}:
            self._follow(user)

    # what requests ask

    async def register(
        self,
        session: Session,
        folder: bytes,
        topic: str,
        subscription: Subscription,
        wanted: float | None,
        token: str,
    ) -> tuple[Registration, bool]:
        """Register, or renew; whether it is new (Full)."""
        self.registrations.expire(self.now())
        until = expiry(wanted, self.now())
        found = self.registrations.put(session.user, folder, topic, subscription, until, token)
        self.visited(session)
        self._follow(session.user)
        if not self._has_feed(session.user):
            self._begin()
        return found

    async def remove(self, user: str, name: str) -> bool:
        """End a registration of the user's; whether there was one."""
        found = self.registrations.get(name)
        if found is None or found.user != user:
            return False
        is_alive = found.expires > self.now()
        self.registrations.remove([found])
        self._follow(user)
        return is_alive

    def hold(self, user: str, names: Sequence[str] | None) -> list[str]:
        """Tell registrations of a user (all of them for None) nothing until they are released; which these are."""
        wanted = [each.id for each in self.registrations.of(user) if names is None or each.id in names]
        self._held.update(wanted)
        return wanted

    def release(self, user: str, names: Sequence[str], hrefs: set[str]) -> None:
        """The user's request has ended, which wrote at most these items: the named need not be told of that."""
        detached(self._release(user, names, hrefs), lambda why: log.failure("push", failure=why))

    async def _release(self, user: str, names: Sequence[str], hrefs: set[str]) -> None:
        try:
            for name in names:
                feed, registration = self._feeds.get(user), self.registrations.get(name)
                if feed is None or registration is None or self._stopped:
                    continue
                token = await feed.is_own(registration.folder, self._told(registration), hrefs)
                if token:
                    self._delivery.newest.pop(name, None)
                    self.registrations.told(registration, token)
        except (MapiError, TransportError) as error:
            log.info("a push message may be one too many: {error}", error=str(error))
        finally:
            self._held.subtract(names)
            self._held = +self._held
            feed = self._feeds.get(user)
            for name in names:
                registration = self.registrations.get(name)
                if feed is not None and registration is not None and name not in self._held:
                    feed.look(registration.folder)

    def stop(self) -> None:
        """End everything."""
        self._stopped = True
        for timer in (self._again, self._sweeping):
            if timer is not None and timer.active():
                timer.cancel()
        if self._beginning is not None:
            self._beginning.cancel()
        self._delivery.stop()
        feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.close()
        self.registrations.close()
