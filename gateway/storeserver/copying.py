"""Copying folders with what is in them (copyFolder without FOLDER_MOVE)."""

from __future__ import annotations

from typing import Final

from gateway.mapi import proptags as p
from gateway.mapi.errors import NotSupported
from gateway.mapi.notices import Event
from gateway.mapi.props import Props
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import folders, locate, messages, rights, saving, schema, values
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.events import ObjectEvent
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.schema import ASSOCIATED

FOLDER_MOVE: Final = 0x01
COPY_SUBFOLDERS: Final = 0x10
#: What a copy does not take over: it has keys of its own.
_OWN: Final = frozenset({p.PR_CHANGE_KEY, p.PR_PREDECESSOR_CHANGE_LIST})


def copy_folder(
    tx: Transaction,
    actor: Actor,
    entryid: bytes,
    destination: bytes,
    new_name: str | None,
    flags: int,
    sync_id: int = 0,
) -> None:
    """Copy or move a folder inside its store (copyFolder).

    FolderCycle when it would go below itself, Collision for a taken name, NotSupported for another store.
    """
    if flags & FOLDER_MOVE:
        folders.move_folder(tx, actor, entryid, destination, new_name, sync_id)
        return
    folder = locate.folder_by_entryid(tx, entryid)
    target = locate.folder_by_entryid(tx, destination)
    rights.require_folder(tx, actor, folder, Rights.READ_ANY)
    rights.require_folder(tx, actor, target, Rights.CREATE_SUBFOLDER)
    folders.check_target(tx, folder, target)
    if folder.type != folders.GENERIC:
        raise NotSupported("only ordinary folders can be copied")
    store = locate.store_by_id(tx, folder.store_id)
    saving.check_quota(tx, actor, store)
    below = _copied_below(tx, actor, folder) if flags & COPY_SUBFOLDERS else []
    made = {folder.id: _copy(tx, actor, store, folder, target, new_name or folder.name, sync_id)}
    for child in below:
        if child.parent_id in made:
            parent = made[child.parent_id]
            made[child.id] = _copy(tx, actor, store, child, parent, child.name, sync_id)


def _copied_below(tx: Transaction, actor: Actor, folder: Folder) -> list[Folder]:
    tree = [each for each in locate.subtree(tx, folder) if each.type == folders.GENERIC]
    return [each for each in tree if rights.on_folder(tx, actor, each) & Rights.READ_ANY]


def _copy(
    tx: Transaction, actor: Actor, store: Store, folder: Folder, parent: Folder, name: str, sync_id: int
) -> Folder:
    props = _props(tx, folder)
    copy = folders.add_folder(tx, actor, store, parent, name, folder.type, props, sync_id=sync_id)
    columns = schema.messages.c
    inside = (columns.folder_id == folder.id) & columns.state.in_([0, ASSOCIATED])
    found = locate.messages_where(tx, inside)
    for chunk in locate.chunks(found):
        messages.copy_into(tx, actor, store, folder, copy, chunk, sync_id)
    tx.events.append(
        ObjectEvent(
            Event.COPIED,
            ObjectType.FOLDER,
            copy.id,
            copy.entryid,
            store.entryid,
            parent_id=parent.id,
            parent=parent.entryid,
            old=folder.entryid,
            old_parent_id=folder.parent_id,
        )
    )
    return copy


def _props(tx: Transaction, folder: Folder) -> Props:
    props = values.details(tx, folder.id)
    for tag, long in values.long_tree(tx, folder.id).get(folder.id, {}).items():
        props[tag] = values.read_long(tx, tag, long)
    return {tag: value for tag, value in props.items() if tag not in _OWN}
