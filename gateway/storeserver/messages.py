"""Messages: copy, move, read flags, status. Deleting is in `deleting`, sending in `outgoing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from gateway.mapi.changes import ChangeAction
from gateway.mapi.errors import ErrorCode, InvalidParameter, QuotaExceeded
from gateway.mapi.notices import Event
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import deleting, folders, identity, journal, locate, parts, rights, saving, schema
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.events import ObjectEvent
from gateway.storeserver.journal import Counters, Logged
from gateway.storeserver.locate import Folder, Message, Store
from gateway.storeserver.schema import DELETED
from gateway.storeserver.statements import Statement
from gateway.storeserver.writable import READ, SUBMIT

_SUPPRESS_RECEIPT: Final = 0x01
_CLEAR_READ: Final = 0x04
_RECEIPT_ONLY: Final = 0x10
_CLEAR_RN: Final = 0x20
_CLEAR_NRN: Final = 0x40
_RN_PENDING: Final = 0x100
_NRN_PENDING: Final = 0x200
_messages: Final = schema.messages
_COLUMNS: Final = tuple(column.name for column in _messages.columns)
_INSERT: Final = Statement(_messages.insert())
_DETAILS: Final = Statement(
    sa.select(schema.details).where(schema.details.c.object_id.in_(sa.bindparam("ids", expanding=True)))
)
_ADD_DETAILS: Final = Statement(schema.details.insert())

delete_messages: Final = deleting.delete_messages


def copy_messages(
    tx: Transaction,
    actor: Actor,
    entryids: Sequence[bytes],
    destination: bytes,
    *,
    move: bool,
    sync_id: int = 0,
) -> bool:
    """Copy or move messages into a folder of the same store (copyObjects).

    False when some could not be: missing, in another store, without the rights, or no room for a copy. The
    others are done, so the transaction is to be committed before PARTIAL_COMPLETION is answered.
    """
    target = locate.folder_by_entryid(tx, destination)
    if target.type == folders.SEARCH:
        raise InvalidParameter("a search folder holds no messages of its own")
    rights.require_folder(tx, actor, target, Rights.CREATE)
    store = locate.store_by_id(tx, target.store_id)
    if not move:
        try:
            saving.check_quota(tx, actor, store)
        except QuotaExceeded:
            return False
    found = locate.messages_by_entryids(tx, entryids)
    here = [message for message in found if message.store_id == store.id]
    if len(here) < len(found):
        return False
    granted = rights.on_messages(tx, actor, here)
    allowed = [each for each in here if _may_leave(actor, each, granted[each.id], move=move)]
    for folder_id, messages in journal.by_folder(allowed).items():
        source = locate.folder_by_id(tx, folder_id, deleted=None)
        for chunk in locate.chunks(messages):
            if move:
                move_into(tx, store, source, target, chunk, sync_id)
            else:
                copy_into(tx, actor, store, source, target, chunk, sync_id)
    return len(allowed) == len({locate.plain(entryid) if entryid else b"" for entryid in entryids})


def _may_leave(actor: Actor, message: Message, granted: int, *, move: bool) -> bool:
    if move:
        return deleting.may_delete(actor, message, granted)
    return bool(granted & Rights.READ_ANY)


def copy_into(
    tx: Transaction,
    actor: Actor,
    store: Store,
    source: Folder,
    target: Folder,
    messages: Sequence[Message],
    sync_id: int = 0,
) -> None:
    """Copy up to `locate.CHUNK` messages of one folder, without asking for rights."""
    if not messages:
        return
    copies = _renewed(tx, store, target, messages, sync_id)
    first = tx.take("hierarchy", len(messages))
    copies = [
        replace(
            copy,
            id=first + number,
            owner_id=actor.user_id,
            modifier_id=actor.user_id,
            modified=tx.now,
            message_flags=copy.message_flags & ~SUBMIT,
        )
        for number, copy in enumerate(copies)
    ]
    tx.run_many(_INSERT, [{name: getattr(copy, name) for name in _COLUMNS} for copy in copies])
    pairs = {message.id: copy.id for message, copy in zip(messages, copies, strict=True)}
    _copy_details(tx, pairs)
    parts.copy_parts(tx, pairs)
    counters = Counters()
    for message, copy in zip(messages, copies, strict=True):
        counters.count(copy.state, copy.message_flags, 1)
        tx.events.append(_travelled(Event.COPIED, store, source, target, message, copy))
    journal.count(tx, store, target, counters)
    journal.grow(tx, store.id, sum(copy.size for copy in copies))


def _copy_details(tx: Transaction, pairs: dict[int, int]) -> None:
    rows = [{"object_id": pairs[id_], "props": props} for id_, props in tx.rows(_DETAILS, ids=list(pairs))]
    tx.run_many(_ADD_DETAILS, rows)


def _renewed(
    tx: Transaction, store: Store, target: Folder, messages: Sequence[Message], sync_id: int
) -> list[Message]:
    """The messages as they are in their new folder: everything that names them is new."""
    keys = identity.new_source_keys(tx, len(messages))
    imap_id = tx.take("imap", len(messages))
    logged = [
        Logged(ChangeAction.NEW, key, associated=message.is_associated, fresh=True)
        for key, message in zip(keys, messages, strict=True)
    ]
    change_id = journal.log_messages(tx, target, logged, sync_id)
    return [
        replace(
            message,
            folder_id=target.id,
            state=message.state & ~DELETED,
            deleted_on=None,
            imap_id=imap_id + number,
            change_id=change_id + number,
            change_key=None,
            source_key=keys[number],
            entryid=identity.new_entryid(tx, store.guid, ObjectType.MESSAGE),
        )
        for number, message in enumerate(messages)
    ]


_MOVED_COLUMNS: Final = (
    "folder_id",
    "state",
    "deleted_on",
    "imap_id",
    "change_id",
    "change_key",
    "source_key",
    "entryid",
)
_MOVE: Final = Statement(
    _messages.update()
    .where(_messages.c.id == sa.bindparam("message_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in _MOVED_COLUMNS})
)


def move_into(
    tx: Transaction,
    store: Store,
    source: Folder,
    target: Folder,
    messages: Sequence[Message],
    sync_id: int = 0,
) -> None:
    """Move messages of one folder, without asking for rights; a soft-deleted one is restored.

    A message that is in the folder already stays as it is.
    """
    messages = [each for each in messages if each.is_deleted or each.folder_id != target.id]
    if not messages:
        return
    alive = [each for each in messages if not each.is_deleted]
    if alive:
        logged = [Logged(ChangeAction.HARD_DELETE, each.source_key, 0, each.is_associated) for each in alive]
        journal.log_messages(tx, source, logged, sync_id)
    moved = _renewed(tx, store, target, messages, sync_id)
    rows = [
        {f"new_{name}": getattr(message, name) for name in _MOVED_COLUMNS} | {"message_id": message.id}
        for message in moved
    ]
    tx.run_many(_MOVE, rows)
    leaving, arriving = Counters(), Counters()
    for before, after in zip(messages, moved, strict=True):
        leaving.count(before.state, before.message_flags, -1)
        arriving.count(after.state, after.message_flags, 1)
        tx.events.append(_travelled(Event.MOVED, store, source, target, before, after))
    journal.count(tx, store, source, leaving)
    journal.count(tx, store, target, arriving)


def _travelled(
    kind: Event, store: Store, source: Folder, target: Folder, before: Message, after: Message
) -> ObjectEvent:
    return ObjectEvent(
        kind,
        ObjectType.MESSAGE,
        after.id,
        after.entryid,
        store.entryid,
        parent_id=target.id,
        parent=target.entryid,
        old=before.entryid,
        old_parent=source.entryid,
        old_parent_id=source.id,
        state=after.state,
        restored=kind is Event.MOVED and before.is_deleted,
    )


def set_read_flags(
    tx: Transaction,
    actor: Actor,
    flags: int,
    entryids: Sequence[bytes] | None,
    folder_entryid: bytes | None = None,
    sync_id: int = 0,
) -> None:
    """Mark messages, or without a list all of a folder, read or unread (setReadFlags).

    Every message that changes gets a change id and so a new change key, and a FLAG row in the change log.
    Unknown messages are skipped.
    """
    if entryids is not None:
        found = locate.messages_by_entryids(tx, entryids)
    elif folder_entryid is not None:
        folder = locate.folder_by_entryid(tx, folder_entryid)
        rights.require_folder(tx, actor, folder, Rights.READ_ANY)
        where = (_messages.c.folder_id == folder.id) & (_messages.c.state == 0)
        if not flags & (_CLEAR_RN | _CLEAR_NRN):
            where &= _messages.c.message_flags % 2 == (1 if flags & _CLEAR_READ else 0)
        found = locate.messages_where(tx, where)
    else:
        raise InvalidParameter("neither messages nor a folder")
    for granted in rights.on_messages(tx, actor, found).values():
        rights.require(granted, Rights.READ_ANY)
    if flags & _RECEIPT_ONLY:
        return
    change = _read_change(flags)
    changed = [each for each in found if change(each.message_flags) != each.message_flags]
    for folder_id, messages in journal.by_folder(changed).items():
        folder = locate.folder_by_id(tx, folder_id, deleted=None)
        _change_flags(tx, folder, messages, change, ChangeAction.FLAG, sync_id)


def _read_change(flags: int) -> Callable[[int], int]:
    cleared = 0
    if flags & _CLEAR_RN:
        cleared |= _RN_PENDING
    if flags & _CLEAR_NRN:
        cleared |= _NRN_PENDING
    if flags & _CLEAR_READ:
        return lambda before: before & ~(READ | cleared)
    if cleared and not flags & _SUPPRESS_RECEIPT:
        return lambda before: before & ~cleared
    return lambda before: before & ~cleared | READ


_SET_FLAGS: Final = Statement(
    _messages.update()
    .where(_messages.c.id == sa.bindparam("message_id"))
    .values(
        message_flags=sa.bindparam("new_flags"),
        change_id=sa.bindparam("new_change_id"),
        change_key=None,
    )
)


def _change_flags(
    tx: Transaction,
    folder: Folder,
    messages: Sequence[Message],
    change: Callable[[int], int],
    action: ChangeAction,
    sync_id: int = 0,
) -> None:
    store = locate.store_by_id(tx, folder.store_id)
    new_flags = [change(message.message_flags) for message in messages]
    logged = [
        Logged(action, each.source_key, flags & READ if action is ChangeAction.FLAG else 0, each.is_associated)
        for each, flags in zip(messages, new_flags, strict=True)
    ]
    first = journal.log_messages(tx, folder, logged, sync_id)
    rows = [
        {"message_id": each.id, "new_flags": flags, "new_change_id": first + number}
        for number, (each, flags) in enumerate(zip(messages, new_flags, strict=True))
    ]
    tx.run_many(_SET_FLAGS, rows)
    counters = Counters()
    for message, flags in zip(messages, new_flags, strict=True):
        counters.count(message.state, message.message_flags, -1)
        counters.count(message.state, flags, 1)
        journal.message_event(tx, Event.MODIFIED, store, folder, message)
    journal.count(tx, store, folder, counters)


def change_flags(tx: Transaction, message: Message, change: Callable[[int], int]) -> None:
    """Change PR_MESSAGE_FLAGS of a message on the server's own account, with a CHANGE row in the log."""
    folder = locate.folder_by_id(tx, message.folder_id, deleted=None)
    _change_flags(tx, folder, [message], change, ChangeAction.CHANGE)


