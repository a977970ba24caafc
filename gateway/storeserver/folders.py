"""Folders: create, rename, move, delete, empty, count. Copying is in `copying`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.mapi import proptags as p
from gateway.mapi.changes import ChangeAction
from gateway.mapi.errors import (
    Collision,
    ErrorCode,
    FolderCycle,
    InvalidParameter,
    NoAccess,
    NotEmpty,
    NotSupported,
)
from gateway.mapi.notices import Event
from gateway.mapi.props import Props
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import containers, deleting, identity, journal, locate, rights, schema, values
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.events import ObjectEvent
from gateway.storeserver.journal import Counters, Logged
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.schema import DELETED

ROOT: Final = 0
GENERIC: Final = 1
SEARCH: Final = 2
DEL_MESSAGES: Final = 1
DEL_FOLDERS: Final = 4
DEL_ASSOCIATED: Final = 8
HARD: Final = 0x10
_folders: Final = schema.folders


def create_folder(
    tx: Transaction,
    actor: Actor,
    parent_entryid: bytes,
    name: str,
    *,
    comment: str | None = None,
    entryid: bytes | None = None,
    type: int = GENERIC,
    open_if_exists: bool = False,
    sync_id: int = 0,
    source_key: bytes = b"",
) -> bytes:
    """Create a folder, or open the one of that name; gives its entry id (createFolder).

    Collision when a sibling has the name, NoAccess without the right to create subfolders.
    """
    if type not in (GENERIC, SEARCH):
        raise InvalidParameter(f"there is no folder type {type}", code=ErrorCode.INVALID_TYPE)
    parent = locate.folder_by_entryid(tx, parent_entryid)
    if open_if_exists:
        existing = containers.child_named(tx, parent.id, name)
        if existing is not None:
            return locate.folder_by_id(tx, existing).entryid
    rights.require_folder(tx, actor, parent, Rights.CREATE_SUBFOLDER)
    store = locate.store_by_id(tx, parent.store_id)
    if entryid is not None:
        entryid = _own_entryid(store, entryid)
    # A shorter source key is none.
    key = source_key if 16 < len(source_key) <= 255 else b""
    props: Props = {p.PR_COMMENT: comment or ""}
    folder = add_folder(
        tx, actor, store, parent, name, type, props, entryid=entryid, source_key=key, sync_id=sync_id
    )
    return folder.entryid


def _own_entryid(store: Store, entryid: bytes) -> bytes:
    entryid = locate.plain(entryid)
    parts_fit = len(entryid) == 48 and entryid[4:20] == store.guid
    if not parts_fit or locate.object_type(entryid) is not ObjectType.FOLDER:
        raise InvalidParameter(
            "the entry id of a new folder must be of its store", code=ErrorCode.INVALID_ENTRYID
        )
    return entryid


def add_folder(
    tx: Transaction,
    actor: Actor,
    store: Store,
    parent: Folder,
    name: str,
    type: int,
    props: Props,
    *,
    entryid: bytes | None = None,
    source_key: bytes = b"",
    sync_id: int = 0,
) -> Folder:
    """Add a folder below another, log it and tell of it, without asking for rights."""
    name_key = containers.check_name(tx, parent.id, name)
    fresh = not source_key
    source_key = source_key or identity.new_source_keys(tx, 1)[0]
    row = new_row(tx, store.id, parent.id, type, actor.user_id) | {
        "name": name,
        "name_key": name_key,
        "entryid": entryid or identity.new_entryid(tx, store.guid, ObjectType.FOLDER),
        "source_key": source_key,
    }
    if type != SEARCH:
        logged = [Logged(ChangeAction.NEW, source_key, fresh=fresh)]
        row["change_id"] = journal.log_folders(tx, parent, logged, sync_id)
    insert_row(tx, row, props)
    folder = locate.folder_by_id(tx, row["id"])
    journal.folder_event(tx, Event.CREATED, store, folder, parent=parent)
    journal.count(tx, store, parent, Counters(subfolders=1))
    return folder


def new_row(tx: Transaction, store_id: int, parent_id: int | None, type: int, owner_id: int) -> dict[str, Any]:
    """The row of a new folder, without its name and keys."""
    counters = dict.fromkeys(Counters.__dataclass_fields__, 0)
    return counters | {
        "id": tx.take("hierarchy"),
        "store_id": store_id,
        "parent_id": parent_id,
        "type": type,
        "state": 0,
        "owner_id": owner_id,
        "change_id": 0,
        "change_key": None,
        "created": tx.now,
        "modified": tx.now,
        "deleted_on": None,
        "committed": None,
    }


def insert_row(tx: Transaction, row: dict[str, Any], props: Props) -> None:
    """Add the row of a folder and its properties (Collision when its entry id exists)."""
    exists = _folders.select().with_only_columns(_folders.c.id).where(_folders.c.entryid == row["entryid"])
    if tx.connection.execute(exists).first() is not None:
        raise Collision("there is a folder with this entry id")
    tx.connection.execute(_folders.insert(), row)
    values.add_details(tx, row["id"], {})
    if props:
        containers.set_container_props(tx, row["id"], props)


def _parent(tx: Transaction, folder: Folder) -> Folder:
    if folder.parent_id is None:
        raise NoAccess("this cannot be done to the root folder")
    return locate.folder_by_id(tx, folder.parent_id, deleted=None)


def _require_delete(tx: Transaction, actor: Actor, folder: Folder) -> None:
    granted = rights.on_folder(tx, actor, folder)
    own = folder.owner_id == actor.user_id
    if not granted & Rights.FOLDER_OWNER and not rights.allows_delete(granted, own=own):
        raise NoAccess("may not delete this folder")


def delete_folder(tx: Transaction, actor: Actor, entryid: bytes, flags: int, sync_id: int = 0) -> None:
    """Delete a folder (deleteFolder); NotEmpty when something is in it that ``flags`` do not delete too."""
    hard = bool(flags & HARD)
    folder = locate.folder_by_entryid(tx, entryid, deleted=None if hard else False)
    parent = _parent(tx, folder)
    _require_delete(tx, actor, folder)
    if folder.messages and not flags & DEL_MESSAGES:
        raise NotEmpty(f"{folder.name!r} has messages", code=ErrorCode.HAS_MESSAGES)
    if folder.subfolders and not flags & DEL_FOLDERS:
        raise NotEmpty(f"{folder.name!r} has subfolders", code=ErrorCode.HAS_FOLDERS)
    deleting.delete_tree(tx, parent, folder, hard=hard, sync_id=sync_id)


def empty_folder(tx: Transaction, actor: Actor, entryid: bytes, flags: int, sync_id: int = 0) -> None:
    """Delete everything in a folder, associated messages only with DEL_ASSOCIATED (emptyFolder)."""
    folder = locate.folder_by_entryid(tx, entryid)
    _require_delete(tx, actor, folder)
    columns = schema.messages.c
    states = [0, schema.ASSOCIATED] if flags & DEL_ASSOCIATED else [0]
    condition = (columns.folder_id == folder.id) & columns.state.in_(states)
    messages = locate.messages_where(tx, condition)
    hard = bool(flags & HARD)
    deleting.delete_from(tx, folder, messages, hard=hard, sync_id=sync_id)
    below = (_folders.c.parent_id == folder.id) & (_folders.c.state == 0)
    for child in locate.folders_where(tx, below):
        deleting.delete_tree(tx, folder, child, hard=hard, sync_id=sync_id)


def move_folder(
    tx: Transaction,
    actor: Actor,
    entryid: bytes,
    destination: bytes,
    new_name: str | None,
    sync_id: int = 0,
) -> None:
    """Move or rename a folder, keeping its ids; a soft-deleted one is restored (copyFolder with FOLDER_MOVE)."""
    folder = locate.folder_by_entryid(tx, entryid, deleted=None)
    old_parent = _parent(tx, folder)
    target = locate.folder_by_entryid(tx, destination)
    _require_delete(tx, actor, folder)
    if target.id != old_parent.id or folder.is_deleted:
        rights.require_folder(tx, actor, target, Rights.CREATE_SUBFOLDER)
    check_target(tx, folder, target)
    name = new_name or folder.name
    changed: dict[str, Any] = {
        "parent_id": target.id,
        "name": name,
        "name_key": containers.check_name(tx, target.id, name, besides=folder.id),
        "modified": tx.now,
    }
    if folder.type != SEARCH:
        # In its new parent, unless it only got another name or was deleted before, the folder is new to a log.
        action = ChangeAction.NEW if folder.is_deleted else ChangeAction.CHANGE
        logged = [Logged(action, folder.source_key)]
        changed |= {"change_id": journal.log_folders(tx, target, logged, sync_id), "change_key": None}
    if folder.is_deleted:
        changed |= {"state": 0, "deleted_on": None}
    tx.connection.execute(_folders.update().where(_folders.c.id == folder.id).values(**changed))
    tx.cache.pop(("parent", folder.id), None)
    if folder.is_deleted:
        _restore(tx, folder)
    _moved(tx, folder, old_parent, target)


def check_target(tx: Transaction, folder: Folder, target: Folder) -> None:
    """FolderCycle when the target is the folder or below it, NotSupported when it is in another store."""
    if target.store_id != folder.store_id:
        raise NotSupported("folders cannot go to another store")
    if folder.id in locate.ancestors(tx, target.id):
        raise FolderCycle(f"{folder.name!r} cannot go below itself")
    if target.type == SEARCH:
        raise NotSupported("a search folder has no subfolders")


def _restore(tx: Transaction, folder: Folder) -> None:
    """Bring back what was soft-deleted together with the folder."""
    tree: Sequence[Folder] = [
        folder,
        *[each for each in locate.subtree(tx, folder, deleted=True) if each.deleted_on == folder.deleted_on],
    ]
    columns = schema.messages.c
    for chunk in locate.chunks([each.id for each in tree]):
        tx.connection.execute(
            _folders.update().where(_folders.c.id.in_(chunk)).values(state=0, deleted_on=None)
        )
        inside = (
            columns.folder_id.in_(chunk)
            & (columns.deleted_on == folder.deleted_on)
            & (columns.state >= DELETED)
        )
        tx.connection.execute(
            schema.messages.update().where(inside).values(state=columns.state - DELETED, deleted_on=None)
        )
    for each in tree:
        deleting.recount(tx, each)


def _moved(tx: Transaction, folder: Folder, old_parent: Folder, target: Folder) -> None:
    store = locate.store_by_id(tx, folder.store_id)
    tx.events.append(
        ObjectEvent(
            Event.MOVED,
            ObjectType.FOLDER,
            folder.id,
            folder.entryid,
            store.entryid,
            parent_id=target.id,
            parent=target.entryid,
            old=folder.entryid,
            old_parent=old_parent.entryid,
            old_parent_id=old_parent.id,
            restored=folder.is_deleted,
        )
    )
    if folder.is_deleted:
        journal.count(tx, store, old_parent, Counters(deleted_subfolders=-1))
        journal.count(tx, store, target, Counters(subfolders=1))
    elif old_parent.id != target.id:
        journal.count(tx, store, old_parent, Counters(subfolders=-1))
        journal.count(tx, store, target, Counters(subfolders=1))


def reset_counters(tx: Transaction, actor: Actor, entryid: bytes) -> int:
    """Count a folder's content again; gives how many counters were wrong (resetFolderCount)."""
    if locate.object_type(entryid) is not ObjectType.FOLDER:
        raise InvalidParameter("only folders have counters", code=ErrorCode.INVALID_TYPE)
    folder = locate.folder_by_entryid(tx, entryid)
    rights.require_folder(tx, actor, folder, Rights.FOLDER_OWNER)
    return deleting.recount(tx, folder)
