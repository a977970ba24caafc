"""The properties of folders and stores: loadObject and saveObject of them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.changes import ChangeAction
from gateway.mapi.errors import Collision, InvalidParameter, NotFound
from gateway.mapi.notices import Event
from gateway.mapi.props import Prop, Props, PropTag, Value, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import identity, journal, locate, properties, rights, schema, values
from gateway.storeserver.accounts import Actor, account_by_id, accounts_by_id
from gateway.storeserver.database import Transaction
from gateway.storeserver.groups import quota
from gateway.storeserver.journal import Logged
from gateway.storeserver.loading import present
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.schema import DELETED
from gateway.storeserver.writable import CONTAINER_IGNORED, PROTECTED

PRIVATE: Final = 0
PUBLIC: Final = 1
ARCHIVE: Final = 2
_LOCALE_EN_US: Final = 1033
_KEYS: Final = frozenset({p.PR_CHANGE_KEY, p.PR_PREDECESSOR_CHANGE_LIST})
_MAX_NAME: Final = 1000


def name_key(name: str) -> bytes:
    """How the name of a folder is compared: whatever the case."""
    return name.casefold().encode("utf-8", "replace")[:_MAX_NAME]


def check_name(tx: Transaction, parent_id: int, name: str, besides: int | None = None) -> bytes:
    """The key of a folder name that no sibling has (Collision), InvalidParameter for an empty or long one."""
    if not name or len(name) > _MAX_NAME:
        raise InvalidParameter(f"a folder name has 1 to {_MAX_NAME} characters")
    sibling = child_named(tx, parent_id, name)
    if sibling is not None and sibling != besides:
        raise Collision(f"there is a folder {name!r} already")
    return name_key(name)


def child_named(tx: Transaction, parent_id: int, name: str) -> int | None:
    """The hierarchy id of a folder's child of that name, whatever the case."""
    columns = schema.folders.c
    query = sa.select(columns.id).where(
        columns.parent_id == parent_id, columns.state == 0, columns.name_key == name_key(name)
    )
    return tx.connection.execute(query).scalar()


def folder_props(tx: Transaction, actor: Actor, folder: Folder, granted: int) -> Props:
    """The short properties of a folder and what the server computes for it."""
    cold = values.details(tx, folder.id)
    parent = None if folder.parent_id is None else locate.folder_by_id(tx, folder.parent_id, deleted=None)
    return folder_row(tx, actor, folder, granted, cold, parent)


def folder_row(
    tx: Transaction, actor: Actor, folder: Folder, granted: int, cold: Props, parent: Folder | None
) -> Props:
    """Like `folder_props`, for a caller that has read what belongs to it."""
    access = rights.access_bits(granted, own=folder.owner_id == actor.user_id, folder=True)
    props = cold | {
        p.PR_CREATION_TIME: folder.created,
        p.PR_LAST_MODIFICATION_TIME: folder.modified,
        p.PR_FOLDER_TYPE: folder.type,
        p.PR_SOURCE_KEY: folder.source_key,
        p.PR_RECORD_KEY: folder.entryid,
        p.PR_PARENT_ENTRYID: folder.entryid if parent is None else parent.entryid,
        p.PR_RIGHTS: granted,
        p.PR_ACCESS: access,
        p.PR_ACCESS_LEVEL: rights.access_level(access),
    }
    if parent is not None:
        key = identity.change_key(tx, folder.change_id, folder.change_key)
        before = cold.get(p.PR_PREDECESSOR_CHANGE_LIST, b"")
        props |= {
            p.PR_DISPLAY_NAME: folder.name,
            p.PR_PARENT_SOURCE_KEY: parent.source_key,
            p.PR_CHANGE_KEY: key,
            p.PR_PREDECESSOR_CHANGE_LIST: identity.predecessors(key, before),
            p.PR_CONTENT_COUNT: folder.messages,
            p.PR_CONTENT_UNREAD: folder.unread,
            p.PR_SUBFOLDERS: folder.subfolders > 0,
            p.PR_ASSOC_CONTENT_COUNT: folder.associated,
            p.PR_FOLDER_CHILD_COUNT: folder.subfolders,
            p.PR_DELETED_MSG_COUNT: folder.deleted_messages,
            p.PR_DELETED_FOLDER_COUNT: folder.deleted_subfolders,
            p.PR_DELETED_ASSOC_MSG_COUNT: folder.deleted_associated,
        }
    if folder.committed is not None:
        props[p.PR_LOCAL_COMMIT_TIME_MAX] = folder.committed
    if folder.deleted_on is not None:
        props[p.PR_DELETED_ON] = folder.deleted_on
    return props


