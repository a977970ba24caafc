"""Users and groups as they travel: records of the wire made of accounts, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.props import (
    MV_FLAG,
    PT_BINARY,
    PT_STRING8,
    PT_UNICODE,
    Props,
    retyped,
)
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.structs import User
from gateway.storeserver import accounts
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, Account
from gateway.storeserver.context import Context
from gateway.storeserver.sessions import EXTENDED_ANON

UNCHANGED: Final = 0xFFFF_FFFF
"""A number that says "leave it as it is"."""


def maps_of(props: Props, *, binary: bool) -> tuple[list[Any] | None, list[Any] | None]:
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


def user_record(context: Context, account: Account) -> User:
    """A user, or a group that is listed among users."""
    binary = bool(context.session.capabilities & EXTENDED_ANON)
    builtin = account.id in (EVERYONE_ID, SYSTEM_ID)
    single, multiple = (None, None) if builtin else maps_of(account.props, binary=binary)
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


def user_list(context: Context, found: Iterable[Account]) -> calls.UserListReply:
    """The answer of calls that list users."""
    return calls.UserListReply([user_record(context, account) for account in found])


def named_account(context: Context, number: int, entryid: bytes | None, *, group: bool) -> Account:
    """The user or the group that a call names (NotFound when it is the other)."""
    account = accounts.resolve(context.tx, context.actor, number, entryid)
    if account.is_group is not group:
        raise NotFound(f"{account.name} is {'no' if group else 'a'} group")
    return account


def props_of_maps(single: Sequence[Any] | None, multiple: Sequence[Any] | None) -> Props:
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
