"""A View: one folder as Internet mail sees it, shared by every connection of a user that opened it.

The rows come from the UID cache and one question to the store's change log; after that a notice of the store marks
the View stale, and the next look (or a watcher) reads what changed. A notice is a hint, the truth is read
from the store.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from gateway.mailbox import search, writes
from gateway.mailbox.criteria import Criterion
from gateway.mailbox.foldersync import FolderSync
from gateway.mailbox.logwindow import SETTLING
from gateway.mailbox.metadata import MessageMeta, Metadata
from gateway.mailbox.reading import Reading
from gateway.mailbox.restrict import uid_range
from gateway.mailbox.rows import Entry, Rows
from gateway.mailbox.searchtext import Field
from gateway.mailbox.source import Source
from gateway.mailbox.state import Delta, State
from gateway.mailbox.threadids import ThreadIds
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.upkeep import Upkeep
from gateway.mapi.props import NamedProps, PropKey
from gateway.mapi.restrictions import And, Restriction

if TYPE_CHECKING:
    from gateway.mailbox.userstore import UserStore

#: A View that nobody told of changes for so long looks for itself (seconds): a notice may get lost.
SAFETY_INTERVAL: Final = 60.0
#: How long notices are collected before watchers are served (seconds).
NOTICE_DELAY: Final = 0.05


class View:
    """One open folder. Made by `UserStore.view`; hold it while it is in use, release it after."""

    log = Logger()

    def __init__(self, store: UserStore, mailbox: Mailbox) -> None:
        self.store = store
        self.mailbox = mailbox
        self.state = State()
        self._sync = FolderSync(store, mailbox)
        self._metadata = Metadata(self)
        self._reading = Reading(self)
        self._threads = ThreadIds(self)
        self.gone = False
        """Whether the folder was deleted; nobody follows it any more then."""
        self._holders: set[object] = set()
        self._watchers: list[Callable[[], None]] = []
        self._stale = True
        self._looked = 0.0
        self._lock = DeferredLock()
        self._wakeup = store.later()
        self._settling = store.later()
        self._upkeep = Upkeep(self)
        self._subscription: Callable[[], None] | None = None

    # What IMAP calls the folder's numbers

    @property
    def uidvalidity(self) -> int:
        """UIDVALIDITY: the folder's number in the store."""
        return self.mailbox.uidvalidity

    @property
    def uidnext(self) -> int:
        """UIDNEXT."""
        return self.state.uidnext

    @property
    def highest_modseq(self) -> int:
        """HIGHESTMODSEQ."""
        return self.state.highest_modseq

    @property
    def rows(self) -> Rows:
        """The messages."""
        return self.state.rows

    @property
    def uids(self) -> array[int]:
        """UIDs, ascending; replaced when messages come or go, never changed in place."""
        return self.state.rows.uids

    @property
    def flags(self) -> array[int]:
        """Bits of `gateway.mailbox.flags.Flag`, parallel to ``uids``."""
        return self.state.rows.flags

    @property
    def keywords(self) -> array[int]:
        """Indices into ``keyword_sets``, parallel to ``uids``."""
        return self.state.rows.keywords

    @property
    def keyword_sets(self) -> list[tuple[str, ...]]:
        """Every set of keywords a message here ever had; only grows."""
        return self.state.rows.keyword_sets

    @property
    def modseqs(self) -> array[int]:
        """Mod-sequences, parallel to ``uids``."""
        return self.state.rows.modseqs

    @property
    def dates(self) -> array[int]:
        """Internal dates in Unix seconds, parallel to ``uids``."""
        return self.state.rows.dates

    @property
    def size_column(self) -> array[int]:
        """RFC822.SIZE as far as known (0: not yet), parallel to ``uids``."""
        return self.state.rows.sizes

    @property
    def serial(self) -> int:
        """Grows with each change; give it to `since` later."""
        return self.state.serial

    def index(self, uid: int) -> int:
        """The position of a UID, -1 when it is not there."""
        return self.state.rows.index(uid)

    def since(self, serial: int) -> Delta:
        """What changed since the View had this serial."""
        return self.state.since(serial)

    def save_dates(self, uids: Iterable[int]) -> list[int]:
        """When messages came into this mailbox, Unix seconds (RFC 8514): not before they did, but perhaps seen later."""
        return self.state.saved.of(uids)

    def saved_between(self, first: float, end: float) -> set[int]:
        """The UIDs of messages that came in a time, its end excluded."""
        return self.state.saved.between(self.uids, first, end)

    def email_id(self, index: int) -> str:
        """EMAILID (RFC 8474 5.1) of the message at a position: the same for all its copies, wherever they go."""
        return f"M{self.state.rows.emails[index]:016x}"

    # Who uses it

    def hold(self, holder: object) -> None:
        """Keep the View open for this holder."""
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """Let go; the View stays warm for a while after the last holder left."""
        self._holders.discard(holder)
        if not self._holders:
            self.store.view_is_idle(self)

    @property
    def held(self) -> bool:
        """Whether anybody holds it."""
        return bool(self._holders)

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, without arguments, whenever the View has changed; returns the way to stop it."""
        self._watchers.append(callback)
        if self._stale:
            self._wakeup.after(NOTICE_DELAY, self._look)

        def stop() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return stop

    # Following the store

    async def open(self) -> None:
        """Read the folder, from the UID cache as far as it goes (NotFound, NoAccess)."""
        self._subscription = self.store.subscribe_messages(self.mailbox.entryid, self.noticed)
        try:
            self.state = await self._sync.open()
        except BaseException:
            self.close()
            raise
        self._stale = False
        self._looked = self.store.seconds()
        self._upkeep.opened()

    def vanish(self) -> None:
        """The folder was deleted: watchers are woken a last time."""
        self.gone = True
        for callback in tuple(self._watchers):
            callback()

    def close(self) -> None:
        """Stop following the store."""
        self._wakeup.cancel()
        self._settling.cancel()
        self._upkeep.close()
        if self._subscription is not None:
            self._subscription()
            self._subscription = None
        self._watchers.clear()

    async def save(self) -> None:
        """Write what is known to the UID cache, when it changed since."""
        await self._sync.save(self.state)

    def noticed(self) -> None:
        """The store hinted at a change."""
        self._stale = True
        if self._watchers and not self._lock.locked:
            self._wakeup.after(NOTICE_DELAY, self._look)

    def came_below(self, uid: int) -> None:
        """Messages with UIDs below this one have just been put here by us."""
        self.state.saved.seen(uid, self.store.now())
        self._upkeep.changed()

    async def write_dates(self) -> None:
        """Write new save dates to the UID cache, and nothing else."""
        await self._sync.save_dates(self.state)

    def appended(self, entries: Sequence[Entry]) -> None:
        """Messages were stored here by us: what is known of them need not be asked for."""
        self._sync.expect(entries)
        if not self.state.is_next(entries):
            self.noticed()  # others changed something in between, which has to be read first
            return
        before = self.serial
        self.state.arrive(entries)
        self.changed_since_serial(before)

    def _look(self, *, force: bool = False) -> None:
        looking = Deferred.fromCoroutine(self.refresh(force=force))
        looking.addErrback(
            lambda failure: self.log.warn(
                "{mailbox} of {user} could not be looked at: {error}",
                mailbox=self.mailbox.name,
                user=self.store.user,
                error=failure.value,
            )
        )

    async def refresh(self, *, force: bool = False) -> None:
        """Read what changed in the store, when a notice came, long after the last look, or by force.

        Calls that overlap share one reading; one that was forced is answered by a reading that began after it.
        """
        if self.store.seconds() - self._looked > SAFETY_INTERVAL or force:
            self._stale = True
        if not self._stale:
            return
        await self._lock.acquire()
        try:
            if self._stale:
                await self._read_changes()
        finally:
            self._lock.release()

    async def _read_changes(self) -> None:
        before = self.state.serial
        try:
            while self._stale:
                self._stale = False
                await self._sync.catch_up(self.state)
            self._looked = self.store.seconds()
            self._upkeep.looked()
            if self._watchers and not self._sync.is_settled:
                self._settling.after(SETTLING + 1, partial(self._look, force=True))
        except BaseException:
            self._stale = True
            raise
        finally:
            self.changed_since_serial(before)

    async def verify(self) -> None:
        """Compare with the store's own count of messages, and list the folder anew when something was missed."""
        await self._lock.acquire()
        before = self.state.serial
        try:
            await self._sync.verify(self.state)
        finally:
            self._lock.release()
            self.changed_since_serial(before)
            if self._stale:
                self.noticed()  # meanwhile, which woke nobody

    def raise_modseq(self) -> None:
        """Have HIGHESTMODSEQ grow although the store's log does not; changes that come get higher ones."""
        self.state.raise_to(self.highest_modseq + 1)

    def changed_since_serial(self, serial: int) -> None:
        """Wake the watchers when there is something newer than this serial."""
        if self.state.serial > serial:
            self._sync.dirty = True
            self._upkeep.changed()
            for callback in tuple(self._watchers):
                callback()

    # Reading messages

    async def envelopes(self, uids: Sequence[int], *, bodies: bool = True) -> list[MessageMeta | None]:
        """Sizes, dates, envelopes and structures, in the order asked; None for a message that is gone.

        Without ``bodies`` only sizes and dates need to be right.
        """
        return await self._metadata.load(uids, bodies=bodies)

    async def sizes(self, uids: Iterable[int]) -> Mapping[int, int]:
        """RFC822.SIZE of messages; those that are gone are left out."""
        return await self._metadata.sizes(uids)

    def sources(self, uids: Iterable[int]) -> AsyncIterator[Source]:
        """The bytes of messages, in order, several being loaded ahead; those that are gone are left out."""
        return self._reading.sources(uids)

    def header_sources(self, uids: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """The header blocks of messages with the empty line, in order; those that are gone are left out."""
        return self._reading.headers(uids)

    async def rows_of(self, uids: Sequence[int], keys: Sequence[PropKey]) -> list[NamedProps]:
        """Properties of messages, in the order asked, from one table; missing values are absent."""
        return await self._reading.properties(uids, keys)

    async def entryids(self, uids: Iterable[int]) -> list[bytes]:
        """Entry ids of messages; those that are gone are left out."""
        return [self.rows.entryid(index) for index in map(self.index, uids) if index >= 0]

    async def thread_ids(self, uids: Collection[int]) -> Mapping[int, str]:
        """THREADID (RFC 8474 5.2) of messages; those that are gone are left out."""
        return await self._threads.load(uids)

    # Searching

    async def search(self, criterion: Criterion) -> array[int]:
        """The UIDs of the messages that match, ascending."""
        return await search.Search(self, self._reading, self.store.now()).run(criterion)

    async def know_words(self) -> bool:
        """Whether the words of nearly every ENVELOPE are at hand."""
        return await self._metadata.know_words()

    async def containing(self, field: Field, text: str, uids: Collection[int]) -> tuple[set[int], set[int]]:
        """Of these messages those with a text in a field of the ENVELOPE, and those of which that is not known."""
        return await self._metadata.containing(field, text, uids)

    async def match(self, restriction: Restriction, first: int, last: int) -> set[int]:
        """UIDs between two, both included, that the store says match."""
        whole = not self.uids or (first <= self.uids[0] and last >= self.uids[-1])
        wanted = restriction if whole else And((uid_range(first, last), restriction))
        return await self._sync.matching(wanted)

    async def changed_since(self, modseq: int) -> array[int]:
        """UIDs of messages changed after a mod-sequence (RFC 7162 3.1.4)."""
        if modseq >= self.state.base:
            return self.state.changed_since(modseq)
        return await self._sync.changed_since(self.state, modseq)

    async def vanished_since(
        self, modseq: int, known: Iterable[tuple[int, int]] | None = None
    ) -> list[tuple[int, int]]:
        """Ranges of UIDs that are no longer here, of those a client may have known at a mod-sequence.

        ``known`` are the client's UID ranges; nothing when nothing was removed since.
        """
        if modseq >= self.highest_modseq:
            return []
        if not await self._sync.removed_since(modseq):
            return []
        return writes.missing(self.uids, known or [(1, self.uidnext - 1)])

    # Changing messages

    async def change_flags(
        self, uids: Sequence[int], change: writes.FlagChange, *, unchanged_since: int | None = None
    ) -> writes.Changed:
        """Set, add or remove flags and keywords of messages (STORE)."""
        return await writes.change_flags(self, uids, change, unchanged_since)

    async def mark_seen(self, uids: Sequence[int]) -> list[int]:
        """Mark messages read; the UIDs of those that were not."""
        return await writes.mark_seen(self, uids)

    async def expunge(self, uids: Sequence[int] | None = None) -> list[int]:
        r"""Remove the messages marked \Deleted, of all or of some; the UIDs that are gone."""
        return await writes.expunge(self, uids)

    async def remove(self, uids: Sequence[int], *, hard: bool = False) -> list[int]:
        """Remove messages whatever their flags; the UIDs that are gone."""
        return await writes.remove(self, uids, hard=hard)

    async def copy(self, uids: Sequence[int], target: Mailbox, *, move: bool = False) -> list[tuple[int, int]]:
        """Copy or move messages to another mailbox; pairs of old and new UID, ascending by the old."""
        return await writes.copy(self, uids, target, move=move)
