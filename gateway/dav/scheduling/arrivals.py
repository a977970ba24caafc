"""Meeting messages that came in, applied to their owner's calendar once (RFC 6638 4, RFC 5546 3.2).

PR_PROCESSED is what tells everybody that a message has been dealt with: MAPI clients set it when they apply one, and
leave alone those that have it; so do we. What is applied twice all the same changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from twisted.internet.defer import CancelledError, DeferredLock
from twisted.logger import Logger

from gateway.convert.ical import propids as ids
from gateway.convert.ical import uid_of
from gateway.convert.ical.kinds import method_of
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.values import number
from gateway.dav.entries import Entry, messages_of
from gateway.dav.homes import UserHomes
from gateway.dav.listing import Listings
from gateway.dav.places import Place, store_guid
from gateway.dav.scheduling import beginning, defaultcalendar, mailboxes, outgoing
from gateway.dav.scheduling.applying import Stranger, applied, is_for
from gateway.dav.scheduling.beginning import Beginning
from gateway.dav.scheduling.overtaken import with_cancellations
from gateway.dav.scheduling.publishing import Publisher
from gateway.dav.scheduling.users import is_same
from gateway.dav.tokens import Position
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError, NotFound, QuotaExceeded, StoreBusy
from gateway.mapi.ids import counter_of
from gateway.mapi.props import Props
from gateway.mapi.restrictions import And, Not, equals
from gateway.mapi.tables import SortKey
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.message import delete_messages, load_message, save_new_message, set_props
from gateway.mapiclient.replacing import Outdated, replace_message
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table, rows_of

log: Final = Logger()
#: How long (seconds) other collections than the Inbox are shown without looking for new messages.
INTERVAL: Final = 5.0
#: How long (seconds) an Inbox is left alone that the store could not look through in time.
PAUSE: Final = 600.0
_MOST: Final = 200
_ATTEMPTS: Final = 3
_OUTDATED: Final = 0x80000


@dataclass(slots=True)
class _Known:
    """What was seen of a user's Inbox."""

    lock: DeferredLock = field(default_factory=DeferredLock)
    looked: float = float("-inf")
    is_shown: bool = False
    """Whether the Inbox was shown since then."""
    position: Position | None = None
    recovered: float = float("-inf")
    """When abandoned messages of his were last looked for (Unix time)."""
    beginning: Beginning = field(default_factory=Beginning)
    ignored: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Visit:
    """One look into a user's Inbox. ``now`` is Unix time."""

    homes: UserHomes
    session: Session
    options: IcalOptions
    """How his calendar is read and written."""
    now: float


