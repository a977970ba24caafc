"""Answers about folders: create, delete, copy, search criteria, receive folders, rights."""

from __future__ import annotations

from typing import Final

from gateway.mapi.errors import InvalidParameter
from gateway.mapiclient.wire.calls_folder import (
    CopyFolder,
    CreateFolder,
    CreateFolderReply,
    CreateFolders,
    CreateFoldersReply,
    DeleteFolder,
    EmptyFolder,
    GetReceiveFolder,
    GetReceiveFolderTable,
    GetRights,
    ReceiveFolderReply,
    ReceiveFolderTableReply,
    ResetFolderCount,
    ResetFolderCountReply,
    RightsReply,
    SetReceiveFolder,
    SetRights,
)
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.structs import ReceiveFolder
from gateway.storeserver import copying, folders, rights, stores
from gateway.storeserver.context import Context, entryid_of, required
from gateway.storeserver.dispatch import reads, writes

MAX_BATCH: Final = 10_000


@writes(CreateFolder)
def create_folder(context: Context, call: CreateFolder) -> CreateFolderReply:
    """Create a folder, or open the one of that name."""
    return CreateFolderReply(
        0,
        folders.create_folder(
            context.tx,
            context.actor,
            entryid_of(call.parent_id),
            required(call.folder_name, "szName"),
            comment=call.comment,
            entryid=call.new_entryid,
            type=call.type,
            open_if_exists=call.open_if_exists,
            sync_id=call.sync_id,
            source_key=call.orig_source_key,
        ),
    )


@writes(CreateFolders)
def create_folders(context: Context, call: CreateFolders) -> CreateFoldersReply:
    """Create several folders, all or none."""
    batch = required(call.batch, "batch")
    if len(batch) > MAX_BATCH:
        raise InvalidParameter(f"at most {MAX_BATCH} folders at once")
    parent = entryid_of(call.parent_entryid)
    made = [
        folders.create_folder(
            context.tx,
            context.actor,
            parent,
            required(new.name, "name"),
            comment=new.comment,
            entryid=new.entryid,
            type=new.type,
            open_if_exists=new.open_if_exists,
            sync_id=new.sync_id,
            source_key=new.original_source_key,
        )
        for new in batch
    ]
    return CreateFoldersReply(0, made)


@writes(DeleteFolder)
def delete_folder(context: Context, call: DeleteFolder) -> Result:
    """Delete a folder."""
    folders.delete_folder(context.tx, context.actor, entryid_of(call.entryid), call.flags, call.sync_id)
    return Result()


@writes(EmptyFolder)
def empty_folder(context: Context, call: EmptyFolder) -> Result:
    """Delete what is in a folder."""
    folders.empty_folder(context.tx, context.actor, entryid_of(call.entryid), call.flags, call.sync_id)
    return Result()


@writes(CopyFolder)
def copy_folder(context: Context, call: CopyFolder) -> Result:
    """Copy, move or rename a folder."""
    source, target = entryid_of(call.entryid), entryid_of(call.dest_folder_id)
    copying.copy_folder(
        context.tx, context.actor, source, target, call.new_folder_name, call.flags, call.sync_id
    )
    return Result()


@writes(ResetFolderCount)
def reset_folder_count(context: Context, call: ResetFolderCount) -> ResetFolderCountReply:
    """Count a folder's content again."""
    entryid = entryid_of(call.entryid)
    return ResetFolderCountReply(folders.reset_counters(context.tx, context.actor, entryid))


@writes(SetReceiveFolder)
def set_receive_folder(context: Context, call: SetReceiveFolder) -> Result:
    """Bind a message class to a folder."""
    stores.set_receive_folder(
        context.tx, context.actor, entryid_of(call.store_id), call.entryid, call.message_class or ""
    )
    return Result()


@reads(GetReceiveFolder)
def get_receive_folder(context: Context, call: GetReceiveFolder) -> ReceiveFolderReply:
    """The folder that receives a message class."""
    entryid, matched = stores.receive_folder(context.tx, entryid_of(call.store_id), call.message_class or "")
    return ReceiveFolderReply(ReceiveFolder(entryid, matched))


@reads(GetReceiveFolderTable)
def get_receive_folder_table(context: Context, call: GetReceiveFolderTable) -> ReceiveFolderTableReply:
    """All bindings of message classes."""
    bound = stores.receive_folders(context.tx, entryid_of(call.store_id))
    return ReceiveFolderTableReply([ReceiveFolder(entryid, name) for entryid, name in bound])


@reads(GetRights)
def get_rights(context: Context, call: GetRights) -> RightsReply:
    """The access control entries of an object."""
    return RightsReply(rights.entries(context.tx, entryid_of(call.entryid), call.type))


@writes(SetRights)
def set_rights(context: Context, call: SetRights) -> Result:
    """Change access control entries."""
    changed = required(call.rights, "lpsrightsArray")
    rights.set_entries(context.tx, context.actor, entryid_of(call.entryid), changed)
    return Result()
