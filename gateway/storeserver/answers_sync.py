"""Answers about change synchronisation (ICS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.mapi import proptags as pt
from gateway.mapi.restrictions import Restriction
from gateway.mapiclient.wire.calls_sync import (
    ChangesReply,
    EntryIdReply,
    GetChangeInfo,
    GetChangeInfoReply,
    GetChanges,
    GetEntryIdFromSourceKey,
    GetSyncStates,
    GetSyncStatesReply,
    SetSyncStatus,
    SetSyncStatusReply,
)
from gateway.mapiclient.wire.structs import SyncState
from gateway.storeserver import changes, rows
from gateway.storeserver.context import Context, entryid_of
from gateway.storeserver.dispatch import reads, writes
from gateway.storeserver.restrict import compiled, needs
from gateway.storeserver.rowplan import RowKind


@writes(SetSyncStatus, brief=True)
def set_sync_status(context: Context, call: SetSyncStatus) -> SetSyncStatusReply:
    """Begin a synchronisation, or note how far one got."""
    return SetSyncStatusReply(
        changes.set_status(
            context.tx,
            context.actor,
            call.source_key_folder,
            call.sync_id,
            call.change_id,
            call.change_type,
        )
    )


@reads(GetChanges, unless=lambda call: call.restrict is not None, brief=True)
def get_changes(context: Context, call: GetChanges) -> ChangesReply:
    """What changed since a position."""
    matches = None if call.restrict is None else _matching(context, call.restrict)
    found, position = changes.get_changes(
        context.tx,
        context.actor,
        call.source_key_folder,
        call.sync_id,
        call.change_id,
        call.change_type,
        call.flags,
        matches,
    )
    return ChangesReply(found, position)


def _matching(context: Context, restriction: Restriction) -> Callable[[Sequence[int]], set[int]]:
    """Which of a folder's messages match a restriction."""
    match, wanted = compiled(restriction), needs(restriction)

    def matches(ids: Sequence[int]) -> set[int]:
        found = []
        for kind in (RowKind.NORMAL, RowKind.ASSOCIATED):
            found += rows.rows_of_messages(context.tx, context.actor, ids, wanted.tags, kind)
        for part_kind, tags in wanted.parts.items():
            parts = rows.part_rows(context.tx, [id_ for id_, _ in found], part_kind, tags)
            for id_, values in found:
                values[part_kind] = parts.get(id_, [])
        return {id_ for id_, values in found if match(values)}

    return matches


@reads(GetSyncStates)
def get_sync_states(context: Context, call: GetSyncStates) -> GetSyncStatesReply:
    """How far synchronisations got."""
    found = changes.states(context.tx, call.sync_ids)
    return GetSyncStatesReply([SyncState(*state) for state in found])


@reads(GetEntryIdFromSourceKey, brief=True)
def get_entryid_from_source_key(context: Context, call: GetEntryIdFromSourceKey) -> EntryIdReply:
    """The entry id behind source keys."""
    store = entryid_of(call.store_id)
    return EntryIdReply(changes.entryid_of(context.tx, store, call.folder_source_key, call.message_source_key))


@reads(GetChangeInfo)
def get_change_info(context: Context, call: GetChangeInfo) -> GetChangeInfoReply:
    """Change keys of an object."""
    pcl, key = changes.change_info(context.tx, context.actor, entryid_of(call.entryid))
    return GetChangeInfoReply((pt.PR_PREDECESSOR_CHANGE_LIST, pcl), (pt.PR_CHANGE_KEY, key))
