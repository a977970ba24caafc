"""A store database to test the core of the embedded store with: two users, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.mapi import proptags as p
from gateway.mapi.props import Prop, Props
from gateway.mapi.rights import AccessEntry, AccessType, EntryState
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import accounts, folders, identity, locate, objects, rights, rows, stores
from gateway.storeserver.accounts import Account, Actor, NewAccount
from gateway.storeserver.database import StoreDatabase, StoreOptions
from gateway.storeserver.events import ChangeEvent, ObjectEvent
from gateway.storeserver.rowplan import RowKind

OPTIONS = StoreOptions(synchronous="OFF", password_time=1, password_memory=8)
START = 1_700_000_000.25


class World:
    """A database with the users alice and bob, each with a store."""

    def __init__(self, directory: Path, options: StoreOptions = OPTIONS) -> None:
        self.time = START
        self.database = StoreDatabase(directory, clock=lambda: self.time, options=options)
        with self.database.write() as tx:
            self.alice_account = self._user(tx, "alice")
            self.bob_account = self._user(tx, "bob")
            self.store = stores.create_private(tx, self.alice_account)
            self.bob_store = stores.create_private(tx, self.bob_account)
            self.public = stores.create_public(tx)
        self.alice = accounts.actor_of(self.alice_account)
        self.bob = accounts.actor_of(self.bob_account)
        self.system = accounts.SYSTEM
        with self.database.read() as tx:
            self.inbox = stores.receive_folder(tx, self.store.entryid, "IPM.Note")[0]
            self.bob_inbox = stores.receive_folder(tx, self.bob_store.entryid, "IPM.Note")[0]
            self.subtree = self.props(self.store.entryid)[p.PR_IPM_SUBTREE_ENTRYID]
        self.events: list[ObjectEvent] = []
        self.logged: list[ChangeEvent] = []

    @staticmethod
    def _user(tx: Any, name: str) -> Account:
        new = NewAccount(name, f"{name.title()} Example", f"{name}@example.test", name)
        return accounts.create_account(tx, accounts.SYSTEM, new)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a core function in a writing transaction of its own; keeps the events it left."""
        with self.database.write() as tx:
            result = function(tx, *args, **kwargs)
        self.events = [event for event in tx.events if isinstance(event, ObjectEvent)]
        self.logged = [event for event in tx.events if isinstance(event, ChangeEvent)]
        return result

    def ask(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a core function in a reading transaction of its own."""
        with self.database.read() as tx:
            return function(tx, *args, **kwargs)

    def new_entryid(self, store: Any = None) -> bytes:
        guid = (store or self.store).guid
        with self.database.read() as tx:
            return identity.new_entryid(tx, guid, ObjectType.MESSAGE)

    def save(
        self,
        folder: bytes,
        props: Sequence[Prop] = ((p.PR_SUBJECT, "a subject"),),
        children: Sequence[ObjectTree] = (),
        *,
        actor: Actor | None = None,
        flags: int = 0,
        sync_id: int = 0,
    ) -> bytes:
        """Create a message; gives its entry id."""
        entryid = self.new_entryid(self._store_of(folder))
        tree = message(props, children)
        self.call(objects.save_object, actor or self.alice, folder, entryid, tree, flags, sync_id)
        return entryid

    def _store_of(self, folder: bytes) -> Any:
        with self.database.read() as tx:
            return locate.store_by_guid(tx, folder[4:20])

    def update(
        self,
        entryid: bytes,
        props: Sequence[Prop] = (),
        gone: Sequence[int] = (),
        children: Sequence[ObjectTree] = (),
        *,
        actor: Actor | None = None,
        sync_id: int = 0,
    ) -> ObjectTree:
        """Change an object; gives the answer."""
        kind = int.from_bytes(entryid[24:26], "little")
        number = self.ask(rights.target_id, entryid)[0]
        tree = ObjectTree(children=children, del_props=gone, mod_props=props, server_id=number, obj_type=kind)
        parent = self.store.entryid
        result: ObjectTree = self.call(
            objects.save_object, actor or self.alice, parent, entryid, tree, 0, sync_id
        )
        return result

    def load(self, entryid: bytes, flags: int = 0, *, actor: Actor | None = None) -> ObjectTree:
        tree: ObjectTree = self.ask(objects.load_object, actor or self.alice, entryid, flags)
        return tree

    def props(self, entryid: bytes, flags: int = 0, *, actor: Actor | None = None) -> Props:
        """The values loadObject sends."""
        return dict(self.load(entryid, flags, actor=actor).mod_props)

    def prop(self, entryid: bytes, tag: int, part: int = 0, *, actor: Actor | None = None) -> Any:
        """The value loadProp answers."""
        return self.ask(objects.load_prop, actor or self.alice, entryid, part, tag)[1]

    def folder(
        self, name: str, parent: bytes | None = None, *, actor: Actor | None = None, **more: Any
    ) -> bytes:
        """Create a folder; gives its entry id."""
        where = parent or self.subtree
        result: bytes = self.call(folders.create_folder, actor or self.alice, where, name, **more)
        return result

    def rows(
        self,
        folder: bytes,
        columns: Sequence[int] = (p.PR_SUBJECT,),
        kind: RowKind = RowKind.NORMAL,
        *,
        actor: Actor | None = None,
        **more: Any,
    ) -> list[Props]:
        """The rows of a contents table."""
        number = self.ask(locate.folder_by_entryid, folder, deleted=None).id
        found = self.ask(rows.message_rows, actor or self.alice, number, columns, kind, **more)
        return [props for _, props in found]

    def subjects(self, folder: bytes, kind: RowKind = RowKind.NORMAL) -> list[str]:
        """The subjects in a folder, oldest first."""
        return [row[p.PR_SUBJECT] for row in reversed(self.rows(folder, kind=kind))]

    def entryids(self, folder: bytes, kind: RowKind = RowKind.NORMAL) -> list[bytes]:
        """The entry ids in a folder, oldest first."""
        return [row[p.PR_ENTRYID] for row in reversed(self.rows(folder, [p.PR_ENTRYID], kind))]

    def grant(self, target: bytes, account: Account, granted: int) -> None:
        """Give rights on an object of alice's store."""
        entry = AccessEntry(0, AccessType.GRANT, granted, EntryState.NEW, account.entryid)
        self.call(rights.set_entries, self.alice, target, [entry])

    def counters(self, folder: bytes) -> tuple[int, int, int, int, int]:
        """Messages, unread, associated, soft-deleted, soft-deleted associated."""
        props = self.props(folder)
        return (
            props[p.PR_CONTENT_COUNT],
            props[p.PR_CONTENT_UNREAD],
            props[p.PR_ASSOC_CONTENT_COUNT],
            props[p.PR_DELETED_MSG_COUNT],
            props[p.PR_DELETED_ASSOC_MSG_COUNT],
        )


def message(props: Sequence[Prop] = (), children: Sequence[ObjectTree] = ()) -> ObjectTree:
    return ObjectTree(children=children, mod_props=props, obj_type=ObjectType.MESSAGE)


def recipient(name: str, number: int = 0, **more: Any) -> ObjectTree:
    props = [(p.PR_RECIPIENT_TYPE, 1), (p.PR_DISPLAY_NAME, name), (p.PR_ROWID, number)]
    return ObjectTree(mod_props=props, obj_type=ObjectType.MAIL_USER, client_id=number, **more)


def attachment(data: bytes | None = None, props: Sequence[Prop] = (), **more: Any) -> ObjectTree:
    values = [(p.PR_ATTACH_METHOD, 1), *props]
    if data is not None:
        values.append((p.PR_ATTACH_DATA_BIN, data))
    return ObjectTree(mod_props=values, obj_type=ObjectType.ATTACHMENT, **more)


def embedded(inner: ObjectTree, **more: Any) -> ObjectTree:
    props = [(p.PR_ATTACH_METHOD, 5)]
    return ObjectTree(children=[inner], mod_props=props, obj_type=ObjectType.ATTACHMENT, **more)
