"""Deleting messages and folders: softly (kept, hidden, purged later) or for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi import times
from gateway.mapi.changes import ChangeAction
from gateway.mapi.notices import Event
from gateway.storeserver import journal, locate, rights, schema
from gateway.storeserver.accounts import Actor, require_admin
from gateway.storeserver.database import Transaction
from gateway.storeserver.journal import Counters, Logged
from gateway.storeserver.locate import Folder, Message, Store
from gateway.storeserver.schema import DELETED
from gateway.storeserver.statements import Statement

_messages: Final = schema.messages
_folders: Final = schema.folders
_PURGED_AT_ONCE: Final = 500
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_HIDE: Final = Statement(
    _messages.update()
    .where(_messages.c.id.in_(_IDS))
    .values(state=_messages.c.state + DELETED, deleted_on=sa.bindparam("now"))
)
_UNQUEUE: Final = Statement(schema.outgoing.delete().where(schema.outgoing.c.message_id.in_(_IDS)))
_REMOVE: Final = tuple(
    Statement(sa.delete(column.table).where(column.in_(_IDS)))
    for column in (
        schema.parts.c.message_id,
        schema.long_values.c.top_id,
        schema.details.c.object_id,
        schema.outgoing.c.message_id,
        schema.access.c.object_id,
        _messages.c.id,
    )
)


def delete_messages(
    tx: Transaction, actor: Actor, entryids: Sequence[bytes], *, hard: bool, sync_id: int = 0
) -> bool:
    """Delete messages (deleteObjects); unknown ones are skipped. False when the rights for some were missing."""
    complete = True
    found = locate.messages_by_entryids(tx, entryids)
    granted = rights.on_messages(tx, actor, found)
    for folder_id, messages in journal.by_folder(found).items():
        folder = locate.folder_by_id(tx, folder_id, deleted=None)
        allowed = [each for each in messages if may_delete(actor, each, granted[each.id])]
        complete = complete and len(allowed) == len(messages)
        delete_from(tx, folder, allowed, hard=hard, sync_id=sync_id)
    return complete


def may_delete(actor: Actor, message: Message, granted: int) -> bool:
    """Whether the actor, who has these rights on the message, may delete it."""
    return rights.allows_delete(granted, own=message.owner_id == actor.user_id)


def delete_from(
    tx: Transaction, folder: Folder, messages: Sequence[Message], *, hard: bool, sync_id: int = 0
) -> None:
    """Delete messages of one folder, without asking for rights."""
    if not hard:
        messages = [message for message in messages if not message.is_deleted]
    if not messages:
        return
    store = locate.store_by_id(tx, folder.store_id)
    ids = [message.id for message in messages]
    if hard:
        remove_rows(tx, ids)
    else:
        _hide(tx, ids)
    action = ChangeAction.HARD_DELETE if hard else ChangeAction.SOFT_DELETE
    logged = [Logged(action, each.source_key, 0, each.is_associated) for each in messages]
    journal.log_messages(tx, folder, logged, sync_id)
    counters = Counters()
    for message in messages:
        counters.count(message.state, message.message_flags, -1)
        if not hard:
            counters.count(message.state | DELETED, message.message_flags, 1)
        journal.message_event(tx, Event.DELETED, store, folder, message, gone=hard)
    journal.count(tx, store, folder, counters)
    if hard:
        journal.grow(tx, store.id, -sum(message.size for message in messages))


def _hide(tx: Transaction, ids: Sequence[int]) -> None:
    for chunk in locate.chunks(ids):
        tx.run(_HIDE, ids=chunk, now=tx.now)
        tx.run(_UNQUEUE, ids=chunk)


def remove_rows(tx: Transaction, ids: Sequence[int]) -> None:
    """Remove messages and everything in them from the database; nothing is logged."""
    for chunk in locate.chunks(ids):
        for statement in _REMOVE:
            tx.run(statement, ids=chunk)


def delete_tree(tx: Transaction, parent: Folder, folder: Folder, *, hard: bool, sync_id: int = 0) -> None:
    """Delete a folder with everything below it, without asking for rights. One row in the log tells of it all."""
    store = locate.store_by_id(tx, folder.store_id)
    # A search folder is always removed for good.
    hard = hard or folder.type == 2
    tree = [folder, *locate.subtree(tx, folder, deleted=None)]
    if hard:
        remove_folders(tx, store, tree)
    else:
        _hide_folders(tx, [each for each in tree if not each.is_deleted])
    action = ChangeAction.HARD_DELETE if hard else ChangeAction.SOFT_DELETE
    if folder.type != 2:
        journal.log_folders(tx, parent, [Logged(action, folder.source_key)], sync_id)
    for each in reversed(tree):
        journal.folder_event(
            tx, Event.DELETED, store, each, parent=parent if each is folder else None, gone=hard
        )
    counters = Counters()
    if folder.is_deleted:
        counters.deleted_subfolders -= int(hard)
    else:
        counters.subfolders -= 1
        counters.deleted_subfolders += int(not hard)
    journal.count(tx, store, parent, counters)


def _hide_folders(tx: Transaction, tree: Sequence[Folder]) -> None:
    for chunk in locate.chunks([folder.id for folder in tree]):
        tx.connection.execute(
            _folders.update().where(_folders.c.id.in_(chunk)).values(state=DELETED, deleted_on=tx.now)
        )
        inside = _messages.c.folder_id.in_(chunk) & (_messages.c.state < DELETED)
        tx.connection.execute(
            _messages.update().where(inside).values(state=_messages.c.state + DELETED, deleted_on=tx.now)
        )
    for folder in tree:
        recount(tx, folder)


def remove_folders(tx: Transaction, store: Store, tree: Sequence[Folder]) -> None:
    """Remove folders and the messages in them from the database; nothing is logged."""
    for folder in tree:
        where = _messages.c.folder_id == folder.id
        ids = tx.connection.execute(sa.select(_messages.c.id).where(where)).scalars().all()
        size = tx.connection.execute(sa.select(sa.func.sum(_messages.c.size)).where(where)).scalar() or 0
        remove_rows(tx, ids)
        journal.grow(tx, store.id, -int(size))
    ids = [folder.id for folder in tree]
    for chunk in locate.chunks(ids):
        for column in (
            schema.long_values.c.top_id,
            schema.details.c.object_id,
            schema.access.c.object_id,
            schema.receive_folders.c.folder_id,
            schema.searches.c.folder_id,
            _folders.c.id,
        ):
            tx.connection.execute(sa.delete(column.table).where(column.in_(chunk)))


def recount(tx: Transaction, folder: Folder) -> int:
    """Count a folder's content again; gives how many of its counters were wrong."""
    counters = Counters()
    unread = 1 - _messages.c.message_flags % 2
    query = (
        sa.select(_messages.c.state, sa.func.count(), sa.func.sum(unread))
        .where(_messages.c.folder_id == folder.id)
        .group_by(_messages.c.state)
    )
    for state, total, unread_total in tx.connection.execute(query):
        if state & DELETED:
            if state == DELETED:
                counters.deleted_messages = total
            else:
                counters.deleted_associated = total
        elif state:
            counters.associated = total
        else:
            counters.messages, counters.unread = total, int(unread_total)
    below = (
        sa.select(_folders.c.state, sa.func.count())
        .where(_folders.c.parent_id == folder.id)
        .group_by(_folders.c.state)
    )
    for state, total in tx.connection.execute(below):
        if state & DELETED:
            counters.deleted_subfolders = total
        else:
            counters.subfolders = total
    return _correct(tx, folder, counters)


