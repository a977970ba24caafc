"""The DAV head: an HTTP server before the bridge, with limits on what a client may send."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from weakref import WeakKeyDictionary

from twisted.web.server import Request, Site
from tzlocal import get_localzone_name

from gateway.convert.ical.timezones import UTC_ZONE, Zone, zone_of_iana
from gateway.dav.addressbook import Directory
from gateway.dav.bridge import Authenticate, DavResource, Login
from gateway.dav.homes import Homes
from gateway.dav.kepthrefs import KeptHrefs
from gateway.dav.listing import Listings
from gateway.dav.methods import Methods
from gateway.dav.options import Options
from gateway.dav.people import People
from gateway.dav.push.service import Push, Settings
from gateway.dav.scheduling.arrivals import Arrivals
from gateway.dav.scheduling.publishing import Publisher
from gateway.dav.scheduling.sending import Sending
from gateway.dav.scheduling.watch import Inboxes
from gateway.dav.scope import Shared
from gateway.dav.texts import TextCache
from gateway.mailbox.sharers import PORTION
from gateway.mapi.errors import FeatureOff
from gateway.mapiclient import directory
from gateway.mapiclient.credentials import Credentials
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Lease, Sessions

#: The feature that Kopano's administrators switch off for a user.
FEATURES = ("caldav", "dav")
#: Spellings of names that are remembered.
_MOST_NAMES: Final = 10_000


class LimitedRequest(Request):
    """A request whose body may not grow beyond a limit; a client that sends more is cut off."""

    site: DavFactory
    _received = 0

    def gotLength(self, length: int | None) -> None:
        """The headers are there."""
        channel: Any = self.channel
        options: Options = channel.site.options
        is_post = getattr(channel, "_command", b"") == b"POST"
        self._most: int = max(options.max_request, options.max_attachment) if is_post else options.max_request
        if length is not None and length > self._most:
            self._refuse()
            length = 0
        super().gotLength(length)  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:
        """A part of the body is there."""
        self._received += len(data)
        if self._received > self._most:
            if self.channel is not None:
                self._refuse()
            return
        super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        self._received = self._most + 1
        channel: Any = self.channel
        channel.transport.write(
            b"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        channel.loseConnection()

    def process(self) -> None:
        """The body is complete."""
        if self._received > self._most:
            return
        super().process()  # type: ignore[no-untyped-call]


class DavFactory(Site):
    """Speaks HTTP for the DAV head."""

    noisy = False

    def __init__(
        self,
        sessions: Sessions,
        options: Options,
        reactor: Any,
        *,
        clock: Callable[[], float] = time.time,
        sending: Sending | None = None,
        pushing: Settings | None = None,
        portion: int = PORTION,
        kept: KeptHrefs | None = None,
    ) -> None:
        self.options = options
        self.sending = sending or Sending()
        seconds: Callable[[], float] = reactor.seconds
        self._kept = kept
        listings = Listings(options.cached_items, kept=kept)
        zone = zone_of(options.timezone)
        self._publisher = Publisher(reactor, listings, zone, clock)
        homes = Homes(options, seconds, portion)
        people = People(seconds)
        arrivals = Arrivals(listings, self._publisher, seconds)
        self._push: Push | None = None
        if options.push and pushing is not None:
            inboxes = Inboxes(reactor, homes, people, arrivals, zone, clock, lambda: shared.schedules)
            self._push = Push(reactor, options, pushing, homes, listings, sessions.share, clock, inboxes)
        shared = Shared(
            reactor=reactor,
            options=options,
            homes=homes,
            listings=listings,
            directory=Directory(options.max_directory, seconds),
            people=people,
            texts=TextCache(options.cached_text),
            zone=zone,
            now=clock,
            arrivals=arrivals,
            publisher=self._publisher,
            sending=self.sending,
            push=self._push,
        )
        self._resource = DavResource(shared, Methods(options), authenticator(sessions, self._push))
        super().__init__(  # type: ignore[no-untyped-call]
            self._resource, requestFactory=LimitedRequest, timeout=options.idle_timeout, reactor=reactor
        )

    def log(self, request: Any) -> None:
        """Requests are not logged one by one."""

    async def shut_down(self) -> None:
        """Cancel what is running, and end the threads."""
        await self._resource.stop()
        await self._publisher.stop()
        if self._push is not None:
            self._push.stop()
        if self._kept is not None:
            await self._kept.stop()


def zone_of(name: str) -> Zone:
    """The zone of the configuration, or the machine's (ValueError for a zone that does not exist)."""
    if name:
        zone = zone_of_iana(name)
        if zone is None:
            raise ValueError(f"there is no time zone {name!r}")
        return zone
    return zone_of_iana(get_localzone_name() or "UTC") or UTC_ZONE


def authenticator(sessions: Sessions, push: Push | None = None) -> Authenticate:
    """How a request gets its session: a lease, of users who may use calendars and contacts.

    The store takes a name in more than one spelling; the user's addresses and everything kept for him are under its own.
    """
    off: WeakKeyDictionary[Session, bool] = WeakKeyDictionary()
    names: OrderedDict[str, str] = OrderedDict()

    async def lease_of(credentials: Credentials, peer: str) -> Lease:
        """A lease under the store's spelling of the name."""
        name = names.get(credentials.user, credentials.user)
        lease = await sessions.lease(replace(credentials, user=name), application="dav", address=peer)
        if lease.session in off:
            return lease
        try:
            user = await directory.own_user(lease.session)
        except BaseException:
            lease.release()
            raise
        if not user.username or user.username == name or name != credentials.user:
            _, disabled = directory.features(user)
            off[lease.session] = any(each in disabled for each in FEATURES)
            return lease
        lease.release()
        names[credentials.user] = user.username
        if len(names) > _MOST_NAMES:
            names.popitem(last=False)
        return await lease_of(credentials, peer)

    async def authenticate(credentials: Credentials, peer: str) -> Login:
        lease = await lease_of(credentials, peer)
        try:
            if off[lease.session]:
                raise FeatureOff(f"calendars and contacts are switched off for {credentials.user!r}")
        except BaseException:
            lease.release()
            raise
        if push is not None:
            push.visited(lease.session)
        return Login(lease.session, lease.release)

    return authenticate
