"""The change log as synchronisations read it: what is in it after a position, and which of that a client wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from gateway.mapi.changes import Change, ChangeAction, SyncFlags
from gateway.storeserver import locate, schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement

_log: Final = schema.changes
_AFTER: Final = sa.select(_log).where(_log.c.id > sa.bindparam("after")).order_by(_log.c.id)
_OF_KIND: Final = Statement(_AFTER.where(_log.c.kind == sa.bindparam("of_kind")))
_IN_FOLDER: Final = Statement(_AFTER.where(_log.c.parent_id == sa.bindparam("folder"), _log.c.kind == 1))
FEW: Final = 100
_SOME: Final = Statement(
    sa.select(_log.c.id)
    .where(_log.c.id > sa.bindparam("after"), _log.c.parent_id == sa.bindparam("folder"), _log.c.kind == 1)
    .limit(FEW + 1)
)
_BELOW: Final = Statement(
    _AFTER.where(_log.c.parent_id.in_(sa.bindparam("folders", expanding=True)), _log.c.kind == 2)
)


class Entry(NamedTuple):
    """A row of the change log."""

    id: int
    parent_id: int
    kind: int
    change_type: int
    flags: int
    associated: bool
    sync_id: int
    source_key: bytes
    parent_source_key: bytes


def of_kind(tx: Transaction, kind: int, after: int) -> list[Entry]:
    """What changed on the whole server: messages (1) or folders (2)."""
    return _entries(tx, _OF_KIND, of_kind=kind, after=after)


def in_folder(tx: Transaction, folder_id: int, after: int) -> list[Entry]:
    """What changed among the messages of a folder."""
    return _entries(tx, _IN_FOLDER, folder=folder_id, after=after)


def below(tx: Transaction, folder_ids: Sequence[int], after: int) -> list[Entry]:
    """What changed among the folders directly below these."""
    found: list[Entry] = []
    for chunk in locate.chunks(folder_ids):
        found += _entries(tx, _BELOW, folders=chunk, after=after)
    return sorted(found, key=lambda entry: entry.id)


def is_much(tx: Transaction, folder_id: int, after: int) -> bool:
    """Whether much changed among the messages of a folder."""
    return len(tx.rows(_SOME, folder=folder_id, after=after)) > FEW


def _entries(tx: Transaction, statement: Statement, **values: Any) -> list[Entry]:
    return [Entry(*row) for row in tx.rows(statement, **values)]


def wanted(rows: Iterable[Entry], sync_id: int, flags: int) -> list[Change]:
    """The log rows that the flags ask for, without those that the synchronisation itself made."""
    return [
        Change(row.id, row.source_key, row.parent_source_key, row.change_type, row.flags)
        for row in rows
        if row.sync_id != sync_id and _is_wanted(row, flags)
    ]


def _is_wanted(row: Entry, flags: int) -> bool:
    action = row.change_type & 0xF
    if row.kind == 1 and not flags & (SyncFlags.ASSOCIATED if row.associated else SyncFlags.NORMAL):
        return False
    if action == ChangeAction.FLAG:
        return bool(flags & SyncFlags.READ_STATE)
    if action == ChangeAction.SOFT_DELETE:
        return not flags & (SyncFlags.NO_SOFT_DELETIONS | SyncFlags.NO_DELETIONS)
    if action == ChangeAction.HARD_DELETE:
        return not flags & SyncFlags.NO_DELETIONS
    return True
