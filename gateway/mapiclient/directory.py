"""The address book: names resolved, entries listed and searched, users, groups, send-as, quota.

An entry's properties are those of MS-OXOABK as far as the store has them; addresses of its own users have the
type ``ZARAFA`` and carry their mail address in PR_SMTP_ADDRESS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.ids import GLOBAL_ADDRESS_BOOK
from gateway.mapi.props import Prop, Props, PropTag, present
from gateway.mapi.restrictions import Restriction, equals
from gateway.mapi.tables import ObjectType, SortKey, TableType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.table import Table
from gateway.mapiclient.wire.calls_directory import (
    AbResolveNames,
    GetGroupListOfUser,
    GetQuota,
    GetQuotaStatus,
    GetSendAsList,
    GetUser,
    ReadAbProps,
    ResolveUsername,
)
from gateway.mapiclient.wire.structs import Group, User

_EXACT: Final = 1

#: What is usually wanted of an entry.
COLUMNS: Final = (
    pr.PR_ENTRYID,
    pr.PR_DISPLAY_NAME,
    pr.PR_SMTP_ADDRESS,
    pr.PR_ACCOUNT,
    pr.PR_ADDRTYPE,
    pr.PR_EMAIL_ADDRESS,
    pr.PR_OBJECT_TYPE,
    pr.PR_DISPLAY_TYPE,
    pr.PR_DISPLAY_TYPE_EX,
    pr.PR_SEARCH_KEY,
)


class Match(IntEnum):
    """What became of a name."""

    NONE = 0
    AMBIGUOUS = 1
    FOUND = 2


@dataclass(frozen=True, slots=True)
class Resolved:
    """A name that was looked up; ``props`` is empty unless it was found."""

    match: Match
    props: Props


@dataclass(frozen=True, slots=True)
class QuotaState:
    """How full a store is; sizes in bytes, limits of 0 mean none. ``level``: 0 fine, 1 warning, 2 soft, 3 hard."""

    size: int
    level: int
    warning: int
    soft: int
    hard: int


async def resolve_names(
    session: Caller, names: Sequence[str], columns: Sequence[PropTag] = COLUMNS, *, exact: bool = False
) -> list[Resolved]:
    """Look names or addresses up, all in one call; the answers in the same order.

    ``exact`` takes only a login name, full name, mail address or alias; otherwise a beginning is enough, and
    several that match are AMBIGUOUS.
    """
    queries: list[list[Prop]] = [[(pr.PR_DISPLAY_NAME, name)] for name in names]
    call = AbResolveNames(
        prop_tags=tuple(columns),
        row_set=queries,
        row_flags=(Match.NONE,) * len(queries),
        flags=_EXACT if exact else 0,
    )
    reply = await session.call(call)
    found = []
    for flag, row in zip(reply.row_flags, reply.row_set, strict=False):
        match = Match(flag) if flag in (Match.AMBIGUOUS, Match.FOUND) else Match.NONE
        found.append(Resolved(match, dict(present(row)) if match is Match.FOUND else {}))
    return found


def entries(
    session: Caller,
    columns: Sequence[PropTag] = COLUMNS,
    *,
    container: bytes = GLOBAL_ADDRESS_BOOK,
    restriction: Restriction | None = None,
) -> Table:
    """The users, groups and contacts of the address book, or the members of a list, by name."""
    return Table(
        session,
        container,
        columns,
        table_type=TableType.AB,
        object_type=ObjectType.MAIL_USER,
        restriction=restriction,
        sort=(SortKey(pr.PR_DISPLAY_NAME),),
    )


def search(session: Caller, text: str, columns: Sequence[PropTag] = COLUMNS) -> Table:
    """The entries of the address book in which a name, address, department or the like begins with a text."""
    return entries(session, columns, restriction=equals(pr.PR_ANR, text))


async def details(session: Caller, entryid: bytes) -> Props:
    """Everything the address book knows of an entry (NotFound)."""
    return dict(present((await session.call(ReadAbProps(entryid=entryid))).prop_vals))


async def own_user(session: Caller) -> User:
    """The session's user."""
    return await _user(session, GetUser())


async def user(session: Caller, entryid: bytes) -> User:
    """A user by the entry id of the address book (NotFound, for groups too)."""
    return await _user(session, GetUser(user_entryid=entryid))


async def user_named(session: Caller, name: str) -> User:
    """A user by login name (NotFound)."""
    return await user(session, (await session.call(ResolveUsername(username=name))).user_entryid)


async def _user(session: Caller, call: GetUser) -> User:
    found = (await session.call(call)).user
    if found is None:
        raise NotFound(call=call.name)
    return found


def features(person: User) -> tuple[frozenset[str], frozenset[str]]:
    """Which features (``imap``, ``pop3``, ``mobile`` ...) are switched on and off for a user."""
    lists = {tag | 1: frozenset(values) for tag, values in person.mv_propmap or ()}
    return lists.get(pr.PR_EC_ENABLED_FEATURES, frozenset()), lists.get(pr.PR_EC_DISABLED_FEATURES, frozenset())


async def groups_of(session: Caller, entryid: bytes) -> list[Group]:
    """The groups a user is directly in, Everyone included."""
    return list((await session.call(GetGroupListOfUser(user_entryid=entryid))).groups)


async def may_send_as(session: Caller, entryid: bytes) -> list[User]:
    """Who may send as a user (NoAccess for others than the user and administrators)."""
    return list((await session.call(GetSendAsList(user_entryid=entryid))).users)


async def quota(session: Caller, entryid: bytes) -> QuotaState:
    """How full a user's store is (NoAccess for others than the user and administrators). Two calls."""
    status = await session.call(GetQuotaStatus(user_entryid=entryid))
    limits = (await session.call(GetQuota(user_entryid=entryid))).quota
    if limits is None:
        return QuotaState(status.store_size, status.quota_status, 0, 0, 0)
    return QuotaState(
        status.store_size, status.quota_status, limits.warn_size, limits.soft_size, limits.hard_size
    )
