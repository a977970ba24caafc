"""Writing messages: saveObject of a new and of an existing one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.changes import ChangeAction
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, MapiError, NotFound, QuotaExceeded
from gateway.mapi.notices import Event
from gateway.mapi.props import Prop, Props, PropTag, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import attachments, identity, journal, locate, properties, rights, schema, values
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.groups import QuotaState, quota, state_of
from gateway.storeserver.journal import Counters, Logged
from gateway.storeserver.locate import Folder, Message, Store
from gateway.storeserver.parts import Part, PartsWriter, parts_of
from gateway.storeserver.statements import Statement
from gateway.storeserver.writable import (
    ASSOCIATED,
    COMPUTED,
    HASATTACH,
    KEPT_FLAGS,
    MESSAGE_COLUMNS,
    PROTECTED,
    UNMODIFIED,
    UPDATE_IGNORED,
)

#: In a hot set: some properties that usually are hot were too long for it.
SPILLED: Final = 0
_SEARCH_FOLDER: Final = 2
_OVERHEAD: Final = 96
"""Bytes a message counts for its columns."""
_messages: Final = schema.messages
_INSERT: Final = Statement(_messages.insert())
_HOLDERS: Final = Statement(
    sa.select(_messages)
    .join(schema.long_values, schema.long_values.c.top_id == _messages.c.id)
    .where(schema.long_values.c.instance_id == sa.bindparam("number"))
    .distinct()
    .limit(100)
)


def check_quota(tx: Transaction, actor: Actor, store: Store, level: QuotaState = QuotaState.HARD) -> None:
    """QuotaExceeded when the store is over that level of its owner's quota. SYSTEM is exempt."""
    if actor.is_system or store.orphan or store.type != 0:
        return
    if state_of(quota(tx, store.owner_id), store.size) >= level:
        raise QuotaExceeded("the store is full")


def hot_and_cold(props: Props) -> tuple[bytes, Props, Props]:
    """A message's properties divided: the packed hot set, the cold set, the long values."""
    hot, cold, long = properties.split(props)
    if any(map(properties.may_be_hot, cold)) or any(map(properties.may_be_hot, long)):
        hot[SPILLED] = True
    return properties.pack(hot), cold, long


def create_message(
    tx: Transaction,
    actor: Actor,
    parent_entryid: bytes,
    entryid: bytes,
    tree: ObjectTree,
    flags: int,
    sync_id: int,
) -> ObjectTree:
    """Create a message in a folder; the client has made its entry id (Collision when it exists)."""
    folder = locate.folder_by_entryid(tx, parent_entryid)
    if folder.type == _SEARCH_FOLDER:
        raise InvalidParameter("a search folder holds no messages of its own")
    rights.require_folder(tx, actor, folder, Rights.CREATE)
    store = locate.store_by_id(tx, folder.store_id)
    check_quota(tx, actor, store)
    entryid = _own_entryid(store, entryid)
    props = properties.given(tree.mod_props, COMPUTED)
    columns = _new_columns(tx, actor, folder, entryid, props, flags, imported=bool(sync_id))
    stored = {tag: value for tag, value in props.items() if tag not in MESSAGE_COLUMNS}
    if sync_id and p.PR_PREDECESSOR_CHANGE_LIST in props:
        stored[p.PR_PREDECESSOR_CHANGE_LIST] = props[p.PR_PREDECESSOR_CHANGE_LIST]
    hot, cold, long = hot_and_cold(stored)
    number = columns["id"]
    writer = PartsWriter(tx, number, may_use=_instance_check(tx, actor))
    instances = writer.long.add(number, long)
    instances |= _message_instance(tx, writer, number, tree, props)
    children = writer.apply(number, tree.children)
    if writer.has_attachment:
        columns["message_flags"] |= HASATTACH
    columns["size"] = _OVERHEAD + properties.total_size(stored) + writer.grown
    fresh = p.PR_SOURCE_KEY not in props
    logged = Logged(ChangeAction.NEW, columns["source_key"], 0, bool(flags & ASSOCIATED), fresh)
    columns["change_id"] = journal.log_messages(tx, folder, [logged], sync_id)
    insert_message(tx, columns | {"hot": hot})
    values.add_details(tx, number, cold)
    writer.finish()
    message = Message(**columns, hot=hot)
    _added(tx, store, folder, message)
    if message.change_key is not None:
        return _answer(tx, tree, folder, message, children, instances, created=True, predecessors=None)
    key = identity.change_key(tx, message.change_id, None)
    before = stored.get(p.PR_PREDECESSOR_CHANGE_LIST, b"")
    predecessors = identity.predecessors(key, before)
    return _answer(tx, tree, folder, message, children, instances, created=True, predecessors=predecessors)


