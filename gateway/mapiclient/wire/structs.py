"""Structures that several calls share, as dataclasses and as kinds.

Values that `gateway.mapi` already has (access control entries, names, changes, notices) are used directly.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from gateway.mapi.changes import Change
from gateway.mapi.content import Blob
from gateway.mapi.notices import ChangeNotice, Delivery, NewMailNotice, Notice, ObjectNotice, TableNotice
from gateway.mapi.props import Prop, PropName, PropTag
from gateway.mapi.rights import AccessEntry
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Array, Kind
from gateway.mapiclient.wire.scalars import U32
from gateway.mapiclient.wire.schema import (
    Field,
    Lazy,
    Repeated,
    Struct,
    array_of,
    binary,
    boolean,
    field,
    maybe,
    maybe_binary,
    record_of,
    slong,
    stream,
    struct_of,
    text,
    uint,
)
from gateway.mapiclient.wire.values import ENTRYIDS, PROP, PROPS, STRINGS, TAGS

#: A column list.
Tags: TypeAlias = Sequence[PropTag]


def _tree() -> Kind:
    return OBJECT_TREE


_CHILDREN: Final = Field("item", Repeated(Lazy(_tree)))


@dataclass(frozen=True, slots=True)
class ObjectTree:
    """An object with its children, as loadObject gives it and saveObject takes it (``saveObject``).

    In an answer ``del_props`` lists every tag the object has and ``mod_props`` the values that came along.
    """

    children: Annotated[Sequence[ObjectTree], _CHILDREN] = ()
    del_props: Annotated[Sequence[PropTag], field("delProps", TAGS)] = ()
    mod_props: Annotated[Sequence[Prop], field("modProps", PROPS)] = ()
    delete: Annotated[bool, boolean("bDelete")] = False
    client_id: Annotated[int, uint("ulClientId")] = 0
    server_id: Annotated[int, uint("ulServerId")] = 0
    obj_type: Annotated[int, uint("ulObjType")] = 0
    instance_ids: Annotated[Sequence[bytes] | None, maybe("lpInstanceIds", ENTRYIDS)] = None


OBJECT_TREE: Final[Struct] = record_of(ObjectTree)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish to hear of events (``notifySubscribe``); ``sync_id`` and ``change_id`` only for ICS events."""

    connection: int
    key: bytes
    event_mask: int
    sync_id: int = 0
    change_id: int = 0


@dataclass(frozen=True, slots=True)
class SyncState:
    """How far a synchronisation got."""

    sync_id: Annotated[int, uint("ulSyncId")]
    change_id: Annotated[int, uint("ulChangeId")]


def _subscription(values: dict[str, Any]) -> Subscription:
    state: SyncState = values.pop("state")
    return Subscription(**values, sync_id=state.sync_id, change_id=state.change_id)


SYNC_STATE: Final = record_of(SyncState)
SYNC_STATES: Final = array_of(SYNC_STATE)
SUBSCRIPTION: Final = Struct(
    {
        "connection": uint("ulConnection"),
        "key": binary("sKey"),
        "event_mask": uint("ulEventMask"),
        "state": field("sSyncState", SYNC_STATE),
    },
    _subscription,
    lambda s: (s.connection, s.key, s.event_mask, SyncState(s.sync_id, s.change_id)),
)
SUBSCRIPTIONS: Final = array_of(SUBSCRIPTION)


_OBJECT_NOTICE: Final = Struct(
    {
        "entryid": maybe_binary("pEntryId"),
        "object_type": uint("ulObjType"),
        "parent": maybe_binary("pParentId"),
        "old": maybe_binary("pOldId"),
        "old_parent": maybe_binary("pOldParentId"),
        "tags": maybe("pPropTagArray", TAGS),
    },
    dict,
    lambda n: (n.entryid, n.object_type, n.parent, n.old, n.old_parent, n.tags),
)
_TABLE_NOTICE: Final = Struct(
    {
        "table_event": uint("ulTableEvent"),
        "object_type": uint("ulObjType"),
        "result": uint("hResult"),
        "index": field("propIndex", PROP),
        "prior": field("propPrior", PROP),
        "row": maybe("pRow", PROPS),
    },
    dict,
    lambda n: (n.table_event, n.object_type, n.result, n.index, n.prior, n.row),
)
_NEW_MAIL: Final = Struct(
    {
        "entryid": maybe_binary("pEntryId"),
        "parent": maybe_binary("pParentId"),
        "message_class": text("lpszMessageClass"),
        "message_flags": uint("ulMessageFlags"),
    },
    dict,
    lambda n: (n.entryid, n.parent, n.message_class, n.message_flags),
)
_STATE: Final = struct.Struct("<II")
_CHANGE_NOTICE: Final = Struct(
    {"state": maybe_binary("pSyncState"), "change_type": uint("ulChangeType")},
    dict,
    lambda n: (_STATE.pack(n.sync_id, n.change_id), n.change_type),
)


