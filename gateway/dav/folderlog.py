"""What the store tells of a folder: where its change log stands, its table once, and then what the log tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gateway.dav.entries import Entry, columns_of, entries_in, entry_of_props, times_in
from gateway.dav.places import Place
from gateway.dav.tokens import Position
from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, SyncFlags, SyncKind, collapse
from gateway.mapi.errors import NotFound
from gateway.mapi.restrictions import Or, equals
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.session import Session
from gateway.mapiclient.sync import entryid_of, get_changes, new_sync

if TYPE_CHECKING:
    from gateway.dav.listing import Listing

_FLAGS: Final = int(SyncFlags.NORMAL)
#: With more changed items than this the whole folder is listed again.
_MANY: Final = 200
#: So many changed items are read one by one.
_FEW: Final = 8
_ATTEMPTS: Final = 5


async def changes_since(
    session: Session, place: Place, sync_id: int, position: Position
) -> tuple[list[Change], int]:
    """The changes after a position and shortly before it, and the number of the newest."""
    return await get_changes(session, place.source_key, sync_id, position.asked_from, SyncKind.CONTENTS, _FLAGS)


async def _last(session: Session, place: Place, sync_id: int) -> int:
    flags = _FLAGS | SyncFlags.CATCHUP
    _, last = await get_changes(session, place.source_key, sync_id, 1, SyncKind.CONTENTS, flags)
    return last


async def check_exists(session: Session, place: Place, sync_id: int, position: Position) -> None:
    """Refuse a position that the store has not reached: it was restored from an older backup (ValueError)."""
    if position.number > await _last(session, place, sync_id):
        raise ValueError("the sync token is of a time that the store knows nothing of")


async def begin(session: Session, place: Place) -> tuple[int, Position]:
    """A new sync id, and the present position."""
    sync_id = await new_sync(session, place.source_key, SyncKind.CONTENTS, _FLAGS)
    start = Position(max(await _last(session, place, sync_id), 1), 0)
    changes, newest = await changes_since(session, place, sync_id, start)
    return sync_id, start.after(changes, newest)


async def items(session: Session, place: Place, *, times: bool) -> list[Entry]:
    """All items, in the order of their source keys, with or without the times of events."""
    return sorted(await entries_in(session, place, None, times=times), key=lambda each: each.source_key)


async def add_times(session: Session, place: Place, listing: Listing) -> None:
    """Read the times of events; what was read again meanwhile has its own."""
    before = [*listing.by_key.values()]
    times = await times_in(session, place)
    for entry in before:
        found = times.get(entry.source_key)
        if found is not None and listing.by_key.get(entry.source_key) is entry:
            first, last, recurring, busy = found
            listing.exchange(entry, entry._replace(first=first, last=last, recurring=recurring, busy=busy))
    listing.has_times = True


async def catch_up(session: Session, place: Place, listing: Listing) -> None:
    """Bring a listing up to date. Whoever was slower than others who did the same begins again where they ended."""
    for _ in range(_ATTEMPTS):
        before = listing.position
        changes, newest = await changes_since(session, place, listing.sync_id, before)
        fresh = collapse(each for each in changes if before.is_new(each.change_id))
        changed = [key for key, each in fresh.items() if not each.is_delete and not _is_known(listing, each)]
        found, went = await _read_again(session, place, listing, changed if listing.is_read else [])
        if listing.position is before:
            # New items that went before they were read count as not seen until their removal is, too.
            missed = went - listing.by_key.keys()
            _apply(listing, fresh, changed, found)
            listing.position = before.after([each for each in changes if each.source_key not in missed], newest)
            return
        if not fresh:
            return


def _apply(
    listing: Listing, changes: dict[bytes, Change], changed: Sequence[bytes], found: Sequence[Entry]
) -> None:
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


async def _read_again(
    session: Session, place: Place, listing: Listing, keys: Sequence[bytes]
) -> tuple[list[Entry], set[bytes]]:
    """The items of these source keys, and the keys of what is gone again. What is no item is neither.

    A few are read one by one, because a table would look at the whole folder.
    """
    found: list[Entry] = []
    if len(keys) > _FEW:
        restriction = Or(tuple(equals(pr.PR_SOURCE_KEY, key) for key in keys))
        found = await entries_in(session, place, restriction if len(keys) <= _MANY else None)
        there = {entry.source_key for entry in found}
        keys = [key for key in keys if key not in there]
    went: set[bytes] = set()
    for key in keys if len(keys) <= _FEW else ():
        try:
            entry = await _read_one(session, place, listing.by_key.get(key), key)
        except NotFound:
            went.add(key)
            continue
        if entry is not None:
            found.append(entry)
    return found, went


async def _read_one(session: Session, place: Place, known: Entry | None, key: bytes) -> Entry | None:
    """An item by its source key (NotFound), None when it is none of this kind."""
    store = place.home.store.entryid if place.home else b""
    entryid = known.entryid if known else await entryid_of(session, store, place.source_key, key)
    props, _ = await load_props(session, entryid)
    props |= {pr.PR_ENTRYID: entryid, pr.PR_SOURCE_KEY: key}
    return entry_of_props(place.kind, await columns_of(session, place), props)