def _own_entryid(store: Store, entryid: bytes) -> bytes:
    entryid = locate.plain(entryid)
    if locate.object_type(entryid) is not ObjectType.MESSAGE or entryid[4:20] != store.guid:
        raise InvalidParameter(
            "the entry id of a new message must be of its store", code=ErrorCode.INVALID_ENTRYID
        )
    if len(entryid) > 255:
        raise InvalidParameter("the entry id is too long", code=ErrorCode.INVALID_ENTRYID)
    return entryid


def insert_message(tx: Transaction, row: dict[str, Any]) -> None:
    """Add the row of a message (Collision when its entry id exists)."""
    try:
        tx.run(_INSERT, **row)
    except sqlite3.IntegrityError:
        raise Collision("there is an object with this entry id") from None


def _new_columns(
    tx: Transaction,
    actor: Actor,
    folder: Folder,
    entryid: bytes,
    props: Props,
    flags: int,
    *,
    imported: bool,
) -> dict[str, Any]:
    source_key = props.get(p.PR_SOURCE_KEY)
    if not identity.valid_source_key(source_key):
        props.pop(p.PR_SOURCE_KEY, None)
        source_key = identity.new_source_keys(tx, 1)[0]
    state = flags & ASSOCIATED
    key = props.get(p.PR_CHANGE_KEY) if imported else None
    return {
        "id": tx.take("hierarchy"),
        "folder_id": folder.id,
        "state": state,
        "imap_id": tx.take("imap"),
        "message_flags": props.get(p.PR_MESSAGE_FLAGS, 0) & KEPT_FLAGS | state,
        "status": props.get(p.PR_MSG_STATUS),
        "size": 0,
        "delivered": props.get(p.PR_MESSAGE_DELIVERY_TIME),
        "created": props.get(p.PR_CREATION_TIME, tx.now),
        "modified": props.get(p.PR_LAST_MODIFICATION_TIME, tx.now) if imported else tx.now,
        "deleted_on": None,
        "store_id": folder.store_id,
        "owner_id": actor.user_id,
        "modifier_id": actor.user_id,
        "change_id": 0,
        "change_key": key if key and len(key) <= 255 else None,
        "source_key": source_key,
        "entryid": entryid,
    }


def _instance_check(tx: Transaction, actor: Actor) -> Callable[[int], bool]:
    """Whether the actor may use an instance: one of the messages that have it must be readable."""

    def may_use(number: int) -> bool:
        found = [Message(*row) for row in tx.rows(_HOLDERS, number=number)]
        return any(rights.on_message(tx, actor, message) & Rights.READ_ANY for message in found)

    return may_use


def _message_instance(
    tx: Transaction, writer: PartsWriter, id: int, tree: ObjectTree, props: Props
) -> dict[PropTag, int]:
    """The stored mail of a message that is named by its instance id instead of being sent."""
    tag = p.PR_EC_IMAP_EMAIL
    if not tree.instance_ids or tag in props:
        return {}
    property_id, number = attachments.instance_number(tx, tree.instance_ids[0])
    if property_id != tag >> 16 or not writer.may_use(number):
        raise MapiError("this instance cannot be a stored mail", code=ErrorCode.UNKNOWN_INSTANCE_ID)
    writer.grown += writer.long.refer(id, tag, number)
    return {tag: number}


