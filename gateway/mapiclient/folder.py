"""Folders: properties, creation, renaming, moving, deletion, access control lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapi.restrictions import Restriction
from gateway.mapi.rights import AccessEntry, AccessType
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import set_props
from gateway.mapiclient.wire.calls_folder import (
    CopyFolder,
    CreateFolder,
    CreateFolders,
    DeleteFolder,
    EmptyFolder,
    GetRights,
    SetRights,
    TableSetSearchCriteria,
)
from gateway.mapiclient.wire.calls_object import LoadObject
from gateway.mapiclient.wire.structs import NewFolder

_DEL_MESSAGES: Final = 1
_DEL_FOLDERS: Final = 4
_DEL_ASSOCIATED: Final = 8
_HARD: Final = 0x10
_FOLDER_MOVE: Final = 1
_COPY_SUBFOLDERS: Final = 0x10
_SEARCH_FOLDER: Final = 2
_RESTART: Final = 2
_RECURSIVE: Final = 4


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


async def create_folders(session: Caller, parent: bytes, folders: Sequence[NewFolder]) -> list[bytes]:
    """Create several folders below one, all or none; their entry ids in the same order."""
    reply = await session.call(CreateFolders(parent_entryid=parent, batch=tuple(folders)))
    return list(reply.entryids or ())


async def create_search_folder(
    session: Caller,
    parent: bytes,
    name: str,
    restriction: Restriction,
    targets: Sequence[bytes],
    *,
    recursive: bool = True,
) -> bytes:
    """Create a folder that shows the messages of other folders that match, for as long as it exists.

    ``parent`` is usually the store's finder folder. The store fills it in the background.
    """
    reply = await session.call(CreateFolder(parent_id=parent, folder_name=name, type=_SEARCH_FOLDER))
    await session.call(
        TableSetSearchCriteria(
            entryid=reply.entryid,
            restrict=restriction,
            folders=tuple(targets),
            flags=_RESTART | (_RECURSIVE if recursive else 0),
        )
    )
    return reply.entryid


async def rename_folder(session: Caller, store: bytes, entryid: bytes, server_id: int, name: str) -> None:
    """Give a folder another name (Collision when a sibling has it in any case).

    ``store`` is the store's entry id, ``server_id`` the folder's PR_EC_HIERARCHYID.
    """
    await set_props(
        session, store, entryid, server_id, {pr.PR_DISPLAY_NAME: name}, object_type=ObjectType.FOLDER
    )


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
