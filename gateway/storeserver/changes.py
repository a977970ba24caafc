"""Incremental change synchronisation: sync ids, full listings and what changed since.

Rows of an incremental answer are the log's own, in ascending order and not merged. The address book has a log
of its own and no sync ids.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import sqlalchemy as sa

from gateway.mapi import times
from gateway.mapi.changes import Change, ChangeAction, ChangeClass, SyncFlags, SyncKind
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, NoAccess, NotFound, StoreBusy
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import changelog, containers, identity, loading, locate, rights, schema, syncsets
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, Actor, accounts
from gateway.storeserver.changelog import wanted
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Folder
from gateway.storeserver.schema import ASSOCIATED, DELETED
from gateway.storeserver.statements import Statement

_syncs: Final = schema.syncs
_log: Final = schema.changes
_FIRST_POSITION: Final = 1
_SYNC: Final = Statement(sa.select(_syncs).where(_syncs.c.id == sa.bindparam("sync_id")))
_ADVANCE: Final = Statement(
    _syncs.update()
    .where(_syncs.c.id == sa.bindparam("sync_id"))
    .values(change_id=sa.bindparam("reached"), refreshed=sa.bindparam("now"))
)
_STATES: Final = Statement(
    sa.select(_syncs.c.id, _syncs.c.change_id)
    .where(_syncs.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_syncs.c.id)
)
_LISTED: Final = Statement(
    sa.select(schema.messages.c.id, schema.messages.c.source_key, schema.messages.c.change_id).where(
        schema.messages.c.folder_id == sa.bindparam("folder"),
        schema.messages.c.state.in_(sa.bindparam("states", expanding=True)),
    )
)
# Only the key in the condition: a planner without statistics would take the folder's index, all of it.
_BY_SOURCE_KEY: Final = Statement(
    sa.select(schema.messages.c.entryid, schema.messages.c.folder_id, schema.messages.c.state).where(
        schema.messages.c.source_key == sa.bindparam("key_")
    )
)
#: Given hierarchy ids of messages of the synchronised folder, those that match the client's restriction.
Matches: TypeAlias = "Callable[[Sequence[int]], Collection[int]]"


@dataclass(frozen=True, slots=True)
class Sync:
    """A row of `schema.syncs`. Folder 0 is the whole server."""

    id: int
    folder_id: int
    source_key: bytes
    kind: int
    change_id: int
    refreshed: int


def sync_by_id(tx: Transaction, sync_id: int) -> Sync:
    """A registered synchronisation (NotFound)."""
    row = tx.row(_SYNC, sync_id=sync_id)
    if row is None:
        raise NotFound(f"there is no synchronisation {sync_id}")
    return Sync(*row)


def set_status(
    tx: Transaction, actor: Actor, source_key: bytes, sync_id: int, change_id: int, kind: int
) -> int:
    """Register a synchronisation of a folder (sync id 0), or note how far one got; its id (setSyncStatus)."""
    if sync_id:
        sync = sync_by_id(tx, sync_id)
        if sync.kind != kind:
            raise Collision(f"synchronisation {sync_id} is of kind {sync.kind}")
        tx.run(_ADVANCE, sync_id=sync_id, reached=change_id, now=tx.now)
        return sync_id
    if kind not in (SyncKind.CONTENTS, SyncKind.HIERARCHY):
        raise NotFound(f"there are no sync ids for kind {kind}")
    folder_id = 0
    if source_key:
        folder = locate.folder_by_source_key(tx, source_key)
        _require(tx, actor, folder, kind)
        folder_id = folder.id
    else:
        _require_system(actor)
    number = tx.take("sync")
    row = {
        "id": number,
        "folder_id": folder_id,
        "source_key": source_key,
        "kind": kind,
        "change_id": _FIRST_POSITION,
        "refreshed": tx.now,
    }
    tx.connection.execute(_syncs.insert(), row)
    return number


def _require(tx: Transaction, actor: Actor, folder: Folder, kind: int) -> None:
    wanted = Rights.READ_ANY if kind == SyncKind.CONTENTS else Rights.FOLDER_VISIBLE
    rights.require_folder(tx, actor, folder, wanted)


def _require_system(actor: Actor) -> None:
    if not actor.is_system and actor.admin_level < 2:
        raise NoAccess("only a system administrator may follow the whole server")


def states(tx: Transaction, sync_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Sync id and acknowledged change id of those that are known (getSyncStates)."""
    chunks = locate.chunks(sorted(set(sync_ids)))
    return [row for chunk in chunks for row in tx.rows(_STATES, ids=chunk)]


def forget_old(tx: Transaction) -> int:
    """Forget synchronisations that were not refreshed for ``sync_days``; how many."""
    limit = tx.now - tx.options.sync_days * 86400 * times.TICKS_PER_SECOND
    old = sa.select(_syncs.c.id).where(_syncs.c.refreshed < limit)
    tx.connection.execute(schema.sync_sets.delete().where(schema.sync_sets.c.sync_id.in_(old)))
    return tx.connection.execute(_syncs.delete().where(_syncs.c.refreshed < limit)).rowcount


