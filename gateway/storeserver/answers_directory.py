"""Answers about the address book, users, groups and quota (mapi-soap 4.10 - 4.12)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode, InvalidParameter, NoAccess, NotFound, NotSupported
from gateway.mapi.props import (
    MV_FLAG,
    PT_BINARY,
    PT_ERROR,
    PT_STRING8,
    PT_UNICODE,
    Prop,
    Props,
    PropTag,
    canonical,
    retyped,
)
from gateway.mapi.tables import ObjectType, Row
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import Call
from gateway.mapiclient.wire.structs import Group, Quota, User
from gateway.storeserver import accounts, address_book, groups, stores
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, Account, NewAccount, ObjectClass
from gateway.storeserver.columns import missing
from gateway.storeserver.context import Context, entryid_of, required
from gateway.storeserver.dispatch import quick, reads, writes
from gateway.storeserver.groups import Quota as Levels
from gateway.storeserver.sessions import EXTENDED_ANON

UNCHANGED: Final = 0xFFFF_FFFF
EXACT: Final = 1
MAX_NAMES: Final = 10_000


# -- address book


#: What readABProps tells of a user or group, in this order; an error where there is no value.
ACCOUNT_PROPS: Final = (
    pt.PR_ENTRYID,
    pt.PR_CONTAINER_FLAGS,
    pt.PR_DEPTH,
    pt.PR_EMS_AB_CONTAINERID,
    pt.PR_DISPLAY_NAME,
    pt.PR_EMS_AB_IS_MASTER,
    pt.PR_EMS_AB_PARENT_ENTRYID,
    pt.PR_EMAIL_ADDRESS,
    pt.PR_OBJECT_TYPE,
    pt.PR_DISPLAY_TYPE,
    pt.PR_SEARCH_KEY,
    pt.PR_PARENT_ENTRYID,
    pt.PR_ADDRTYPE,
    pt.PR_RECORD_KEY,
    pt.PR_ACCOUNT,
    pt.PR_SMTP_ADDRESS,
    pt.PR_TRANSMITABLE_DISPLAY_NAME,
    pt.PR_EMS_AB_HOME_MDB,
    0x80070102,
    pt.PR_EMS_AB_PROXY_ADDRESSES,
    pt.PR_EC_ADMINISTRATOR,
    pt.PR_EC_NONACTIVE,
    pt.PR_EC_COMPANY_NAME,
    pt.PR_EMS_AB_X509_CERT,
    pt.PR_AB_PROVIDER_ID,
    pt.PR_EMS_AB_HIERARCHY_PATH,
    pt.PR_EC_SENDAS_USER_ENTRYIDS,
    pt.PR_EC_HOMESERVER_NAME,
    pt.PR_DISPLAY_TYPE_EX,
    pt.PR_EMS_AB_IS_MEMBER_OF_DL,
    pt.PR_EC_ENABLED_FEATURES,
    pt.PR_EC_DISABLED_FEATURES,
    pt.PR_EC_ARCHIVE_SERVERS,
    pt.PR_EC_ARCHIVE_COUPLINGS,
    pt.PR_EMS_AB_ROOM_CAPACITY,
    pt.PR_EMS_AB_ROOM_DESCRIPTION,
    pt.PR_ASSISTANT,
)
#: The same of a container.
CONTAINER_PROPS: Final = (
    pt.PR_ENTRYID,
    pt.PR_CONTAINER_FLAGS,
    pt.PR_DEPTH,
    pt.PR_EMS_AB_CONTAINERID,
    pt.PR_DISPLAY_NAME,
    pt.PR_EMS_AB_IS_MASTER,
    pt.PR_EMS_AB_PARENT_ENTRYID,
    pt.PR_OBJECT_TYPE,
    pt.PR_DISPLAY_TYPE,
    pt.PR_SEARCH_KEY,
    pt.PR_RECORD_KEY,
    pt.PR_PARENT_ENTRYID,
    pt.PR_AB_PROVIDER_ID,
    pt.PR_EMS_AB_HIERARCHY_PATH,
    pt.PR_ACCOUNT,
    pt.PR_EC_HOMESERVER_NAME,
    pt.PR_EC_COMPANY_NAME,
)
#: Properties of a container that readABProps alone does not know: columns of the hierarchy table.
_NOT_OF_ACCOUNTS: Final = {pt.PR_EMS_AB_PARENT_ENTRYID, pt.PR_PARENT_ENTRYID}


@reads(calls.ReadAbProps)
def read_ab_props(context: Context, call: calls.ReadAbProps) -> calls.ReadPropsReply:
    """All properties of an address book object."""
    entryid = entryid_of(call.entryid)
    found = address_book.props_of(context.tx, context.actor, entryid)
    if found.get(pt.PR_OBJECT_TYPE) == ObjectType.AB_CONTAINER:
        asked: tuple[PropTag, ...] = CONTAINER_PROPS
        found = {pt.PR_ACCOUNT: found[pt.PR_DISPLAY_NAME], pt.PR_SEARCH_KEY: entryid} | found
        found.pop(pt.PR_DEPTH, None)
        if entryid == ids.ADDRESS_BOOK_ROOT:
            for tag in (pt.PR_PARENT_ENTRYID, pt.PR_EMS_AB_PARENT_ENTRYID, pt.PR_EMS_AB_CONTAINERID):
                found.pop(tag, None)
    else:
        account = accounts.account_by_entryid(context.tx, entryid)
        asked = (*ACCOUNT_PROPS, *sorted(account.props.keys() - set(ACCOUNT_PROPS)))
        found = _own_props(account) | {tag: found[tag] for tag in found.keys() - _NOT_OF_ACCOUNTS}
    props = [(tag, found[tag]) if found.get(tag) not in (None, ()) else missing(tag) for tag in asked]
    tags = [tag for tag, _ in props if tag & 0xFFFF != PT_ERROR]
    return calls.ReadPropsReply(0, tags, props)


def _own_props(account: Account) -> Props:
    """What a user has by itself, without a directory."""
    if account.is_group:
        return {}
    return {pt.PR_EMS_AB_ROOM_CAPACITY: account.capacity, pt.PR_EC_COMPANY_NAME: ""}


@reads(calls.AbResolveNames)
def ab_resolve_names(context: Context, call: calls.AbResolveNames) -> calls.AbResolveNamesReply:
    """Look up what was typed into an address field."""
    rows = required(call.row_set, "lpsRowSet")
    flags = required(call.row_flags, "lpaFlags")
    if len(rows) != len(flags) or len(rows) > MAX_NAMES:
        raise InvalidParameter("there must be one flag for every row")
    queries = [{canonical(tag): value for tag, value in row} for row in rows]
    columns = tuple(call.prop_tags or ())
    found = address_book.resolve_names(
        context.tx, context.actor, columns, queries, flags, exact=bool(call.flags & EXACT)
    )
    answered = [
        _resolved(row, columns, props) if flag == address_book.RESOLVED else []
        for row, (props, flag) in zip(rows, found, strict=True)
    ]
    return calls.AbResolveNamesReply(answered, [flag for _, flag in found])


def _resolved(row: Sequence[Prop], columns: Sequence[PropTag], props: Props) -> Row:
    """What was asked, with the values found for columns that were in it, and then the other columns."""
    asked = {tag for tag, _ in row}
    result = [(tag, props.get(canonical(tag), value) if tag in columns else value) for tag, value in row]
    for tag in columns:
        if tag not in asked:
            value = props.get(canonical(tag))
            result.append(missing(tag) if value in (None, ()) else (tag, value))
    return result


@reads(calls.SyncUsers)
def sync_users(context: Context, call: calls.SyncUsers) -> Result:
    """The directory is this server's own, so there is nothing to synchronise."""
    return Result()


