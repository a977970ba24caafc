"""Incremental change synchronisation (ICS): what changed in a folder since a position in the store's log."""

from __future__ import annotations

from gateway.mapi.changes import Change, SyncKind
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.wire.calls_sync import GetChanges, SetSyncStatus


async def new_sync(session: Caller, source_key: bytes, kind: int = SyncKind.CONTENTS, flags: int = 0x29) -> int:
    """A new sync id for a folder (NoAccess without the right to read it). It lives for about 90 days unused."""
    call = SetSyncStatus(
        source_key_folder=source_key, sync_id=0, change_id=0, change_type=int(kind), flags=flags
    )
    return (await session.call(call)).sync_id


async def acknowledge(session: Caller, source_key: bytes, sync_id: int, change_id: int, kind: int) -> None:
    """Tell the server how far a synchronisation got; keeps the sync id alive (NotFound when it is gone)."""
    await session.call(
        SetSyncStatus(source_key_folder=source_key, sync_id=sync_id, change_id=change_id, change_type=int(kind))
    )


async def get_changes(
    session: Caller, source_key: bytes, sync_id: int, change_id: int, kind: int, flags: int
) -> tuple[list[Change], int]:
    """The changes after a position, raw and ascending, and the position to go on from.

    A position of 0 lists what is there now. NotFound when the sync id is not known (any more).
    """
    call = GetChanges(
        source_key_folder=source_key,
        sync_id=sync_id,
        change_id=change_id,
        change_type=int(kind),
        flags=int(flags),
    )
    reply = await session.call(call)
    return list(reply.changes), reply.max_change_id
