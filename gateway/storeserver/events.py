"""What a transaction did, for the notices that go out after its commit.

The core only records; who has subscribed to what is the business of the sessions. An event names objects by
entry id (notices) and by hierarchy id (rows of open tables).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """A store, folder or message was created, changed, moved, copied or deleted."""

    kind: Event
    """One of CREATED, MODIFIED, MOVED, COPIED, DELETED, SEARCH_COMPLETE."""
    object_type: ObjectType
    id: int
    entryid: bytes
    store: bytes
    """Entry id of the store that contains it."""
    parent_id: int | None = None
    parent: bytes | None = None
    old: bytes | None = None
    """MOVED: its entry id before. COPIED: the entry id of the original."""
    old_parent: bytes | None = None
    old_parent_id: int | None = None
    state: int = 0
    """`schema.ASSOCIATED` and `schema.DELETED`, after the event; for DELETED before it."""
    gone: bool = False
    """DELETED: for good. Otherwise the object is now among the soft-deleted."""
    counters: bool = False
    """MODIFIED of a folder: only its counters changed."""
    restored: bool = False
    """MOVED: the object was soft-deleted before."""
    queue_only: bool = False
    """MODIFIED: the message itself is the same, only the outgoing queue changed; tables look again, no notice."""


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A row was added to the change log (an ICS notice for whoever follows the folder)."""

    folder_id: int
    """The folder whose log it is: the parent of the changed object."""
    folder_source_key: bytes
    change_id: int
    change_type: int
    sync_id: int
    """The synchronisation that made the change and must not be told of it, or 0."""


StoreEvent: TypeAlias = "ObjectEvent | ChangeEvent"
