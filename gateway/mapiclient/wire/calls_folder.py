"""Calls about folders: create, delete, copy, search folders, receive folders, rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.restrictions import Restriction
from gateway.mapi.rights import AccessEntry
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.filters import RESTRICTION
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    boolean,
    field,
    maybe,
    maybe_binary,
    sint,
    text,
    uint,
)
from gateway.mapiclient.wire.structs import (
    NEW_FOLDERS,
    RECEIVE_FOLDER,
    RECEIVE_FOLDERS,
    RIGHTS,
    NewFolder,
    ReceiveFolder,
)
from gateway.mapiclient.wire.values import ENTRYIDS


@dataclass(frozen=True, slots=True)
class CreateFolderReply:
    """The folder."""

    er: Annotated[int, uint("er")] = 0
    entryid: Annotated[bytes, binary("sEntryId")] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFolder(Call[CreateFolderReply]):
    """Create a folder; type 1 generic, 2 search. ``folder_name`` travels as ``szName``."""

    name: ClassVar = "createFolder"
    parent_id: Annotated[bytes, binary("sParentId")]
    new_entryid: Annotated[bytes | None, maybe_binary("lpsNewEntryId")] = None
    type: Annotated[int, uint("ulType")] = 1
    folder_name: Annotated[str | None, text("szName")]
    comment: Annotated[str | None, text("szComment")] = None
    open_if_exists: Annotated[bool, boolean("fOpenIfExists")] = False
    sync_id: Annotated[int, uint("ulSyncId")] = 0
    orig_source_key: Annotated[bytes, binary("sOrigSourceKey")] = b""


@dataclass(frozen=True, slots=True)
class CreateFoldersReply:
    """The folders in the order of the request."""

    er: Annotated[int, uint("er")] = 0
    entryids: Annotated[Sequence[bytes] | None, maybe("entryids", ENTRYIDS)] = None


@dataclass(frozen=True, slots=True)
class CreateFolders(Call[CreateFoldersReply]):
    """Create several folders below one, all or none."""

    name: ClassVar = "create-folders"
    session_element: ClassVar = "session-id"
    reply_element: ClassVar = "create-folders-response"
    parent_entryid: Annotated[bytes, binary("parent-eid")]
    batch: Annotated[Sequence[NewFolder] | None, maybe("batch", NEW_FOLDERS)]


@dataclass(frozen=True, slots=True)
class DeleteFolder(Call[Result]):
    """Delete a folder. Flags: 1 with messages, 4 with folders, 0x10 for good."""

    name: ClassVar = "deleteFolder"
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class EmptyFolder(Call[Result]):
    """Delete what is in a folder. Flags: 8 associated messages too, 0x10 for good."""

    name: ClassVar = "emptyFolder"
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class CopyFolder(Call[Result]):
    """Copy a folder inside a store. Flags: 1 move, 0x10 with subfolders."""

    name: ClassVar = "copyFolder"
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    dest_folder_id: Annotated[bytes, binary("sDestFolderId")]
    new_folder_name: Annotated[str | None, text("lpszNewFolderName")] = None
    flags: Annotated[int, uint("ulFlags")] = 0
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class ResetFolderCountReply:
    """How many counters were wrong."""

    updates: Annotated[int, uint("ulUpdates")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ResetFolderCount(Call[ResetFolderCountReply]):
    """Count a folder's messages again."""

    name: ClassVar = "resetFolderCount"
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class TableSetSearchCriteria(Call[Result]):
    """Define a search folder. Flags: 1 stop, 2 restart, 4 recursive."""

    name: ClassVar = "tableSetSearchCriteria"
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    restrict: Annotated[Restriction | None, maybe("lpRestrict", RESTRICTION)] = None
    folders: Annotated[Sequence[bytes] | None, maybe("lpFolders", ENTRYIDS)] = None
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableGetSearchCriteriaReply:
    """A search folder's definition. Flags: 1 running, 2 rebuilding, 4 recursive."""

    restrict: Annotated[Restriction | None, maybe("lpRestrict", RESTRICTION)] = None
    folder_ids: Annotated[Sequence[bytes] | None, maybe("lpFolderIDs", ENTRYIDS)] = None
    flags: Annotated[int, uint("ulFlags")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class TableGetSearchCriteria(Call[TableGetSearchCriteriaReply]):
    """Read a search folder's definition."""

    name: ClassVar = "tableGetSearchCriteria"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class SetReceiveFolder(Call[Result]):
    """Bind a message class to a folder; None binds it to the default one."""

    name: ClassVar = "setReceiveFolder"
    idempotent: ClassVar = True
    store_id: Annotated[bytes, binary("sStoreId")]
    entryid: Annotated[bytes | None, maybe_binary("lpsEntryId")] = None
    message_class: Annotated[str | None, text("lpszMessageClass")] = None


@dataclass(frozen=True, slots=True)
class ReceiveFolderReply:
    """The folder and the class that matched."""

    receive_folder: Annotated[ReceiveFolder | None, field("sReceiveFolder", RECEIVE_FOLDER)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetReceiveFolder(Call[ReceiveFolderReply]):
    """The folder that receives a message class."""

    name: ClassVar = "getReceiveFolder"
    idempotent: ClassVar = True
    reply_element: ClassVar = "receiveFolderResponse"
    store_id: Annotated[bytes, binary("sStoreId")]
    message_class: Annotated[str | None, text("lpszMessageClass")] = None


@dataclass(frozen=True, slots=True)
class ReceiveFolderTableReply:
    """All bindings."""

    folders: Annotated[Sequence[ReceiveFolder], field("sFolderArray", RECEIVE_FOLDERS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetReceiveFolderTable(Call[ReceiveFolderTableReply]):
    """All bindings of message classes to folders."""

    name: ClassVar = "getReceiveFolderTable"
    idempotent: ClassVar = True
    reply_element: ClassVar = "receiveFolderTableResponse"
    store_id: Annotated[bytes, binary("sStoreId")]


@dataclass(frozen=True, slots=True)
class RightsReply:
    """The entries set on that very object."""

    rights: Annotated[Sequence[AccessEntry] | None, maybe("pRightsArray", RIGHTS)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetRights(Call[RightsReply]):
    """Read an access control list; type 1 denied, 2 granted, 3 both."""

    name: ClassVar = "getRights"
    idempotent: ClassVar = True
    reply_element: ClassVar = "rightsResponse"
    entryid: Annotated[bytes, binary("sEntryId")]
    type: Annotated[int, sint("ulType")] = 2


@dataclass(frozen=True, slots=True)
class SetRights(Call[Result]):
    """Change entries of an access control list, each as its ``state`` says."""

    name: ClassVar = "setRights"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]
    rights: Annotated[Sequence[AccessEntry] | None, maybe("lpsrightsArray", RIGHTS)]
