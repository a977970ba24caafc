"""Answers about groups, and about the companies of hosted installations."""

from __future__ import annotations

from typing import Any, Final

from gateway.mapi import proptags as pt
from gateway.mapi.errors import NoAccess, NotFound, NotSupported
from gateway.mapi.props import (
    Props,
)
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import Call
from gateway.mapiclient.wire.structs import Group
from gateway.storeserver import accounts, groups
from gateway.storeserver.accountrecords import UNCHANGED, maps_of, named_account, props_of_maps, user_list
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, Account, NewAccount, ObjectClass
from gateway.storeserver.context import Context, required
from gateway.storeserver.dispatch import quick, reads, writes
from gateway.storeserver.sessions import EXTENDED_ANON

#: Groups have the lists of features too, but nothing in them.
_NO_FEATURES: Final[Props] = {pt.PR_EC_ENABLED_FEATURES: (), pt.PR_EC_DISABLED_FEATURES: ()}


def _group(context: Context, account: Account) -> Group:
    binary = bool(context.session.capabilities & EXTENDED_ANON)
    features: Props = {} if account.id == EVERYONE_ID else _NO_FEATURES
    single, multiple = maps_of(features | account.props, binary=binary)
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
        props=props_of_maps(group.propmap, group.mv_propmap),
    )
    account = accounts.create_account(context.tx, context.actor, new)
    return calls.SetGroupReply(account.id, account.entryid)


@writes(calls.SetGroup)
def set_group(context: Context, call: calls.SetGroup) -> Result:
    """Change a group."""
    accounts.require_admin(context.actor)
    group = required(call.group, "lpsGroup")
    account = named_account(context, group.group_id, group.group_entryid or None, group=True)
    changes: dict[str, Any] = {"props": props_of_maps(group.propmap, group.mv_propmap)}
    texts = (("name", group.group_name), ("full_name", group.full_name), ("email", group.full_email))
    changes |= {field: text for field, text in texts if text is not None}
    if group.is_ab_hidden != UNCHANGED:
        changes["hidden"] = bool(group.is_ab_hidden)
    accounts.change_account(context.tx, context.actor, account, changes)
    return Result()


@reads(calls.GetGroup)
def get_group(context: Context, call: calls.GetGroup) -> calls.GetGroupReply:
    """A group."""
    account = named_account(context, call.group_id, call.group_entryid, group=True)
    return calls.GetGroupReply(_group(context, account))


@reads(calls.GetGroupList)
def get_group_list(context: Context, call: calls.GetGroupList) -> calls.GroupListReply:
    """All groups."""
    found = accounts.accounts(context.tx, groups=True)
    return calls.GroupListReply([_group(context, account) for account in found])


@writes(calls.GroupDelete)
def group_delete(context: Context, call: calls.GroupDelete) -> Result:
    """Delete a group."""
    account = named_account(context, call.group_id, call.group_entryid, group=True)
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
    group = named_account(context, call.group_id, call.group_entryid, group=True)
    member = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    groups.add_member(context.tx, context.actor, group, member)
    return Result()


@writes(calls.DeleteGroupUser)
def delete_group_user(context: Context, call: calls.DeleteGroupUser) -> Result:
    """Remove a member."""
    group = named_account(context, call.group_id, call.group_entryid, group=True)
    member = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    groups.remove_member(context.tx, context.actor, group, member)
    return Result()


@reads(calls.GetUserListOfGroup)
def get_user_list_of_group(context: Context, call: calls.GetUserListOfGroup) -> calls.UserListReply:
    """The members of a group."""
    group = named_account(context, call.group_id, call.group_entryid, group=True)
    found = groups.members(context.tx, group)
    if group.id == EVERYONE_ID:
        # Everyone is also said to contain itself and SYSTEM.
        found = [group, accounts.account_by_id(context.tx, SYSTEM_ID), *found]
    return user_list(context, found)


@reads(calls.GetGroupListOfUser)
def get_group_list_of_user(context: Context, call: calls.GetGroupListOfUser) -> calls.GroupListReply:
    """The groups of a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    return calls.GroupListReply([_group(context, one) for one in groups.groups_of(context.tx, account)])


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