_SET_STATUS: Final = Statement(
    _messages.update()
    .where(_messages.c.id == sa.bindparam("message_id"))
    .values(status=sa.bindparam("new_status"), change_id=sa.bindparam("new_change_id"), change_key=None)
)


def message_status(tx: Transaction, actor: Actor, entryid: bytes) -> int:
    """PR_MSG_STATUS of a message, 0 if unset (getMessageStatus)."""
    message = locate.message_by_entryid(tx, entryid)
    rights.require(rights.on_message(tx, actor, message), Rights.READ_ANY)
    return message.status or 0


def set_message_status(
    tx: Transaction, actor: Actor, entryid: bytes, new: int, mask: int, sync_id: int = 0
) -> int:
    """Change the bits of PR_MSG_STATUS that are in the mask; gives the value before (setMessageStatus)."""
    if locate.object_type(entryid) is not ObjectType.MESSAGE:
        raise InvalidParameter("only messages have a status", code=ErrorCode.INVALID_TYPE)
    message = locate.message_by_entryid(tx, entryid)
    rights.require_edit(tx, actor, message)
    folder = locate.folder_by_id(tx, message.folder_id)
    store = locate.store_by_id(tx, message.store_id)
    before = message.status or 0
    logged = Logged(ChangeAction.CHANGE, message.source_key, 0, message.is_associated)
    change_id = journal.log_messages(tx, folder, [logged], sync_id)
    status = before & ~mask | new & mask
    tx.run(_SET_STATUS, message_id=message.id, new_status=status, new_change_id=change_id)
    journal.message_event(tx, Event.MODIFIED, store, folder, message)
    journal.count(tx, store, folder, Counters())
    return before
