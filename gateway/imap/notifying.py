"""NOTIFY: telling a client what happens in mailboxes it has not selected, and at once in the one it has (RFC 5465).

Notices of the store only mark a mailbox; what is told is read when it is told. So a client that does not read
costs one mark per mailbox.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.imap import fetching, filters, listing
from gateway.imap.answers import Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.codec.fetchitems import Item
from gateway.imap.commands.status import values_of
from gateway.imap.connection import Selection, User
from gateway.mailbox.folders import FOLDER_EVENTS
from gateway.mailbox.tree import Mailbox
from gateway.mapi.errors import MapiError
from gateway.mapiclient.notify import subscribe

_MESSAGES: Final = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"})
_TREE: Final = frozenset({"MAILBOXNAME", "SUBSCRIPTIONCHANGE"})
SUPPORTED: Final = _MESSAGES | _TREE
_SPELLING: Final = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"
#: Mailboxes that one client may watch.
MOST: Final = 1000
_ITEMS: Final = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN")


class Notifying:
    """What one client wants to be told. `ring` is called when there is something to `tell`."""

    def __init__(self, user: User, command: c.Notify, ring: Callable[[], None]) -> None:
        self._user = user
        self._command = command
        self._ring = ring
        self._stops: list[Callable[[], None]] = []
        self._watched: dict[bytes, Callable[[], None]] = {}
        self._dirty: dict[bytes, None] = {}
        self._tree_dirty = False
        self._tree: dict[bytes, Mailbox] = {}
        self._subscribed: frozenset[str] = frozenset()
        self._told: dict[bytes, dict[str, int | str]] = {}
        self._follows: tuple[Selection, Callable[[], None]] | None = None

    async def begin(self) -> None:
        """Start to listen. Raises Refused: BADEVENT, LIMIT."""
        events = frozenset().union(*(group.events for group in self._command.groups))
        if events - SUPPORTED:
            raise Refused("Not all of these events can be told", f"BADEVENT ({_SPELLING})")
        account = self._user.account
        if events:
            own = account.store.folders.own.entryid
            subscription = subscribe(account.session, own, int(FOLDER_EVENTS), lambda _: self._tree_changed())
            self._stops.append(subscription.cancel)
        self._subscribed = await account.subscriptions() if "SUBSCRIPTIONCHANGE" in events else frozenset()
        await self._follow_tree()
        self.follow_selected()

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
        for group in self._command.groups:
            if group.filter.kind not in filters.SELECTED:
                for mailbox in await filters.mailboxes_of(self._user, group.filter):
                    if mailbox.entryid not in seen and group.events & _MESSAGES:
                        found[mailbox.entryid] = mailbox
                    seen.add(mailbox.entryid)
        if len(found) > MOST:
            raise Refused("Too many mailboxes", "LIMIT")
        return found

    async def _follow_tree(self) -> None:
        """Listen to the mailboxes there are now."""
        self._tree = {mailbox.entryid: mailbox for mailbox in await self._user.account.mailboxes()}
        wanted = await self._watched_mailboxes()
        for entryid in self._watched.keys() - wanted.keys():
            self._watched.pop(entryid)()
        for entryid in wanted.keys() - self._watched.keys():
            callback = self._changes_of(entryid)
            self._watched[entryid] = self._user.account.store.subscribe_messages(entryid, callback)

    def follow_selected(self) -> None:
        """Listen to the selected mailbox, if that is wanted."""
        if self._follows is not None:
            self._follows[1]()
            self._follows = None
        selection = self._user.selection
        if selection is not None and self._selected_group() is not None:
            self._follows = (selection, selection.view.watch(self._ring))

    def _selected_group(self) -> c.EventGroup | None:
        groups = (group for group in self._command.groups if group.filter.kind in filters.SELECTED)
        return next((group for group in groups if group.events), None)

    def _changes_of(self, entryid: bytes) -> Callable[[], None]:
        def changed() -> None:
            self._dirty[entryid] = None
            self._ring()

        return changed

    def _tree_changed(self) -> None:
        self._tree_dirty = True
        self._ring()

    # -- telling

    @property
    def selected_events(self) -> bool:
        """Whether changes of the selected mailbox are told at once."""
        return self._selected_group() is not None

    @property
    def delayed(self) -> bool:
        """Whether EXPUNGE waits for the usual moments (RFC 5465 6.2)."""
        group = self._selected_group()
        return group is not None and group.filter.kind == "SELECTED-DELAYED"

    @property
    def items_of_new(self) -> tuple[Item, ...]:
        """What is fetched of messages that arrive in the selected mailbox."""
        group = self._selected_group()
        return group.fetch if group is not None else ()

    async def status(self) -> bytes:
        """The numbers of all watched mailboxes: what NOTIFY SET STATUS answers with."""
        return b"".join(
            [await self._status_of(self._tree[entryid], always=True) for entryid in tuple(self._watched)]
        )

    async def tell(self) -> bytes:
        """What happened, rendered; it counts as told."""
        parts = []
        if self._tree_dirty:
            self._tree_dirty = False
            parts.append(await self._names())
        selection = self._user.selection
        dirty, self._dirty = self._dirty, {}
        for entryid in dirty:
            mailbox = self._tree.get(entryid)
            if mailbox is not None and (selection is None or selection.mailbox.entryid != entryid):
                parts.append(await self._status_of(mailbox))
        return b"".join(parts)

    async def arrived(self, selection: Selection, after: int) -> bytes:
        """What the client wants to know of messages that arrived with UIDs above this one."""
        if not self.items_of_new:
            return b""
        told = selection.told
        rows = told.rows_of(uid for uid in told.uids[-fetching.MOST_NEW :] if uid > after)
        plan = fetching.plan(self.items_of_new)
        return b"".join([piece async for piece in fetching.batch(selection, plan, rows)])

    async def _status_of(self, mailbox: Mailbox, *, always: bool = False) -> bytes:
        condstore = self._user.connection.condstore
        items = (*_ITEMS, "HIGHESTMODSEQ") if condstore else _ITEMS
        try:
            values = await values_of(self._user, mailbox, items)
        except MapiError:
            return b""  # gone or closed to us: LIST tells of that
        # A notice may be late, or say only that there may have been others.
        known = self._told.get(mailbox.entryid, {"MESSAGES": mailbox.count, "UNSEEN": mailbox.unread})
        if not always and known.items() <= values.items():
            return b""
        self._told[mailbox.entryid] = values
        return w.status_item(mailbox.name, values, utf8=self._user.connection.utf8)

    async def _names(self) -> bytes:
        """LIST responses for what became of the tree (RFC 5465 5.4)."""
        before, subscribed = self._tree, self._subscribed
        await self._follow_tree()
        parts = []
        if self._wants("MAILBOXNAME"):
            parts += [self._appeared(before.get(key), box) for key, box in self._tree.items()]
            parts += [
                self._listed(box.name, ["\\NonExistent"])
                for key, box in before.items()
                if key not in self._tree
            ]
        if self._wants("SUBSCRIPTIONCHANGE"):
            self._subscribed = await self._user.account.subscriptions()
            known = {box.name for box in self._tree.values()} & {box.name for box in before.values()}
            for name in sorted((subscribed ^ self._subscribed) & known):
                parts.append(self._listed(name, ["\\Subscribed"] if name in self._subscribed else []))
        return b"".join(parts)

    def _wants(self, event: str) -> bool:
        return any(event in group.events for group in self._command.groups)

    def _appeared(self, before: Mailbox | None, now: Mailbox) -> bytes:
        if before is not None and before.name == now.name:
            return b""
        old = () if before is None else (("OLDNAME", (before.name,)),)
        return w.list_item(listing.attributes(now), now.name, utf8=self._user.connection.utf8, extended=old)

    def _listed(self, name: str, attributes: list[str]) -> bytes:
        return w.list_item(attributes, name, utf8=self._user.connection.utf8)
