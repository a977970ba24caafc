"""The folder tree of a user: read when first asked for, and again after the store said that it changed."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import DeferredLock

from gateway.mailbox import names
from gateway.mailbox.acquaintances import Acquaintances
from gateway.mailbox.others import NOBODY, OTHERS_PREFIX, Others, Wanted, owners_of
from gateway.mailbox.sharers import PORTION
from gateway.mailbox.specialuse import ARCHIVE, USES, UseImpossible, designate, special_folders
from gateway.mailbox.subscriptions import decode_subscriptions, encode_subscriptions
from gateway.mailbox.tree import (
    FOLDER_TAGS,
    OTHER,
    PERSONAL,
    PUBLIC,
    Mailbox,
    Mailboxes,
    StoreFolders,
    mailboxes_of,
)
from gateway.mapi import proptags as pr
from gateway.mapi.errors import Collision, NoAccess, NotFound, TooBig
from gateway.mapi.notices import Event
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import create_folder, delete_folder, load_props, move_folder
from gateway.mapiclient.message import set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of

PUBLIC_PREFIX: Final = "Public folders"
#: What a subscription to a store must tell about its folders; counters change too often to matter.
FOLDER_EVENTS: Final = (
    Event.CREATED | Event.DELETED | Event.MODIFIED | Event.MOVED | Event.ONLY_FOLDERS | Event.NO_COUNTERS
)
#: Characters of a folder's name: the store's listing cuts what is longer, and nobody would find the folder again.
MAX_NAME: Final = 255
#: A tree older than this (seconds) is read again whatever the store said.
MAX_AGE: Final = 120.0


class Folders:
    """The mailboxes of one user: the own store and, when there is one, the public store."""

    def __init__(
        self,
        session: Caller,
        user: str,
        *,
        show_all: bool = False,
        public: bool = True,
        portion: int = PORTION,
    ) -> None:
        self._session = session
        self._show_all = show_all
        self._with_public = public
        self._own: Store | None = None
        self._inbox: bytes = b""
        self._inbox_props: tuple[Props, int] = ({}, 0)
        self._public: Store | None = None
        self._found: list[Mailbox] | None = None
        self._tree = Mailboxes(())
        self._read_at = 0.0
        known = Acquaintances(lambda: self.own)
        self._others = Others(session, user, lambda: self.own, known, show_all=show_all, portion=portion)
        self._lock = DeferredLock()

    @property
    def own(self) -> Store:
        """The user's own store; open it first."""
        if self._own is None:
            raise NotFound("the store is not open")
        return self._own

    async def open(self) -> None:
        """Open the stores (NotFound when the user has none). Does nothing the second time."""
        if self._own is not None:
            return
        own = await Store.default(self._session)
        self._inbox = await own.receive_folder()
        if self._with_public:
            try:
                self._public = await Store.public(self._session)
            except (NotFound, NoAccess):
                self._public = None
        self._own = own

    def stale(self) -> None:
        """Have the tree read again when it is next asked for."""
        self._found = None

    def _changed(self, *mailboxes: str) -> None:
        """Mailboxes of these names came or went."""
        self.stale()
        self._others.stale(owners_of(*mailboxes))

    async def tree(self, now: float, wanted: Wanted = NOBODY) -> Mailboxes:
        """The mailboxes, with those of other users who are wanted or known; readings that overlap are shared."""
        await self._lock.acquire()
        try:
            await self.open()
            is_new = await self._others.look(wanted, now)
            if self._found is None or now - self._read_at > MAX_AGE:
                self._found, self._read_at, is_new = await self._read(), now, True
            if is_new:
                self._tree = Mailboxes(self._found + self._others.mailboxes)
            return self._tree
        finally:
            self._lock.release()

    async def _read(self) -> list[Mailbox]:
        own = self.own
        self._inbox_props = await load_props(self._session, self._inbox)
        found = await self._mailboxes(
            StoreFolders(
                own.entryid, own.ipm_subtree, self._inbox, special_folders(own.props, self._inbox_props[0])
            )
        )
        if self._public is not None:
            found += await self._public_mailboxes(self._public)
        return found

    async def _mailboxes(self, store: StoreFolders) -> list[Mailbox]:
        rows = await rows_of(Table.hierarchy(self._session, store.root, FOLDER_TAGS))
        return mailboxes_of(rows, store, show_all=self._show_all)

    async def _public_mailboxes(self, store: Store) -> list[Mailbox]:
        try:
            root = store.ipm_subtree
            return await self._mailboxes(
                StoreFolders(store.entryid, root, prefix=PUBLIC_PREFIX, namespace=PUBLIC)
            )
        except (NotFound, NoAccess):
            return []

    # Subscriptions

    async def subscriptions(self, now: float) -> frozenset[str]:
        """Names of the subscribed mailboxes; folders that are gone are left out."""
        tree = await self.tree(now)
        subscribed = self._subscribed(tree)
        missing = [entryid for entryid in subscribed if tree.by_entryid(entryid) is None]
        if missing:
            tree = await self.tree(now, await self._others.owners(missing))
        found = map(tree.by_entryid, subscribed)
        return frozenset(mailbox.name for mailbox in found if mailbox is not None)

    def _subscribed(self, tree: Mailboxes) -> list[bytes]:
        """The subscribed folders; those of a new user are all but what others share."""
        value = self._inbox_props[0].get(pr.PR_EC_IMAP_SUBSCRIBED)
        if value is not None:
            return decode_subscriptions(value)
        return [mailbox.entryid for mailbox in tree if mailbox.namespace != OTHER]

    async def subscribe(self, name: str, now: float, *, on: bool) -> None:
        """Add a mailbox to the subscriptions, or take it away (NotFound)."""
        tree = await self.tree(now, owners_of(name))
        mailbox = tree.get(name)
        subscribed = self._subscribed(tree)
        if (mailbox.entryid in subscribed) is on:
            return
        # What cannot be seen now stays: the store of somebody else may be back tomorrow.
        chosen = [entryid for entryid in subscribed if entryid != mailbox.entryid]
        value = encode_subscriptions([*chosen, mailbox.entryid] if on else chosen)
        props, server_id = self._inbox_props
        await set_props(
            self._session,
            self.own.entryid,
            self._inbox,
            server_id,
            {pr.PR_EC_IMAP_SUBSCRIBED: value},
            object_type=ObjectType.FOLDER,
        )
        props[pr.PR_EC_IMAP_SUBSCRIBED] = value

    # Changing the tree

    async def create(self, name: str, now: float, use: str | None = None) -> Mailbox:
        """Create a mailbox, with a special use if one is given, and the parents it lacks.

        Collision, TooBig, NoAccess, UseImpossible.
        """
        tree = await self.tree(now, owners_of(name))
        canonical = _new_name(tree, name)
        if use is not None:
            _check_use(tree, canonical, use)
        levels = canonical.split(names.DELIMITER)
        place = len(levels) - 1
        while place and names.DELIMITER.join(levels[:place]) not in tree:
            place -= 1
        parent = self._parent(tree, names.DELIMITER.join(levels[:place]), canonical)
        for level in levels[place:]:
            # Somebody else may create the same parent now: that is no reason to fail.
            last = level is levels[-1]
            parent = await create_folder(
                self._session, parent, names.folder_name(level), open_if_exists=not last
            )
            await self._make_mail_folder(parent)
        self._changed(canonical)
        if use is not None:
            await self._designate_or_remove(use, parent)
        # The store's names know no case: a parent may be there in other letters.
        made = (await self.tree(now, owners_of(canonical))).by_entryid(parent)
        if made is None:
            raise NotFound(f"mailbox {canonical!r} is gone again")
        return made

    async def _designate_or_remove(self, use: str, folder: bytes) -> None:
        """A mailbox that cannot have the use it was created for is not created (RFC 6154 section 3)."""
        try:
            await designate(self.own, self._inbox, use, folder)
        except BaseException:
            await delete_folder(self._session, folder)
            raise

    async def give_use(self, name: str, use: str | None, now: float) -> None:
        """Give a mailbox a special use, which another one may have to give up for it, or take its own away.

        NotFound, NoAccess, UseImpossible.
        """
        mailbox = (await self.tree(now, owners_of(name))).get(name)
        before = mailbox.special_use
        if use == before:
            return
        if before not in (None, ARCHIVE):
            raise UseImpossible(f"{mailbox.name} stays the {before} mailbox until another one becomes it")
        if mailbox.is_inbox or mailbox.namespace != PERSONAL or not mailbox.selectable:
            raise UseImpossible(f"{mailbox.name} cannot have a special use")
        if use is not None and use not in USES:
            raise UseImpossible(f"there is no mailbox for {use} here")
        if before is not None:
            await designate(self.own, self._inbox, before, b"")
        if use is not None:
            await designate(self.own, self._inbox, use, mailbox.entryid)
        self.stale()

    async def _make_mail_folder(self, entryid: bytes) -> None:
        """Say what the folder is for, so that other programs show it among the mail folders."""
        props, server_id = await load_props(self._session, entryid)
        if not props.get(pr.PR_CONTAINER_CLASS):
            changes = {pr.PR_CONTAINER_CLASS: "IPF.Note"}
            await set_props(
                self._session, self.own.entryid, entryid, server_id, changes, object_type=ObjectType.FOLDER
            )

    def _parent(self, tree: Mailboxes, name: str, wanted: str) -> bytes:
        if name:
            return tree.get(name).entryid
        top = wanted.partition(names.DELIMITER)[0]
        if top == OTHERS_PREFIX:
            raise NoAccess(f"mailboxes cannot be created directly below {top!r}")
        if top == PUBLIC_PREFIX and self._public is not None:
            raise NoAccess(f"mailboxes cannot be created directly below {top!r}; choose a folder in it")
        return self.own.ipm_subtree

    async def delete(self, name: str, now: float) -> Mailbox:
        """Delete a mailbox and its mails (NotFound; NoAccess for special ones; NotEmpty with children)."""
        mailbox = (await self.tree(now, owners_of(name))).get(name)
        if _is_needed(mailbox):
            raise NoAccess(f"{mailbox.name} is a special folder and cannot be deleted")
        await delete_folder(self._session, mailbox.entryid)
        self._changed(mailbox.name)
        return mailbox

    async def rename(self, old: str, new: str, now: float) -> None:
        """Rename or move a mailbox with all below it (NotFound, Collision, TooBig, FolderCycle, NoAccess)."""
        tree = await self.tree(now, owners_of(old, new))
        mailbox = tree.get(old)
        if _is_needed(mailbox):
            raise NoAccess(f"{mailbox.name} is a special folder and cannot be renamed")
        canonical = _new_name(tree, new)
        above, _, level = canonical.rpartition(names.DELIMITER)
        if above and above not in tree:
            await self.create(above, now)
            tree = await self.tree(now)
        parent = self._parent(tree, above, canonical)
        await move_folder(self._session, mailbox.entryid, parent, names.folder_name(level))
        self._changed(mailbox.name, canonical)


def _new_name(tree: Mailboxes, name: str) -> str:
    """The spelling of a name for a mailbox to be made. Raises Collision, TooBig."""
    canonical = names.canonical(names.net_unicode(name))
    if canonical in tree:
        raise Collision(f"mailbox {canonical!r} exists already")
    if any(len(level) > MAX_NAME for level in names.split(canonical)):
        raise TooBig(f"the name of a folder has at most {MAX_NAME} characters")
    return canonical


def _is_needed(mailbox: Mailbox) -> bool:
    """Whether other programs count on a folder being there; the archive is the user's own choice."""
    return mailbox.is_inbox or mailbox.special_use not in (None, ARCHIVE)


def _check_use(tree: Mailboxes, name: str, use: str) -> None:
    """Raise UseImpossible unless a new mailbox may be made for this use."""
    if use not in USES:
        raise UseImpossible(f"there is no mailbox for {use} here")
    if name.partition(names.DELIMITER)[0] in (PUBLIC_PREFIX, OTHERS_PREFIX):
        raise UseImpossible("only own mailboxes have a special use")
    taken = next((mailbox.name for mailbox in tree if mailbox.special_use == use), None)
    if taken is not None:
        raise UseImpossible(f"{taken} is the {use} mailbox already")
