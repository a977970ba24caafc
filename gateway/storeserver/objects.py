"""Any object by its entry id: load, load one property, save, exist."""

from __future__ import annotations

from typing import Final

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.props import Prop, PropTag
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import containers, loading, locate, saving
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.schema import DELETED

_SHOW_SOFT_DELETES: Final = 2


def load_object(tx: Transaction, actor: Actor, entryid: bytes, flags: int = 0) -> ObjectTree:
    """A store, folder or message (loadObject). Flag 0x400 reads a soft-deleted one, and only such."""
    if not entryid:
        raise NotFound("an empty entry id")
    deleted = bool(flags & DELETED)
    match locate.object_type(entryid):
        case ObjectType.STORE if not deleted:
            return containers.load_store(tx, actor, entryid)
        case ObjectType.FOLDER:
            return containers.load_folder(tx, actor, entryid, deleted=deleted)
        case ObjectType.MESSAGE:
            return loading.load_message(tx, actor, entryid, deleted=deleted)
    raise NotFound("not the entry id of a store object")


def load_prop(tx: Transaction, actor: Actor, entryid: bytes, object_id: int, tag: PropTag) -> Prop:
    """One property in full (loadProp). ``object_id`` 0 is the object itself, else a part of the message."""
    match locate.object_type(entryid):
        case ObjectType.MESSAGE:
            return tag, loading.load_message_prop(tx, actor, entryid, object_id, tag)
        case ObjectType.STORE | ObjectType.FOLDER:
            return tag, containers.load_container_prop(tx, actor, entryid, tag)
    raise NotFound("not the entry id of a store object")


def save_object(
    tx: Transaction,
    actor: Actor,
    parent_entryid: bytes,
    entryid: bytes,
    tree: ObjectTree,
    flags: int = 0,
    sync_id: int = 0,
) -> ObjectTree:
    """Create or change a message, or change a folder or store (saveObject)."""
    match locate.object_type(entryid), tree.obj_type:
        case (ObjectType.MESSAGE, ObjectType.MESSAGE) if not tree.server_id:
            return saving.create_message(tx, actor, parent_entryid, entryid, tree, flags, sync_id)
        case ObjectType.MESSAGE, ObjectType.MESSAGE:
            return saving.update_message(tx, actor, entryid, tree, sync_id)
        case ObjectType.FOLDER, ObjectType.FOLDER:
            return containers.save_folder(tx, actor, entryid, tree, sync_id)
        case ObjectType.STORE, ObjectType.STORE:
            return containers.save_store(tx, actor, entryid, tree)
    raise InvalidParameter(f"the entry id is not that of an object of type {tree.obj_type}")


def check_exists(tx: Transaction, entryid: bytes, flags: int = 0) -> None:
    """NotFound unless the object exists; with flag 2 unless it is soft-deleted (checkExistObject)."""
    deleted = bool(flags & _SHOW_SOFT_DELETES)
    match locate.object_type(entryid):
        case ObjectType.STORE if not deleted:
            locate.store_by_entryid(tx, entryid)
        case ObjectType.FOLDER:
            locate.folder_by_entryid(tx, entryid, deleted=deleted)
        case ObjectType.MESSAGE:
            locate.message_by_entryid(tx, entryid, deleted=deleted)
        case _:
            raise NotFound("not the entry id of a store object")
