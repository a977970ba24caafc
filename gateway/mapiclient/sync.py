"""Incremental change synchronisation (ICS): what changed in a folder since a position in the store's log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, SyncKind
from gateway.mapi.content import MessageContent
from gateway.mapi.restrictions import Restriction
from gateway.mapiclient.calling import Caller, batches
from gateway.mapiclient.wire.calls_sync import (
    ExportMessageChangesAsStream,
    GetChanges,
    GetEntryIdFromSourceKey,
    SetSyncStatus,
)
from gateway.mapiclient.wire.stream import decode_stream
from gateway.mapiclient.wire.structs import SourceKeyPair

#: Messages of one export call.
EXPORT_BATCH: Final = 64


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
    session: Caller,
    source_key: bytes,
    sync_id: int,
    change_id: int,
    kind: int,
    flags: int,
    *,
    restriction: Restriction | None = None,
) -> tuple[list[Change], int]:
    """The changes after a position, raw and ascending, and the position to go on from.

    A position of 0 lists what is there now. A ``restriction`` must be the same on every call of a sync id.
    NotFound when the sync id is not known (any more).
    """
    call = GetChanges(
        source_key_folder=source_key,
        sync_id=sync_id,
        change_id=change_id,
        change_type=int(kind),
        flags=int(flags),
        restrict=restriction,
    )
    reply = await session.call(call)
    return list(reply.changes), reply.max_change_id


async def entryid_of(session: Caller, store: bytes, folder_key: bytes, message_key: bytes = b"") -> bytes:
    """The entry id of a message by its source keys, or of the folder itself (NotFound when it is gone)."""
    call = GetEntryIdFromSourceKey(store_id=store, folder_source_key=folder_key, message_source_key=message_key)
    return (await session.call(call)).entryid


async def load_messages(
    session: Caller, entryids: Sequence[bytes], *, batch: int = EXPORT_BATCH
) -> AsyncIterator[tuple[bytes, MessageContent]]:
    """Many whole messages with their entry ids, in order, many in one call; those that are gone are left out.

    The stored original (PR_EC_IMAP_EMAIL) and what the store computes are not part of it. NotSupported when the
    server has no streams.
    """
    for part in batches(entryids, batch):
        call = ExportMessageChangesAsStream(
            flags=0,
            prop_tags=(),
            source_keys=tuple(SourceKeyPair(parent_key=b"", object_key=entryid) for entryid in part),
            prop_tag=pr.PR_ENTRYID,
        )
        for stream in (await session.call(call)).msg_streams:
            if stream.stream_data is not None and stream.step < len(part):
                yield part[stream.step], _with_entryids(decode_stream(stream.stream_data))


def _with_entryids(content: MessageContent) -> MessageContent:
    """Recipients keep their entry id under a tag of the store's own."""
    for recipient in content.recipients:
        if (entryid := recipient.pop(pr.PR_EC_CONTACT_ENTRYID, None)) is not None:
            recipient[pr.PR_ENTRYID] = entryid
    for attachment in content.attachments:
        if attachment.embedded is not None:
            _with_entryids(attachment.embedded)
    return content
