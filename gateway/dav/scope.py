"""RequestScope: what one HTTP request has of the store, from its lease to its answer.

The request is worked on in a thread of the DAV head; calls to the store run in the reactor, one after the other, and
the thread waits for each. Nothing outlives the request but the shared caches.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.threads import blockingCallFromThread

from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.timezones import Zone
from gateway.dav import hrefs
from gateway.dav.addressbook import Directory
from gateway.dav.differences import Difference
from gateway.dav.entries import Entry, matching, visible
from gateway.dav.errors import Refused
from gateway.dav.homes import TREE_AGE, Homes, UserHomes
from gateway.dav.kinds import CONTACTS
from gateway.dav.listing import Listing, Listings
from gateway.dav.members import Members
from gateway.dav.options import Options
from gateway.dav.people import People, Person
from gateway.dav.places import Place
from gateway.dav.push.service import Push
from gateway.dav.scheduling import mailboxes
from gateway.dav.scheduling.arrivals import Arrivals, Visit
from gateway.dav.scheduling.publishing import Publisher
from gateway.dav.scheduling.sending import Sending
from gateway.dav.texts import Rendering, TextCache, load, texts_of
from gateway.dav.turns import Turns
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapi.props import NamedTag, PropTag
from gateway.mapi.restrictions import Restriction
from gateway.mapi.rights import AccessEntry
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.names import Names
from gateway.mapiclient.session import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all requests of a process share. ``now`` is Unix time."""

    reactor: Any
    options: Options
    homes: Homes
    listings: Listings
    directory: Directory
    people: People
    texts: TextCache
    zone: Zone
    now: Callable[[], float]
    arrivals: Arrivals
    publisher: Publisher
    sending: Sending = field(default_factory=Sending)
    turns: Turns = field(default_factory=Turns)
    push: Push | None = None
    """None when clients are told nothing (`[dav] push`)."""

    @property
    def schedules(self) -> bool:
        """Whether the server sends invitations and answers (RFC 6638); clients do it themselves otherwise."""
        wanted = self.options.scheduling
        return self.sending.queue_runs if wanted == "auto" else bool(wanted)


