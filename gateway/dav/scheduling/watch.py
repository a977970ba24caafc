"""Looking into an Inbox when something comes in, for users whose clients are told of changes and do not ask for them.

Other users' invitations wait until their clients look at their collections (see `arrivals`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.timezones import Zone
from gateway.dav.homes import Homes
from gateway.dav.people import People
from gateway.dav.scheduling import mailboxes
from gateway.dav.scheduling.arrivals import Arrivals, Visit
from gateway.mapi.errors import MapiError
from gateway.mapi.notices import Event
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.notify import Subscription
from gateway.mapiclient.session import Session
from gateway.mapiclient.waiting import detached

log: Final = Logger()
#: How long (seconds) more mails are waited for.
DELAY: Final = 0.5
#: How long (seconds) until a store that did not answer is asked again.
_RETRY: Final = 60.0
_EVENTS: Final = int(Event.CREATED | Event.MOVED | Event.COPIED | Event.ONLY_MESSAGES)


@dataclass(frozen=True, slots=True)
class Inboxes:
    """What looking takes. ``now`` is Unix time."""

    reactor: Any
    homes: Homes
    people: People
    arrivals: Arrivals
    zone: Zone
    now: Callable[[], float]
    schedules: Callable[[], bool]
    """Whether the server schedules."""

    def watch(self, session: Session) -> InboxWatch:
        """Look after the Inbox of a session's user from now on."""
        return InboxWatch(self.reactor, lambda: self._entryid(session), session, lambda: self._take(session))

    async def _entryid(self, session: Session) -> bytes:
        return (await mailboxes.of(self.homes.of(session), self.now()))[mailboxes.INBOX].entryid

    async def _take(self, session: Session) -> None:
        if self.schedules():
            addresses, name = await self.people.addresses(session, session.user)
            options = IcalOptions(zone=self.zone, owner=addresses, owner_name=name)
            await self.arrivals.take(Visit(self.homes.of(session), session, options, self.now()))


class InboxWatch:
    """The watch over one Inbox. Runs in the reactor."""

    def __init__(
        self,
        reactor: Any,
        inbox: Callable[[], Coroutine[Any, Any, bytes]],
        session: Session,
        take: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._reactor = reactor
        self._inbox = inbox
        self._session = session
        self._take = take
        self._subscription: Subscription | None = None
        self._due: IDelayedCall | None = None
        self._closed = False
        self._soon(0.0)

    def _soon(self, delay: float = DELAY) -> None:
        """Look soon, once for all mails until then."""
        if self._due is None and not self._closed:
            self._due = self._reactor.callLater(delay, self._begin)

    def _begin(self) -> None:
        self._due = None
        detached(self._look(), lambda why: log.failure("an Inbox cannot be watched", failure=why))

    async def _look(self) -> None:
        try:
            if self._subscription is None:
                inbox = await self._inbox()
                if self._closed:
                    return
                # It begins with a notice of its own, so that nothing is missed.
                self._subscription = self._session.notices.subscribe(inbox, _EVENTS, lambda _: self._soon())
            await self._take()
        except (MapiError, TransportError) as error:
            log.debug("the Inbox of {user}: {error}", user=self._session.user, error=str(error))
            if not self._session.is_lost:
                self._soon(_RETRY)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.cancel()
        due, self._due = self._due, None
        if due is not None:
            due.cancel()
