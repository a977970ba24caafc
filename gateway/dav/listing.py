"""Listings: what lies in a folder, as one table read once, and after that only what the change log tells.

A listing is shared by everybody who may read the folder; whether somebody may, the store says each time, because the
change log is asked with his session. It can be dropped at any time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from twisted.internet.defer import Deferred

from gateway.dav import hrefs, tokens
from gateway.dav.entries import Entry, columns_of, entries_in, entry_of_props
from gateway.dav.kinds import Kind
from gateway.dav.places import Place
from gateway.dav.texts import load_whole
from gateway.dav.tokens import Position
from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, SyncFlags, SyncKind, collapse
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.props import NamedProps
from gateway.mapi.restrictions import Or, equals
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import LoadedMessage
from gateway.mapiclient.names import Names
from gateway.mapiclient.session import Session
from gateway.mapiclient.sync import entryid_of, get_changes, new_sync

_FLAGS: Final = int(SyncFlags.NORMAL)
#: With more changed items than this the whole folder is listed again.
_MANY: Final = 200
#: So many changed items are read one by one.
_FEW: Final = 8
#: Hrefs of removed items that are remembered for each collection.
_MOST_GONE: Final = 5000


@dataclass(slots=True)
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

    def put(self, entry: Entry) -> None:
        """Add or replace an item; a second one with the same href is named by its source key."""
        self.remove(entry.source_key, for_good=False)
        other = self.by_href.get(entry.href)
        if other is not None:
            entry = entry._replace(href=hrefs.key_href(entry.source_key, self.kind.suffix))
        self.by_key[entry.source_key] = self.by_href[entry.href] = entry
        self.by_uid.setdefault(entry.uid, entry)
        self.gone.pop(entry.source_key, None)

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


@dataclass(frozen=True, slots=True)
class Difference:
    """What a client that stood at an earlier position has to learn."""

    position: Position
    changed: list[Entry]
    removed: list[str]
    is_cut: bool = False
    """Whether there is more to learn from ``position`` on."""


class Listings:
    """The listings of a process, of at most ``most`` items together. Runs in the reactor."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._listings: OrderedDict[tuple[bytes, bytes], Listing] = OrderedDict()

    async def fresh(self, session: Session, place: Place) -> Listing:
        """The listing of a place as it is now (NoAccess; NotFound when the folder is gone)."""
        key = session.server_guid, place.source_key
        listing = self._listings.get(key)
        if listing is not None:
            try:
                await _catch_up(session, place, listing)
            except NotFound:
                listing = None  # the store has forgotten the sync id, or the folder is gone
        if listing is None:
            listing = await _list(session, place)
        self._listings[key] = listing
        self._listings.move_to_end(key)
        self._trim()
        return listing

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
        if listing is None:
            return
        columns = await columns_of(session, place)
        entry = entry_of_props(place.kind, columns, await Names(session).to_tags(props, create=False))
        if entry is not None:
            listing.put(entry)

    def _trim(self) -> None:
        while (
            len(self._listings) > 1 and sum(len(each.by_key) for each in self._listings.values()) > self._most
        ):
            self._listings.popitem(last=False)

    async def since(self, session: Session, place: Place, token: str, most: int | None = None) -> Difference:
        """What happened since a token, of at most so many items (ValueError when unknown; NoAccess, NotFound)."""
        position = tokens.read(token, place.source_key)
        listing = await self.fresh(session, place)
        if position == listing.position:
            return Difference(position, [], [])
        if position.number > listing.position.number:
            await _check_exists(session, place, listing, position)
        changes, _ = await _changes(session, place, listing.sync_id, position)
        fresh = sorted((each for each in changes if position.is_new(each.change_id)), key=_number)
        told = _first_of(fresh, most)
        if len(told) == len(fresh):
            return _difference(listing, fresh, listing.position)
        return replace(_difference(listing, told, position.after(told, 0)), is_cut=True)


async def _tried(session: Session, entry: Entry) -> LoadedMessage | None:
    """All of an item, None when it cannot be read just now."""
    try:
        return await load_whole(session, entry)
    except MapiError:
        return None


async def _check_exists(session: Session, place: Place, listing: Listing, position: Position) -> None:
    """Refuse a position that the store has not reached: it was restored from an older backup."""
    flags = _FLAGS | SyncFlags.CATCHUP
    _, last = await get_changes(session, place.source_key, listing.sync_id, 1, SyncKind.CONTENTS, flags)
    if position.number > last:
        raise ValueError("the sync token is of a time that the store knows nothing of")


def _number(change: Change) -> int:
    return change.change_id