# -- users


def _maps(props: Props, *, binary: bool) -> tuple[list[Any] | None, list[Any] | None]:
    """The directory's properties of an account, single and multi-valued, as they travel."""
    single: list[Any] = []
    multiple: list[Any] = []
    for tag, value in sorted(props.items()):
        is_binary = tag & 0xFFFF & ~MV_FLAG == PT_BINARY
        if is_binary and not binary:
            continue
        if tag & MV_FLAG:
            items = [b64encode(item).decode() if is_binary else item for item in value]
            multiple.append((tag if is_binary else retyped(tag, PT_STRING8 | MV_FLAG), items))
        else:
            text = b64encode(value).decode() if is_binary else value
            single.append((tag if is_binary else retyped(tag, PT_STRING8), text))
    return single or None, multiple or None


def _user(context: Context, account: Account) -> User:
    binary = bool(context.session.capabilities & EXTENDED_ANON)
    builtin = account.id in (EVERYONE_ID, SYSTEM_ID)
    single, multiple = (None, None) if builtin else _maps(account.props, binary=binary)
    return User(
        user_id=account.id,
        username=account.name,
        password="",
        mail_address=account.email,
        full_name=account.full_name,
        server_name=context.tx.options.name if account.id == SYSTEM_ID else "",
        is_admin=account.admin_level,
        is_ab_hidden=int(account.hidden or account.id == SYSTEM_ID),
        capacity=account.capacity,
        obj_class=account.object_class,
        propmap=single,
        mv_propmap=multiple,
        user_entryid=account.entryid,
    )