def load_folder(tx: Transaction, actor: Actor, entryid: bytes, *, deleted: bool) -> ObjectTree:
    """A folder's properties; needs the right to see it."""
    folder = locate.folder_by_entryid(tx, entryid, deleted=deleted)
    granted = rights.on_folder(tx, actor, folder)
    rights.require(granted, Rights.FOLDER_VISIBLE)
    return _loaded(tx, folder.id, ObjectType.FOLDER, folder_props(tx, actor, folder, granted))


def load_store(tx: Transaction, actor: Actor, entryid: bytes) -> ObjectTree:
    """A store's properties; every session may read them."""
    store = locate.store_by_entryid(tx, entryid)
    return _loaded(tx, store.id, ObjectType.STORE, store_props(tx, actor, store))


def _loaded(tx: Transaction, id: int, kind: ObjectType, props: Props) -> ObjectTree:
    tags, sent = present(tx, props, values.long_tree(tx, id).get(id, {}))
    return ObjectTree(del_props=tags, mod_props=sent, server_id=id, obj_type=kind)


def load_container_prop(tx: Transaction, actor: Actor, entryid: bytes, tag: PropTag) -> Value:
    """One property of a folder or store, in full (NotFound)."""
    if locate.object_type(entryid) is ObjectType.STORE:
        store = locate.store_by_entryid(tx, entryid)
        object_id, props = store.id, store_props(tx, actor, store)
    else:
        folder = locate.folder_by_entryid(tx, entryid, deleted=None)
        granted = rights.on_folder(tx, actor, folder)
        rights.require(granted, Rights.FOLDER_VISIBLE)
        object_id, props = folder.id, folder_props(tx, actor, folder, granted)
    tag = canonical(tag)
    return props[tag] if tag in props else values.long_value(tx, object_id, tag)


def store_name(tx: Transaction, store: Store) -> str:
    """The generated display name of a store."""
    if store.type == PUBLIC:
        return "Public Folders"
    owner = accounts_by_id(tx, [store.owner_id])
    name = owner[0].full_name if owner else store.former_owner
    return f"{'Archive' if store.type == ARCHIVE else 'Inbox'} - {name}"


def store_props(tx: Transaction, actor: Actor, store: Store, cold: Props | None = None) -> Props:
    """The short properties of a store and what the server computes for it."""
    user = account_by_id(tx, actor.user_id)
    props = dict(values.details(tx, store.id) if cold is None else cold)
    props |= {
        p.PR_MESSAGE_SIZE_EXTENDED: store.size,
        p.PR_CREATION_TIME: store.created,
        p.PR_LAST_MODIFICATION_TIME: store.modified,
        p.PR_USER_NAME: user.name,
        p.PR_USER_ENTRYID: user.entryid,
        p.PR_DISPLAY_NAME: store_name(tx, store),
        p.PR_MAPPING_SIGNATURE: tx.server_guid,
        p.PR_RECORD_KEY: store.entryid,
        p.PR_ACCESS_LEVEL: int(rights.is_master(tx, actor, store)),
    }
    props.setdefault(p.PR_SORT_LOCALE_ID, _LOCALE_EN_US)
    owner = [] if store.type == PUBLIC else accounts_by_id(tx, [store.owner_id])
    if owner:
        props[p.PR_MAILBOX_OWNER_NAME] = owner[0].full_name
        props[p.PR_MAILBOX_OWNER_ENTRYID] = owner[0].entryid
    if store.type == PRIVATE:
        levels = quota(tx, store.owner_id)
        props[p.PR_QUOTA_WARNING_THRESHOLD] = levels.warn // 1024 & 0xFFFF_FFFF
        props[p.PR_QUOTA_SEND_THRESHOLD] = levels.soft // 1024 & 0xFFFF_FFFF
        props[p.PR_QUOTA_RECEIVE_THRESHOLD] = levels.hard // 1024 & 0xFFFF_FFFF
    return props