class RequestScope:
    """One request of one user."""

    def __init__(self, shared: Shared, session: Session) -> None:
        self.shared = shared
        self.session = session
        self.user = session.user
        self.homes: UserHomes = shared.homes.of(session)
        self.base_url = ""
        """The server as the client names it, without a slash at the end; attachments have addresses then."""
        self.wants_zones = True
        """Whether texts have the definitions of standard time zones (RFC 7809)."""
        self._waiting: Deferred[Any] | None = None
        self._left = False
        self._places: list[Place] | None = None
        self._is_new = False
        self._mailboxes: dict[str, Place] | None = None
        self.quota: tuple[int, int | None] | None = None
        """How full the user's store is, once it was asked."""
        self.parents: dict[bytes, bytes] = {}
        self.entries: dict[bytes, list[AccessEntry]] = {}
        """Parents and access lists of folders, as they were once asked for: collections share what lies above them."""

    # Between the thread and the reactor

    def wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something with the store, from the thread; a time limit applies (TookTooLong)."""
        begin: Any = self._begin
        result: T = blockingCallFromThread(self.shared.reactor, begin, work)
        return result

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Deferred[T]:
        if self._left:
            raise CancelledError("the client went away")
        done: Deferred[T] = Deferred.fromCoroutine(work())
        self._waiting = done
        return done.addTimeout(self.shared.options.request_timeout, self.shared.reactor)

    def leave(self) -> None:
        """The client went away: nothing is begun any more, what is running is cancelled. In the reactor."""
        self._left = True
        if self._waiting is not None:
            self._waiting.cancel()

    def take_arrivals(self, age: float) -> None:
        """Apply meeting messages that came in for the user, unless that was done so many seconds ago or less."""
        shared = self.shared
        if not shared.schedules or not shared.arrivals.is_due(self.homes, age):
            return
        options = self._options(self.user, is_own=True)
        visit = Visit(self.homes, self.session, options, shared.now())
        try:
            self.wait(lambda: shared.arrivals.take(visit))
        except TookTooLong:
            # A huge Inbox must not keep the user from his calendars.
            shared.reactor.callFromThread(shared.arrivals.put_off, self.homes)

    def calendar_changed(self) -> None:
        """Have it published when the user is busy."""
        self.shared.reactor.callFromThread(self.shared.publisher.note, self.homes, self.session)

    # Where things are (from the thread)

    def places(self, principal: str, age: float | None = None) -> list[Place]:
        """The collections of a principal: all that the user sees for himself, else the principal's that he sees."""
        if age is not None or self._places is None:
            self._places = self.wait(lambda: self.homes.places(TREE_AGE if age is None else age))
            self._is_new = age == 0
        if principal == self.user:
            return self._places
        found = [place for place in self._places if place.owner == principal]
        if not found and self.wait(lambda: self.homes.look_for(principal)):
            self._places = self.wait(lambda: self.homes.places(TREE_AGE))
            found = [place for place in self._places if place.owner == principal]
        return found

    def place(self, principal: str, name: str) -> Place | None:
        """The collection of a name, or of a folder's source key in hexadecimal."""
        if name in mailboxes.NAMES and name in self.mailboxes(principal):
            return self.mailboxes(principal)[name]
        return self._named(principal, name, None) or self._named(principal, name, 0.0)

    def _named(self, principal: str, name: str, age: float | None) -> Place | None:
        places = self.places(principal, age)
        found = next((place for place in places if place.name == name), None)
        return found or next((place for place in places if place.source_key.hex() == name and name), None)

    def mailboxes(self, principal: str) -> dict[str, Place]:
        """The mailboxes for scheduling of the user himself, by name (RFC 6638 2); nobody sees another's."""
        if principal != self.user or not self.shared.schedules:
            return {}
        if self._mailboxes is None:
            try:
                self._mailboxes = self.wait(lambda: mailboxes.of(self.homes, self.shared.now()))
            except (NotFound, NoAccess):
                self._mailboxes = {}  # a store without Inbox and Outbox
        return self._mailboxes

    def principals(self) -> list[str]:
        """The principals in whose name the user sees anything, he himself first."""
        owners = dict.fromkeys(place.owner for place in self.places(self.user))
        return list(dict.fromkeys((self.user, *owners)))

    def is_principal(self, name: str) -> bool:
        """Whether a path part names a principal: somebody whose things are seen, or who is in the address book."""
        if name == self.user or name in self.principals():
            return True
        person = self.person(name)
        return person is not None and not person.is_hidden

    def person(self, principal: str) -> Person | None:
        """The user or group of a principal."""
        return self.wait(lambda: self.shared.people.person(self.session, principal))

    def last_change(self, place: Place) -> tuple[int, int]:
        """When something in a folder last changed (FILETIME), and how many items it has, as of this request."""
        if self._is_new and not place.kind.is_mailbox:
            return place.changed, place.count
        props, _ = self.wait(lambda: load_props(self.session_of(place), place.entryid))
        return props.get(pr.PR_LOCAL_COMMIT_TIME_MAX, 0), props.get(pr.PR_CONTENT_COUNT, 0)

    # What is in them (from the thread)

    def listing(self, place: Place, *, times: bool = False) -> Listing:
        """The items of a collection as they are now; without ``times`` events may be at any time."""
        if place.home is None:
            return self.wait(lambda: self.shared.directory.listing(self.session))
        return self.wait(lambda: self.shared.listings.fresh(self.session_of(place), place, times=times))

    def directory_search(
        self, restriction: Restriction | None, fits: Callable[[str], bool], most: int
    ) -> list[Entry]:
        """Entries of the global address book that the store finds and that fit, at most ``most`` and one."""
        return self.wait(lambda: self.shared.directory.search(self.session, restriction, fits, most))

    def directory_find(self, entryids: Sequence[bytes]) -> dict[bytes, Entry]:
        """Entries of the global address book by their ids."""
        return self.wait(lambda: self.shared.directory.find(self.session, entryids)) if entryids else {}

    def named_tag(self, place: Place, name: NamedTag) -> PropTag:
        """The tag of a named property in the store of a collection, 0 when nothing there ever had it."""
        return self.wait(lambda: Names(self.session_of(place)).tags([name], create=False))[0]

    def matching(self, place: Place, restriction: Restriction) -> set[bytes]:
        """The source keys of the items of a collection that a restriction matches."""
        return self.wait(lambda: matching(self.session_of(place), place, restriction))

    def since(self, place: Place, token: str, most: int | None = None) -> Difference:
        """What happened since a token, of at most so many items (ValueError)."""
        if place.home is None:
            return self.wait(lambda: self.shared.directory.since(self.session, token))
        return self.wait(lambda: self.shared.listings.since(self.session_of(place), place, token, most))

    def texts(self, place: Place, entries: list[Entry], version: str = "3.0") -> dict[bytes, bytes]:
        """Source key to text of items, read in batches."""
        rendering = self.rendering(place, version)
        if place.home is None:
            # What is no longer in memory is asked again.
            self.directory_find(self.shared.directory.forgotten(entries))
            return self.shared.directory.texts(entries, version)
        session = self.session_of(place)
        return texts_of(
            entries,
            place,
            rendering,
            self.shared.texts,
            session.server_guid,
            lambda missing: self.wait(lambda: load(session, missing)),
        )

    def content(self, place: Place, entry: Entry) -> MessageContent | None:
        """One whole item, None when it is gone."""
        found = self.wait(lambda: load(self.session_of(place), [entry], whole=True))
        return found[0][1] if found else None

    def contents(self, place: Place, entries: Sequence[Entry]) -> list[MessageContent]:
        """Whole items, read in batches; those that are gone are missing."""
        return [content for _, content in self.wait(lambda: load(self.session_of(place), entries))]

    def rendering(self, place: Place, version: str = "3.0") -> Rendering:
        """How items of a collection are written for this user."""
        owner = self.user if place.is_own else place.owner
        has_owner = place.kind.is_calendar and owner not in (hrefs.PUBLIC, hrefs.DIRECTORY)
        options = self._options(owner if has_owner else "", is_own=place.is_own)
        base = f"{self.base_url}/{quote(place.owner)}/{quote(place.name)}/" if self.base_url else ""
        members = self._members(place) if place.kind is CONTACTS else None
        return Rendering(place.kind, replace(options, sees_private=place.sees_private), version, base, members)

    def _members(self, place: Place) -> Members:
        """Who is in the lists of an address book."""

        def read(entries: list[Entry]) -> list[tuple[Entry, MessageContent]]:
            return self.wait(lambda: load(self.session_of(place), entries))

        return Members(lambda: visible([*self.listing(place).by_key.values()], place), read)

    def _options(self, owner: str, *, is_own: bool) -> IcalOptions:
        """How the calendar of a user ("" = of nobody) is read and written."""
        addresses: tuple[str, ...] = ()
        name = ""
        if owner:
            addresses, name = self.wait(lambda: self.shared.people.addresses(self.session, owner))
        return IcalOptions(zone=self.shared.zone, owner=addresses, owner_name=name, alarms=is_own)

    def session_of(self, place: Place) -> Session:
        """The session on the server that has a collection."""
        if place.home is None:
            return self.session
        session: Any = place.home.store.session
        return session  # type: ignore[no-any-return]

    def stale(self) -> None:
        """The tree was changed by this request."""
        self._places = None
        self.shared.reactor.callFromThread(self.homes.stale)


def require(place: Place | None) -> Place:
    """The collection that there must be."""
    if place is None:
        raise Refused(404, "", "there is no such collection")
    return place
