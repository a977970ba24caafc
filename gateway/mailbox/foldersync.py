"""Following one folder: the first listing, and after that only what the store's change log tells (ICS).

Change numbers may become visible out of order when two commits run at once: `LogWindow` says what is read again. A
change that is found late gets a mod-sequence above all that were told (`modseqs`), so that clients ask for it.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gateway.mailbox.columns import entries_of, entry_columns, entry_of, value_of
from gateway.mailbox.flags import MARKS, Flag
from gateway.mailbox.logwindow import LogWindow
from gateway.mailbox.modseqs import change_known, modseq_of_change
from gateway.mailbox.reading import overlapping
from gateway.mailbox.restrict import uid_ranges
from gateway.mailbox.rows import Entry, Rows, key_hash
from gateway.mailbox.savedates import SaveDates
from gateway.mailbox.state import State
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.uidcache import CachedFolder, UidCache
from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, ChangeAction, SyncFlags, SyncKind, collapse
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import Exist, Or, Property, Relop, Restriction
from gateway.mapi.tables import SortKey
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.sync import entryid_of, get_changes, new_sync
from gateway.mapiclient.table import Table
from gateway.mapiclient.wire.calls_object import LoadObject

if TYPE_CHECKING:
    from gateway.mailbox.userstore import UserStore

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
        self._window = LogWindow(0)
        self._opened_at = 0
        """The position of the listing or the cache: changes up to it were in the rows then."""
        self._removed_late = 0
        """The mod-sequence of the last removal that was found late: the log has it below what clients know."""
        self._written: dict[int, Entry] = {}
        """Messages this process stored and the log has not told of, by the hashes of their source keys."""
        self._uncounted = 0
        """How many more messages the store counts than it lists."""
        self._gone: list[int] = []
        self.dirty = False
        """Whether there is something to save."""

    # Opening and saving

    async def open(self) -> State:
        """The present state, from the cache and the changes since, or from a complete listing."""
        cached, saved = await self._store.in_cache(
            lambda cache: (cache.load(self._key), cache.save_dates(self._key))
        )
        rows = Rows.unpack(cached.messages) if cached is not None else None
        if cached is not None and rows is not None:
            self._sync_id = cached.sync_id
            self._begin_at(cached.change_id, cached.settled)
            state = State(
                rows,
                cached.uidnext,
                cached.change_id,
                modseq_of_change(cached.change_id),
                saved=saved,
                now=self._store.now,
            )
            try:
                await self.catch_up(state)
            except NotFound:
                pass  # the store has forgotten the sync id
            else:
                state.reserve(saved.bound)
                return state
        return await self._list_anew(cached.uidnext if cached is not None else 1, saved)

    def _begin_at(self, position: int, settled: int | None = None) -> None:
        self._opened_at = position
        self._window = LogWindow(position, settled)

    async def _list_anew(self, uidnext: int, saved: SaveDates) -> State:
        state = State(saved=saved, now=self._store.now)
        session, folder = self._store.session, self._mailbox.source_key
        self._sync_id = await new_sync(session, folder, SyncKind.CONTENTS, int(_FLAGS))
        # The position comes first: what changes while the table is read is then told once more, not missed.
        _, position = await get_changes(
            session, folder, self._sync_id, 1, SyncKind.CONTENTS, int(_FLAGS | SyncFlags.CATCHUP)
        )
        async for batch in self._batches(None):
            state.arrive(batch)
        state.reserve(max(uidnext, saved.bound))
        state.change_id, state.base = position, modseq_of_change(position)
        self._begin_at(position)
        self.dirty = True
        return state

    async def save(self, state: State) -> None:
        """Write the state to the cache when there is something new in it."""
        if not self.dirty:
            await self.save_dates(state)
            return
        self.dirty = False
        gone, self._gone = self._gone, []
        folder = CachedFolder(
            self._sync_id, state.change_id, self._window.settled, state.uidnext, state.rows.pack()
        )
        dates, there = state.saved.copied(), (state.rows.uids, state.uidnext)
        state.saved.prune(*there)

        def write(cache: UidCache) -> None:
            cache.save(self._key, folder, gone)
            cache.add_save_dates(self._key, dates, there)

        await self._store.in_cache(write)

    async def save_dates(self, state: State) -> None:
        """Write the save dates to the cache when there are new ones: only here they are kept."""
        if state.saved.changed:
            dates = state.saved.copied()
            await self._store.in_cache(lambda cache: cache.add_save_dates(self._key, dates))

    # Reading changes

    async def catch_up(self, state: State) -> None:
        """Bring the state up to date (NotFound when the sync id is not known any more)."""
        now = self._store.seconds()
        start = self._window.start(now)
        found = await self._look(state, start, now)
        if not found and self._window.must_look_again(start, now):
            await self._look(state, self._window.settled, now)

    async def _look(self, state: State, start: int, now: float) -> bool:
        """Apply what the log has after ``start`` and was not applied yet; whether that was anything."""
        changes, position = await self._changes_after(start)
        fresh = set(self._window.fresh(change.change_id for change in changes if change.change_id > start))
        if fresh:
            await self._apply(state, [change for change in changes if change.change_id in fresh])
            self.dirty = True
        state.change_id = max(state.change_id, position, max(fresh, default=0))
        self._window.read(start, state.change_id, now, fresh)
        return bool(fresh)

    @property
    def is_settled(self) -> bool:
        """Whether nothing can come to light any more that was committed before the last look."""
        return self._window.is_settled

    def expect(self, entries: Iterable[Entry]) -> None:
        """Messages this process has just stored: when the log tells of them they need not be read."""
        self._written.update((key_hash(entry.source_key), entry) for entry in entries)
        while len(self._written) > MANY:
            del self._written[next(iter(self._written))]

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
        rows, told = state.rows, state.highest_modseq
        places = {key: index for index, key in enumerate(rows.keys)} if len(changes) > 8 else None
        removed: list[int] = []
        changed: dict[int, int] = {}
        new: dict[bytes, int] = {}
        written: list[Entry] = []
        for change in collapse(changes).values():
            index = _place(rows, places, change.source_key)
            own = self._written.pop(key_hash(change.source_key), None) if self._written else None
            modseq = self._modseq(change.change_id, told, new=index < 0)
            if change.is_delete:
                if index >= 0:
                    removed.append(rows.uids[index])
                    if modseq == told + 1:
                        self._remove_late(state, modseq)
            elif index < 0 and own is not None and own.modseq == modseq_of_change(change.change_id):
                written.append(own._replace(modseq=modseq))
            elif index < 0:
                new[change.source_key] = modseq
            elif self._is_known(rows.modseqs[index], change.change_id):
                continue
            elif change.action is ChangeAction.FLAG:
                _amend_read(state, index, change, modseq)
            else:
                changed[rows.uids[index]] = modseq
        lost = await self._read_again(state, changed, new, written)
        if lost:  # before their removal was seen, or after it
            self._remove_late(state, told + 1)
        self._gone += state.expunge([*removed, *lost])

    def _remove_late(self, state: State, modseq: int) -> None:
        self._removed_late = modseq
        state.raise_to(modseq)

    def _modseq(self, number: int, told: int, *, new: bool) -> int:
        """The mod-sequence of a change: of its number, unless clients were told that they know all up to there."""
        modseq = modseq_of_change(number)
        return told + 1 if modseq <= told and (new or number > self._opened_at) else modseq

    def _is_known(self, modseq: int, number: int) -> bool:
        """Whether a message's row, which has this mod-sequence, was read after the change of this number."""
        of_change = modseq_of_change(number)
        return modseq == of_change or (number <= self._opened_at and of_change <= modseq)

    async def _read_again(
        self, state: State, changed: dict[int, int], new: dict[bytes, int], written: list[Entry]
    ) -> set[int]:
        """Read changed messages (UID to mod-sequence) and new ones (source key to mod-sequence) as they are now.

        Returns the UIDs of changed messages that are no longer there.
        """
        if len(changed) > MANY:
            await self._list_again(state)
            return set()
        entries = list(written)
        few = len(changed) + len(new) <= FEW < len(state.rows) // 8
        if (changed or new) and not few:
            entries += await self._listed(state, changed, bool(new))
        missing = [key for key in new if key not in {entry.source_key for entry in entries}]
        if few:
            entries += await self._loaded(state, [*changed], missing)
        elif missing and len(missing) <= MANY:  # below UIDNEXT, or gone again
            entries += await self._loaded(state, [], missing)
        state.amend(
            (entry.uid, entry.flags, entry.keywords, max(entry.modseq, changed[entry.uid]))
            for entry in entries
            if entry.uid in changed
        )
        state.arrive(
            entry._replace(modseq=max(entry.modseq, new.get(entry.source_key, 0)))
            for entry in entries
            if entry.uid not in changed
        )
        return changed.keys() - {entry.uid for entry in entries}

    async def _list_again(self, state: State) -> None:
        """Take a complete listing as the truth; what it has that was missed counts as changed now."""
        told, uidnext, place = state.highest_modseq, state.uidnext, state.rows.index
        entries = await self._entries(None)
        missed = {entry.uid for entry in entries if entry.modseq <= told and place(entry.uid) < 0}
        listed = [entry._replace(modseq=told + 1) if entry.uid in missed else entry for entry in entries]
        self._gone += state.replace(listed, uidnext)
        self.dirty = True

    async def verify(self, state: State) -> None:
        """List the folder again when the store counts other messages than the state has.

        A transaction that was open for longer than `logwindow.SETTLING` shows its changes below what is read again.
        """
        position = state.change_id
        props, _ = await load_props(self._store.session, self._mailbox.entryid)
        counted = props.get(pr.PR_CONTENT_COUNT, 0)
        await self.catch_up(state)
        if state.change_id != position or counted - len(state.rows) == self._uncounted:
            return
        # The counter of a folder may be wrong for ever, and a listing of it costs.
        if await self._listable() != len(state.rows):
            await self._list_again(state)
        self._uncounted = counted - len(state.rows)

    async def _listable(self) -> int:
        """How many messages have a UID."""
        tag = pr.PR_EC_IMAP_ID
        async with Table.contents(
            self._store.session, self._mailbox.entryid, (tag,), restriction=Exist(tag), batch=1
        ) as table:
            return await table.row_count()

    async def _listed(self, state: State, changed: dict[int, int], new: bool) -> list[Entry]:
        """From one restricted listing, which costs the server a look at every message of the folder."""
        tag = pr.PR_EC_IMAP_ID
        parts: list[Restriction] = [Property(Relop.GE, tag, (tag, state.uidnext))] if new else []
        if changed:
            parts.append(uid_ranges(sorted(changed)))
        return await self._entries(parts[0] if len(parts) == 1 else Or(tuple(parts)))

    async def _loaded(self, state: State, changed: list[int], new: list[bytes]) -> list[Entry]:
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
        changes, _ = await self._changes_after(change_known(modseq))
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
        """Whether a message was removed after this mod-sequence."""
        if modseq < self._removed_late:
            return True
        changes, _ = await self._changes_after(change_known(modseq))
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


def _amend_read(state: State, index: int, change: Change, modseq: int) -> None:
    """Take a changed read flag from the change itself: it says what the flag is now."""
    rows = state.rows
    flags = rows.flags[index] & ~Flag.SEEN | (Flag.SEEN if change.flags & 1 else 0)
    keywords = rows.keyword_sets[rows.keywords[index]]
    state.amend([(rows.uids[index], flags, keywords, modseq)])
