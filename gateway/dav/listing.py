"""Listings: what lies in a folder, as one table read once, and after that only what the change log tells.

A listing is shared by everybody who may read the folder; whether somebody may, the store says each time, because the
change log is asked with his session. It can be dropped at any time. The table is read when somebody asks for an item:
a client that asks whether something changed needs but a position in the change log.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from twisted.internet.defer import Deferred

from gateway.dav import folderlog, hrefs, tokens
from gateway.dav.differences import Difference, difference, first_of, hrefs_of, is_unknown, number
from gateway.dav.entries import Entry, columns_of, entry_of_props, has_times
from gateway.dav.kepthrefs import Hrefs, KeptHrefs
from gateway.dav.kinds import Kind
from gateway.dav.places import Place
from gateway.dav.texts import load_whole
from gateway.dav.tokens import Position
from gateway.mailbox.reading import overlapping
from gateway.mapi.changes import Change
from gateway.mapi.errors import MapiError, NoAccess, NotFound
from gateway.mapi.props import NamedProps
from gateway.mapi.times import to_unix
from gateway.mapiclient.message import LoadedMessage
from gateway.mapiclient.names import Names
from gateway.mapiclient.session import Session

#: Hrefs of removed items that are remembered for each collection.
_MOST_GONE: Final = 5000
#: Hrefs that one item had before.
_MOST_FORMER: Final = 20
#: One of so many parts of what is kept may be too much.
_PARTS: Final = 20
#: Folders whose change logs are asked at the same time.
_AHEAD: Final = 8
#: A folder's last change tells later ones apart when it lies so many seconds back: not every server's times are fine.
_SETTLED: Final = 3.0
#: When something in a folder last changed (FILETIME), and how many items it has: its row in the hierarchy.
Mark: TypeAlias = tuple[int, int]


@dataclass(slots=True, weakref_slot=True)
class Listing:
    """The items of one folder and how far its change log was read."""

    kind: Kind
    sync_id: int
    position: Position
    by_key: dict[bytes, Entry] = field(default_factory=dict)
    by_href: dict[str, Entry] = field(default_factory=dict)
    by_uid: dict[str, Entry] = field(default_factory=dict)
    gone: OrderedDict[bytes, str] = field(default_factory=OrderedDict)
    """Source key to href of what was removed."""
    former: OrderedDict[bytes, dict[str, None]] = field(default_factory=OrderedDict)
    """Source key to the hrefs that an item had before it was given another."""
    waiting: dict[str, bytes] = field(default_factory=dict)
    """Href to source key of the item that has it as soon as the one goes that has it now."""
    is_read: bool = False
    """Whether the items were read; else there is but a position."""
    has_times: bool = False
    """Whether the times of all events are known; else those whose times are not may be at any time."""
    mark: Mark | None = None
    """What the folder's row showed before the log was last read, if later changes make it another."""

    has_new_names: bool = False
    """Whether items came, or got other hrefs, since this was last looked at."""
    digest: str = ""
    """What tells one state of an address book without a change log from others, once it was asked for."""

    @property
    def size(self) -> int:
        """What it counts for in memory: its items, those that are gone, and itself."""
        return 1 + len(self.by_key) + len(self.gone) + len(self.former)

    def put(self, entry: Entry) -> None:
        """Add or replace an item; a second one with the same href is named by its source key while there are two."""
        known = self.by_key.get(entry.source_key)
        self.remove(entry.source_key, for_good=False)
        other = self.by_href.get(entry.href)
        if other is not None:
            self.waiting[entry.href] = entry.source_key
            entry = entry._replace(href=hrefs.key_href(entry.source_key, self.kind.suffix))
        self.has_new_names = self.has_new_names or known is None or known.href != entry.href
        if known is not None and known.href != entry.href:
            self.note_former(entry.source_key, known.href)
        self.by_key[entry.source_key] = self.by_href[entry.href] = entry
        self.by_uid.setdefault(entry.uid, entry)
        self.gone.pop(entry.source_key, None)
        if known is not None and known.href != entry.href:
            self._pass_on(known.href)

    def _pass_on(self, href: str) -> None:
        """Give an href that is free now to the item that waits for it."""
        entry = self.by_key.get(self.waiting.pop(href, b""))
        if entry is None or entry.href == href or href in self.by_href:
            return
        self.note_former(entry.source_key, entry.href)
        del self.by_href[entry.href]
        new = entry._replace(href=href)
        self.by_key[entry.source_key] = self.by_href[href] = new
        if self.by_uid.get(entry.uid, entry) is entry:
            self.by_uid[entry.uid] = new
        self.has_new_names = True

    def note_former(self, source_key: bytes, href: str) -> None:
        """An item had this href: clients have to be told that it is gone there, unless it still is."""
        names = self.former.setdefault(source_key, {})
        names[href] = None
        if len(names) > _MOST_FORMER:
            del names[next(iter(names))]
        if len(self.former) > _MOST_GONE:
            self.former.popitem(last=False)

    def names(self) -> Hrefs:
        """The hrefs of all items that are there, and of those that are known to be gone."""
        found = {key: entry.href for key, entry in self.by_key.items()} | self.gone
        suffix = self.kind.suffix
        names = {key: "" if href == hrefs.key_href(key, suffix) else href for key, href in found.items()}
        for key, former in self.former.items():
            if key in names:
                names[key] = "/".join((names[key], *former))
        return names

    def fill(self, entries: Iterable[Entry]) -> None:
        """Put entries of items that are not there, many at once."""
        by_key, by_href, by_uid = self.by_key, self.by_href, self.by_uid
        self.has_new_names = True
        for entry in entries:
            if entry.href in by_href:
                self.put(entry)
            else:
                by_key[entry.source_key] = by_href[entry.href] = entry
                by_uid.setdefault(entry.uid, entry)

    def exchange(self, old: Entry, new: Entry) -> None:
        """Put an entry of the same item, href and UID in the place of another."""
        self.by_key[old.source_key] = self.by_href[old.href] = new
        if self.by_uid.get(old.uid) is old:
            self.by_uid[old.uid] = new

    def remove(self, source_key: bytes, *, for_good: bool = True) -> None:
        """Take an item away."""
        entry = self.by_key.pop(source_key, None)
        if entry is None:
            return
        self.by_href.pop(entry.href, None)
        if self.by_uid.get(entry.uid) is entry:
            del self.by_uid[entry.uid]
        if for_good:
            self.gone[source_key] = entry.href
            if len(self.gone) > _MOST_GONE:
                self.gone.popitem(last=False)
            self._pass_on(entry.href)


