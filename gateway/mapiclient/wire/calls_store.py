"""Calls about stores and servers: which store is whose, where it is, and making or removing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    boolean,
    field,
    maybe,
    maybe_binary,
    text,
    uint,
)
from gateway.mapiclient.wire.structs import SERVERS, Server
from gateway.mapiclient.wire.values import STRINGS


@dataclass(frozen=True, slots=True)
class GetStoreReply:
    """A store; with UNABLE_TO_COMPLETE only ``server_path``, the server that has it."""

    er: Annotated[int, uint("er")] = 0
    store_id: Annotated[bytes, binary("sStoreId")] = b""
    root_id: Annotated[bytes, binary("sRootId")] = b""
    guid: Annotated[bytes, binary("guid")] = b""
    server_path: Annotated[str | None, text("lpszServerPath")] = None


@dataclass(frozen=True, slots=True)
class GetStore(Call[GetStoreReply]):
    """The session user's own store (None), or the one given."""

    name: ClassVar = "getStore"
    idempotent: ClassVar = True
    entryid: Annotated[bytes | None, maybe_binary("lpsEntryId")] = None


@dataclass(frozen=True, slots=True)
class GetStoreNameReply:
    """A display name."""

    store_name: Annotated[str | None, text("lpszStoreName")] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetStoreName(Call[GetStoreNameReply]):
    """The display name of a store."""

    name: ClassVar = "getStoreName"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class GetStoreTypeReply:
    """0 private, 1 public, 2 archive."""

    store_type: Annotated[int, uint("ulStoreType")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetStoreType(Call[GetStoreTypeReply]):
    """The type of a store."""

    name: ClassVar = "getStoreType"
    idempotent: ClassVar = True
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class GetPublicStore(Call[GetStoreReply]):
    """The public store."""

    name: ClassVar = "getPublicStore"
    idempotent: ClassVar = True
    reply_element: ClassVar = "getStoreResponse"
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class ResolveStoreReply:
    """A store and its owner."""

    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes, binary("sUserId")] = b""
    store_id: Annotated[bytes, binary("sStoreId")] = b""
    guid: Annotated[bytes, binary("guid")] = b""
    er: Annotated[int, uint("er")] = 0
    server_path: Annotated[str | None, text("lpszServerPath")] = None


@dataclass(frozen=True, slots=True)
class ResolveStore(Call[ResolveStoreReply]):
    """The store of a GUID (16 bytes)."""

    name: ClassVar = "resolveStore"
    idempotent: ClassVar = True
    reply_element: ClassVar = "resolveUserStoreResponse"
    store_guid: Annotated[bytes, binary("sStoreGuid")]


@dataclass(frozen=True, slots=True)
class ResolveUserStore(Call[ResolveStoreReply]):
    """A user's store. Mask: 1 private, 2 public, 4 archive; 0 is private or public."""

    name: ClassVar = "resolveUserStore"
    idempotent: ClassVar = True
    user_name: Annotated[str | None, text("szUserName")]
    store_type_mask: Annotated[int, uint("ulStoreTypeMask")] = 0
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class ResolvePseudoUrlReply:
    """A URL to connect to."""

    server_path: Annotated[str | None, text("lpszServerPath")] = None
    is_peer: Annotated[bool, boolean("bIsPeer")] = False
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ResolvePseudoUrl(Call[ResolvePseudoUrlReply]):
    """The real URL behind ``pseudo://name``."""

    name: ClassVar = "resolvePseudoUrl"
    idempotent: ClassVar = True
    pseudo_url: Annotated[str | None, text("lpszPseudoUrl")]


@dataclass(frozen=True, slots=True)
class GetServerDetailsReply:
    """The servers that were named."""

    servers: Annotated[Sequence[Server], field("sServerList", SERVERS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetServerDetails(Call[GetServerDetailsReply]):
    """Paths and roles of servers."""

    name: ClassVar = "getServerDetails"
    idempotent: ClassVar = True
    server_names: Annotated[Sequence[str], field("szaSvrNameList", STRINGS)] = ()
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class CreateStore(Call[Result]):
    """Make an empty store; both ids are the caller's, with the same fresh store GUID."""

    name: ClassVar = "createStore"
    kind: ClassVar = Wait.LONG
    store_type: Annotated[int, uint("ulStoreType")]
    user_id: Annotated[int, uint("ulUserId")]
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")]
    store_id: Annotated[bytes, binary("sStoreId")]
    root_id: Annotated[bytes, binary("sRootId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class HookStore(Call[Result]):
    """Attach an orphaned store to a user."""

    name: ClassVar = "hookStore"
    store_type: Annotated[int, uint("ulStoreType")]
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")]
    store_guid: Annotated[bytes, binary("sStoreGuid")]
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class UnhookStore(Call[Result]):
    """Take a user's store away."""

    name: ClassVar = "unhookStore"
    store_type: Annotated[int, uint("ulStoreType")]
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")]
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class RemoveStore(Call[Result]):
    """Delete an orphaned store."""

    name: ClassVar = "removeStore"
    kind: ClassVar = Wait.LONG
    store_guid: Annotated[bytes, binary("sStoreGuid")]
    sync_id: Annotated[int, uint("ulSyncId")] = 0


@dataclass(frozen=True, slots=True)
class PurgeSoftDelete(Call[Result]):
    """Remove what was deleted longer ago than some days."""

    name: ClassVar = "purgeSoftDelete"
    kind: ClassVar = Wait.LONG
    days: Annotated[int, uint("ulDays")]


@dataclass(frozen=True, slots=True)
class PurgeDeferredUpdatesReply:
    """How many folders remain."""

    deferred_remaining: Annotated[int, uint("ulDeferredRemaining")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class PurgeDeferredUpdates(Call[PurgeDeferredUpdatesReply]):
    """Flush one folder's deferred table updates; NOT_FOUND when none is left."""

    name: ClassVar = "purgeDeferredUpdates"
    kind: ClassVar = Wait.LONG


@dataclass(frozen=True, slots=True)
class PurgeCache(Call[Result]):
    """Drop server caches; flags choose which."""

    name: ClassVar = "purgeCache"
    flags: Annotated[int, uint("ulFlags")] = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class TestPerform(Call[Result]):
    """Test hook, disabled in production servers."""

    __test__: ClassVar = False
    name: ClassVar = "testPerform"
    command: Annotated[str | None, text("cmd")]
    arguments: Annotated[Sequence[str] | None, maybe("sPerform", STRINGS)] = None


@dataclass(frozen=True, slots=True)
class TestSet(Call[Result]):
    """Test hook."""

    __test__: ClassVar = False
    name: ClassVar = "testSet"
    variable: Annotated[str | None, text("name")]
    value: Annotated[str | None, text("value")]


@dataclass(frozen=True, slots=True)
class TestGetReply:
    """A variable's value."""

    __test__: ClassVar = False
    value: Annotated[str | None, text("szValue")] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class TestGet(Call[TestGetReply]):
    """Test hook; the variable ``ping`` answers ``pong``."""

    __test__: ClassVar = False
    name: ClassVar = "testGet"
    variable: Annotated[str | None, text("name")]
