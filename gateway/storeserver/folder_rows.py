"""The rows of hierarchy tables and of the tables that list stores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props, PropTag, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import containers, locate, properties, rights, rowcontext, schema, stores, values
from gateway.storeserver.accounts import Actor, accounts_by_id
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.rows import Rows
from gateway.storeserver.statements import Statement
from gateway.storeserver.values import Long

_MAX_DEPTH: Final = 256
_IDS: Final[sa.BindParameter[Sequence[int]]] = sa.bindparam("ids_", expanding=True)
_DETAILS: Final = Statement(
    sa.select(schema.details.c.object_id, schema.details.c.props).where(schema.details.c.object_id.in_(_IDS))
)
_LONG: Final = Statement(
    sa.select(*[schema.long_values.c[name] for name in ("object_id", "tag", "size", "value")]).where(
        schema.long_values.c.object_id.in_(_IDS),
        schema.long_values.c.tag.in_(sa.bindparam("tags_", expanding=True)),
        schema.long_values.c.value.is_not(None),
    )
)


def folder_ids(
    tx: Transaction, actor: Actor, folder_id: int, *, recursive: bool, deleted: bool = False
) -> list[int]:
    """The hierarchy ids of the folders below a folder that the actor may see, newest first."""
    found = _visible(tx, actor, folder_id, recursive=recursive, deleted=deleted)
    return sorted((folder.id for folder, _ in found), reverse=True)


def folder_rows(
    tx: Transaction,
    actor: Actor,
    folder_id: int,
    columns: Iterable[PropTag],
    *,
    recursive: bool,
    deleted: bool = False,
    ids: Sequence[int] | None = None,
) -> Rows:
    """The rows of the folders below a folder, or of those among ``ids``, newest first.

    With ``recursive`` at any depth; PR_DEPTH of direct children is 1. Folders the actor may not see are missing.
    """
    wanted = {canonical(tag) for tag in columns}
    found = _visible(tx, actor, folder_id, recursive=recursive, deleted=deleted)
    if ids is not None:
        among = set(ids)
        found = [(folder, depth) for folder, depth in found if folder.id in among]
    if not found:
        return []
    parents = _parents(tx, found)
    cold, long = _stored(tx, [folder.id for folder, _ in found], wanted)
    store: Props = {}
    if not rowcontext.STORE_TAGS.isdisjoint(wanted):
        store = rowcontext.of_store(tx, actor, locate.store_by_id(tx, found[0][0].store_id))
    rows: Rows = []
    for folder, depth in found:
        parent = parents.get(folder.parent_id or 0)
        granted = rights.on_folder(tx, actor, folder)
        props = containers.folder_row(tx, actor, folder, granted, cold.get(folder.id, {}), parent)
        props |= long.get(folder.id, {}) | store | _computed(folder, parent, depth)
        rows.append((folder.id, {tag: value for tag, value in props.items() if tag in wanted}))
    rows.sort(key=lambda row: row[0], reverse=True)
    return rows


def _computed(folder: Folder, parent: Folder | None, depth: int) -> Props:
    props: Props = {
        p.PR_ENTRYID: folder.entryid,
        p.PR_OBJECT_TYPE: int(ObjectType.FOLDER),
        p.PR_DEPTH: depth,
        p.PR_EC_HIERARCHYID: folder.id,
        # A folder without an IMAP id shows its hierarchy id.
        p.PR_EC_IMAP_ID: folder.id,
        p.PR_MSG_STATUS: 0,
    }
    if parent is not None:
        props[p.PR_EC_PARENT_HIERARCHYID] = parent.id
        props[p.PR_PARENT_DISPLAY] = parent.name
    return props


def _visible(
    tx: Transaction, actor: Actor, folder_id: int, *, recursive: bool, deleted: bool
) -> list[tuple[Folder, int]]:
    """The folders below a folder with their depth."""
    key = "visible", actor.user_id, folder_id, recursive, deleted
    found: list[tuple[Folder, int]] | None = tx.cache.get(key)
    if found is None:
        found = _looked_up(tx, actor, folder_id, recursive=recursive, deleted=deleted)
        if not tx.writes:  # a table asks for the ids, and then for their rows
            tx.cache[key] = found
    return found


def _looked_up(
    tx: Transaction, actor: Actor, folder_id: int, *, recursive: bool, deleted: bool
) -> list[tuple[Folder, int]]:
    folder = locate.folder_by_id(tx, folder_id, deleted=None)
    below = locate.subtree if recursive else _children
    found = below(tx, folder, deleted=deleted)
    rights.prefetch(tx, actor, locate.store_by_id(tx, folder.store_id), found)
    depths = {folder_id: 0}
    for each in found:
        depths[each.id] = depths.get(each.parent_id or 0, 0) + 1
    return [
        (each, depths[each.id])
        for each in found
        if depths[each.id] <= _MAX_DEPTH and rights.on_folder(tx, actor, each) & Rights.FOLDER_VISIBLE
    ]


def _children(tx: Transaction, folder: Folder, *, deleted: bool) -> list[Folder]:
    return locate.children(tx, [folder.id], deleted=deleted)


def _parents(tx: Transaction, found: Sequence[tuple[Folder, int]]) -> dict[int, Folder]:
    known = {folder.id: folder for folder, _ in found}
    missing = sorted({folder.parent_id for folder, _ in found if folder.parent_id} - known.keys())
    return known | {parent.id: parent for parent in locate.folders_by_ids(tx, missing)}


def _stored(
    tx: Transaction, ids: Sequence[int], wanted: set[PropTag]
) -> tuple[dict[int, Props], dict[int, Props]]:
    cold: dict[int, Props] = {}
    long: dict[int, Props] = {}
    for chunk in locate.chunks(ids):
        for id_, packed in tx.rows(_DETAILS, ids_=chunk):
            cold[id_] = properties.unpack(bytes(packed))
        for id_, tag, size, value in tx.rows(_LONG, ids_=chunk, tags_=sorted(wanted)):
            long.setdefault(id_, {})[tag] = values.read_long(tx, tag, Long(size, None, bytes(value)))
    return cold, long


def available_tags(tx: Transaction, actor: Actor, folder_id: int) -> set[PropTag]:
    """The tags that rows of this hierarchy table can have."""
    folder = locate.folder_by_id(tx, folder_id, deleted=None)
    store = locate.store_by_id(tx, folder.store_id)
    result = set(_computed(folder, folder, 1)) | set(rowcontext.of_store(tx, actor, store))
    for each, _ in _visible(tx, actor, folder_id, recursive=False, deleted=False):
        cold = values.details(tx, each.id)
        result |= containers.folder_row(tx, actor, each, 0, cold, folder).keys()
    return result


def store_ids(tx: Transaction, *, owned_by: Actor | None = None) -> list[int]:
    """The hierarchy ids of all stores, or of those the actor administers."""
    found = stores.all_stores(tx)
    if owned_by is not None and not owned_by.is_system and owned_by.admin_level < 1:
        found = []
    return [store.id for store in found]


def store_rows(
    tx: Transaction, actor: Actor, columns: Iterable[PropTag], ids: Sequence[int] | None = None
) -> Rows:
    """One row per store, or per store among ``ids`` (mailbox and user store tables)."""
    wanted = {canonical(tag) for tag in columns}
    rows: Rows = []
    for store in stores.all_stores(tx):
        if ids is None or store.id in ids:
            props = containers.store_props(tx, actor, store) | _store_columns(tx, store)
            rows.append((store.id, {tag: value for tag, value in props.items() if tag in wanted}))
    return rows


def _store_columns(tx: Transaction, store: Store) -> Props:
    props: Props = {
        p.PR_ENTRYID: store.entryid,
        p.PR_STORE_ENTRYID: store.entryid,
        p.PR_STORE_RECORD_KEY: store.guid,
        p.PR_OBJECT_TYPE: int(ObjectType.STORE),
        p.PR_EC_HIERARCHYID: store.id,
        p.PR_EC_STOREGUID: store.guid,
        p.PR_EC_STORETYPE: store.type,
        p.PR_EC_DELETED_STORE: store.orphan,
    }
    owner = accounts_by_id(tx, [store.owner_id])
    name = store.former_owner if store.orphan or not owner else owner[0].name
    props[p.PR_EC_USERNAME] = name
    props[p.PR_EC_MAILBOX_OWNER_ACCOUNT] = name
    return props


def table_folder(tx: Transaction, entryid: bytes) -> Folder:
    """The folder whose table is opened, also a soft-deleted one (NotFound)."""
    if locate.object_type(entryid) is not ObjectType.FOLDER:
        raise NotFound("not the entry id of a folder")
    return locate.folder_by_entryid(tx, entryid, deleted=None)