class Listings:
    """The listings of a process, of at most ``most`` items together; ``now`` is Unix time. Runs in the reactor."""

    def __init__(self, most: int, now: Callable[[], float] = time.time, kept: KeptHrefs | None = None) -> None:
        self._most = most
        self._kept = kept
        self._added = 0
        self._now = now
        self._listings: OrderedDict[tuple[bytes, bytes], Listing] = OrderedDict()

    @property
    def size(self) -> int:
        """What all of them count for in memory."""
        return sum(each.size for each in self._listings.values())

    async def fresh(self, session: Session, place: Place, *, times: bool = False) -> Listing:
        """The listing of a place as it is now (NoAccess; NotFound when the folder is gone).

        Without ``times`` its events may be at any time.
        """
        listing = await self._current(session, place)
        if not listing.is_read:
            # With the position from before: what changes meanwhile is told once more, not missed.
            whole = Listing(place.kind, listing.sync_id, listing.position, mark=listing.mark, is_read=True)
            whole.has_times = times or not has_times(place.kind)
            whole.fill(await folderlog.items(session, place, times=times))
            # What went while the table was read must not be told alone: nobody would know its name.
            await folderlog.catch_up(session, place, whole)
            self._listings[session.server_guid, place.source_key] = listing = whole
            self._trim(whole)
        elif times and not listing.has_times:
            await folderlog.add_times(session, place, listing)
        self._keep(session, place, listing)
        return listing

    def _keep(self, session: Session, place: Place, listing: Listing) -> None:
        if self._kept is not None and listing.has_new_names and not place.kind.is_mailbox:
            listing.has_new_names = False
            self._kept.changed(_kept_key(session, place), listing)

    async def _current(self, session: Session, place: Place) -> Listing:
        """The listing with its position as it is now, its items read or not."""
        key = session.server_guid, place.source_key
        listing = self._listings.get(key)
        if listing is not None:
            try:
                await folderlog.catch_up(session, place, listing)
            except NotFound:
                listing = None  # the store has forgotten the sync id, or the folder is gone
        if listing is None:
            listing = Listing(place.kind, *await folderlog.begin(session, place))
            self._trim(listing)
        self._listings[key] = listing
        self._listings.move_to_end(key)
        return listing

    async def position(self, session: Session, place: Place) -> Position:
        """How far the change log goes now (NoAccess, NotFound)."""
        return (await self._current(session, place)).position

    async def positions(self, asked: Iterable[tuple[Session, Place]]) -> dict[bytes, Position]:
        """The same of many places whose rows were just read, by source key; those left out that cannot be seen.

        A folder whose row is as it was is not asked.
        """

        async def one(which: tuple[Session, Place]) -> tuple[bytes, Position | None]:
            session, place = which
            mark = place.changed, place.count
            known = self._listings.get((session.server_guid, place.source_key))
            if known is not None and known.mark == mark:
                return place.source_key, known.position
            try:
                listing = await self._current(session, place)
            except (NoAccess, NotFound):
                return place.source_key, None
            listing.mark = mark if self._is_settled(place) else None
            return place.source_key, listing.position

        return {key: found async for key, found in overlapping(asked, one, _AHEAD) if found is not None}

    def _is_settled(self, place: Place) -> bool:
        """Whether any further change makes the folder's row another one. An empty folder has never changed, or shows when."""
        if place.kind.is_mailbox:
            return False  # it was not read with the others
        return self._now() - to_unix(place.changed) > _SETTLED if place.changed else not place.count

    async def fresh_with(
        self, session: Session, place: Place, href: str
    ) -> tuple[Listing, LoadedMessage | None]:
        """The listing as it is now, and all of one item unless it was unknown; the store is asked for both at once.

        The item is as it was at some moment meanwhile: who needs it as listed compares the change keys.
        """
        known = self._listings.get((session.server_guid, place.source_key))
        entry = entry_of_href(known, href) if known is not None else None
        if entry is None:
            return await self.fresh(session, place), None
        reading = Deferred.fromCoroutine(_tried(session, entry))
        try:
            listing = await self.fresh(session, place)
        except BaseException:
            reading.addErrback(lambda _: None)
            reading.cancel()
            raise
        return listing, await reading

    async def saved(self, session: Session, place: Place, props: NamedProps) -> None:
        """An item was just put: its own change need not be read back."""
        listing = self._listings.get((session.server_guid, place.source_key))
        if listing is None or not listing.is_read:
            return
        columns = await columns_of(session, place)
        entry = entry_of_props(place.kind, columns, await Names(session).to_tags(props, create=False))
        if entry is not None:
            listing.put(entry)
            self._keep(session, place, listing)

    def _trim(self, added: Listing) -> None:
        """Have the oldest ones give way; they are counted when a good part of what there may be came in addition."""
        self._added += added.size
        if self._added * _PARTS < self._most:
            return
        self._added = 0
        size = self.size
        while size > self._most and len(self._listings) > 1:
            size -= self._listings.popitem(last=False)[1].size

    async def since(self, session: Session, place: Place, token: str, most: int | None = None) -> Difference:
        """What happened since a token, of at most so many items (ValueError when unknown; NoAccess, NotFound)."""
        position = tokens.read(token, place.source_key)
        listing = await self._current(session, place)
        # Others may read on in the log meanwhile: what they learn is not what is told here.
        now = listing.position
        if position == now:
            return Difference(position, [], [])
        if position.number > now.number:
            await folderlog.check_exists(session, place, listing.sync_id, position)
        changes, _ = await folderlog.changes_since(session, place, listing.sync_id, position)
        fresh = sorted((each for each in changes if position.is_new(each.change_id)), key=number)
        if fresh and not listing.is_read:
            listing = await self._fresh_after(session, place, fresh)
        told = first_of(fresh, most)
        names = await self._names(session, place, listing, told)
        if len(told) == len(fresh):
            return difference(listing, fresh, now, names)
        return replace(difference(listing, told, position.after(told, 0), names), is_cut=True)

    async def _fresh_after(self, session: Session, place: Place, changes: Sequence[Change]) -> Listing:
        """A listing that is read now, which knows the names that changed items had when they were last kept."""
        before = await self._kept.load(_kept_key(session, place)) if self._kept is not None else {}
        listing = await self.fresh(session, place)
        for key in {each.source_key for each in changes} & before.keys():
            entry = listing.by_key.get(key)
            if entry is not None:
                for href in hrefs_of(before[key], key, listing):
                    listing.note_former(key, href)
        return listing

    async def _names(
        self, session: Session, place: Place, listing: Listing, changes: Sequence[Change]
    ) -> Hrefs:
        """The hrefs of removed items that this listing never saw, as far as they are known."""
        if self._kept is None or not any(is_unknown(listing, change) for change in changes):
            return {}
        return await self._kept.load(_kept_key(session, place))


async def _tried(session: Session, entry: Entry) -> LoadedMessage | None:
    """All of an item, None when it cannot be read just now."""
    try:
        return await load_whole(session, entry)
    except MapiError:
        return None


def _kept_key(session: Session, place: Place) -> bytes:
    return session.server_guid + place.source_key


def entry_of_href(listing: Listing, href: str) -> Entry | None:
    """The item of an href; any item is also found under its source key."""
    found = listing.by_href.get(href)
    if found is None and href.endswith(listing.kind.suffix):
        try:
            return listing.by_key.get(bytes.fromhex(href.removesuffix(listing.kind.suffix)))
        except ValueError:
            return None
    return found
