"""Stores: create, find, attach and detach them; receive folders."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, NoAccess, NotFound
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import containers, deleting, folders, identity, locate, rights, schema, special, values
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, Account, Actor, account_by_id, require_admin
from gateway.storeserver.containers import ARCHIVE, PRIVATE, PUBLIC
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Folder, Store

_stores: Final = schema.stores
_receive: Final = schema.receive_folders
_PUBLIC_RIGHTS: Final = int(Rights.REVIEWER)


def create_private(tx: Transaction, owner: Account) -> Store:
    """Create a user's store with all its special folders (Collision when there is one)."""
    store = _add(tx, PRIVATE, owner.id)
    inbox = special.build_private(tx, store)
    root = locate.folder_by_id(tx, store.root_id)
    for message_class, folder in (("", inbox), ("IPM", inbox), ("REPORT.IPM", inbox), ("IPC", root)):
        _bind(tx, store, message_class, folder)
    return locate.store_by_id(tx, store.id)


def create_system(tx: Transaction) -> Store:
    """Create SYSTEM's own store in a new database: an object and a root folder, with ids of the old form."""
    number = tx.last("hierarchy") + 1
    guid = tx.new_guid()
    store_entryid = ids.numbered_entryid(guid, ObjectType.STORE, number)
    root_entryid = ids.numbered_entryid(guid, ObjectType.FOLDER, number + 1)
    return _add(tx, PRIVATE, SYSTEM_ID, store_entryid, root_entryid)


def create_public(tx: Transaction) -> Store:
    """Create the public store with its folders (Collision when there is one)."""
    store = _add(tx, PUBLIC, EVERYONE_ID)
    special.build_public(tx, store)
    return locate.store_by_id(tx, store.id)


def create_empty(
    tx: Transaction, actor: Actor, type: int, owner: Account, store_entryid: bytes, root_entryid: bytes
) -> Store:
    """Create a store that is just an object and a root folder, with the client's entry ids (createStore)."""
    require_admin(actor)
    if type not in (PRIVATE, PUBLIC, ARCHIVE):
        raise InvalidParameter(f"there is no store type {type}", code=ErrorCode.INVALID_TYPE)
    store_entryid, root_entryid = locate.plain(store_entryid), locate.plain(root_entryid)
    if (
        len(store_entryid) != 48
        or len(root_entryid) != 48
        or store_entryid[4:20] != root_entryid[4:20]
        or locate.object_type(store_entryid) is not ObjectType.STORE
        or locate.object_type(root_entryid) is not ObjectType.FOLDER
    ):
        raise InvalidParameter("the entry ids do not fit together", code=ErrorCode.INVALID_ENTRYID)
    return _add(tx, type, owner.id, store_entryid, root_entryid)


def _add(
    tx: Transaction, type: int, owner_id: int, entryid: bytes | None = None, root_entryid: bytes | None = None
) -> Store:
    guid = tx.new_guid() if entryid is None else entryid[4:20]
    taken = (_stores.c.guid == guid) | (
        (_stores.c.owner_id == owner_id) & (_stores.c.type == type) & ~_stores.c.orphan
    )
    if tx.connection.execute(sa.select(_stores.c.id).where(taken)).first() is not None:
        raise Collision("there is such a store already")
    number = tx.take("hierarchy")
    root = folders.new_row(tx, number, None, folders.ROOT, owner_id) | {
        "name": "",
        "name_key": b"",
        "entryid": root_entryid or identity.new_entryid(tx, guid, ObjectType.FOLDER),
        "source_key": identity.new_source_keys(tx, 1)[0],
    }
    row = {
        "id": number,
        "guid": guid,
        "entryid": entryid or identity.new_entryid(tx, guid, ObjectType.STORE),
        "type": type,
        "owner_id": owner_id,
        "root_id": root["id"],
        "orphan": False,
        "former_owner": "",
        "size": 0,
        "created": tx.now,
        "modified": tx.now,
    }
    tx.connection.execute(_stores.insert(), row)
    values.add_details(tx, number, {})
    folders.insert_row(tx, root, {})
    if type == PUBLIC:
        rights.grant(tx, number, owner_id, _PUBLIC_RIGHTS)
    return locate.store_by_id(tx, number)


def store_of(tx: Transaction, owner_id: int, type: int = PRIVATE) -> Store:
    """The store of that type that a user has (NotFound)."""
    query = sa.select(_stores).where(_stores.c.owner_id == owner_id, _stores.c.type == type, ~_stores.c.orphan)
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"account {owner_id} has no store of type {type}")
    return Store(*row)


def public_store(tx: Transaction) -> Store:
    """The public store (NotFound)."""
    return store_of(tx, EVERYONE_ID, PUBLIC)


def all_stores(tx: Transaction) -> list[Store]:
    """Every store, orphans included, by hierarchy id."""
    rows = tx.connection.execute(sa.select(_stores).order_by(_stores.c.id))
    return [Store(*row) for row in rows]


def root_of(tx: Transaction, store: Store) -> Folder:
    """The root folder of a store."""
    return locate.folder_by_id(tx, store.root_id)