class Arrivals:
    """The Inboxes of a process's users. Runs in the reactor."""

    def __init__(self, listings: Listings, publisher: Publisher, seconds: Callable[[], float]) -> None:
        self._listings = listings
        self._publisher = publisher
        self._seconds = seconds
        self._known: WeakKeyDictionary[UserHomes, _Known] = WeakKeyDictionary()

    def is_due(self, homes: UserHomes, age: float) -> bool:
        """Whether nobody has looked for so many seconds; 0 is for a request that shows the Inbox.

        What came in while it was shown is in the calendar when that is looked at next, however soon.
        """
        known = self._known.setdefault(homes, _Known())
        was_shown, known.is_shown = known.is_shown, not age
        ago = self._seconds() - known.looked
        return ago > age or (was_shown and ago > 0)

    def put_off(self, homes: UserHomes) -> None:
        """The Inbox could not be looked at in time: it is not tried again for a while."""
        log.warn("the Inbox of {user} was not looked at in time for invitations", user=homes.user)
        self._known.setdefault(homes, _Known()).looked = self._seconds() + PAUSE

    async def take(self, visit: Visit) -> None:
        """Apply what came since the last time; what cannot be is left for MAPI clients (TransportError)."""
        homes = visit.homes
        known = self._known.setdefault(homes, _Known())
        await known.lock.acquire()
        try:
            inbox = (await mailboxes.of(homes, visit.now))[mailboxes.INBOX]
            store = (await homes.own()).store
            if visit.now - known.recovered > outgoing.ABANDONED:
                known.recovered = visit.now
                await outgoing.recover(store, visit.now)
            position = (await self._listings.fresh(visit.session, inbox)).position
            if position != known.position and await self._apply_all(visit, inbox, known):
                known.position = position
            known.beginning = await beginning.note(store, known.beginning, visit.now)
        except MapiError as error:
            log.info("invitations of {user} were not looked at: {error}", user=homes.user, error=str(error))
        finally:
            known.looked = self._seconds()
            known.lock.release()

    async def _apply_all(self, visit: Visit, inbox: Place, known: _Known) -> bool:
        """Apply what waits; False when more waits than is applied at once."""
        home = await visit.homes.own()
        if known.beginning.since is None:
            known.beginning = await beginning.read(home.store, visit.now)
        waiting = await _waiting(visit.session, inbox)
        known.ignored &= {row[pr.PR_ENTRYID] for row in waiting}
        rows = [row for row in waiting if row[pr.PR_ENTRYID] not in known.ignored]
        settled: set[bytes] = set()
        since = known.beginning.since
        if since is None:
            settled = await beginning.dealt_with(home, rows, inbox.since)
        else:
            rows = [row for row in rows if beginning.came_since(row, since)]
        for row in rows[:_MOST]:
            await self._attempt(visit, inbox, row[pr.PR_ENTRYID], known, settled)
        if len(rows) > _MOST:
            return False
        if since is None:
            known.beginning = await beginning.write(home.store, visit.now)
        return True

    async def _attempt(
        self, visit: Visit, inbox: Place, entryid: bytes, known: _Known, settled: Collection[bytes]
    ) -> None:
        """Apply a message, if it can be (StoreBusy, QuotaExceeded, TransportError: perhaps later)."""
        try:
            await self._one(visit, inbox, entryid, known, settled)
        except NotFound:
            return  # read and deleted by another client
        except (StoreBusy, QuotaExceeded, TransportError, CancelledError):
            raise
        except MapiError as error:
            log.warn(
                "a meeting message of {user} was not applied: {error}",
                user=visit.homes.user,
                error=str(error),
            )
            known.ignored.add(entryid)
        except Exception:
            # Whoever writes to a user must not keep him from his calendars.
            log.failure("a meeting message of {user} cannot be applied", user=visit.homes.user)
            known.ignored.add(entryid)

    async def _one(
        self, visit: Visit, inbox: Place, entryid: bytes, known: _Known, settled: Collection[bytes]
    ) -> None:
        loaded = await load_message(visit.session, entryid)
        message = loaded.content
        if not method_of(message.props) or not is_for(message, visit.homes.user, visit.options):
            known.ignored.add(entryid)  # a notification, say, that MAPI clients see to
            return
        if entryid in settled and (await self._located(visit, uid_of(message.props)))[1] is None:
            known.ignored.add(entryid)
            return
        if not (number(message.props, ids.MEETING_TYPE) or 0) & _OUTDATED:
            await self._apply(visit, inbox, message)
        store = inbox.home.store.entryid if inbox.home else b""
        await set_props(visit.session, store, entryid, loaded.server_id, {pr.PR_PROCESSED: True})

    async def _apply(self, visit: Visit, inbox: Place, message: MessageContent) -> None:
        """Apply a message, again when somebody changed the item meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                await self._apply_once(visit, inbox, message)
            except Outdated:
                continue
            return
        raise StoreBusy("the item is changed all the time")

    async def _apply_once(self, visit: Visit, inbox: Place, message: MessageContent) -> None:
        session, uid = visit.session, uid_of(message.props)
        place, entry = await self._located(visit, uid)
        if place is None:
            return
        item = (await load_message(session, entry.entryid)).content if entry is not None else None
        try:
            changed = applied(item, message, visit.options, visit.now)
        except Stranger as error:
            if not await is_same(session, error.organizer, [*error.senders]):
                raise
            changed = applied(item, message, visit.options, visit.now, trusted=True)
        if changed is None:
            return
        self._publisher.note(visit.homes, session)
        if entry is not None and item is not None:
            store = place.home.store.entryid if place.home else b""
            before = item.props.get(pr.PR_CHANGE_KEY) or b""
            await replace_message(session, store, entry.entryid, changed, before)
        else:
            came = (await self._listings.fresh(session, inbox)).by_key.values()
            changed = await with_cancellations(session, came, uid, message, changed, visit.options, visit.now)
            saved = await save_new_message(session, place.entryid, store_guid(place), changed)
            await self._drop_second(session, place, uid, saved.entryid)

    async def _located(self, visit: Visit, uid: str) -> tuple[Place | None, Entry | None]:
        """The calendar that has a meeting, with its item; else the default calendar."""
        places = [each for each in await visit.homes.places() if each.is_own and each.kind.name == "calendar"]
        places.sort(key=lambda each: not each.is_default)
        for place in places:
            entry = (await self._listings.fresh(visit.session, place)).by_uid.get(uid)
            if entry is not None:
                return place, entry
        return await defaultcalendar.read((await visit.homes.own()).store, places), None

    async def _drop_second(self, session: Session, place: Place, uid: str, entryid: bytes) -> None:
        """Of two items that two gateways made at once for one invitation, the older stays."""
        listing = await self._listings.fresh(session, place)
        same = [each for each in listing.by_key.values() if each.uid == uid]
        if len(same) > 1 and min(same, key=lambda each: counter_of(each.source_key)).entryid != entryid:
            await delete_messages(session, [entryid], hard=True)


async def _waiting(session: Session, inbox: Place) -> list[Props]:
    """The messages that nobody has dealt with, in the order in which they came."""
    restriction = And((messages_of(inbox, None), Not(equals(pr.PR_PROCESSED, True))))
    sort = (SortKey(pr.PR_MESSAGE_DELIVERY_TIME),)
    return await rows_of(
        Table.contents(session, inbox.entryid, beginning.COLUMNS, restriction=restriction, sort=sort)
    )