def _users(context: Context, found: Iterable[Account]) -> calls.UserListReply:
    return calls.UserListReply([_user(context, account) for account in found])


def _account(context: Context, number: int, entryid: bytes | None, *, group: bool) -> Account:
    """The user or the group that a call names (NotFound when it is the other)."""
    account = accounts.resolve(context.tx, context.actor, number, entryid)
    if account.is_group is not group:
        raise NotFound(f"{account.name} is {'no' if group else 'a'} group")
    return account


def _props(single: Sequence[Any] | None, multiple: Sequence[Any] | None) -> Props:
    """The directory's properties as they came in."""
    result: Props = {}
    try:
        for tag, text in single or ():
            is_binary = tag & 0xFFFF == PT_BINARY
            result[tag if is_binary else retyped(tag, PT_UNICODE)] = (
                b64decode(text) if is_binary else text or ""
            )
        for tag, texts in multiple or ():
            is_binary = tag & 0xFFFF == PT_BINARY | MV_FLAG
            values = tuple(b64decode(text) if is_binary else text for text in texts)
            result[tag if is_binary else retyped(tag, PT_UNICODE | MV_FLAG)] = values
    except BinasciiError:
        raise InvalidParameter("a binary property is not base64") from None
    return result


@writes(calls.CreateUser)
def create_user(context: Context, call: calls.CreateUser) -> calls.SetUserReply:
    """Create a user; the store is a call of its own."""
    accounts.require_admin(context.actor)
    user = required(call.user, "lpsUser")
    password = user.password or ""
    if not password and user.obj_class in (0, ObjectClass.ACTIVE_USER):
        raise InvalidParameter("an active user needs a password")
    new = NewAccount(
        name=required(user.username, "lpszUsername"),
        full_name=required(user.full_name, "lpszFullName"),
        email=required(user.mail_address, "lpszMailAddress"),
        password=password,
        object_class=user.obj_class or ObjectClass.ACTIVE_USER,
        admin_level=user.is_admin,
        hidden=bool(user.is_ab_hidden),
        capacity=user.capacity,
        props=_props(user.propmap, user.mv_propmap),
    )
    account = accounts.create_account(context.tx, context.actor, new)
    return calls.SetUserReply(account.id, account.entryid)


@writes(calls.SetUser)
def set_user(context: Context, call: calls.SetUser) -> Result:
    """Change a user: absent texts and 0xFFFFFFFF leave things as they are."""
    user = required(call.user, "lpsUser")
    account = _account(context, user.user_id, user.user_entryid or None, group=False)
    changes: dict[str, Any] = {"props": _props(user.propmap, user.mv_propmap)}
    texts = {
        "name": user.username,
        "full_name": user.full_name,
        "email": user.mail_address,
        "password": user.password or None,
    }
    numbers = {
        "object_class": user.obj_class or UNCHANGED,
        "admin_level": user.is_admin,
        "hidden": user.is_ab_hidden,
        "capacity": user.capacity,
    }
    changes |= {field: text for field, text in texts.items() if text is not None}
    changes |= {field: number for field, number in numbers.items() if number != UNCHANGED}
    if "hidden" in changes:
        changes["hidden"] = bool(changes["hidden"])
    accounts.change_account(context.tx, context.actor, account, changes)
    return Result()


@writes(calls.DeleteUser)
def delete_user(context: Context, call: calls.DeleteUser) -> Result:
    """Delete a user; the store is orphaned."""
    accounts.require_admin(context.actor)
    account = _account(context, call.user_id, call.user_entryid, group=False)
    stores.orphan_all(context.tx, context.actor, account)
    accounts.delete_account(context.tx, context.actor, account)
    return Result()


@reads(calls.GetUser)
def get_user(context: Context, call: calls.GetUser) -> calls.GetUserReply:
    """A user."""
    account = _account(context, call.user_id, call.user_entryid, group=False)
    return calls.GetUserReply(_user(context, account))


@reads(calls.GetUserList)
def get_user_list(context: Context, call: calls.GetUserList) -> calls.UserListReply:
    """All users but contacts."""
    found = accounts.accounts(context.tx, groups=False)
    return _users(context, (one for one in found if one.object_class != ObjectClass.CONTACT))


