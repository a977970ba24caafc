"""From what happened to what is told: which events a subscription wants, and how they are put."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.mapi.notices import Event, ObjectNotice
from gateway.mapi.tables import ObjectType
from gateway.storeserver.events import ObjectEvent, StoreEvent

COLLAPSE: Final = 10
"""More messages of one folder with the same event, in one transaction, are one change of the folder."""
_MODIFIERS: Final = Event.ONLY_MESSAGES | Event.ONLY_FOLDERS | Event.NO_COUNTERS


def wants(mask: int, event: ObjectEvent) -> bool:
    """Whether a subscription with this mask hears of an event."""
    if not mask & ~_MODIFIERS & event.kind:
        return False
    if mask & Event.ONLY_MESSAGES and event.object_type != ObjectType.MESSAGE:
        return False
    if mask & Event.ONLY_FOLDERS and event.object_type != ObjectType.FOLDER:
        return False
    return not (mask & Event.NO_COUNTERS and event.counters)


def object_notice(event: ObjectEvent) -> ObjectNotice:
    """What a subscriber is told of an event."""
    # A folder that changed is reported without its parent.
    changed_folder = event.kind == Event.MODIFIED and event.object_type == ObjectType.FOLDER
    parent = None if changed_folder else event.parent
    return ObjectNotice(
        int(event.kind), event.entryid, int(event.object_type), parent, event.old, event.old_parent
    )


def collapsed(events: Sequence[StoreEvent]) -> Iterator[StoreEvent]:
    """The events, with many messages of one folder replaced by one change of that folder."""
    counts = Counter(_folder_of(event) for event in events)
    done: set[tuple[int, int | None]] = set()
    for event in events:
        folder = _folder_of(event)
        if folder is None or counts[folder] <= COLLAPSE or not isinstance(event, ObjectEvent):
            yield event
        elif folder not in done:
            done.add(folder)
            yield from _folder_changes(event)


def _folder_of(event: StoreEvent) -> tuple[int, int | None] | None:
    if isinstance(event, ObjectEvent) and event.object_type == ObjectType.MESSAGE:
        return int(event.kind), event.parent_id
    return None


def _folder_changes(event: ObjectEvent) -> Iterator[ObjectEvent]:
    for folder_id, entryid in ((event.parent_id, event.parent), (event.old_parent_id, event.old_parent)):
        if folder_id is not None and entryid is not None:
            yield ObjectEvent(Event.MODIFIED, ObjectType.FOLDER, folder_id, entryid, event.store)
