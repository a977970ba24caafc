"""Calls about objects and messages: load, save, delete, copy, flags, submit, names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.notices import Delivery
from gateway.mapi.props import Prop, PropName, PropTag
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    boolean,
    field,
    maybe,
    maybe_binary,
    uint,
)
from gateway.mapiclient.wire.structs import (
    DELIVERY,
    NAMES,
    OBJECT_TREE,
    SUBSCRIPTION,
    ObjectTree,
    Subscription,
)
from gateway.mapiclient.wire.values import ENTRYIDS, PROP, TAGS

UNICODE = 0x80000000


@dataclass(frozen=True, slots=True)
class ObjectReply:
    """An object; in answer to saveObject only ids and times."""

    er: Annotated[int, uint("er")] = 0
    object: Annotated[ObjectTree | None, field("sSaveObject", OBJECT_TREE)] = None


@dataclass(frozen=True, slots=True)
class LoadObject(Call[ObjectReply]):
    """Read a store, folder or message with its whole subtree. Flag 0x400 reads a soft-deleted one."""

    name: ClassVar = "loadObject"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    not_subscribe: Annotated[Subscription | None, maybe("lpsNotSubscribe", SUBSCRIPTION)] = None
    flags: Annotated[int, uint("ulFlags")] = UNICODE


@dataclass(frozen=True, slots=True)
class LoadPropReply:
    """The property in full; a large binary is a `Blob` when the decoder was given a place for it."""

    er: Annotated[int, uint("er")] = 0
    prop_val: Annotated[Prop | None, maybe("lpPropVal", PROP)] = None


@dataclass(frozen=True, slots=True)
class LoadProp(Call[LoadPropReply]):
    """Read one property; ``obj_id`` 0 is the object itself, else a child's ``server_id``."""

    name: ClassVar = "loadProp"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    entryid: Annotated[bytes, binary("sEntryId")]
    obj_id: Annotated[int, uint("ulObjId")]
    prop_tag: Annotated[int, uint("ulPropTag")]


@dataclass(frozen=True, slots=True)
class SaveObject(Call[ObjectReply]):
    """Create or change an object and its subtree. Flag 0x40 makes a new message an associated one."""

    name: ClassVar = "saveObject"
    kind: ClassVar = Wait.LONG
    reply_element: ClassVar = "loadObjectResponse"
    parent_entryid: Annotated[bytes, binary("sParentEntryId")]
    entryid: Annotated[bytes, binary("sEntryId")]
    object: Annotated[ObjectTree | None, maybe("lpsSaveObj", OBJECT_TREE)]
    flags: Annotated[int, uint("ulFlags")] = 0
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class CheckExistObject(Call[Result]):
    """0 when the object exists, else NOT_FOUND. Flag 2 asks for a soft-deleted one."""

    name: ClassVar = "checkExistObject"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class GetOwnerReply:
    """A user."""

    owner: Annotated[int, uint("ulOwner")] = 0
    owner_entryid: Annotated[bytes, binary("sOwner")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetOwner(Call[GetOwnerReply]):
    """Who made an object; for a store whose it is."""

    name: ClassVar = "getOwner"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class DeleteObjects(Call[Result]):
    """Delete messages; flag 0x10 for good. Unknown ones are skipped."""

    name: ClassVar = "deleteObjects"
    kind: ClassVar = Wait.LONG
    flags: Annotated[int, uint("ulFlags")]
    messages: Annotated[Sequence[bytes] | None, maybe("aMessages", ENTRYIDS)]
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class CopyObjects(Call[Result]):
    """Copy messages inside a store; flag 1 moves them. Moved messages get new ids."""

    name: ClassVar = "copyObjects"
    kind: ClassVar = Wait.LONG
    messages: Annotated[Sequence[bytes] | None, maybe("aMessages", ENTRYIDS)]
    dest_folder_id: Annotated[bytes, binary("sDestFolderId")]
    flags: Annotated[int, uint("ulFlags")] = 0
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class SetReadFlags(Call[Result]):
    """Mark messages read, or unread with flag 4: those listed, or a whole folder when the list is None."""

    name: ClassVar = "setReadFlags"
    kind: ClassVar = Wait.LONG
    idempotent: ClassVar = True
    flags: Annotated[int, uint("ulFlags")]
    entryid: Annotated[bytes | None, maybe_binary("lpsEntryId")] = None
    messages: Annotated[Sequence[bytes] | None, maybe("lpMessages", ENTRYIDS)] = None
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class MessageStatusReply:
    """PR_MSG_STATUS, as it was before a change."""

    message_status: Annotated[int, uint("ulMessageStatus")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetMessageStatus(Call[MessageStatusReply]):
    """Read PR_MSG_STATUS."""

    name: ClassVar = "getMessageStatus"
    idempotent: ClassVar = True
    reply_element: ClassVar = "messageStatus"
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class SetMessageStatus(Call[MessageStatusReply]):
    """Change the masked bits of PR_MSG_STATUS."""

    name: ClassVar = "setMessageStatus"
    reply_element: ClassVar = "messageStatus"
    entryid: Annotated[bytes, binary("sEntryId")]
    new_status: Annotated[int, uint("ulNewStatus")]
    new_status_mask: Annotated[int, uint("ulNewStatusMask")]
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class SetLockState(Call[Result]):
    """Lock a message for this session, or unlock it."""

    name: ClassVar = "setLockState"
    entryid: Annotated[bytes, binary("sEntryId")]
    locked: Annotated[bool, boolean("bLocked")]


@dataclass(frozen=True, slots=True)
class SubmitMessage(Call[Result]):
    """Put a message in the outgoing queue. Flags: 1 master queue, 2 file it in Sent Items afterwards."""

    name: ClassVar = "submitMessage"
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class FinishedMessage(Call[Result]):
    """Remove a message from the outgoing queue."""

    name: ClassVar = "finishedMessage"
    entryid: Annotated[bytes, binary("sEntryId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class AbortSubmit(Call[Result]):
    """Take a message back out of the outgoing queue."""

    name: ClassVar = "abortSubmit"
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class NotifyReply:
    """Whether the notice was taken."""

    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class Notify(Call[NotifyReply]):
    """Tell of new mail: only a `NewMailNotice` with both ids is taken."""

    name: ClassVar = "notify"
    notification: Annotated[Delivery | None, maybe("sNotification", DELIVERY)]


@dataclass(frozen=True, slots=True)
class GetIdsFromNamesReply:
    """Numbers in the order of the request, 0 for unknown. The property's id is 0x8500 + number."""

    prop_tags: Annotated[Sequence[PropTag], field("lpsPropTags", TAGS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetIdsFromNames(Call[GetIdsFromNamesReply]):
    """The numbers of names; flag 2 registers missing ones."""

    name: ClassVar = "getIDsFromNames"
    idempotent: ClassVar = True
    named_props: Annotated[Sequence[PropName | None] | None, maybe("lpsNamedProps", NAMES)]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class GetNamesFromIdsReply:
    """Names in the order of the request, None for unknown."""

    names: Annotated[Sequence[PropName | None], field("lpsNames", NAMES)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetNamesFromIds(Call[GetNamesFromIdsReply]):
    """The names of numbers (property id less 0x8500)."""

    name: ClassVar = "getNamesFromIDs"
    idempotent: ClassVar = True
    prop_tags: Annotated[Sequence[int] | None, maybe("lpsPropTags", TAGS)]
