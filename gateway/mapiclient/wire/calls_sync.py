"""Calls about change synchronisation (ICS) and whole messages as streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.changes import Change
from gateway.mapi.content import Blob
from gateway.mapi.props import Prop, PropTag
from gateway.mapi.restrictions import Restriction
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.filters import RESTRICTION
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    boolean,
    field,
    maybe,
    stream,
    uint,
)
from gateway.mapiclient.wire.structs import (
    CHANGES,
    MESSAGE_STREAMS,
    SOURCE_KEY_PAIRS,
    SYNC_STATES,
    MessageStream,
    SourceKeyPair,
    SyncState,
)
from gateway.mapiclient.wire.values import PROP, TAGS


@dataclass(frozen=True, slots=True)
class ChangesReply:
    """Changes in ascending order, not collapsed, and the position to go on from."""

    changes: Annotated[Sequence[Change], field("sChangesArray", CHANGES)] = ()
    max_change_id: Annotated[int, uint("ulMaxChangeId")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetChanges(Call[ChangesReply]):
    """Changes since a change id (0: everything there is now); ``change_type`` is a `SyncKind`."""

    name: ClassVar = "getChanges"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    reply_element: ClassVar = "icsChangeResponse"
    source_key_folder: Annotated[bytes, binary("sSourceKeyFolder")]
    sync_id: Annotated[int, uint("ulSyncId")]
    change_id: Annotated[int, uint("ulChangeId")]
    change_type: Annotated[int, uint("ulChangeType")]
    flags: Annotated[int, uint("ulFlags")]
    restrict: Annotated[Restriction | None, maybe("lpsRestrict", RESTRICTION)] = None


@dataclass(frozen=True, slots=True)
class SetSyncStatusReply:
    """The synchronisation's id."""

    sync_id: Annotated[int, uint("ulSyncId")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class SetSyncStatus(Call[SetSyncStatusReply]):
    """Begin a synchronisation (``sync_id`` 0), or say how far it got."""

    name: ClassVar = "setSyncStatus"
    source_key_folder: Annotated[bytes, binary("sSourceKeyFolder")]
    sync_id: Annotated[int, uint("ulSyncId")]
    change_id: Annotated[int, uint("ulChangeId")]
    change_type: Annotated[int, uint("ulChangeType")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class GetSyncStatesReply:
    """States, not in the order of the request."""

    sync_states: Annotated[Sequence[SyncState], field("sSyncStates", SYNC_STATES)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetSyncStates(Call[GetSyncStatesReply]):
    """How far synchronisations got."""

    name: ClassVar = "getSyncStates"
    idempotent: ClassVar = True
    reply_element: ClassVar = "getSyncStatesReponse"
    sync_ids: Annotated[Sequence[int], field("ulaSyncId", TAGS)]


@dataclass(frozen=True, slots=True)
class EntryIdReply:
    """An entry id."""

    entryid: Annotated[bytes, binary("sEntryId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetEntryIdFromSourceKey(Call[EntryIdReply]):
    """The entry id of a message, or of the folder when ``message_source_key`` is empty."""

    name: ClassVar = "getEntryIDFromSourceKey"
    idempotent: ClassVar = True
    store_id: Annotated[bytes, binary("sStoreId")]
    folder_source_key: Annotated[bytes, binary("folderSourceKey")]
    message_source_key: Annotated[bytes, binary("messageSourceKey")] = b""


@dataclass(frozen=True, slots=True)
class GetChangeInfoReply:
    """PR_PREDECESSOR_CHANGE_LIST and PR_CHANGE_KEY."""

    prop_pcl: Annotated[Prop, field("sPropPCL", PROP)] = (0, None)
    prop_ck: Annotated[Prop, field("sPropCK", PROP)] = (0, None)
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetChangeInfo(Call[GetChangeInfoReply]):
    """Change keys of one object."""

    name: ClassVar = "getChangeInfo"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class ExportStreamsReply:
    """Whole messages; those that are gone or unreadable are left out."""

    msg_streams: Annotated[Sequence[MessageStream], field("sMsgStreams", MESSAGE_STREAMS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ExportMessageChangesAsStream(Call[ExportStreamsReply]):
    """Read many whole messages. ``prop_tag`` says whether the keys are source keys or entry ids."""

    name: ClassVar = "exportMessageChangesAsStream"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    flags: Annotated[int, uint("ulFlags")]
    prop_tags: Annotated[Sequence[PropTag], field("sPropTags", TAGS)]
    source_keys: Annotated[Sequence[SourceKeyPair], field("param-1", SOURCE_KEY_PAIRS)]
    prop_tag: Annotated[int, uint("ulPropTag")]


@dataclass(frozen=True, slots=True)
class ImportMessageFromStream(Call[Result]):
    """Create a message from a stream, or replace its content. Flag 0x40 makes an associated one."""

    name: ClassVar = "importMessageFromStream"
    kind: ClassVar = Wait.LONG
    flags: Annotated[int, uint("ulFlags")]
    sync_id: Annotated[int, uint("ulSyncId")]
    parent_entryid: Annotated[bytes, binary("sParentEntryId")]
    entryid: Annotated[bytes, binary("sEntryId")]
    is_new: Annotated[bool, boolean("bIsNew")]
    conflict_items: Annotated[Prop | None, maybe("lpsConflictItems", PROP)]
    stream_data: Annotated[bytes | Blob | None, stream("sStreamData")]