def _added(tx: Transaction, store: Store, folder: Folder, message: Message) -> None:
    counters = Counters()
    counters.count(message.state, message.message_flags, 1)
    journal.message_event(tx, Event.CREATED, store, folder, message)
    journal.count(tx, store, folder, counters)
    journal.grow(tx, store.id, message.size)


def update_message(tx: Transaction, actor: Actor, entryid: bytes, tree: ObjectTree, sync_id: int) -> ObjectTree:
    """Change an existing message: properties to set, to remove, and children."""
    message = locate.message_by_entryid(tx, entryid)
    if tree.server_id != message.id:
        raise NotFound("the entry id and the hierarchy id are of different messages")
    rights.require_edit(tx, actor, message)
    folder = locate.folder_by_id(tx, message.folder_id)
    store = locate.store_by_id(tx, message.store_id)
    check_quota(tx, actor, store)
    ignored = COMPUTED | {p.PR_SOURCE_KEY} | (frozenset() if sync_id else UPDATE_IGNORED)
    props = properties.given(tree.mod_props, ignored)
    gone = {canonical(tag) for tag in tree.del_props} - PROTECTED - props.keys()
    writer = PartsWriter(tx, message.id, _existing(tx, message, tree), may_use=_instance_check(tx, actor))
    children = writer.apply(message.id, tree.children)
    changed, instances = _set_props(tx, message, writer, tree, props, gone, imported=bool(sync_id))
    writer.finish()
    has_attachment = writer.has_attachment if tree.children else bool(message.message_flags & HASATTACH)
    flags = _updated_flags(message, props, has_attachment=has_attachment)
    logged = Logged(ChangeAction.CHANGE, message.source_key, 0, message.is_associated)
    after = replace(
        message,
        **changed,
        message_flags=flags,
        size=message.size + writer.grown,
        modifier_id=actor.user_id,
        change_id=journal.log_messages(tx, folder, [logged], sync_id),
    )
    _store_row(tx, after)
    _changed(tx, store, folder, message, after)
    predecessors = None if after.change_key is not None else predecessors_of(tx, after)
    return _answer(tx, tree, folder, after, children, instances, created=False, predecessors=predecessors)


def _existing(tx: Transaction, message: Message, tree: ObjectTree) -> list[Part]:
    return parts_of(tx, message.id) if tree.children else []


def _set_props(
    tx: Transaction,
    message: Message,
    writer: PartsWriter,
    tree: ObjectTree,
    props: Props,
    gone: set[PropTag],
    *,
    imported: bool,
) -> tuple[dict[str, Any], dict[PropTag, int]]:
    """Apply the properties of an update; gives the changed columns and the instances of long values."""
    stored = {tag: value for tag, value in props.items() if tag not in MESSAGE_COLUMNS}
    if imported and p.PR_PREDECESSOR_CHANGE_LIST in props:
        stored[p.PR_PREDECESSOR_CHANGE_LIST] = props[p.PR_PREDECESSOR_CHANGE_LIST]
    instance = _message_instance(tx, writer, message.id, tree, props)
    touched = gone | stored.keys() | instance.keys()
    hot_before = properties.unpack(message.hot)
    hot_before.pop(SPILLED, None)
    cold_before = values.details(tx, message.id)
    short = hot_before | cold_before
    writer.grown -= properties.total_size({tag: value for tag, value in short.items() if tag in touched})
    long_sizes = values.long_sizes(tx, message.id)
    writer.grown -= values.remove_long(tx, message.id, touched & long_sizes.keys())
    writer.grown += properties.total_size(stored)
    kept = {tag: value for tag, value in short.items() if tag not in touched}
    hot, cold, long = hot_and_cold(kept | stored)
    # Long values that stay can also be ones that usually are hot.
    if any(properties.may_be_hot(tag) for tag in long_sizes.keys() - touched):
        hot = properties.pack(properties.unpack(hot) | {SPILLED: True})
    if cold != cold_before:
        values.set_details(tx, message.id, cold)
    instances = writer.long.add(message.id, long)
    return _changed_columns(tx, message, props, gone, imported=imported) | {"hot": hot}, instances | instance


