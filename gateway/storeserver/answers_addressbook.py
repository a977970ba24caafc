"""Answers about the address book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.props import (
    PT_ERROR,
    Prop,
    Props,
    PropTag,
    canonical,
)
from gateway.mapi.tables import ObjectType, Row
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.calls_session import Result
from gateway.storeserver import accounts, address_book
from gateway.storeserver.accounts import Account
from gateway.storeserver.columns import missing
from gateway.storeserver.context import Context, entryid_of, required
from gateway.storeserver.dispatch import reads

EXACT: Final = 1
MAX_NAMES: Final = 10_000


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
