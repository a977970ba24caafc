"""Calls about the address book, users, groups, companies and quota.

A number counts only when the entry id beside it is absent (None); an empty entry id with a number other than
0 is an error, with 0 it means the session's user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.props import Prop, PropTag
from gateway.mapi.tables import Row
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    boolean,
    field,
    maybe,
    maybe_binary,
    slong,
    text,
    uint,
)
from gateway.mapiclient.wire.structs import (
    COMPANIES,
    COMPANY,
    GROUP,
    GROUPS,
    QUOTA,
    USER,
    USERS,
    Company,
    Group,
    Quota,
    User,
)
from gateway.mapiclient.wire.values import FLAGS, PROPS, ROWS, TAGS


@dataclass(frozen=True, slots=True)
class ReadPropsReply:
    """Tags that have a value, and the values, with PT_ERROR for those that have none."""

    er: Annotated[int, uint("er")] = 0
    prop_tags: Annotated[Sequence[PropTag], field("aPropTag", TAGS)] = ()
    prop_vals: Annotated[Sequence[Prop], field("aPropVal", PROPS)] = ()


@dataclass(frozen=True, slots=True)
class ReadAbProps(Call[ReadPropsReply]):
    """All properties of an address book object."""

    name: ClassVar = "readABProps"
    idempotent: ClassVar = True
    reply_element: ClassVar = "readPropsResponse"
    entryid: Annotated[bytes, binary("sEntryId")]


@dataclass(frozen=True, slots=True)
class AbResolveNamesReply:
    """Rows of the resolved ones, empty rows of the others. Flags: 0 unresolved, 1 ambiguous, 2 resolved."""

    row_set: Annotated[Sequence[Row], field("sRowSet", ROWS)] = ()
    row_flags: Annotated[Sequence[int], field("aFlags", FLAGS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class AbResolveNames(Call[AbResolveNamesReply]):
    """Look up names: rows with PR_DISPLAY_NAME, one flag each. Flag 1 takes exact matches only."""

    name: ClassVar = "abResolveNames"
    idempotent: ClassVar = True
    prop_tags: Annotated[Sequence[PropTag] | None, maybe("lpaPropTag", TAGS)]
    row_set: Annotated[Sequence[Sequence[Prop]] | None, maybe("lpsRowSet", ROWS)]
    row_flags: Annotated[Sequence[int] | None, maybe("lpaFlags", FLAGS)]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class SyncUsers(Call[Result]):
    """Read the external directory again."""

    name: ClassVar = "syncUsers"
    kind: ClassVar = Wait.LONG
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class SetUserReply:
    """The user."""

    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes, binary("sUserId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class CreateUser(Call[SetUserReply]):
    """Create a user."""

    name: ClassVar = "createUser"
    kind: ClassVar = Wait.LONG
    reply_element: ClassVar = "setUserResponse"
    user: Annotated[User | None, maybe("lpsUser", USER)]


@dataclass(frozen=True, slots=True)
class SetUser(Call[Result]):
    """Change a user: None leaves a text as it is, 0xFFFFFFFF a number."""

    name: ClassVar = "setUser"
    idempotent: ClassVar = True
    user: Annotated[User | None, maybe("lpsUser", USER)]


@dataclass(frozen=True, slots=True)
class DeleteUser(Call[Result]):
    """Delete a user; the store is orphaned."""

    name: ClassVar = "deleteUser"
    kind: ClassVar = Wait.LONG
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class GetUserReply:
    """A user."""

    user: Annotated[User | None, maybe("lpsUser", USER)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetUser(Call[GetUserReply]):
    """A user; without arguments the session's own."""

    name: ClassVar = "getUser"
    idempotent: ClassVar = True
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class UserListReply:
    """Users."""

    users: Annotated[Sequence[User], field("sUserArray", USERS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetUserList(Call[UserListReply]):
    """All visible users of a company."""

    name: ClassVar = "getUserList"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    reply_element: ClassVar = "userListResponse"
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class ResolveUserReply:
    """A user's ids."""

    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes, binary("sUserId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ResolveUsername(Call[ResolveUserReply]):
    """The ids of a login name."""

    name: ClassVar = "resolveUsername"
    idempotent: ClassVar = True
    reply_element: ClassVar = "resolveUserResponse"
    username: Annotated[str | None, text("lpszUsername")]


@dataclass(frozen=True, slots=True)
class GetSendAsList(Call[UserListReply]):
    """Who may send as a user."""

    name: ClassVar = "getSendAsList"
    idempotent: ClassVar = True
    reply_element: ClassVar = "userListResponse"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class AddSendAsUser(Call[Result]):
    """Let somebody send as a user."""

    name: ClassVar = "addSendAsUser"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    sender_id: Annotated[int, uint("ulSenderId")] = 0
    sender_entryid: Annotated[bytes | None, maybe_binary("sSenderId")] = b""


@dataclass(frozen=True, slots=True)
class DelSendAsUser(Call[Result]):
    """Let somebody no longer send as a user."""

    name: ClassVar = "delSendAsUser"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    sender_id: Annotated[int, uint("ulSenderId")] = 0
    sender_entryid: Annotated[bytes | None, maybe_binary("sSenderId")] = b""


@dataclass(frozen=True, slots=True)
class SetGroupReply:
    """The group."""

    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes, binary("sGroupId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class CreateGroup(Call[SetGroupReply]):
    """Create a group."""

    name: ClassVar = "createGroup"
    reply_element: ClassVar = "setGroupResponse"
    group: Annotated[Group | None, maybe("lpsGroup", GROUP)]


@dataclass(frozen=True, slots=True)
class SetGroup(Call[Result]):
    """Change a group."""

    name: ClassVar = "setGroup"
    idempotent: ClassVar = True
    group: Annotated[Group | None, maybe("lpsGroup", GROUP)]


@dataclass(frozen=True, slots=True)
class GetGroupReply:
    """A group."""

    group: Annotated[Group | None, maybe("lpsGroup", GROUP)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetGroup(Call[GetGroupReply]):
    """A group."""

    name: ClassVar = "getGroup"
    idempotent: ClassVar = True
    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes | None, maybe_binary("sGroupId")] = b""


@dataclass(frozen=True, slots=True)
class GroupListReply:
    """Groups."""

    groups: Annotated[Sequence[Group], field("sGroupArray", GROUPS)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetGroupList(Call[GroupListReply]):
    """All groups of a company."""

    name: ClassVar = "getGroupList"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    reply_element: ClassVar = "groupListResponse"
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class GroupDelete(Call[Result]):
    """Delete a group."""

    name: ClassVar = "groupDelete"
    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes | None, maybe_binary("sGroupId")] = b""


@dataclass(frozen=True, slots=True)
class ResolveGroupReply:
    """A group's ids."""

    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes, binary("sGroupId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ResolveGroupname(Call[ResolveGroupReply]):
    """The ids of a group's name."""

    name: ClassVar = "resolveGroupname"
    idempotent: ClassVar = True
    reply_element: ClassVar = "resolveGroupResponse"
    group_name: Annotated[str | None, text("lpszGroupname")]


@dataclass(frozen=True, slots=True)
class AddGroupUser(Call[Result]):
    """Add a member."""

    name: ClassVar = "addGroupUser"
    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes | None, maybe_binary("sGroupId")] = b""
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class DeleteGroupUser(Call[Result]):
    """Remove a member."""

    name: ClassVar = "deleteGroupUser"
    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes | None, maybe_binary("sGroupId")] = b""
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class GetUserListOfGroup(Call[UserListReply]):
    """Members; nested groups come disguised as users."""

    name: ClassVar = "getUserListOfGroup"
    idempotent: ClassVar = True
    reply_element: ClassVar = "userListResponse"
    group_id: Annotated[int, uint("ulGroupId")] = 0
    group_entryid: Annotated[bytes | None, maybe_binary("sGroupId")] = b""


@dataclass(frozen=True, slots=True)
class GetGroupListOfUser(Call[GroupListReply]):
    """Groups of a user."""

    name: ClassVar = "getGroupListOfUser"
    idempotent: ClassVar = True
    reply_element: ClassVar = "groupListResponse"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class SetCompanyReply:
    """The company."""

    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes, binary("sCompanyId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class CreateCompany(Call[SetCompanyReply]):
    """Create a company."""

    name: ClassVar = "createCompany"
    reply_element: ClassVar = "setCompanyResponse"
    company: Annotated[Company | None, maybe("lpsCompany", COMPANY)]


@dataclass(frozen=True, slots=True)
class SetCompany(Call[Result]):
    """Change a company."""

    name: ClassVar = "setCompany"
    idempotent: ClassVar = True
    company: Annotated[Company | None, maybe("lpsCompany", COMPANY)]


@dataclass(frozen=True, slots=True)
class GetCompanyReply:
    """A company."""

    company: Annotated[Company | None, maybe("lpsCompany", COMPANY)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetCompany(Call[GetCompanyReply]):
    """A company; without arguments one's own."""

    name: ClassVar = "getCompany"
    idempotent: ClassVar = True
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class CompanyListReply:
    """Companies."""

    companies: Annotated[Sequence[Company], field("sCompanyArray", COMPANIES)] = ()
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetCompanyList(Call[CompanyListReply]):
    """All visible companies."""

    name: ClassVar = "getCompanyList"
    idempotent: ClassVar = True
    reply_element: ClassVar = "companyListResponse"


@dataclass(frozen=True, slots=True)
class DeleteCompany(Call[Result]):
    """Delete a company."""

    name: ClassVar = "deleteCompany"
    kind: ClassVar = Wait.LONG
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class ResolveCompanyReply:
    """A company's ids."""

    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes, binary("sCompanyId")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class ResolveCompanyname(Call[ResolveCompanyReply]):
    """The ids of a company's name."""

    name: ClassVar = "resolveCompanyname"
    idempotent: ClassVar = True
    reply_element: ClassVar = "resolveCompanyResponse"
    company_name: Annotated[str | None, text("lpszCompanyname")]


@dataclass(frozen=True, slots=True)
class AddCompanyToRemoteViewList(Call[Result]):
    """Let a company see another."""

    name: ClassVar = "addCompanyToRemoteViewList"
    session_element: ClassVar = "ecSessionId"
    set_company_id: Annotated[int, uint("ulSetCompanyId")] = 0
    set_company_entryid: Annotated[bytes | None, maybe_binary("sSetCompanyId")] = b""
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class DelCompanyFromRemoteViewList(Call[Result]):
    """Let a company no longer see another."""

    name: ClassVar = "delCompanyFromRemoteViewList"
    session_element: ClassVar = "ecSessionId"
    set_company_id: Annotated[int, uint("ulSetCompanyId")] = 0
    set_company_entryid: Annotated[bytes | None, maybe_binary("sSetCompanyId")] = b""
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class GetRemoteViewList(Call[CompanyListReply]):
    """Companies that a company may see."""

    name: ClassVar = "getRemoteViewList"
    idempotent: ClassVar = True
    session_element: ClassVar = "ecSessionId"
    reply_element: ClassVar = "companyListResponse"
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class AddUserToRemoteAdminList(Call[Result]):
    """Let a user administer a company."""

    name: ClassVar = "addUserToRemoteAdminList"
    session_element: ClassVar = "ecSessionId"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class DelUserFromRemoteAdminList(Call[Result]):
    """Let a user no longer administer a company."""

    name: ClassVar = "delUserFromRemoteAdminList"
    session_element: ClassVar = "ecSessionId"
    user_id: Annotated[int, uint("ulUserId")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class GetRemoteAdminList(Call[UserListReply]):
    """Remote administrators of a company."""

    name: ClassVar = "getRemoteAdminList"
    idempotent: ClassVar = True
    session_element: ClassVar = "ecSessionId"
    reply_element: ClassVar = "userListResponse"
    company_id: Annotated[int, uint("ulCompanyId")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""


@dataclass(frozen=True, slots=True)
class QuotaReply:
    """Quota settings."""

    quota: Annotated[Quota | None, field("sQuota", QUOTA)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetQuota(Call[QuotaReply]):
    """Quota settings of a user."""

    name: ClassVar = "GetQuota"
    idempotent: ClassVar = True
    reply_element: ClassVar = "quotaResponse"
    user_id: Annotated[int, uint("ulUserid")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    get_user_default: Annotated[bool, boolean("bGetUserDefault")] = False


@dataclass(frozen=True, slots=True)
class SetQuota(Call[Result]):
    """Change quota settings."""

    name: ClassVar = "SetQuota"
    idempotent: ClassVar = True
    user_id: Annotated[int, uint("ulUserid")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""
    quota: Annotated[Quota | None, maybe("lpsQuota", QUOTA)] = None


@dataclass(frozen=True, slots=True)
class QuotaStatusReply:
    """Size in bytes; status 0 fine, 1 warning, 2 soft, 3 hard."""

    store_size: Annotated[int, slong("llStoreSize")] = 0
    quota_status: Annotated[int, uint("ulQuotaStatus")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetQuotaStatus(Call[QuotaStatusReply]):
    """How full a user's store is."""

    name: ClassVar = "GetQuotaStatus"
    idempotent: ClassVar = True
    reply_element: ClassVar = "quotaStatus"
    user_id: Annotated[int, uint("ulUserid")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class GetQuotaRecipients(Call[UserListReply]):
    """Who gets quota mails."""

    name: ClassVar = "GetQuotaRecipients"
    idempotent: ClassVar = True
    reply_element: ClassVar = "userListResponse"
    user_id: Annotated[int, uint("ulUserid")] = 0
    user_entryid: Annotated[bytes | None, maybe_binary("sUserId")] = b""


@dataclass(frozen=True, slots=True)
class AddQuotaRecipient(Call[Result]):
    """Add a recipient of quota mails."""

    name: ClassVar = "AddQuotaRecipient"
    company_id: Annotated[int, uint("ulCompanyid")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""
    recipient_id: Annotated[int, uint("ulRecipientId")] = 0
    recipient_entryid: Annotated[bytes | None, maybe_binary("sRecipientId")] = b""
    type: Annotated[int, uint("ulType")] = 0


@dataclass(frozen=True, slots=True)
class DeleteQuotaRecipient(Call[Result]):
    """Remove a recipient of quota mails."""

    name: ClassVar = "DeleteQuotaRecipient"
    company_id: Annotated[int, uint("ulCompanyid")] = 0
    company_entryid: Annotated[bytes | None, maybe_binary("sCompanyId")] = b""
    recipient_id: Annotated[int, uint("ulRecipientId")] = 0
    recipient_entryid: Annotated[bytes | None, maybe_binary("sRecipientId")] = b""
    type: Annotated[int, uint("ulType")] = 0