def _correct(tx: Transaction, folder: Folder, counters: Counters) -> int:
    names = Counters.__dataclass_fields__
    now = locate.folder_by_id(tx, folder.id, deleted=None)
    wrong = {name: getattr(counters, name) for name in names if getattr(counters, name) != getattr(now, name)}
    if wrong:
        tx.connection.execute(_folders.update().where(_folders.c.id == folder.id).values(**wrong))
    return len(wrong)


def purge(tx: Transaction, actor: Actor, days: int) -> bool:
    """Remove for good some of what was soft-deleted at least so many days ago (purgeSoftDelete).

    True when there may be more: call again in another transaction, so that other writers get their turn.
    """
    require_admin(actor)
    limit = tx.now - days * 86400 * times.TICKS_PER_SECOND
    old = (_messages.c.deleted_on <= limit) & (_messages.c.state >= DELETED)
    ids = tx.connection.execute(sa.select(_messages.c.id).where(old).limit(_PURGED_AT_ONCE)).scalars().all()
    found = [
        each for chunk in locate.chunks(ids) for each in locate.messages_where(tx, _messages.c.id.in_(chunk))
    ]
    for folder_id, messages in journal.by_folder(found).items():
        folder = locate.folder_by_id(tx, folder_id, deleted=None)
        delete_from(tx, folder, messages, hard=True)
    if len(ids) == _PURGED_AT_ONCE:
        return True
    return _purge_folder(tx, limit)


def _purge_folder(tx: Transaction, limit: int) -> bool:
    old = (_folders.c.deleted_on <= limit) & (_folders.c.state == DELETED)
    # The newest first: it has nothing but its own content below it.
    query = sa.select(_folders.c.id).where(old).order_by(_folders.c.id.desc()).limit(1)
    found = tx.connection.execute(query).scalar()
    if found is None:
        return False
    folder = locate.folder_by_id(tx, found, deleted=True)
    if folder.parent_id is not None:
        parent = locate.folder_by_id(tx, folder.parent_id, deleted=None)
        delete_tree(tx, parent, replace(folder, state=DELETED), hard=True)
    return True