def _notice(event: int, values: dict[str, Any]) -> Notice:
    if (table := values["tab"]) is not None:
        row = table.pop("row")
        return TableNotice(event, **table, row=None if row is None else tuple(row))
    if (mail := values["newmail"]) is not None:
        return NewMailNotice(event, **mail)
    if (change := values["ics"]) is not None:
        state = change["state"] or b""
        if len(state) != _STATE.size:
            raise WireError("the state of a change notice must have 8 bytes")
        sync_id, change_id = _STATE.unpack(state)
        return ChangeNotice(event, sync_id, change_id, change["change_type"])
    return ObjectNotice(event, **(values["obj"] or {"entryid": None, "object_type": 0}))


def _split_delivery(value: Delivery) -> tuple[Any, ...]:
    kinds = (ObjectNotice, TableNotice, NewMailNotice, ChangeNotice)
    notice = value.notice
    return value.connection, notice.event, *(notice if isinstance(notice, kind) else None for kind in kinds)


#: A notification with the number it was subscribed under.
DELIVERY: Final = Struct(
    {
        "connection": uint("ulConnection"),
        "event": uint("ulEventType"),
        "obj": maybe("obj", _OBJECT_NOTICE),
        "tab": maybe("tab", _TABLE_NOTICE),
        "newmail": maybe("newmail", _NEW_MAIL),
        "ics": maybe("ics", _CHANGE_NOTICE),
    },
    lambda values: Delivery(values["connection"], _notice(values["event"], values)),
    _split_delivery,
)
DELIVERIES: Final = array_of(DELIVERY)

RIGHTS: Final = array_of(
    struct_of(
        AccessEntry,
        user_id=uint("ulUserid"),
        access_type=uint("ulType"),
        rights=uint("ulRights"),
        state=uint("ulState"),
        user_entryid=binary("sUserId"),
    )
)


def _name(values: dict[str, Any]) -> PropName | None:
    key = values["string"] if values["number"] is None else values["number"]
    return None if key is None else PropName(values["guid"] or b"", key)


def _split_name(name: PropName | None) -> tuple[Any, ...]:
    if name is None:
        return None, None, None
    return (name.id, None, name.guid) if isinstance(name.id, int) else (None, name.id, name.guid)


#: Names of named properties; an unknown one is None.
NAMES: Final = array_of(
    Struct(
        {"number": maybe("lpId", U32), "string": text("lpString"), "guid": maybe_binary("lpguid")},
        _name,
        _split_name,
    )
)


