"""Feeds: what the store tells of the collections that clients of a user want to be told of.

A feed holds a share of a session of its user. Where the store trusts the gateway that is one of the gateway's own; elsewhere
it is the user's, from his next request to the gateway's end, or until the store does not take his password any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.dav import tokens
from gateway.dav.homes import TREE_AGE, Homes
from gateway.dav.listing import Listings
from gateway.dav.places import Place
from gateway.dav.scheduling.watch import InboxWatch
from gateway.mapi.errors import MapiError, NoAccess, NotFound
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.notify import subscribe_messages
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Lease
from gateway.mapiclient.waiting import detached

log: Final = Logger()
#: How long (seconds) more changes are waited for.
DELAY: Final = 0.5
#: How long (seconds) until a store that did not answer, or a collection that was not there, is looked at again.
_RETRY: Final = 30.0
_MISSING: Final = 600.0
#: Called with the folder whose items changed, its sync token, "" when there is no such collection for the user.
Changed = Callable[[bytes, str], None]


class Feed:
    """The feed of one user. ``ended`` is called once, when the session is lost.

    ``inbox`` puts into his calendar what comes in, so that his clients hear of it, too.
    """

    def __init__(
        self,
        reactor: Any,
        lease: Lease,
        homes: Homes,
        listings: Listings,
        changed: Changed,
        ended: Callable[[Feed], None],
        inbox: InboxWatch | None = None,
    ) -> None:
        self._reactor = reactor
        self._lease = lease
        self._homes = homes
        self._listings = listings
        self._changed = changed
        self._ended = ended
        self._inbox = inbox
        self._watched: dict[bytes, Callable[[], None] | None] = {}
        """Folders, with the way to stop being told of them."""
        self._due: dict[bytes, IDelayedCall] = {}
        self._closed = False

    @property
    def is_lost(self) -> bool:
        """Whether nothing is heard any more."""
        return self._closed or self._lease.session.is_lost

    def follow(self, folders: Iterable[bytes]) -> None:
        """Be told of these folders, and of no others; of new ones at once, for what was missed."""
        wanted = set(folders)
        for folder in self._watched.keys() - wanted:
            self._forget(folder)
        for folder in wanted - self._watched.keys():
            self._watched[folder] = None
            self.look(folder, 0.0)

    def _forget(self, folder: bytes) -> None:
        stop = self._watched.pop(folder, None)
        if stop is not None:
            stop()
        due = self._due.pop(folder, None)
        if due is not None:
            due.cancel()

    def look(self, folder: bytes, delay: float = DELAY) -> None:
        """Look at a folder soon, once for all changes until then."""
        if folder in self._watched and folder not in self._due and not self._closed:
            self._due[folder] = self._reactor.callLater(delay, self._begin, folder)

    def _begin(self, folder: bytes) -> None:
        del self._due[folder]
        detached(self._look(folder), lambda why: log.failure("a feed failed", failure=why))

    async def _look(self, folder: bytes) -> None:
        try:
            token = await self.token(folder)
        except (MapiError, TransportError) as error:
            log.debug("push for {user}: {error}", user=self._lease.user, error=str(error))
            if self._lease.session.is_lost and not self._closed:
                self.close()
                self._ended(self)
            else:
                self.look(folder, _RETRY)
            return
        if not token and self._watched.get(folder) is None:
            self.look(folder, _MISSING)
        if not self._closed and folder in self._watched:
            self._changed(folder, token)

    async def token(self, folder: bytes) -> str:
        """The sync token of a folder as it is now, "" when there is no such collection (MapiError, TransportError)."""
        place = await self.place(folder)
        if place is None:
            return ""
        try:
            if folder in self._watched and self._watched[folder] is None:
                self._watched[folder] = self._subscribed(place)
            position = await self._listings.position(_session(place), place)
        except (NotFound, NoAccess):
            return ""
        return tokens.write(folder, position)

    def _subscribed(self, place: Place) -> Callable[[], None]:
        return subscribe_messages(_session(place), place.entryid, lambda: self.look(place.source_key))

    async def place(self, folder: bytes) -> Place | None:
        """The collection of a folder's source key."""
        homes = self._homes.of(self._lease.session)
        for age in (TREE_AGE, 0.0):
            for place in await homes.places(age):
                if place.source_key == folder and place.home is not None:
                    return place
        return None

    async def is_own(self, folder: bytes, told: str, hrefs: set[str]) -> str:
        """The present token when nothing but these items changed since another one, else "" (MapiError, TransportError)."""
        place = await self.place(folder)
        if place is None:
            return ""
        try:
            difference = await self._listings.since(_session(place), place, told)
        except ValueError:
            return ""
        changed = {entry.href for entry in difference.changed} | set(difference.removed)
        return tokens.write(folder, difference.position) if changed <= hrefs else ""

    def close(self) -> None:
        """Hear no more, give the session back."""
        if self._closed:
            return
        self._closed = True
        for folder in [*self._watched]:
            self._forget(folder)
        if self._inbox is not None:
            self._inbox.close()
        self._lease.release()


def _session(place: Place) -> Session:
    assert place.home is not None
    session: Any = place.home.store.session
    return session  # type: ignore[no-any-return]
