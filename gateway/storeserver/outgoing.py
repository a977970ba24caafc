"""The outgoing queues: submit, finish, abort.

A message in the master queue is sent by the server's spooler, one in the local queue by its owner's client.
Only the local form marks the message itself.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gateway.mapi.errors import ErrorCode, MapiError, NoAccess
from gateway.mapi.notices import Event
from gateway.storeserver import journal, locate, messages, rights, saving, schema
from gateway.storeserver.accounts import Actor
from gateway.storeserver.containers import PUBLIC
from gateway.storeserver.database import Transaction
from gateway.storeserver.groups import QuotaState
from gateway.storeserver.locate import Message, Store
from gateway.storeserver.writable import READ, SUBMIT, UNSENT

MASTER: Final = 1
"""The queue of the server's spooler."""
SEND_MAIL: Final = 2
"""The spooler moves the message to Sent Items afterwards."""
_queue: Final = schema.outgoing


def _message(tx: Transaction, actor: Actor, entryid: bytes) -> tuple[Message, Store]:
    message = locate.message_by_entryid(tx, entryid)
    store = locate.store_by_id(tx, message.store_id)
    rights.require_master(tx, actor, store)
    return message, store


def submit(tx: Transaction, actor: Actor, entryid: bytes, flags: int) -> None:
    """Put a message in a queue; doing it twice does no harm (submitMessage)."""
    message, store = _message(tx, actor, entryid)
    if store.type == PUBLIC:
        raise NoAccess("nothing is sent from the public store")
    saving.check_quota(tx, actor, store, QuotaState.SOFT)
    tx.connection.execute(_queue.delete().where(_queue.c.message_id == message.id))
    row = {"message_id": message.id, "store_id": store.id, "flags": flags & 3, "submitted": tx.now}
    tx.connection.execute(_queue.insert(), row)
    if not flags & MASTER:
        messages.change_flags(tx, message, lambda before: before | SUBMIT | UNSENT)
    else:
        _queue_event(tx, store, message)


def finished(tx: Transaction, actor: Actor, entryid: bytes, flags: int) -> None:
    """Take a sent message out of the queue and mark it read and sent (finishedMessage)."""
    message, store = _message(tx, actor, entryid)
    queued = _queue.c.message_id == message.id
    flags_query = sa.select(_queue.c.flags).where(queued)
    present = tx.connection.execute(flags_query).scalar()
    if present is not None and present & MASTER == flags & MASTER:
        tx.connection.execute(_queue.delete().where(queued))
        _queue_event(tx, store, message)
    cleared = UNSENT if flags == MASTER else SUBMIT | UNSENT
    messages.change_flags(tx, message, lambda before: before & ~cleared | READ)


def abort_submit(tx: Transaction, actor: Actor, entryid: bytes) -> None:
    """Take a message out of the queue unsent (abortSubmit; NOT_IN_QUEUE)."""
    message, store = _message(tx, actor, entryid)
    removed = tx.connection.execute(_queue.delete().where(_queue.c.message_id == message.id)).rowcount
    if not removed:
        raise MapiError("the message is not in a queue", code=ErrorCode.NOT_IN_QUEUE)
    if message.message_flags & SUBMIT:
        messages.change_flags(tx, message, lambda before: before & ~SUBMIT)
    else:
        _queue_event(tx, store, message)


def _queue_event(tx: Transaction, store: Store, message: Message) -> None:
    # Nothing about the message changed, but tables of the queue look different.
    folder = locate.folder_by_id(tx, message.folder_id)
    journal.message_event(tx, Event.MODIFIED, store, folder, message, queue_only=True)


def queued(tx: Transaction, actor: Actor, store: Store | None) -> dict[int, int]:
    """Message ids and flags in a store's local queue, or without a store in the master queue."""
    query = sa.select(_queue.c.message_id, _queue.c.flags).order_by(_queue.c.submitted, _queue.c.message_id)
    if store is None:
        if not actor.is_system and actor.admin_level < 1:
            raise NoAccess("the master queue is for administrators")
        query = query.where(_queue.c.flags.in_([MASTER, MASTER | SEND_MAIL]))
    else:
        rights.require_master(tx, actor, store)
        query = query.where(_queue.c.store_id == store.id, _queue.c.flags.in_([0, SEND_MAIL]))
    return {row.message_id: row.flags for row in tx.connection.execute(query)}
