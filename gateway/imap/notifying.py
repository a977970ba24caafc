"""NOTIFY: telling a client what happens in mailboxes it has not selected, and at once in the one it has (RFC 5465).

Notices of the store only mark a mailbox; what is told is read when it is told. So a client that does not read
costs one mark per mailbox.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from gateway.imap import fetching, filters
from gateway.imap.annotationchanges import AnnotationChanges
from gateway.imap.answers import Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.codec.fetchitems import Item
from gateway.imap.commands.status import values_of
from gateway.imap.connection import Connection, Selection, User
from gateway.imap.treechanges import NAMES, SUBSCRIPTIONS, TreeChanges
from gateway.mailbox.folders import FOLDER_EVENTS
from gateway.mailbox.tree import Mailbox, Mailboxes
from gateway.mapi.errors import MapiError
from gateway.mapi.rights import Rights
from gateway.mapiclient.notify import subscribe

_MESSAGES: Final = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"})
_FLAGS: Final = "FLAGCHANGE"
_ANNOTATIONS: Final = "MAILBOXMETADATACHANGE"
_SERVER: Final = "SERVERMETADATACHANGE"
SUPPORTED: Final = _MESSAGES | {NAMES, SUBSCRIPTIONS, _ANNOTATIONS, _SERVER}
_SPELLING: Final = (
    "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange"
    " ServerMetadataChange"
)
#: Mailboxes that one client may watch.
MOST: Final = 1000
_ITEMS: Final = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")
#: What ENABLE asks to be told of besides (RFC 5464 section 4.4).
_ENABLED: Final = {
    "METADATA": c.EventGroup(c.MailboxFilter("PERSONAL"), frozenset({_ANNOTATIONS, _SERVER})),
    "METADATA-SERVER": c.EventGroup(c.MailboxFilter("PERSONAL"), frozenset({_SERVER})),
}


async def start(user: User, command: c.Notify) -> bytes:
    """Tell a client what a NOTIFY asks for, and what it enabled, from now on; the first of it. Raises Refused."""
    groups = (*command.groups, *_enabled(user.connection))
    if not groups:
        user.notify(None)
        return b""
    notifying = Notifying(user, groups, user.ring)
    try:
        said = await notifying.begin()
    except BaseException:
        notifying.close()
        raise
    user.notify(notifying)
    return said + (await notifying.status() if command.status else b"")


def _enabled(connection: Connection) -> tuple[c.EventGroup, ...]:
    return tuple(group for name, group in _ENABLED.items() if name in connection.enabled)


class Notifying:
    """What one client wants to be told. `ring` is called when there is something to `tell`."""

    def __init__(self, user: User, groups: tuple[c.EventGroup, ...], ring: Callable[[], None]) -> None:
        self._user = user
        self._groups = groups
        self._events = frozenset().union(*(group.events for group in groups))
        self._ring = ring
        self._stops: list[Callable[[], None]] = []
        self._watched: dict[bytes, Callable[[], None]] = {}
        self._with_flags: set[bytes] = set()
        self._dirty: dict[bytes, None] = {}
        self._tree_dirty = False
        self._tree = Mailboxes(())
        self._subscribed: frozenset[str] = frozenset()
        self._changes = TreeChanges(user, self._tree, self._subscribed)
        self._annotations = AnnotationChanges(user)
        self._told: dict[bytes, dict[str, int | str]] = {}
        self._follows: tuple[Selection, Callable[[], None]] | None = None

    async def begin(self) -> bytes:
        """Start to listen; what is to be said at once. Raises Refused: BADEVENT, NOTIFICATIONOVERFLOW."""
        if self._events - SUPPORTED:
            raise Refused("Not all of these events can be told", f"BADEVENT ({_SPELLING})")
        account = self._user.account
        if self._events:
            own = account.store.folders.own.entryid
            subscription = subscribe(account.session, own, int(FOLDER_EVENTS), lambda _: self._tree_changed())
            self._stops.append(subscription.cancel)
        await self._follow_tree()
        self._changes = TreeChanges(self._user, self._tree, self._subscribed)
        await self._annotations_changed()
        self.follow_selected()
        return self._closed_to_us()

    def close(self) -> None:
        """Stop listening."""
        for stop in (*self._stops, *self._watched.values()):
            stop()
        self._stops.clear()
        self._watched.clear()
        if self._follows is not None:
            self._follows[1]()
            self._follows = None

    # -- listening

    async def _watched_mailboxes(self) -> dict[bytes, Mailbox]:
        """Mailboxes whose messages matter: of several groups the first that names a mailbox counts."""
        found: dict[bytes, Mailbox] = {}
        seen: set[bytes] = set()
        self._with_flags.clear()
        for group in self._groups:
            if group.filter.kind in filters.SELECTED or not (group.events & _MESSAGES or not group.events):
                continue
            for mailbox in await filters.mailboxes_of(self._user, group.filter):
                if mailbox.entryid not in seen and group.events:
                    found[mailbox.entryid] = mailbox
                    if _FLAGS in group.events:
                        self._with_flags.add(mailbox.entryid)
                seen.add(mailbox.entryid)
        if len(found) > MOST:
            raise Refused("Too many mailboxes", "NOTIFICATIONOVERFLOW")
        return found

    async def _follow_tree(self) -> None:
        """Listen to the mailboxes there are now."""
        account = self._user.account
        self._subscribed = await account.subscriptions()
        self._tree = await account.mailboxes(filters.wanted_others(*(each.filter for each in self._groups)))
        wanted = await self._watched_mailboxes()
        for entryid in self._watched.keys() - wanted.keys():
            self._watched.pop(entryid)()
        for entryid in wanted.keys() - self._watched.keys():
            callback = self._changes_of(entryid)
            self._watched[entryid] = account.store.subscribe_messages(entryid, callback)

    def follow_selected(self) -> None:
        """Listen to the selected mailbox, if that is wanted."""
        if self._follows is not None:
            self._follows[1]()
            self._follows = None
        selection = self._user.selection
        if selection is not None and self._selected_group() is not None:
            self._follows = (selection, selection.view.watch(self._ring))

    def _selected_group(self) -> c.EventGroup | None:
        groups = (group for group in self._groups if group.filter.kind in filters.SELECTED)
        return next((group for group in groups if group.events), None)

    def _changes_of(self, entryid: bytes) -> Callable[[], None]:
        def changed() -> None:
            self._dirty[entryid] = None
            self._ring()

        return changed

    def _tree_changed(self) -> None:
        self._tree_dirty = True
        self._ring()

    # -- what the client does itself

    def renames(self, *names: str) -> None:
        """The client creates, deletes, renames or subscribes mailboxes: of that it need not be told."""
        self._changes.mine(*names)

    def annotates(self, mailbox: Mailbox | None, entries: dict[str, bytes | None]) -> None:
        """The client changed annotations."""
        self._annotations.mine(mailbox, entries)

    # -- telling

    @property
    def selected_events(self) -> bool:
        """Whether changes of the selected mailbox are told at once."""
        return self._selected_group() is not None

    @property
    def flag_events(self) -> bool:
        """Whether changed flags in the selected mailbox are told at once."""
        group = self._selected_group()
        return group is not None and _FLAGS in group.events

    @property
    def delayed(self) -> bool:
        """Whether EXPUNGE waits for the usual moments (RFC 5465 6.1.2)."""
        group = self._selected_group()
        return group is not None and group.filter.kind == "SELECTED-DELAYED"

    @property
    def items_of_new(self) -> tuple[Item, ...]:
        """What is fetched of messages that arrive in the selected mailbox."""
        group = self._selected_group()
        return group.fetch if group is not None else ()

    async def status(self) -> bytes:
        """The numbers of all watched mailboxes: what NOTIFY SET STATUS answers with (RFC 5465 section 3.1)."""
        boxes = [box for entryid in self._watched if (box := self._tree.by_entryid(entryid)) is not None]
        return b"".join([await self._status_of(mailbox, first=True) for mailbox in boxes])

    async def tell(self) -> AsyncIterator[bytes]:
        """What happened, rendered; it counts as told. What cannot be told now is told later."""
        if self._tree_dirty:
            self._tree_dirty = False
            try:
                await self._follow_tree()
                yield self._changes.look(self._tree, self._subscribed, self._wants)
                yield await self._annotations_changed()
            except BaseException:
                self._tree_dirty = True
                raise
        for entryid in tuple(self._dirty):
            del self._dirty[entryid]
            try:
                yield await self._status_of_other(entryid)
            except BaseException:
                self._dirty[entryid] = None
                raise

    async def _status_of_other(self, entryid: bytes) -> bytes:
        selection, mailbox = self._user.selection, self._tree.by_entryid(entryid)
        if mailbox is None or (selection is not None and selection.mailbox.entryid == entryid):
            return b""
        return await self._status_of(mailbox)

    async def arrived(self, selection: Selection, after: int) -> bytes:
        """What the client wants to know of messages that arrived with UIDs above this one, its own left out."""
        told, mine = selection.told, selection.own_uids
        selection.own_uids = frozenset(uid for uid in mine if not told.number(uid))
        if not self.items_of_new:
            return b""
        rows = told.rows_of(uid for uid in told.uids[-fetching.MOST_NEW :] if uid > after and uid not in mine)
        plan = fetching.unasked(selection, self.items_of_new)
        return b"".join([piece async for piece in fetching.batch(selection, plan, rows)])

    async def _status_of(self, mailbox: Mailbox, *, first: bool = False) -> bytes:
        flags = mailbox.entryid in self._with_flags
        items = (*_ITEMS, *(("UNSEEN",) if flags else ()))
        if self._user.connection.condstore or (first and flags):
            items = (*items, "HIGHESTMODSEQ")
        try:
            values = await values_of(self._user, mailbox, items)
        except MapiError:
            return b""  # gone or closed to us: LIST tells of that
        # A notice may be late, or be of something else than what is wanted.
        known = self._told.get(mailbox.entryid, {"MESSAGES": mailbox.count, "UNSEEN": mailbox.unread})
        matters = values.keys() if flags else {*_ITEMS}
        self._told[mailbox.entryid] = values
        if not first and all(known[item] == values[item] for item in matters & known.keys()):
            return b""
        return w.status_item(mailbox.name, values, utf8=self._user.connection.utf8)

    async def _annotations_changed(self) -> bytes:
        if not self._events & {_ANNOTATIONS, _SERVER}:
            return b""
        wanted = [box for box in self._tree if self._wants(_ANNOTATIONS, box)]
        return await self._annotations.look(wanted, server=_SERVER in self._events)

    def _closed_to_us(self) -> bytes:
        r"""``\NoAccess`` for mailboxes that are named and cannot be read (RFC 5465 section 3.1)."""
        named = {
            box.name: box
            for group in self._groups
            if group.filter.mailboxes and group.events
            for box in self._tree
            if not box.rights & Rights.READ_ANY and filters.means(group.filter, box, self._subscribed)
        }
        utf8 = self._user.connection.utf8
        return b"".join(w.list_item(["\\NoAccess"], name, utf8=utf8) for name in named)

    def _wants(self, event: str, mailbox: Mailbox) -> bool:
        return any(
            event in group.events and filters.means(group.filter, mailbox, self._subscribed)
            for group in self._groups
        )
