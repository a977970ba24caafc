"""Changes: the rows of the store's change log (ICS) and how a batch of them collapses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag


class SyncKind(IntEnum):
    """What a synchronisation follows."""

    CONTENTS = 1
    HIERARCHY = 2
    ADDRESS_BOOK = 3


class ChangeClass(IntEnum):
    """The class of the changed object (bits of a change type)."""

    MESSAGE = 0x1000
    FOLDER = 0x2000
    ADDRESS_BOOK = 0x4000


class ChangeAction(IntEnum):
    """What happened (low bits of a change type)."""

    NEW = 1
    CHANGE = 2
    FLAG = 3
    SOFT_DELETE = 4
    HARD_DELETE = 5


class SyncFlags(IntFlag):
    """Flags of getChanges. Without NORMAL no ordinary message is reported, without READ_STATE no flag change."""

    UNICODE = 0x1
    NO_DELETIONS = 0x2
    NO_SOFT_DELETIONS = 0x4
    READ_STATE = 0x8
    ASSOCIATED = 0x10
    NORMAL = 0x20
    CATCHUP = 0x400
    NO_DB_CHANGES = 0x80000


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the change log."""

    change_id: int
    source_key: bytes
    parent_source_key: bytes
    change_type: int
    flags: int

    @property
    def action(self) -> ChangeAction:
        """What happened."""
        return ChangeAction(self.change_type & 0xF)

    @property
    def is_delete(self) -> bool:
        """Whether the object left the folder."""
        return self.change_type & 0xF >= ChangeAction.SOFT_DELETE


def collapse(changes: Iterable[Change]) -> dict[bytes, Change]:
    """The one change per source key that a client must apply, in order of the last change.

    NEW stays NEW when changed later, NEW after a delete is a CHANGE, a flag change merges into what is there
    already, a delete replaces everything: what is marked read while it is being removed may be logged after that.
    """
    result: dict[bytes, Change] = {}
    for change in changes:
        before = result.pop(change.source_key, None)
        result[change.source_key] = change if before is None else _merged(before, change)
    return result


def _merged(before: Change, after: Change) -> Change:
    if after.is_delete:
        return after
    kind = after.action
    if before.is_delete and kind is ChangeAction.NEW:
        kind = ChangeAction.CHANGE
    elif kind is ChangeAction.FLAG or before.action is ChangeAction.NEW:
        kind = before.action
    return Change(
        after.change_id,
        after.source_key,
        after.parent_source_key,
        after.change_type & ~0xF | kind,
        after.flags,
    )
