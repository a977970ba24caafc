"""Folders: properties, creation, renaming, moving, deletion, access control lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapi.rights import AccessEntry, AccessType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.wire.calls_folder import (
    CopyFolder,
    CreateFolder,
    DeleteFolder,
    EmptyFolder,
    GetRights,
    SetRights,
)
from gateway.mapiclient.wire.calls_object import LoadObject

_DEL_MESSAGES: Final = 1
_DEL_FOLDERS: Final = 4
_DEL_ASSOCIATED: Final = 8
_HARD: Final = 0x10
_FOLDER_MOVE: Final = 1
_COPY_SUBFOLDERS: Final = 0x10


async def load_props(session: Caller, entryid: bytes) -> tuple[Props, int]:
    """The properties of a folder or store and its number for saveObject; values of 32 KiB may be missing."""
    tree = (await session.call(LoadObject(entryid=entryid))).object
    if tree is None:
        raise NotFound(call="loadObject")
    return dict(tree.mod_props), tree.server_id


async def create_folder(
    session: Caller, parent: bytes, name: str, *, comment: str | None = None, open_if_exists: bool = False
) -> bytes:
    """Create a folder; its entry id (Collision when a sibling has that name in any case)."""
    reply = await session.call(
        CreateFolder(parent_id=parent, folder_name=name, comment=comment, open_if_exists=open_if_exists)
    )
    return reply.entryid


async def delete_folder(
    session: Caller, entryid: bytes, *, messages: bool = True, folders: bool = False, hard: bool = False
) -> None:
    """Delete a folder with its messages, perhaps its subfolders (NotEmpty when something is left)."""
    flags = (_DEL_MESSAGES if messages else 0) | (_DEL_FOLDERS if folders else 0) | (_HARD if hard else 0)
    await session.call(DeleteFolder(entryid=entryid, flags=flags))


async def empty_folder(
    session: Caller, entryid: bytes, *, associated: bool = False, hard: bool = False
) -> None:
    """Delete everything in a folder, subfolders too."""
    flags = (_DEL_ASSOCIATED if associated else 0) | (_HARD if hard else 0)
    await session.call(EmptyFolder(entryid=entryid, flags=flags))


async def move_folder(session: Caller, entryid: bytes, target: bytes, name: str | None = None) -> None:
    """Move a folder below another of its store, perhaps under a new name (Collision, FolderCycle)."""
    await session.call(
        CopyFolder(entryid=entryid, dest_folder_id=target, new_folder_name=name, flags=_FOLDER_MOVE)
    )


async def copy_folder(
    session: Caller, entryid: bytes, target: bytes, name: str | None = None, *, deep: bool = True
) -> None:
    """Copy a folder below another of its store."""
    flags = _COPY_SUBFOLDERS if deep else 0
    await session.call(CopyFolder(entryid=entryid, dest_folder_id=target, new_folder_name=name, flags=flags))


async def get_rights(session: Caller, entryid: bytes) -> list[AccessEntry]:
    """The entries that grant something on this very folder."""
    return list((await session.call(GetRights(entryid=entryid, type=AccessType.GRANT))).rights or ())


async def set_rights(session: Caller, entryid: bytes, entries: Sequence[AccessEntry]) -> None:
    """Add, change or delete entries, as each one's state says (NoAccess without folder ownership)."""
    await session.call(SetRights(entryid=entryid, rights=entries))
