"""Publishing when a user is busy, as MAPI clients do after they changed a calendar (MS-OXOPFFB 3.1.4.3).

Other users see these times when they invite him, whatever program they use. They are written for some months from the
present one on, once for all changes of a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from gateway.convert.ical import Busy, busy_periods, published
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.timezones import Zone
from gateway.dav.homes import UserHomes
from gateway.dav.listing import Listings
from gateway.dav.places import Home, Place
from gateway.dav.scheduling.published import PUBLISHED, published_folder
from gateway.dav.scheduling.transparency import makes_busy
from gateway.dav.texts import load
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError
from gateway.mapi.props import NamedProps
from gateway.mapi.restrictions import equals
from gateway.mapi.tables import ObjectType
from gateway.mapi.times import from_unix
from gateway.mapiclient import directory
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import save_new_message, set_props
from gateway.mapiclient.session import Session
from gateway.mapiclient.store import Special, Store
from gateway.mapiclient.table import Table, rows_of

log: Final = Logger()
#: Months that are published, the present one included: as many as Kopano's clients publish.
MONTHS: Final = 6
#: How long (seconds) more changes are waited for.
DELAY: Final = 10.0
_CLASS: Final = "IPM.Microsoft.ScheduleData.FreeBusy"
_PUBLIC_MESSAGE: Final = 2


class Publisher:
    """Publishes for the users of a process. Runs in the reactor."""

    def __init__(self, reactor: Any, listings: Listings, zone: Zone, now: Callable[[], float]) -> None:
        self._reactor = reactor
        self._listings = listings
        self._zone = zone
        self._now = now
        self._waiting: dict[str, tuple[UserHomes, Session]] = {}
        self._timer: Any = None
        self._stopped = False

    def note(self, homes: UserHomes, session: Session) -> None:
        """A user's calendar was changed."""
        if self._stopped:
            return
        self._waiting[homes.user] = homes, session
        if self._timer is None:
            self._timer = self._reactor.callLater(DELAY, self._due)

    async def stop(self) -> None:
        """Publish what waits to be published, and nothing any more."""
        self._stopped = True
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        await self.publish(list(self._waiting))

    def _due(self) -> None:
        self._timer = None
        work: Deferred[None] = Deferred.fromCoroutine(self.publish(list(self._waiting)))
        work.addErrback(lambda failure: log.failure("busy times were not published", failure=failure))

    async def publish(self, users: Iterable[str]) -> None:
        """Publish now for those of these users (login names) whose calendars were changed."""
        for user in users:
            found = self._waiting.pop(user, None)
            if found is None:
                continue
            try:
                await self._publish(*found)
            except (MapiError, TransportError) as error:
                log.info("busy times of {user} were not published: {error}", user=user, error=str(error))
                if isinstance(error, TransportError) and not found[1].is_lost:
                    self.note(*found)  # the store may be back soon

    async def _publish(self, homes: UserHomes, session: Session) -> None:
        places = [each for each in await homes.places() if each.is_own and each.kind.name == "calendar"]
        folder = await published_folder(session)
        if folder is None:
            return
        first, last = _window(self._now())
        periods: list[Busy] = []
        for place in places:
            if makes_busy(place, is_default=place.is_default):
                periods += await self._periods(session, place, first, last)
        person = await directory.own_user(session)
        props = published(periods, first, last, person.mail_address or "", from_unix(self._now()))
        await _write(session, homes, folder, person.user_entryid, homes.user, props)

    async def _periods(self, session: Session, place: Place, first: int, last: int) -> list[Busy]:
        """When the calendar keeps its owner busy; events that repeat are read, the others are known."""
        listing = await self._listings.fresh(session, place, times=True)
        inside = [
            each
            for each in listing.by_key.values()
            if from_unix(each.first) < last and from_unix(each.last) > first
        ]
        single = [
            Busy(max(from_unix(each.first), first), min(from_unix(each.last), last), each.busy)
            for each in inside
            if not each.recurring and each.busy in (1, 2, 3) and each.last > each.first
        ]
        series = [content for _, content in await load(session, [each for each in inside if each.recurring])]
        options = IcalOptions(zone=self._zone)
        pool = self._reactor.getThreadPool()
        found = await deferToThreadPool(self._reactor, pool, lambda: busy_periods(series, first, last, options))
        return [*single, *found]


def _window(now: float) -> tuple[int, int]:
    """The beginning of the present month, and that of the first one that is not published (FILETIMEs)."""
    moment = datetime.fromtimestamp(now, UTC)
    months = moment.year * 12 + moment.month - 1
    ends = [datetime(each // 12, each % 12 + 1, 1, tzinfo=UTC) for each in (months, months + MONTHS)]
    return from_unix(ends[0].timestamp()), from_unix(ends[1].timestamp() - 60)


async def _write(
    session: Session,
    homes: UserHomes,
    folder: tuple[Store, bytes],
    user: bytes,
    login: str,
    props: NamedProps,
) -> None:
    """Put the times into the user's message, which is made when there is none."""
    public, entryid = folder
    mine = equals(pr.PR_ADDRESS_BOOK_ENTRYID, user)
    rows = await rows_of(Table.contents(public.session, entryid, (pr.PR_ENTRYID,), restriction=mine))
    if rows:
        found = rows[0][pr.PR_ENTRYID]
        _, server_id = await load_props(public.session, found)
        gone = [tag for tag in PUBLISHED if tag not in props and tag != pr.PR_ADDRESS_BOOK_ENTRYID]
        await set_props(public.session, public.entryid, found, server_id, props, gone)
        return
    more: NamedProps = {
        pr.PR_MESSAGE_CLASS: _CLASS,
        pr.PR_ADDRESS_BOOK_ENTRYID: user,
        pr.PR_DISPLAY_NAME: login,
        pr.PR_SUBJECT: login,
    }
    saved = await save_new_message(public.session, entryid, public.guid, MessageContent({**more, **props}))
    await _name(await homes.own(), saved.entryid)


async def _name(home: Home, message: bytes) -> None:
    """Have the user's store name the message, where MAPI clients look for it."""
    for holder in (home.store.root, home.special.get(Special.INBOX)):
        if not holder:
            continue
        with suppress(MapiError):
            props, server_id = await load_props(home.store.session, holder)
            entryids = list(props.get(pr.PR_FREEBUSY_ENTRYIDS) or ())
            entryids += [b""] * (_PUBLIC_MESSAGE + 1 - len(entryids))
            entryids[_PUBLIC_MESSAGE] = message
            changes: NamedProps = {pr.PR_FREEBUSY_ENTRYIDS: tuple(entryids)}
            await set_props(
                home.store.session,
                home.store.entryid,
                holder,
                server_id,
                changes,
                object_type=ObjectType.FOLDER,
            )