@reads(calls.ResolveUsername)
def resolve_username(context: Context, call: calls.ResolveUsername) -> calls.ResolveUserReply:
    """The ids of a login name."""
    account = accounts.account_named(context.tx, required(call.username, "lpszUsername"))
    if account.is_group:
        raise NotFound(f"{account.name} is a group")
    return calls.ResolveUserReply(account.id, account.entryid)


@reads(calls.GetSendAsList)
def get_send_as_list(context: Context, call: calls.GetSendAsList) -> calls.UserListReply:
    """Who may send as a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    return _users(context, groups.senders(context.tx, account))


@writes(calls.AddSendAsUser)
def add_send_as_user(context: Context, call: calls.AddSendAsUser) -> Result:
    """Let somebody send as a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    sender = accounts.resolve(context.tx, context.actor, call.sender_id, call.sender_entryid)
    groups.add_sender(context.tx, context.actor, account, sender)
    return Result()


@writes(calls.DelSendAsUser)
def del_send_as_user(context: Context, call: calls.DelSendAsUser) -> Result:
    """Let somebody no longer send as a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    sender = accounts.resolve(context.tx, context.actor, call.sender_id, call.sender_entryid)
    groups.remove_sender(context.tx, context.actor, account, sender)
    return Result()


# -- groups


#: Groups have the lists of features too, but nothing in them.
_NO_FEATURES: Final[Props] = {pt.PR_EC_ENABLED_FEATURES: (), pt.PR_EC_DISABLED_FEATURES: ()}


def _group(context: Context, account: Account) -> Group:
    binary = bool(context.session.capabilities & EXTENDED_ANON)
    features: Props = {} if account.id == EVERYONE_ID else _NO_FEATURES
    single, multiple = _maps(features | account.props, binary=binary)
    return Group(
        group_id=account.id,
        group_entryid=account.entryid,
        group_name=account.name,
        full_name=account.full_name,
        full_email=account.email,
        is_ab_hidden=int(account.hidden),
        propmap=single,
        mv_propmap=multiple,
    )


@writes(calls.CreateGroup)
def create_group(context: Context, call: calls.CreateGroup) -> calls.SetGroupReply:
    """Create a group."""
    group = required(call.group, "lpsGroup")
    new = NewAccount(
        name=required(group.group_name, "lpszGroupname"),
        full_name=required(group.full_name, "lpszFullname"),
        email=group.full_email or "",
        object_class=ObjectClass.SECURITY_GROUP,
        hidden=bool(group.is_ab_hidden),
        props=_props(group.propmap, group.mv_propmap),
    )
    account = accounts.create_account(context.tx, context.actor, new)
    return calls.SetGroupReply(account.id, account.entryid)


@writes(calls.SetGroup)
def set_group(context: Context, call: calls.SetGroup) -> Result:
    """Change a group."""
    accounts.require_admin(context.actor)
    group = required(call.group, "lpsGroup")
    account = _account(context, group.group_id, group.group_entryid or None, group=True)
    changes: dict[str, Any] = {"props": _props(group.propmap, group.mv_propmap)}
    texts = (("name", group.group_name), ("full_name", group.full_name), ("email", group.full_email))
    changes |= {field: text for field, text in texts if text is not None}
    if group.is_ab_hidden != UNCHANGED:
        changes["hidden"] = bool(group.is_ab_hidden)
    accounts.change_account(context.tx, context.actor, account, changes)
    return Result()


@reads(calls.GetGroup)
def get_group(context: Context, call: calls.GetGroup) -> calls.GetGroupReply:
    """A group."""
    account = _account(context, call.group_id, call.group_entryid, group=True)
    return calls.GetGroupReply(_group(context, account))


@reads(calls.GetGroupList)
def get_group_list(context: Context, call: calls.GetGroupList) -> calls.GroupListReply:
    """All groups."""
    found = accounts.accounts(context.tx, groups=True)
    return calls.GroupListReply([_group(context, account) for account in found])


@writes(calls.GroupDelete)
def group_delete(context: Context, call: calls.GroupDelete) -> Result:
    """Delete a group."""
    account = _account(context, call.group_id, call.group_entryid, group=True)
    accounts.delete_account(context.tx, context.actor, account)
    return Result()


@reads(calls.ResolveGroupname)
def resolve_groupname(context: Context, call: calls.ResolveGroupname) -> calls.ResolveGroupReply:
    """The ids of a group's name."""
    account = accounts.account_named(context.tx, required(call.group_name, "lpszGroupname"))
    if not account.is_group:
        raise NotFound(f"{account.name} is no group")
    return calls.ResolveGroupReply(account.id, account.entryid)