def _changed_columns(
    tx: Transaction, message: Message, props: Props, gone: set[PropTag], *, imported: bool
) -> dict[str, Any]:
    changed: dict[str, Any] = {"modified": tx.now, "change_key": None}
    for tag, name in ((p.PR_MSG_STATUS, "status"), (p.PR_MESSAGE_DELIVERY_TIME, "delivered")):
        if tag in props:
            changed[name] = props[tag]
        elif tag in gone:
            changed[name] = None
    if imported:
        changed["modified"] = props.get(p.PR_LAST_MODIFICATION_TIME, tx.now)
        key = props.get(p.PR_CHANGE_KEY)
        changed["change_key"] = key if key and len(key) <= 255 else None
    return changed


def _updated_flags(message: Message, props: Props, *, has_attachment: bool) -> int:
    flags = message.message_flags & ~(UNMODIFIED | HASATTACH)
    if p.PR_MESSAGE_FLAGS in props:
        flags = flags & ~KEPT_FLAGS | props[p.PR_MESSAGE_FLAGS] & KEPT_FLAGS & ~UNMODIFIED
    return flags | HASATTACH if has_attachment else flags


_ROW_COLUMNS: Final = (
    "message_flags",
    "status",
    "size",
    "delivered",
    "modified",
    "modifier_id",
    "change_id",
    "change_key",
    "hot",
)
_UPDATE: Final = Statement(
    _messages.update()
    .where(_messages.c.id == sa.bindparam("message_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in _ROW_COLUMNS})
)


def _store_row(tx: Transaction, message: Message) -> None:
    row = {f"new_{name}": getattr(message, name) for name in _ROW_COLUMNS}
    tx.run(_UPDATE, **row, message_id=message.id)


def _changed(tx: Transaction, store: Store, folder: Folder, before: Message, after: Message) -> None:
    journal.message_event(tx, Event.MODIFIED, store, folder, after)
    counters = Counters()
    counters.count(before.state, before.message_flags, -1)
    counters.count(after.state, after.message_flags, 1)
    journal.count(tx, store, folder, counters)
    journal.grow(tx, store.id, after.size - before.size)


def _answer(
    tx: Transaction,
    tree: ObjectTree,
    folder: Folder,
    message: Message,
    children: list[ObjectTree],
    instances: dict[PropTag, int],
    *,
    created: bool,
    predecessors: bytes | None,
) -> ObjectTree:
    record_key: Prop = (p.PR_RECORD_KEY, message.entryid)
    props: list[Prop] = [
        (p.PR_PARENT_SOURCE_KEY, folder.source_key),
        (p.PR_SOURCE_KEY, message.source_key),
        (p.PR_LAST_MODIFICATION_TIME, message.modified),
    ]
    if created:
        props += [(p.PR_CREATION_TIME, message.created), record_key]
    else:
        props.insert(0, record_key)
    # A change that a synchronisation brought keeps its keys, so they are not told again.
    if predecessors is not None:
        props.append((p.PR_CHANGE_KEY, identity.change_key(tx, message.change_id, None)))
        props.append((p.PR_PREDECESSOR_CHANGE_LIST, predecessors))
    ids = [attachments.instance_id(tx.server_guid, tag >> 16, number) for tag, number in instances.items()]
    return ObjectTree(
        children=children,
        del_props=[tag for tag, _ in props],
        mod_props=props,
        client_id=tree.client_id,
        server_id=message.id,
        obj_type=tree.obj_type,
        instance_ids=ids or None,
    )


def predecessors_of(tx: Transaction, message: Message, cold: Props | None = None) -> bytes:
    """PR_PREDECESSOR_CHANGE_LIST of a message."""
    key = identity.change_key(tx, message.change_id, message.change_key)
    if cold is None:
        cold = values.details(tx, message.id)
    return identity.predecessors(key, cold.get(p.PR_PREDECESSOR_CHANGE_LIST, b""))
