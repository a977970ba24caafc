"""Following one folder: the first listing, and after that only what the store's change log tells (ICS).

Change numbers may become visible out of order when two commits run at once, so a small overlap of the log is read
again each time; rows that were seen already are skipped.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gateway.mailbox.columns import entries_of, entry_columns, entry_of, value_of
from gateway.mailbox.flags import MARKS, Flag
from gateway.mailbox.reading import overlapping
from gateway.mailbox.restrict import uid_ranges
from gateway.mailbox.rows import Entry, Rows, key_hash
from gateway.mailbox.state import State
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.uidcache import CachedFolder
from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, ChangeAction, SyncFlags, SyncKind, collapse
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import Or, Property, Relop, Restriction
from gateway.mapi.tables import SortKey
from gateway.mapiclient.sync import entryid_of, get_changes, new_sync
from gateway.mapiclient.table import Table
from gateway.mapiclient.wire.calls_object import LoadObject

if TYPE_CHECKING:
    from gateway.mailbox.userstore import UserStore

#: How many change numbers are read again.
OVERLAP: Final = 32
#: With more changed messages than this, the whole folder is listed again.
MANY: Final = 500
#: No more messages than this are loaded one by one; and only where the folder is much larger.
FEW: Final = 12
#: Rows of one reply: few enough to be decoded in slices, enough to make round trips rare.
BATCH: Final = 2000
_FLAGS: Final = SyncFlags.NORMAL | SyncFlags.READ_STATE


class FolderSync:
    """The I/O behind the rows of a View."""

    def __init__(self, store: UserStore, mailbox: Mailbox) -> None:
        self._store = store
        self._mailbox = mailbox
        self._key = store.cache_key(mailbox)
        self._sync_id = 0
        self._seen: deque[int] = deque(maxlen=OVERLAP * 4)
        self._gone: list[int] = []
        self.dirty = False
        """Whether there is something to save."""

    # Opening and saving

    async def open(self) -> State:
        """The present state, from the cache and the changes since, or from a complete listing."""
        cached = await self._store.in_cache(lambda cache: cache.load(self._key))
        rows = Rows.unpack(cached.messages) if cached is not None else None
        if cached is not None and rows is not None:
            self._sync_id = cached.sync_id
            state = State(rows, cached.uidnext, cached.change_id, cached.change_id)
            try:
                await self.catch_up(state)
            except NotFound:
                pass  # the store has forgotten the sync id
            else:
                return state
        return await self._list_anew(State(uidnext=cached.uidnext if cached is not None else 1))

    async def _list_anew(self, state: State) -> State:
        session, folder = self._store.session, self._mailbox.source_key
        self._sync_id = await new_sync(session, folder, SyncKind.CONTENTS, int(_FLAGS))
        # The position comes first: what changes while the table is read is then told once more, not missed.
        _, position = await get_changes(
            session, folder, self._sync_id, 1, SyncKind.CONTENTS, int(_FLAGS | SyncFlags.CATCHUP)
        )
        async for batch in self._batches(None):
            state.arrive(batch)
        state.change_id = max(state.change_id, position)
        state.base = state.change_id
        self.dirty = True
        return state

    async def save(self, state: State) -> None:
        """Write the state to the cache when there is something new in it."""
        if not self.dirty:
            return
        self.dirty = False
        gone, self._gone = self._gone, []
        folder = CachedFolder(self._sync_id, state.change_id, state.uidnext, state.rows.pack())
        await self._store.in_cache(lambda cache: cache.save(self._key, folder, gone))

    # Reading changes

    async def catch_up(self, state: State) -> None:
        """Bring the state up to date (NotFound when the sync id is not known any more)."""
        changes, position = await self._changes_after(max(1, state.change_id - OVERLAP))
        fresh = [
            change
            for change in changes
            if change.change_id > state.change_id - OVERLAP and change.change_id not in self._seen
        ]
        if fresh:
            await self._apply(state, fresh)
            self._seen.extend(change.change_id for change in fresh[-OVERLAP * 4 :])
            self.dirty = True
        newest = max((change.change_id for change in fresh), default=0)
        state.change_id = max(state.change_id, position, newest)

    async def _changes_after(self, change_id: int) -> tuple[list[Change], int]:
        return await get_changes(
            self._store.session,
            self._mailbox.source_key,
            self._sync_id,
            max(1, change_id),
            SyncKind.CONTENTS,
            int(_FLAGS),
        )

    async def _apply(self, state: State, changes: list[Change]) -> None:
        places = {key: index for index, key in enumerate(state.rows.keys)} if len(changes) > 8 else None
        removed: list[int] = []
        changed: dict[int, int] = {}
        new: list[bytes] = []
        for change in collapse(changes).values():
            index = _place(state.rows, places, change.source_key)
            if change.is_delete:
                if index >= 0:
                    removed.append(state.rows.uids[index])
            elif index < 0:
                new.append(change.source_key)
            elif change.action is ChangeAction.FLAG:
                _amend_read(state, index, change)
            else:
                changed[state.rows.uids[index]] = change.change_id
        await self._read_again(state, changed, new)
        self._gone += state.expunge(removed)

    async def _read_again(self, state: State, changed: dict[int, int], new: list[bytes]) -> None:
        """Read changed messages (UID to change number) and new ones (source keys) as they are now."""
        if not changed and not new:
            return
        if len(changed) > MANY:
            state.replace(await self._entries(None))
            return
        if len(changed) + len(new) <= FEW < len(state.rows) // 8:
            entries = await self._loaded(state, changed, new)
        else:
            entries = await self._listed(state, changed, bool(new))
        state.amend(
            (entry.uid, entry.flags, entry.keywords, max(entry.modseq, changed[entry.uid]))
            for entry in entries
            if entry.uid in changed
        )
        state.arrive(entries)

    async def _listed(self, state: State, changed: dict[int, int], new: bool) -> list[Entry]:
        """From one restricted listing, which costs the server a look at every message of the folder."""
        tag = pr.PR_EC_IMAP_ID
        parts: list[Restriction] = [Property(Relop.GE, tag, (tag, state.uidnext))] if new else []
        if changed:
            parts.append(uid_ranges(sorted(changed)))
        return await self._entries(parts[0] if len(parts) == 1 else Or(tuple(parts)))

    async def _loaded(self, state: State, changed: dict[int, int], new: list[bytes]) -> list[Entry]:
        """One by one, which costs nothing that grows with the folder."""
        rows = state.rows
        known = [rows.entryid(rows.index(uid)) for uid in changed]
        columns = await self._columns()

        async def one(place: int) -> Entry | None:
            try:
                if place < len(known):
                    return await self._load(known[place], columns)
                key = new[place - len(known)]
                session, box = self._store.session, self._mailbox
                return await self._load(
                    await entryid_of(session, box.store_entryid, box.source_key, key), columns
                )
            except NotFound:
                return None  # gone again

        loaded = overlapping(range(len(known) + len(new)), one, FEW)
        return [entry async for entry in loaded if entry is not None]

    async def _load(self, entryid: bytes, columns: Sequence[PropTag]) -> Entry | None:
        tree = (await self._store.session.call(LoadObject(entryid=entryid))).object
        return entry_of(dict(tree.mod_props), entryid, tree.server_id, columns) if tree is not None else None

    async def _columns(self) -> tuple[PropTag, ...]:
        return entry_columns(*await self._store.names.tags((KEYWORDS, MARKS)))

    async def _batches(self, restriction: Restriction | None) -> AsyncIterator[list[Entry]]:
        """Entries of the folder's messages in ascending order of UID, batch by batch."""
        columns = await self._columns()
        async with Table.contents(
            self._store.session,
            self._mailbox.entryid,
            columns,
            restriction=restriction,
            sort=(SortKey(pr.PR_EC_IMAP_ID),),
            batch=BATCH,
        ) as table:
            async for rows in table.batches():
                yield list(entries_of(rows))

    async def _entries(self, restriction: Restriction | None) -> list[Entry]:
        return [entry async for batch in self._batches(restriction) for entry in batch]

    async def changed_since(self, state: State, modseq: int) -> array[int]:
        """UIDs changed after a mod-sequence older than what the state remembers, from the store's log."""
        changes, _ = await self._changes_after(modseq)
        there = {key_hash(key) for key, change in collapse(changes).items() if not change.is_delete}
        rows = state.rows
        return array(
            "I",
            [
                uid
                for uid, key, value in zip(rows.uids, rows.keys, rows.modseqs, strict=True)
                if key in there or value > modseq
            ],
        )

    async def removed_since(self, modseq: int) -> bool:
        """Whether the store's log has a removal after this change."""
        changes, _ = await self._changes_after(modseq)
        return any(change.is_delete for change in changes)

    # Asking the contents table

    async def matching(self, restriction: Restriction) -> set[int]:
        """UIDs of the messages a restriction matches."""
        tag = pr.PR_EC_IMAP_ID
        found: set[int | None] = set()
        async with Table.contents(
            self._store.session, self._mailbox.entryid, (tag,), restriction=restriction, batch=BATCH * 5
        ) as table:
            async for rows in table.batches():
                found.update(value_of(row[0]) for row in rows)
        return {uid for uid in found if uid}


def _place(rows: Rows, places: Mapping[int, int] | None, source_key: bytes) -> int:
    """The position of the message with a source key, -1 when it is not there."""
    key = key_hash(source_key)
    if places is not None:
        return places.get(key, -1)
    try:
        return rows.keys.index(key)
    except ValueError:
        return -1


def _amend_read(state: State, index: int, change: Change) -> None:
    """Take a changed read flag from the change itself: it says what the flag is now."""
    rows = state.rows
    flags = rows.flags[index] & ~Flag.SEEN | (Flag.SEEN if change.flags & 1 else 0)
    keywords = rows.keyword_sets[rows.keywords[index]]
    state.amend([(rows.uids[index], flags, keywords, change.change_id)])
