"""Which open tables an event concerns."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType
from gateway.storeserver.events import ObjectEvent, StoreEvent
from gateway.storeserver.tables import Table

#: What a table lists: ("contents" | "folders", hierarchy id of the folder), ("tree", entry id of the store) for
#: all folders, ("store", entry id of the store) for all messages, or ("queue", 0) for what is going out.
Interest: TypeAlias = "tuple[str, int | bytes]"


class TableIndex:
    """Open tables by what they list. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[Interest, set[Table[Any]]] = {}
        self._interests: dict[Table[Any], Interest] = {}
        self.published = 0
        """Counts the batches of events; see `add`."""

    def add(self, table: Table[Any], interest: Interest, since: int) -> None:
        """Have the table hear of changes.

        ``since`` is what `published` was before the table's transaction began: events in between may be of changes
        that the transaction does not see, so that the table must look again.
        """
        with self._lock:
            self._tables.setdefault(interest, set()).add(table)
            self._interests[table] = interest
            missed = self.published != since
        if missed:
            table.touch(None)

    def remove(self, table: Table[Any]) -> None:
        """The table was closed."""
        with self._lock:
            interest = self._interests.pop(table, None)
            if interest is None:
                return
            tables = self._tables[interest]
            tables.discard(table)
            if not tables:
                del self._tables[interest]

    @property
    def count(self) -> int:
        """How many tables hear of changes."""
        return len(self._interests)

    def publish(self, events: Sequence[StoreEvent]) -> set[Table[Any]]:
        """Note the changed objects in the tables concerned; those tables."""
        with self._lock:
            self.published += 1
            changes: dict[Interest, set[int]] = {}
            if self._tables:
                for event in events:
                    if isinstance(event, ObjectEvent):
                        for interest in _interests(event):
                            if interest in self._tables:
                                changes.setdefault(interest, set()).add(event.id)
            touched = [(table, ids) for interest, ids in changes.items() for table in self._tables[interest]]
        for table, ids in touched:
            table.touch(ids)
        return {table for table, _ in touched} | self.reload(_emptied(events))

    def reload(self, interests: Iterable[Interest]) -> set[Table[Any]]:
        """Have the tables of these interests gather their rows anew; those tables."""
        with self._lock:
            found = {table for interest in interests for table in self._tables.get(interest, ())}
        for table in found:
            table.touch(None)
        return found


def _emptied(events: Sequence[StoreEvent]) -> list[Interest]:
    """Tables of folders that are gone: nothing is told of what was in them."""
    folders = [
        event.id
        for event in events
        if isinstance(event, ObjectEvent)
        and event.object_type == ObjectType.FOLDER
        and event.kind == Event.DELETED
    ]
    return [(kind, folder) for folder in folders for kind in ("contents", "folders")]


def _interests(event: ObjectEvent) -> Iterator[Interest]:
    parents = {parent for parent in (event.parent_id, event.old_parent_id) if parent is not None}
    if event.object_type == ObjectType.MESSAGE:
        for parent in parents:
            yield "contents", parent
        yield "store", event.store
        yield "queue", 0
    elif event.object_type == ObjectType.FOLDER:
        for parent in parents:
            yield "folders", parent
        yield "tree", event.store
