"""What every change of the store leaves behind: a row in the change log, counters, the store's size, events.

The change log (ICS) keeps, per folder and object, the latest row of each action; deletions stay for
ever. A row's number is the change id that also makes the object's change key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import sqlalchemy as sa

from gateway.mapi.changes import ChangeAction, ChangeClass
from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType
from gateway.storeserver import locate, schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.events import ChangeEvent, ObjectEvent
from gateway.storeserver.locate import Folder, Message, Store
from gateway.storeserver.schema import ASSOCIATED, DELETED
from gateway.storeserver.statements import Statement

READ: Final = 1
"""The read bit of PR_MESSAGE_FLAGS."""


class Logged(NamedTuple):
    """One change of an object."""

    action: ChangeAction
    source_key: bytes
    flags: int = 0
    associated: bool = False
    fresh: bool = False
    """The source key was generated just now, so there is no older row to replace."""


_changes: Final = schema.changes
_OLDER: Final = Statement(
    _changes.delete().where(
        _changes.c.source_key == sa.bindparam("old_key"),
        _changes.c.change_type == sa.bindparam("old_type"),
        _changes.c.parent_id == sa.bindparam("old_parent"),
    )
)
_INSERT: Final = Statement(_changes.insert())


def log_messages(tx: Transaction, folder: Folder, logged: Sequence[Logged], sync_id: int = 0) -> int:
    """Note changes of messages of a folder; the change ids are consecutive, the first is returned."""
    return _log(tx, folder, ChangeClass.MESSAGE, 1, logged, sync_id)


def log_folders(tx: Transaction, parent: Folder, logged: Sequence[Logged], sync_id: int = 0) -> int:
    """Note changes of folders directly below a folder; like `log_messages`."""
    return _log(tx, parent, ChangeClass.FOLDER, 2, logged, sync_id)


def _log(
    tx: Transaction, folder: Folder, group: ChangeClass, kind: int, logged: Sequence[Logged], sync_id: int
) -> int:
    first = tx.take("change", len(logged))
    stale = [
        {"old_key": entry.source_key, "old_type": group | entry.action, "old_parent": folder.id}
        for entry in logged
        if not entry.fresh
    ]
    tx.run_many(_OLDER, stale)
    rows = [
        {
            "id": first + number,
            "parent_id": folder.id,
            "kind": kind,
            "change_type": group | entry.action,
            "flags": entry.flags,
            "associated": entry.associated,
            "sync_id": sync_id,
            "source_key": entry.source_key,
            "parent_source_key": folder.source_key,
        }
        for number, entry in enumerate(logged)
    ]
    tx.run_many(_INSERT, rows)
    tx.events.extend(
        ChangeEvent(folder.id, folder.source_key, first + number, group | entry.action, sync_id)
        for number, entry in enumerate(logged)
    )
    return first


@dataclass(slots=True)
class Counters:
    """By how much a folder's counters change."""

    messages: int = 0
    unread: int = 0
    associated: int = 0
    deleted_messages: int = 0
    deleted_associated: int = 0
    subfolders: int = 0
    deleted_subfolders: int = 0

    def count(self, state: int, message_flags: int, sign: int) -> None:
        """Count a message in (``sign`` 1) or out (-1)."""
        if state & DELETED:
            if state & ASSOCIATED:
                self.deleted_associated += sign
            else:
                self.deleted_messages += sign
        elif state & ASSOCIATED:
            self.associated += sign
        else:
            self.messages += sign
            if not message_flags & READ:
                self.unread += sign


_COUNTER_NAMES: Final = tuple(Counters.__dataclass_fields__)
_COUNT: Final = Statement(
    schema.folders.update()
    .where(schema.folders.c.id == sa.bindparam("folder_id"))
    .values(
        committed=sa.bindparam("committed"),
        **{name: schema.folders.columns[name] + sa.bindparam(f"add_{name}") for name in _COUNTER_NAMES},
    )
)
_GROW: Final = Statement(
    schema.stores.update()
    .where(schema.stores.c.id == sa.bindparam("store_id"))
    .values(size=schema.stores.c.size + sa.bindparam("add"))
)


def count(tx: Transaction, store: Store, folder: Folder, counters: Counters) -> None:
    """Note that a folder's content changed: its counters, its commit time, and an event when a counter changed."""
    values = {f"add_{name}": getattr(counters, name) for name in _COUNTER_NAMES}
    changed = any(values.values())
    tx.run(_COUNT, **values, folder_id=folder.id, committed=tx.exact_now)
    if changed:
        folder_event(tx, Event.MODIFIED, store, folder, counters=True)


def grow(tx: Transaction, store_id: int, bytes_: int) -> None:
    """Change the size of a store."""
    if bytes_:
        tx.run(_GROW, store_id=store_id, add=bytes_)
        locate.forget_store(tx, store_id)


def folder_event(
    tx: Transaction,
    kind: Event,
    store: Store,
    folder: Folder,
    *,
    parent: Folder | None = None,
    counters: bool = False,
    gone: bool = False,
) -> None:
    """Tell that something happened to a folder; ``parent`` is named except for changed counters."""
    tx.events.append(
        ObjectEvent(
            kind,
            ObjectType.FOLDER,
            folder.id,
            folder.entryid,
            store.entryid,
            parent_id=folder.parent_id,
            parent=parent.entryid if parent is not None else None,
            state=folder.state,
            counters=counters,
            gone=gone,
        )
    )


def message_event(
    tx: Transaction,
    kind: Event,
    store: Store,
    folder: Folder,
    message: Message,
    *,
    gone: bool = False,
    queue_only: bool = False,
) -> None:
    """Tell that something happened to a message in its folder."""
    tx.events.append(
        ObjectEvent(
            kind,
            ObjectType.MESSAGE,
            message.id,
            message.entryid,
            store.entryid,
            parent_id=folder.id,
            parent=folder.entryid,
            state=message.state,
            gone=gone,
            queue_only=queue_only,
        )
    )


def by_folder(messages: Iterable[Message]) -> dict[int, list[Message]]:
    """The messages of each folder."""
    result: dict[int, list[Message]] = {}
    for message in messages:
        result.setdefault(message.folder_id, []).append(message)
    return result


def store_event(store: Store) -> ObjectEvent:
    """The event of a changed store object."""
    return ObjectEvent(Event.MODIFIED, ObjectType.STORE, store.id, store.entryid, store.entryid)