def save_folder(tx: Transaction, actor: Actor, entryid: bytes, tree: ObjectTree, sync_id: int) -> ObjectTree:
    """Change a folder's properties; a new PR_DISPLAY_NAME renames it (Collision)."""
    folder = locate.folder_by_entryid(tx, entryid)
    if tree.server_id != folder.id:
        raise NotFound("the entry id and the hierarchy id are of different folders")
    rights.require_edit(tx, actor, folder)
    props = properties.given(tree.mod_props, CONTAINER_IGNORED if sync_id else CONTAINER_IGNORED | _KEYS)
    name = props.pop(p.PR_DISPLAY_NAME, None)
    key = props.pop(p.PR_CHANGE_KEY, None)
    set_container_props(tx, folder.id, props, tree.del_props)
    store = locate.store_by_id(tx, folder.store_id)
    changed: dict[str, Any] = {"modified": tx.now, "change_key": key if key and len(key) <= 255 else None}
    parent = None
    if folder.parent_id is not None:
        parent = locate.folder_by_id(tx, folder.parent_id)
        if name is not None and name != folder.name:
            changed |= {"name": name, "name_key": check_name(tx, parent.id, name, besides=folder.id)}
        if folder.type == 1:
            logged = [Logged(ChangeAction.CHANGE, folder.source_key)]
            changed["change_id"] = journal.log_folders(tx, parent, logged, sync_id)
    tx.connection.execute(schema.folders.update().where(schema.folders.c.id == folder.id).values(**changed))
    folder = locate.folder_by_id(tx, folder.id)
    journal.folder_event(tx, Event.MODIFIED, store, folder, parent=parent)
    return _folder_answer(tx, tree, folder, parent)


def _folder_answer(tx: Transaction, tree: ObjectTree, folder: Folder, parent: Folder | None) -> ObjectTree:
    answer: list[Prop] = [
        (p.PR_RECORD_KEY, folder.entryid),
        (p.PR_SOURCE_KEY, folder.source_key),
        (p.PR_LAST_MODIFICATION_TIME, folder.modified),
    ]
    if parent is not None:
        answer.insert(1, (p.PR_PARENT_SOURCE_KEY, parent.source_key))
        if folder.change_key is None:
            key = identity.change_key(tx, folder.change_id, None)
            answer += [
                (p.PR_CHANGE_KEY, key),
                (p.PR_PREDECESSOR_CHANGE_LIST, identity.predecessors(key)),
            ]
    return _container_answer(tree, folder.id, ObjectType.FOLDER, answer)


def _container_answer(tree: ObjectTree, id: int, kind: ObjectType, props: list[Prop]) -> ObjectTree:
    return ObjectTree(
        del_props=[tag for tag, _ in props],
        mod_props=props,
        client_id=tree.client_id,
        server_id=id,
        obj_type=kind,
    )


def set_container_props(tx: Transaction, id: int, props: Props, removed: Any = ()) -> None:
    """Set and remove properties of a folder or store, short and long ones."""
    gone = {canonical(tag) for tag in removed} - PROTECTED - props.keys()
    touched = gone | props.keys()
    values.remove_long(tx, id, touched)
    split = properties.split(props)
    kept = {tag: value for tag, value in values.details(tx, id).items() if tag not in touched}
    values.set_details(tx, id, kept | split.hot | split.cold)
    long = values.LongRows(tx, id)
    long.add(id, split.long)
    long.insert()


def save_store(tx: Transaction, actor: Actor, entryid: bytes, tree: ObjectTree) -> ObjectTree:
    """Change a store's properties: for its owner and administrators."""
    store = locate.store_by_entryid(tx, entryid)
    if tree.server_id != store.id:
        raise NotFound("the entry id and the hierarchy id are of different stores")
    rights.require_master(tx, actor, store)
    props = properties.given(tree.mod_props, CONTAINER_IGNORED | _KEYS | {p.PR_DISPLAY_NAME})
    set_container_props(tx, store.id, props, tree.del_props)
    tx.connection.execute(schema.stores.update().where(schema.stores.c.id == store.id).values(modified=tx.now))
    locate.forget_store(tx, store.id)
    tx.events.append(journal.store_event(store))
    answer = [(p.PR_LAST_MODIFICATION_TIME, tx.now)]
    return _container_answer(tree, store.id, ObjectType.STORE, answer)


def is_deleted(state: int) -> bool:
    """Whether a hierarchy state is that of a soft-deleted object."""
    return bool(state & DELETED)
