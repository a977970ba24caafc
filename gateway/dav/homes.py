"""Homes: the stores that a user sees, and their folders as places; read when asked for, for a short time from memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

from twisted.internet.defer import DeferredLock

from gateway.dav import hrefs
from gateway.dav.delegates import sees_private
from gateway.dav.options import Options
from gateway.dav.places import (
    FOLDER_TAGS,
    NAMED_COLUMNS,
    Home,
    Place,
    directory_place,
    personal_of,
    places_of,
    with_personal,
)
from gateway.mailbox.acquaintances import Acquaintances
from gateway.mailbox.reading import overlapping
from gateway.mailbox.sharers import AHEAD, PORTION, Sharers
from gateway.mapi.errors import MapiError, NoAccess, NotFound
from gateway.mapi.props import Props, PropTag
from gateway.mapi.tables import ObjectType, TableFlags
from gateway.mapiclient.directory import own_user
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.names import Names
from gateway.mapiclient.session import Session
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of

#: How long (seconds) a tree answers where an item is; listings of collections are always read anew.
TREE_AGE: Final = 10.0
_DIRECTORY_TITLE: Final = "Global address book"


class UserHomes:
    """The stores and places of one session's user."""

    def __init__(
        self, session: Session, options: Options, seconds: Callable[[], float], portion: int = PORTION
    ) -> None:
        self._session = session
        self._options = options
        self._seconds = seconds
        self._lock = DeferredLock()
        self._homes: list[Home] = []
        known = Acquaintances(lambda: self._homes[0].store)
        self._others = Sharers(session, self.user, self._look, known, portion)
        self._places: list[Place] = []
        self._read_at = float("-inf")
        self._entryid = b""
        self.personal: dict[str, dict[str, str]] = {}
        """What the user gives collections of others, as of the last reading."""

    @property
    def user(self) -> str:
        """The user's login name."""
        return self._session.user

    async def own(self) -> Home:
        """The user's own store (NotFound when there is none)."""
        await self._open()
        return self._homes[0]

    async def places(self, age: float = TREE_AGE) -> list[Place]:
        """All places, own ones first, as they were at most ``age`` seconds ago."""
        if self._seconds() - self._read_at <= age:
            return self._places
        await self._lock.acquire()
        try:
            if self._seconds() - self._read_at > age:
                self._places, self._read_at = await self._read(), self._seconds()
            return self._places
        finally:
            self._lock.release()

    async def look_for(self, login: str) -> bool:
        """Look at what somebody shares who is named and not known; whether the places are to be read again."""
        if not self._options.others or login in self._others.found or login in (hrefs.PUBLIC, hrefs.DIRECTORY):
            return False
        await self._lock.acquire()
        try:
            await self._open()
            await self._others.look_for(login, self._seconds())
        finally:
            self._lock.release()
        if login in self._others.found:
            self.stale()
        return login in self._others.found

    def stale(self) -> None:
        """Have the tree read again when it is next asked for."""
        self._read_at = float("-inf")

    async def _open(self) -> None:
        if self._homes:
            return
        own = await Store.default(self._session)
        found = [Home(own, self.user, True, await own.special_folders())]
        if self._options.public:
            # Not every server has a public store, or has it for every user.
            with suppress(NotFound, NoAccess):
                found.append(Home(await Store.public(self._session), hrefs.PUBLIC))
        self._homes = found

    async def _read(self) -> list[Place]:
        await self._open()
        if self._options.others:
            await self._others.ask(self._seconds())
        own, *public = self._homes
        rows, named = await self._rows_of(own)
        found = places_of(rows, own, named)
        self.personal = personal_of(rows, own, named)
        async for places in overlapping((*self._others.found.values(), *public), self._visible, AHEAD):
            found += [with_personal(place, self.personal) for place in places]
        if self._options.directory:
            found.append(directory_place(_DIRECTORY_TITLE))
        return found

    async def _look(self, login: str) -> Home | None:
        """The store of another user when something in it may be seen."""
        home = Home(await Store.of_user(self._session, login), login)
        if not await self._places_of(home):
            return None
        return replace(home, shows_private=await self._is_trusted(home))

    async def _is_trusted(self, home: Home) -> bool:
        """Whether the owner of a home lets the user see private items."""
        if not self._entryid:
            with suppress(MapiError):
                self._entryid = (await own_user(self._session)).user_entryid
        return bool(self._entryid) and await sees_private(home.store, self._entryid)

    async def _visible(self, home: Home) -> list[Place]:
        try:
            # Trust that was taken back is not waited for until the owner is looked at again.
            if home.shows_private and not await self._is_trusted(home):
                home = replace(home, shows_private=False)
            return await self._places_of(home)
        except (NotFound, NoAccess, TransportError):
            return []  # nothing to see there, or not now

    async def _places_of(self, home: Home) -> list[Place]:
        rows, named = await self._rows_of(home)
        return places_of(rows, home, named)

    async def _rows_of(self, home: Home) -> tuple[list[Props], list[PropTag]]:
        """The folders of a store, and the tags of `NAMED_COLUMNS` in it."""
        session = home.store.session
        named = await Names(session).tags(NAMED_COLUMNS)
        # Capped at 255 characters, the properties of a collection would not be readable.
        table = Table(
            session,
            home.store.root,
            (*FOLDER_TAGS, *named),
            object_type=ObjectType.FOLDER,
            flags=TableFlags.CONVENIENT_DEPTH | TableFlags.NOCAP,
        )
        return await rows_of(table), named


class Homes:
    """The homes of all users who are logged on."""

    def __init__(self, options: Options, seconds: Callable[[], float], portion: int = PORTION) -> None:
        self._options = options
        self._portion = portion
        self._seconds = seconds
        self._homes: WeakKeyDictionary[Session, UserHomes] = WeakKeyDictionary()

    def of(self, session: Session) -> UserHomes:
        """The homes of a session's user."""
        found = self._homes.get(session)
        if found is None:
            found = self._homes[session] = UserHomes(session, self._options, self._seconds, self._portion)
        return found