@writes(calls.AddGroupUser)
def add_group_user(context: Context, call: calls.AddGroupUser) -> Result:
    """Add a member."""
    group = _account(context, call.group_id, call.group_entryid, group=True)
    member = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    groups.add_member(context.tx, context.actor, group, member)
    return Result()


@writes(calls.DeleteGroupUser)
def delete_group_user(context: Context, call: calls.DeleteGroupUser) -> Result:
    """Remove a member."""
    group = _account(context, call.group_id, call.group_entryid, group=True)
    member = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    groups.remove_member(context.tx, context.actor, group, member)
    return Result()


@reads(calls.GetUserListOfGroup)
def get_user_list_of_group(context: Context, call: calls.GetUserListOfGroup) -> calls.UserListReply:
    """The members of a group."""
    group = _account(context, call.group_id, call.group_entryid, group=True)
    found = groups.members(context.tx, group)
    if group.id == EVERYONE_ID:
        # Everyone is also said to contain itself and SYSTEM.
        found = [group, accounts.account_by_id(context.tx, SYSTEM_ID), *found]
    return _users(context, found)


@reads(calls.GetGroupListOfUser)
def get_group_list_of_user(context: Context, call: calls.GetGroupListOfUser) -> calls.GroupListReply:
    """The groups of a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    return calls.GroupListReply([_group(context, one) for one in groups.groups_of(context.tx, account)])


# -- quota


def _own_or_admin(context: Context, account: Account) -> None:
    if account.id != context.actor.user_id:
        accounts.require_admin(context.actor)


@reads(calls.GetQuota)
def get_quota(context: Context, call: calls.GetQuota) -> calls.QuotaReply:
    """Quota settings of a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    _own_or_admin(context, account)
    levels = groups.quota(context.tx, account.id)
    return calls.QuotaReply(Quota(levels.is_default, False, levels.warn, levels.soft, levels.hard))


@writes(calls.SetQuota)
def set_quota(context: Context, call: calls.SetQuota) -> Result:
    """Change quota settings; for administrators only."""
    quota = required(call.quota, "lpsQuota")
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    if min(quota.warn_size, quota.soft_size, quota.hard_size) < 0:
        raise InvalidParameter("a quota is not negative")
    levels = Levels(quota.warn_size, quota.soft_size, quota.hard_size, quota.use_default_quota)
    groups.set_quota(context.tx, context.actor, account.id, levels)
    return Result()


@reads(calls.GetQuotaStatus)
def get_quota_status(context: Context, call: calls.GetQuotaStatus) -> calls.QuotaStatusReply:
    """How full a user's store is."""
    if not call.user_id and not call.user_entryid:
        raise InvalidParameter("a user must be named")
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    if account.is_group or account.object_class == ObjectClass.CONTACT:
        raise InvalidParameter(f"{account.name} has no store", code=ErrorCode.INVALID_TYPE)
    size, state = groups.quota_status(context.tx, context.actor, account)
    return calls.QuotaStatusReply(size, int(state))


@reads(calls.GetQuotaRecipients)
def get_quota_recipients(context: Context, call: calls.GetQuotaRecipients) -> calls.UserListReply:
    """Who gets quota mails: the user himself."""
    accounts.require_admin(context.actor)
    return _users(context, [accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)])


# -- what needs a hosted installation


def _unsupported(context: Any, call: Call[Any]) -> Any:
    raise NotSupported("this is no hosted installation")


def _admin_unsupported(context: Context, call: Call[Any]) -> Any:
    if not context.actor.is_system and context.actor.admin_level < 1:
        raise NoAccess("only an administrator may do this")
    raise NotSupported("this is no hosted installation")


_HOSTED: Final[tuple[type[Call[Any]], ...]] = (
    calls.CreateCompany,
    calls.SetCompany,
    calls.GetCompany,
    calls.GetCompanyList,
    calls.DeleteCompany,
    calls.ResolveCompanyname,
    calls.AddCompanyToRemoteViewList,
    calls.DelCompanyFromRemoteViewList,
    calls.GetRemoteViewList,
    calls.AddUserToRemoteAdminList,
    calls.DelUserFromRemoteAdminList,
    calls.GetRemoteAdminList,
)
_HOSTED_ADMIN: Final[tuple[type[Call[Any]], ...]] = (calls.AddQuotaRecipient, calls.DeleteQuotaRecipient)
for _call in _HOSTED:
    quick(_call)(_unsupported)
for _call in _HOSTED_ADMIN:
    reads(_call)(_admin_unsupported)