@dataclass(frozen=True, slots=True)
class ReceiveFolder:
    """The folder that receives messages of a class; the empty class is the default."""

    entryid: Annotated[bytes, binary("sEntryId")] = b""
    explicit_class: Annotated[str | None, text("lpszAExplicitClass")] = None


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A folder to be made by create-folders."""

    name: Annotated[str | None, text("name")]
    comment: Annotated[str | None, text("comment")] = ""
    entryid: Annotated[bytes | None, maybe_binary("entryid")] = None
    open_if_exists: Annotated[bool, boolean("open-if-exists")] = False
    type: Annotated[int, uint("type")] = 1
    sync_id: Annotated[int, uint("sync-id")] = 0
    original_source_key: Annotated[bytes, binary("original-sourcekey")] = b""


CHANGES: Final = array_of(
    struct_of(
        Change,
        change_id=uint("ulChangeId"),
        source_key=binary("sSourceKey"),
        parent_source_key=binary("sParentSourceKey"),
        change_type=uint("ulChangeType"),
        flags=uint("ulFlags"),
    )
)


@dataclass(frozen=True, slots=True)
class SourceKeyPair:
    """A message named by its folder and itself; with entry ids the parent does not matter."""

    parent_key: Annotated[bytes, binary("sParentKey")]
    object_key: Annotated[bytes, binary("sObjectKey")]


@dataclass(frozen=True, slots=True)
class MessageStream:
    """A whole message as bytes (see `stream`); ``step`` is its index in the request."""

    step: Annotated[int, uint("ulStep")]
    prop_vals: Annotated[Sequence[Prop], field("sPropVals", PROPS)]
    stream_data: Annotated[bytes | Blob | None, stream("sStreamData")]


def _pair(values: dict[str, Any]) -> tuple[Any, Any]:
    return values["tag"], values["value"]


#: User properties that have one value: pairs of tag and text.
PROPMAP: Final = array_of(Struct({"tag": uint("ulPropId"), "value": text("lpszValue")}, _pair, tuple))
#: User properties that have many values: pairs of tag and texts.
MV_PROPMAP: Final = array_of(
    Struct({"tag": uint("ulPropId"), "value": field("sValues", STRINGS)}, _pair, tuple)
)
Propmap: TypeAlias = Sequence[tuple[PropTag, str | None]]
MvPropmap: TypeAlias = Sequence[tuple[PropTag, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, or a group disguised as one; ``obj_class`` says what it really is."""

    user_id: Annotated[int, uint("ulUserId")] = 0
    username: Annotated[str | None, text("lpszUsername")] = None
    password: Annotated[str | None, text("lpszPassword")] = None
    mail_address: Annotated[str | None, text("lpszMailAddress")] = None
    full_name: Annotated[str | None, text("lpszFullName")] = None
    server_name: Annotated[str | None, text("lpszServername")] = None
    is_non_active: Annotated[int, uint("ulIsNonActive")] = 0
    is_admin: Annotated[int, uint("ulIsAdmin")] = 0
    is_ab_hidden: Annotated[int, uint("ulIsABHidden")] = 0
    capacity: Annotated[int, uint("ulCapacity")] = 0
    obj_class: Annotated[int, uint("ulObjClass")] = 0
    propmap: Annotated[Propmap | None, maybe("lpsPropmap", PROPMAP)] = None
    mv_propmap: Annotated[MvPropmap | None, maybe("lpsMVPropmap", MV_PROPMAP)] = None
    user_entryid: Annotated[bytes, binary("sUserId")] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group."""

    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes, binary("sGroupId")] = b""
    group_name: Annotated[str | None, text("lpszGroupname")] = None
    full_name: Annotated[str | None, text("lpszFullname")] = None
    full_email: Annotated[str | None, text("lpszFullEmail")] = None
    is_ab_hidden: Annotated[int, uint("ulIsABHidden")] = 0
    propmap: Annotated[Propmap | None, maybe("lpsPropmap", PROPMAP)] = None
    mv_propmap: Annotated[MvPropmap | None, maybe("lpsMVPropmap", MV_PROPMAP)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company of a hosted installation."""

    company_id: Annotated[int, uint("ulCompanyId")] = 0
    administrator_id: Annotated[int, uint("ulAdministrator")] = 0
    company_entryid: Annotated[bytes, binary("sCompanyId")] = b""
    administrator_entryid: Annotated[bytes, binary("sAdministrator")] = b""
    company_name: Annotated[str | None, text("lpszCompanyname")] = None
    server_name: Annotated[str | None, text("lpszServername")] = None
    is_ab_hidden: Annotated[int, uint("ulIsABHidden")] = 0
    propmap: Annotated[Propmap | None, maybe("lpsPropmap", PROPMAP)] = None
    mv_propmap: Annotated[MvPropmap | None, maybe("lpsMVPropmap", MV_PROPMAP)] = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Sizes in bytes; 0 is unlimited."""

    use_default_quota: Annotated[bool, boolean("bUseDefaultQuota")] = False
    is_user_default_quota: Annotated[bool, boolean("bIsUserDefaultQuota")] = False
    warn_size: Annotated[int, slong("llWarnSize")] = 0
    soft_size: Annotated[int, slong("llSoftSize")] = 0
    hard_size: Annotated[int, slong("llHardSize")] = 0


@dataclass(frozen=True, slots=True)
class Server:
    """A node of a distributed installation; flags: 1 this one, 2 it has the public store."""

    name: Annotated[str | None, text("lpszName")] = None
    file_path: Annotated[str | None, text("lpszFilePath")] = None
    http_path: Annotated[str | None, text("lpszHttpPath")] = None
    ssl_path: Annotated[str | None, text("lpszSslPath")] = None
    preferred_path: Annotated[str | None, text("lpszPreferedPath")] = None
    flags: Annotated[int, uint("ulFlags")] = 0


RECEIVE_FOLDER: Final = record_of(ReceiveFolder)
RECEIVE_FOLDERS: Final[Array] = array_of(RECEIVE_FOLDER)
NEW_FOLDERS: Final[Array] = array_of(record_of(NewFolder))
SOURCE_KEY_PAIRS: Final[Array] = array_of(record_of(SourceKeyPair))
MESSAGE_STREAMS: Final[Array] = array_of(record_of(MessageStream))
USER: Final = record_of(User)
USERS: Final[Array] = array_of(USER)
GROUP: Final = record_of(Group)
GROUPS: Final[Array] = array_of(GROUP)
COMPANY: Final = record_of(Company)
COMPANIES: Final[Array] = array_of(COMPANY)
QUOTA: Final = record_of(Quota)
SERVERS: Final[Array] = array_of(record_of(Server))
