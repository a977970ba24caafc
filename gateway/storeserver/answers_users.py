"""Answers about users."""

from __future__ import annotations

from functools import partial
from typing import Any

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.calls_session import Result
from gateway.storeserver import accounts, groups, stores
from gateway.storeserver.accountrecords import UNCHANGED, named_account, props_of_maps, user_list, user_record
from gateway.storeserver.accounts import NewAccount, ObjectClass
from gateway.storeserver.context import Context, required
from gateway.storeserver.dispatch import reads, writes


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
        props=props_of_maps(user.propmap, user.mv_propmap),
    )
    account = accounts.create_account(context.tx, context.actor, new)
    return calls.SetUserReply(account.id, account.entryid)


@writes(calls.SetUser)
def set_user(context: Context, call: calls.SetUser) -> Result:
    """Change a user: absent texts and 0xFFFFFFFF leave things as they are."""
    user = required(call.user, "lpsUser")
    account = named_account(context, user.user_id, user.user_entryid or None, group=False)
    changes: dict[str, Any] = {"props": props_of_maps(user.propmap, user.mv_propmap)}
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
    account = named_account(context, call.user_id, call.user_entryid, group=False)
    stores.orphan_all(context.tx, context.actor, account)
    context.after.append(partial(context.server.end_sessions_of, account.id))
    accounts.delete_account(context.tx, context.actor, account)
    return Result()


@reads(calls.GetUser)
def get_user(context: Context, call: calls.GetUser) -> calls.GetUserReply:
    """A user."""
    account = named_account(context, call.user_id, call.user_entryid, group=False)
    return calls.GetUserReply(user_record(context, account))


@reads(calls.GetUserList)
def get_user_list(context: Context, call: calls.GetUserList) -> calls.UserListReply:
    """All users but contacts."""
    found = accounts.accounts(context.tx, groups=False)
    return user_list(context, (one for one in found if one.object_class != ObjectClass.CONTACT))


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
    return user_list(context, groups.senders(context.tx, account))


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