def get_changes(
    tx: Transaction,
    actor: Actor,
    source_key: bytes,
    sync_id: int,
    change_id: int,
    kind: int,
    flags: int,
    matches: Matches | None = None,
) -> tuple[list[Change], int]:
    """What changed after a change id, or with 0 everything there is; and the position to ask from next time.

    ``matches`` is the client's restriction on a contents synchronisation; the transaction must then be a writing
    one, because the set of messages the client has is kept.
    """
    if kind == SyncKind.ADDRESS_BOOK:
        tx.takes_long(True)
        return _address_book(tx, source_key, change_id)
    if not sync_id:
        raise InvalidParameter("contents and hierarchy synchronisation need a sync id")
    try:
        sync = sync_by_id(tx, sync_id)
    except NotFound:
        if change_id:
            raise
        raise StoreBusy("unknown synchronisation", code=ErrorCode.DATABASE_ERROR) from None
    if sync.kind != kind:
        raise Collision(f"synchronisation {sync_id} is of kind {sync.kind}")
    last = tx.last("change")
    if not sync.folder_id:
        tx.takes_long(True)
        _require_system(actor)
        return ([], last) if flags & SyncFlags.CATCHUP else _everything(tx, sync, change_id, flags)
    folder = locate.folder_by_id(tx, sync.folder_id)
    _require(tx, actor, folder, kind)
    if flags & SyncFlags.CATCHUP:
        return [], last
    if kind == SyncKind.HIERARCHY:
        tx.takes_long(True)
        return _hierarchy(tx, actor, folder, sync, change_id, flags)
    tx.takes_long(not change_id or changelog.is_much(tx, folder.id, change_id))
    if matches is not None or syncsets.is_kept(tx, sync_id, change_id):
        return _restricted(tx, folder, sync, change_id, flags, matches)
    if not change_id:
        return _listing(messages_of(tx, folder, flags), folder), last
    rows = changelog.in_folder(tx, folder.id, change_id)
    return wanted(rows, sync.id, flags), max([change_id, *[row.id for row in rows]])


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as far as a synchronisation needs it."""

    id: int
    source_key: bytes
    change_id: int


def messages_of(tx: Transaction, folder: Folder, flags: int) -> list[Listed]:
    """The messages of a folder that the flags ask for, newest first."""
    kinds = []
    if flags & SyncFlags.NORMAL:
        kinds.append(0)
    if flags & SyncFlags.ASSOCIATED:
        kinds.append(ASSOCIATED)
    found = [Listed(*row) for row in tx.rows(_LISTED, folder=folder.id, states=kinds)]
    found.sort(key=lambda each: each.id, reverse=True)
    return found


def _listing(found: Iterable[Listed], folder: Folder) -> list[Change]:
    kind = ChangeClass.MESSAGE | ChangeAction.NEW
    return [Change(each.change_id, each.source_key, folder.source_key, kind, 0) for each in found]


def _everything(tx: Transaction, sync: Sync, change_id: int, flags: int) -> tuple[list[Change], int]:
    kind = 1 if sync.kind == SyncKind.CONTENTS else 2
    rows = changelog.of_kind(tx, kind, change_id)
    return wanted(rows, sync.id, flags), max([change_id, *[row.id for row in rows]])


def _hierarchy(
    tx: Transaction, actor: Actor, folder: Folder, sync: Sync, change_id: int, flags: int
) -> tuple[list[Change], int]:
    tree = locate.subtree(tx, folder, deleted=None)
    store = locate.store_by_id(tx, folder.store_id)
    rights.prefetch(tx, actor, store, tree)
    visible = _visible(tx, actor, folder, tree)
    if not change_id:
        keys = {each.id: each.source_key for each in (folder, *tree)}
        kind = ChangeClass.FOLDER | ChangeAction.NEW
        listing = [
            Change(each.change_id, each.source_key, keys[each.parent_id or 0], kind, 0)
            for each in tree
            if each.id in visible and each.type == 1
        ]
        return listing, tx.last("change")
    rows = changelog.below(tx, [folder.id, *[each.id for each in tree]], change_id)
    changes = wanted(rows, sync.id, flags)
    if not rights.is_master(tx, actor, store):
        keys_seen = {each.source_key for each in tree if each.id in visible}
        changes = [change for change in changes if change.is_delete or change.source_key in keys_seen]
    return changes, max([change_id, *[row.id for row in rows]])


def _visible(tx: Transaction, actor: Actor, folder: Folder, tree: Sequence[Folder]) -> set[int]:
    """The folders of the tree that are seen: not deleted, and like all their parents visible to the actor."""
    seen = {folder.id}
    for each in tree:
        granted = rights.on_folder(tx, actor, each)
        if each.parent_id in seen and not each.is_deleted and granted & Rights.FOLDER_VISIBLE:
            seen.add(each.id)
    return seen - {folder.id}


def _restricted(
    tx: Transaction, folder: Folder, sync: Sync, change_id: int, flags: int, matches: Matches | None
) -> tuple[list[Change], int]:
    """A contents synchronisation of the messages that match."""
    rows = changelog.in_folder(tx, folder.id, change_id) if change_id else []
    current = {each.source_key: each for each in messages_of(tx, folder, flags)}
    position = max([change_id, *[row.id for row in rows]]) if change_id else tx.last("change")
    before = syncsets.members(tx, sync.id, change_id)
    touched = {row.source_key for row in rows}
    if before is None:
        # Unknown what the client has: with a position, whatever was there at that time.
        new = {row.source_key for row in rows if row.change_type & 0xF == ChangeAction.NEW}
        before = set() if not change_id else current.keys() - new
        touched = set(current)
    candidates = [each for key, each in current.items() if key in touched]
    fitting = {each.id for each in candidates}
    if matches is not None:
        fitting = set(matches([each.id for each in candidates]))
    after = {key for key in before if key in current and key not in touched}
    after |= {each.source_key for each in candidates if each.id in fitting}
    if matches is None:
        after = set(current)
    changes = [
        change
        for change in wanted(rows, sync.id, flags)
        if not change.is_delete
        and change.change_type & 0xF != ChangeAction.NEW
        and change.source_key in before & after
    ]
    entered = [current[key] for key in after - before]
    entered.sort(key=lambda each: each.id, reverse=True)
    changes += _listing(entered, folder)
    if not flags & SyncFlags.NO_DELETIONS:
        left = sorted(before - after)
        changes += [Change(0, key, folder.source_key, int(ChangeAction.HARD_DELETE), 0) for key in left]
    if tx.writes and not flags & SyncFlags.NO_DB_CHANGES:
        kept = None if matches is None else after
        syncsets.keep(tx, sync.id, change_id, position, kept)
    return changes, position


def _address_book(tx: Transaction, container: bytes, change_id: int) -> tuple[list[Change], int]:
    """Changes of users and groups. When there are none the position is 0: the old one stays."""
    log = schema.account_changes
    if not change_id:
        last = max(tx.last("account_change"), 1)
        found = [*accounts(tx, groups=False), *accounts(tx, groups=True)]
        kind = ChangeClass.ADDRESS_BOOK | ChangeAction.NEW
        return [
            Change(last, account.entryid, container, kind, 0)
            for account in found
            if account.id not in (EVERYONE_ID, SYSTEM_ID)
        ], last
    query = sa.select(log).where(log.c.id > change_id).order_by(log.c.id)
    changes = [
        Change(row.id, row.entryid, container, ChangeClass.ADDRESS_BOOK | row.action, 0)
        for row in tx.connection.execute(query)
    ]
    return changes, max([0, *[change.change_id for change in changes]])


def has_news(tx: Transaction, sync_id: int, change_id: int) -> int | None:
    """The latest change after that position for a synchronisation, or None (NotFound for an unknown one)."""
    sync = sync_by_id(tx, sync_id)
    condition = _log.c.kind == (1 if sync.kind == SyncKind.CONTENTS else 2)
    if sync.folder_id and sync.kind == SyncKind.CONTENTS:
        condition &= _log.c.parent_id == sync.folder_id
    elif sync.folder_id:
        folder = locate.folder_by_id(tx, sync.folder_id)
        tree = [folder.id, *[each.id for each in locate.subtree(tx, folder, deleted=None)]]
        condition &= _log.c.parent_id.in_(tree)
    query = sa.select(sa.func.max(_log.c.id)).where(condition, _log.c.id > change_id, _log.c.sync_id != sync_id)
    return tx.connection.execute(query).scalar()


def entryid_of(tx: Transaction, store_entryid: bytes, folder_key: bytes, message_key: bytes) -> bytes:
    """The entry id of a folder, or of a message in it, from source keys (getEntryIDFromSourceKey; NotFound)."""
    store = locate.store_by_entryid(tx, store_entryid)
    folder = locate.folder_by_source_key(tx, folder_key)
    if folder.store_id != store.id:
        raise NotFound("the folder is in another store")
    if not message_key:
        return folder.entryid
    for entryid, folder_id, state in tx.rows(_BY_SOURCE_KEY, key_=message_key):
        if folder_id == folder.id and state < DELETED:
            return bytes(entryid)
    raise NotFound("there is no message with that source key in the folder")


def change_info(tx: Transaction, actor: Actor, entryid: bytes) -> tuple[bytes, bytes]:
    """Predecessor change list and change key of a message or folder (getChangeInfo)."""
    if locate.object_type(entryid) is ObjectType.FOLDER:
        folder = locate.folder_by_entryid(tx, entryid)
        granted = rights.on_folder(tx, actor, folder)
        rights.require(granted, Rights.FOLDER_VISIBLE)
        props = containers.folder_props(tx, actor, folder, granted)
    else:
        message = locate.message_by_entryid(tx, entryid)
        granted = rights.on_message(tx, actor, message)
        rights.require(granted, Rights.READ_ANY)
        props = loading.message_props(tx, actor, message, granted)
    key = identity.keys_of(props)
    if key is None:
        raise NotFound("the object has no change key")
    return key
