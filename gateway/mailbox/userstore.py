"""What all connections of one user share: the session's names, the folder tree, the open Views."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from gateway.mailbox.folders import FOLDER_EVENTS, Folders
from gateway.mailbox.others import NOBODY, Wanted
from gateway.mailbox.rows import Entry
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.specialuse import DRAFTS, SENT
from gateway.mailbox.tree import PERSONAL, Mailbox, Mailboxes
from gateway.mailbox.uploads import uids_of
from gateway.mailbox.view import NOTICE_DELAY, View
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.props import PropKey, PropTag
from gateway.mapiclient.message import load_message, save_new_message
from gateway.mapiclient.names import Names
from gateway.mapiclient.notify import subscribe, subscribe_messages
from gateway.mapiclient.session import Session

#: How long a View that nobody holds stays open (seconds), and how many such there may be.
IDLE_SECONDS: Final = 300.0
MAX_IDLE: Final = 32


class UserStore:
    """One user's mail, as long as any connection of the user is there (`Accounts` decides)."""

    log = Logger()

    def __init__(self, session: Session, runtime: Runtime, *, show_all: bool = False) -> None:
        self.session = session
        self.user = session.user
        self.names = Names(session)
        self.folders = Folders(session, session.user, show_all=show_all)
        self.runtime = runtime
        self.seconds = runtime.seconds
        self.now = runtime.now
        self.filetime = runtime.filetime
        self.in_cache = runtime.in_cache
        self.compute = runtime.compute
        self.later = runtime.later
        self._views: dict[bytes, View] = {}
        self._opening: dict[bytes, DeferredLock] = {}
        self._idle: dict[View, float] = {}
        self._sweep = runtime.later()
        self._tree_look = runtime.later()
        self._subscription: Callable[[], None] | None = None

    async def open(self) -> None:
        """Open the stores (NotFound when the user has none)."""
        await self.folders.open()
        if self._subscription is None:
            self._subscription = self._subscribe(
                self.folders.own.entryid, int(FOLDER_EVENTS), self._tree_changed
            )

    def close(self) -> None:
        """Save and close everything; what is still being saved finishes by itself."""
        self._sweep.cancel()
        self._tree_look.cancel()
        if self._subscription is not None:
            self._subscription()
            self._subscription = None
        for view in tuple(self._views.values()):
            self._close_view(view)

    # Notices

    def subscribe_messages(self, folder: bytes, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called when messages of a folder changed; returns the way to stop it."""
        return subscribe_messages(self.session, folder, callback)

    def _subscribe(self, entryid: bytes, mask: int, callback: Callable[[], None]) -> Callable[[], None]:
        subscription = subscribe(self.session, entryid, mask, lambda _notice: callback())
        return subscription.cancel

    # The tree

    async def mailboxes(self, wanted: Wanted = NOBODY) -> Mailboxes:
        """The folder tree, with what other users who are wanted let this one see."""
        return await self.folders.tree(self.seconds(), wanted)

    def _tree_changed(self) -> None:
        self.folders.stale()
        if self._views:
            self._tree_look.after(NOTICE_DELAY, self._look_at_tree)

    def _look_at_tree(self) -> None:
        Deferred.fromCoroutine(self.follow_tree()).addErrback(
            lambda failure: self.log.warn(
                "the mailboxes of {user} could not be looked at: {error}", user=self.user, error=failure.value
            )
        )

    async def follow_tree(self) -> None:
        """Have open Views know their mailboxes' new names, and that a mailbox is gone."""
        tree = await self.mailboxes()
        for view in tuple(self._views.values()):
            now = tree.by_entryid(view.mailbox.entryid)
            if now is not None:
                view.mailbox = now
            elif view.mailbox.namespace == PERSONAL:
                # Only here: another store that cannot be reached has no mailboxes either.
                self.forget_view(view.mailbox)

    def touched(self, mailbox: Mailbox) -> None:
        """Something was put into a mailbox: an open View of it should look."""
        view = self._views.get(mailbox.entryid)
        if view is not None:
            view.noticed()

    def appended(self, mailbox: Mailbox, entries: Sequence[Entry]) -> None:
        """Messages were stored in a mailbox, ascending: an open View of it is told what is known of them."""
        view = self._views.get(mailbox.entryid)
        if view is not None:
            view.appended(entries)

    def is_own_mail(self, view: View) -> bool:
        """Whether the mails of a View were written by their reader: drafts and sent mail show Bcc."""
        return view.mailbox.special_use in (DRAFTS, SENT)

    @property
    def gives_originals(self) -> bool:
        """Whether the server may give stored mails as a column of a table."""
        return self.session.server_guid not in self.runtime.withholding

    def withholds_originals(self) -> None:
        """It does not: they are to be asked for one by one."""
        self.runtime.withholding.add(self.session.server_guid)

    def cache_key(self, mailbox: Mailbox) -> bytes:
        """What the UID cache files a mailbox under: server, store and folder, whoever reads it."""
        return self.session.server_guid + mailbox.store_entryid + mailbox.uidvalidity.to_bytes(4, "little")

    async def tags_of(self, keys: Sequence[PropKey]) -> list[PropTag]:
        """Property tags here of keys that may be names."""
        return await self.names.tags(keys)

    # Views

    async def view(self, mailbox: Mailbox, holder: object) -> View:
        """The shared View of a mailbox, up to date and held for ``holder`` (NotFound, NoAccess)."""
        lock = self._opening.setdefault(mailbox.entryid, DeferredLock())
        await lock.acquire()
        try:
            view = self._views.get(mailbox.entryid)
            if view is None:
                return await self._open_view(mailbox, holder)
        finally:
            lock.release()
            if not lock.locked:
                self._opening.pop(mailbox.entryid, None)
        view.mailbox = mailbox
        view.hold(holder)
        self._idle.pop(view, None)
        try:
            await view.refresh(force=True)
        except BaseException:
            view.release(holder)
            raise
        return view

    async def _open_view(self, mailbox: Mailbox, holder: object) -> View:
        view = View(self, mailbox)
        await view.open()
        view.hold(holder)
        self._views[mailbox.entryid] = view
        self._detached(view.save(), view)
        return view

    def peek(self, mailbox: Mailbox) -> View | None:
        """The View of a mailbox when it is open anyway."""
        return self._views.get(mailbox.entryid)

    def view_is_idle(self, view: View) -> None:
        """Nobody holds the View: keep it for a while, but not too many."""
        if self._views.get(view.mailbox.entryid) is not view:
            return
        self._idle[view] = self.seconds()
        self._detached(view.save(), view)
        while len(self._idle) > MAX_IDLE:
            self._close_view(next(iter(self._idle)))
        self._sweep.after(IDLE_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        now = self.seconds()
        for view, since in tuple(self._idle.items()):
            if now - since >= IDLE_SECONDS:
                self._close_view(view)
        if self._idle:
            self._sweep.after(IDLE_SECONDS, self._close_idle)

    def forget_view(self, mailbox: Mailbox) -> None:
        """A mailbox is gone: close its View and drop what the cache has of it."""
        view = self._views.get(mailbox.entryid)
        if view is not None:
            view.vanish()
            self._close_view(view)
        key = self.cache_key(mailbox)
        Deferred.fromCoroutine(self.in_cache(lambda cache: cache.forget(key))).addErrback(
            lambda failure: self.log.failure("UID cache", failure=failure)
        )

    def _close_view(self, view: View) -> None:
        self._views.pop(view.mailbox.entryid, None)
        self._idle.pop(view, None)
        view.close()
        self._detached(view.save(), view)

    def _detached(self, saving: Coroutine[Deferred[None], object, None], view: View) -> None:
        Deferred.fromCoroutine(saving).addErrback(
            lambda failure: self.log.warn(
                "{mailbox} of {user} could not be saved to the UID cache: {error}",
                mailbox=view.mailbox.name,
                user=self.user,
                error=failure.value,
            )
        )

    # Between stores

    async def copy_across(self, entryids: Sequence[bytes], target: Mailbox) -> list[int]:
        """Copy messages into another store, one by one, with everything they have; their new UIDs."""
        guid = parse_object_entryid(target.store_entryid).store
        made = []
        for entryid in entryids:
            loaded = await load_message(self.session, entryid)
            made.append(await save_new_message(self.session, target.entryid, guid, loaded.content))
        return await uids_of(self.session, target.entryid, [saved.entryid for saved in made])