def _first_of(changes: Sequence[Change], most: int | None) -> Sequence[Change]:
    """The changes of the first so many items, in the order in which they happened."""
    keys: set[bytes] = set()
    for place, change in enumerate(changes):
        keys.add(change.source_key)
        if most is not None and len(keys) > most:
            return changes[:place]
    return changes


def _difference(listing: Listing, changes: Sequence[Change], position: Position) -> Difference:
    changed, removed = [], []
    for key, change in collapse(changes).items():
        entry = listing.by_key.get(key)
        if entry is not None:
            changed.append(entry)
        elif key in listing.gone:
            removed.append(listing.gone[key])
        elif listing.kind.is_mailbox:  # it may be any mail; messages have no names of clients
            removed.append(hrefs.key_href(key, listing.kind.suffix) if change.is_delete else "")
        else:
            removed.append(_gone_href(key, changes, listing))
    return Difference(position, changed, [href for href in removed if href])


def _gone_href(key: bytes, changes: Sequence[Change], listing: Listing) -> str:
    """The href of what this process never saw: nobody knows it, unless the client never had it."""
    first = next(each for each in changes if each.source_key == key)
    if first.change_type & 0xF == 1:
        return ""  # it came and went
    raise ValueError("the name of a removed item is not known any more")


async def _changes(
    session: Session, place: Place, sync_id: int, position: Position
) -> tuple[list[Change], int]:
    return await get_changes(session, place.source_key, sync_id, position.asked_from, SyncKind.CONTENTS, _FLAGS)


async def _list(session: Session, place: Place) -> Listing:
    """Read a folder. The position comes first: what changes meanwhile is then told once more, not missed."""
    sync_id = await new_sync(session, place.source_key, SyncKind.CONTENTS, _FLAGS)
    flags = _FLAGS | SyncFlags.CATCHUP
    _, last = await get_changes(session, place.source_key, sync_id, 1, SyncKind.CONTENTS, flags)
    start = Position(max(last, 1), 0)
    changes, newest = await _changes(session, place, sync_id, start)
    listing = Listing(place.kind, sync_id, start.after(changes, newest))
    for entry in sorted(await entries_in(session, place, None), key=lambda each: each.source_key):
        listing.put(entry)
    return listing


async def _catch_up(session: Session, place: Place, listing: Listing) -> None:
    before = listing.position
    changes, newest = await _changes(session, place, listing.sync_id, before)
    fresh = [each for each in changes if before.is_new(each.change_id)]
    if fresh:
        await _apply(session, place, listing, collapse(fresh))
    if listing.position is before:  # nobody else was faster
        listing.position = before.after(changes, newest)


async def _apply(session: Session, place: Place, listing: Listing, changes: dict[bytes, Change]) -> None:
    changed = [
        key for key, change in changes.items() if not change.is_delete and not _is_known(listing, change)
    ]
    found = await _read_again(session, place, listing, changed)
    wanted = set(changed)
    there = {entry.source_key for entry in found}
    for key, change in changes.items():
        if change.is_delete or (key in wanted and key not in there):
            listing.remove(key)
    for entry in found:
        if entry.source_key in wanted:
            listing.put(entry)


def _is_known(listing: Listing, change: Change) -> bool:
    """Whether the listing has an item as it is since this change: a change key ends with the change's number."""
    entry = listing.by_key.get(change.source_key)
    return entry is not None and entry.etag.strip('"').endswith(change.change_id.to_bytes(4, "little").hex())


async def _read_again(session: Session, place: Place, listing: Listing, keys: Sequence[bytes]) -> list[Entry]:
    """The items of these source keys; a few are read one by one, because a table would look at the whole folder."""
    if len(keys) > _FEW:
        restriction = Or(tuple(equals(pr.PR_SOURCE_KEY, key) for key in keys))
        return await entries_in(session, place, restriction if len(keys) <= _MANY else None)
    found: list[Entry] = []
    columns = await columns_of(session, place)
    for key in keys:
        known = listing.by_key.get(key)
        try:
            store = place.home.store.entryid if place.home else b""
            entryid = known.entryid if known else await entryid_of(session, store, place.source_key, key)
            props, _ = await load_props(session, entryid)
        except NotFound:
            continue  # it went again
        props |= {pr.PR_ENTRYID: entryid, pr.PR_SOURCE_KEY: key}
        entry = entry_of_props(place.kind, columns, props)
        if entry is not None:
            found.append(entry)
    return found


def entry_of_href(listing: Listing, href: str) -> Entry | None:
    """The item of an href; any item is also found under its source key."""
    found = listing.by_href.get(href)
    if found is None and href.endswith(listing.kind.suffix):
        try:
            return listing.by_key.get(bytes.fromhex(href.removesuffix(listing.kind.suffix)))
        except ValueError:
            return None
    return found