def hook(tx: Transaction, actor: Actor, type: int, owner: Account, guid: bytes) -> None:
    """Give an orphan store to a user; a store of that type the user has becomes an orphan (hookStore)."""
    require_admin(actor)
    if owner.id == SYSTEM_ID:
        raise InvalidParameter("SYSTEM takes no other store")
    store = locate.store_by_guid(tx, guid)
    if not store.orphan:
        raise Collision("the store has an owner")
    if store.type != type:
        raise InvalidParameter(f"the store is of type {store.type}", code=ErrorCode.INVALID_TYPE)
    mine = (_stores.c.owner_id == owner.id) & (_stores.c.type == type) & ~_stores.c.orphan
    tx.connection.execute(_stores.update().where(mine).values(orphan=True, former_owner=owner.name))
    tx.connection.execute(
        _stores.update().where(_stores.c.id == store.id).values(orphan=False, owner_id=owner.id)
    )
    # What the former owner made is now the new owner's.
    for table in (schema.folders, schema.messages):
        made = (table.c.store_id == store.id) & (table.c.owner_id == store.owner_id)
        tx.connection.execute(table.update().where(made).values(owner_id=owner.id))
    tx.cache.clear()


def unhook(tx: Transaction, actor: Actor, type: int, owner: Account) -> None:
    """Make a user's store of that type an orphan (unhookStore; NotFound when there is none)."""
    require_admin(actor)
    store = store_of(tx, owner.id, type)
    tx.connection.execute(
        _stores.update().where(_stores.c.id == store.id).values(orphan=True, former_owner=owner.name)
    )
    locate.forget_store(tx, store.id)


def orphan_all(tx: Transaction, actor: Actor, owner: Account) -> None:
    """Make every store of a user that is going to be deleted an orphan."""
    for store in all_stores(tx):
        if store.owner_id == owner.id and not store.orphan:
            unhook(tx, actor, store.type, owner)


def remove(tx: Transaction, actor: Actor, guid: bytes) -> None:
    """Remove an orphan store with everything in it (removeStore; Collision while it has an owner)."""
    require_admin(actor)
    store = locate.store_by_guid(tx, guid)
    if not store.orphan:
        raise Collision("the store has an owner")
    root = locate.folder_by_id(tx, store.root_id)
    deleting.remove_folders(tx, store, [root, *locate.subtree(tx, root, deleted=None)])
    for column in (
        schema.details.c.object_id,
        schema.long_values.c.top_id,
        schema.access.c.object_id,
        _receive.c.store_id,
        _stores.c.id,
    ):
        tx.connection.execute(sa.delete(column.table).where(column == store.id))
    locate.forget_store(tx, store.id)


def class_key(message_class: str) -> bytes:
    """How a message class is compared: whatever the case."""
    return message_class.upper().encode("utf-8", "replace")


def _bind(tx: Transaction, store: Store, message_class: str, folder: Folder) -> None:
    key = class_key(message_class)
    where = (_receive.c.store_id == store.id) & (_receive.c.class_key == key)
    tx.connection.execute(_receive.delete().where(where))
    row = {"store_id": store.id, "class_key": key, "message_class": message_class, "folder_id": folder.id}
    tx.connection.execute(_receive.insert(), row)


def receive_folder(tx: Transaction, store_entryid: bytes, message_class: str) -> tuple[bytes, str]:
    """Entry id of the folder that receives a class, and the class that matched (getReceiveFolder).

    The class itself is tried, then each shorter dotted prefix, then the empty class (NotFound without that).
    """
    bound = {class_key(name): (entryid, name) for entryid, name in receive_folders(tx, store_entryid)}
    wanted = message_class
    while True:
        found = bound.get(class_key(wanted))
        if found is not None:
            return found
        if not wanted:
            raise NotFound("the store has no receive folder")
        wanted = wanted.rpartition(".")[0]


def receive_folders(tx: Transaction, store_entryid: bytes) -> list[tuple[bytes, str]]:
    """Every binding of a store: entry id of the folder and message class (getReceiveFolderTable)."""
    store = locate.store_by_entryid(tx, store_entryid)
    query = (
        sa.select(schema.folders.c.entryid, _receive.c.message_class)
        .join(schema.folders, schema.folders.c.id == _receive.c.folder_id)
        .where(_receive.c.store_id == store.id)
        .order_by(_receive.c.class_key)
    )
    return [(bytes(row.entryid), row.message_class) for row in tx.connection.execute(query)]


def set_receive_folder(
    tx: Transaction, actor: Actor, store_entryid: bytes, entryid: bytes | None, message_class: str
) -> None:
    """Bind a message class to a folder, or to the folder of the empty class (setReceiveFolder)."""
    store = locate.store_by_entryid(tx, store_entryid)
    rights.require_master(tx, actor, store)
    if entryid is None:
        if not message_class:
            raise InvalidParameter("the empty class needs a folder", code=ErrorCode.INVALID_TYPE)
        entryid = receive_folder(tx, store_entryid, "")[0]
    folder = locate.folder_by_entryid(tx, entryid)
    if folder.store_id != store.id:
        raise InvalidParameter("the folder is in another store", code=ErrorCode.INVALID_ENTRYID)
    if len(message_class) > 200:
        raise InvalidParameter("the message class is too long")
    _bind(tx, store, message_class, folder)


def note_logon(tx: Transaction, user_id: int, *, logoff: bool = False) -> None:
    """Remember when a user logged on or off, on the user's store."""
    tag = p.PR_LAST_LOGOFF_TIME if logoff else p.PR_LAST_LOGON_TIME
    try:
        store = store_of(tx, user_id)
    except NotFound:
        return
    containers.set_container_props(tx, store.id, {tag: tx.exact_now})


def owner_account(tx: Transaction, actor: Actor, store: Store) -> Account:
    """Who owns a store; orphans are for administrators (NoAccess)."""
    if store.orphan:
        if not actor.is_system and actor.admin_level < 1:
            raise NoAccess("the store has no owner")
        raise NotFound("the store has no owner")
    return account_by_id(tx, store.owner_id)
