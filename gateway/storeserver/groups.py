"""Who belongs to which group, who may send as whom, and quotas."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi.errors import Collision, InvalidParameter, NoAccess, NotFound
from gateway.storeserver import schema
from gateway.storeserver.accounts import (
    EVERYONE_ID,
    SYSTEM_ID,
    Account,
    Actor,
    accounts,
    accounts_by_id,
    require_admin,
)
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement

_members: Final = schema.members
_send_as: Final = schema.send_as
_GROUPS_OF: Final = Statement(sa.select(_members.c.group_id).where(_members.c.user_id == sa.bindparam("user")))


def members(tx: Transaction, group: Account) -> list[Account]:
    """The direct members of a group; Everyone's are all users but SYSTEM."""
    if group.id == EVERYONE_ID:
        return [user for user in accounts(tx, groups=False) if user.id != SYSTEM_ID]
    query = sa.select(_members.c.user_id).where(_members.c.group_id == group.id).order_by(_members.c.user_id)
    return accounts_by_id(tx, list(tx.connection.execute(query).scalars()))


def groups_of(tx: Transaction, account: Account) -> list[Account]:
    """The groups an account belongs to directly, and Everyone."""
    query = sa.select(_members.c.group_id).where(_members.c.user_id == account.id)
    direct = sorted(tx.connection.execute(query).scalars())
    return accounts_by_id(tx, [EVERYONE_ID, *direct])


def all_group_ids(tx: Transaction, user_id: int) -> frozenset[int]:
    """Every group a user belongs to, through other groups too, Everyone included."""
    key = ("groups", user_id)
    if key not in tx.cache:
        found = {EVERYONE_ID}
        pending = deque([user_id])
        while pending:
            fresh = set(tx.column(_GROUPS_OF, user=pending.popleft())) - found
            found |= fresh
            pending.extend(fresh)
        tx.cache[key] = frozenset(found)
    result: frozenset[int] = tx.cache[key]
    return result


def add_member(tx: Transaction, actor: Actor, group: Account, member: Account) -> None:
    """Add a user or group to a group (Collision when it is in already)."""
    require_admin(actor)
    if not group.is_group or group.id == EVERYONE_ID:
        raise InvalidParameter(f"{group.name} takes no members")
    if member.id in tx.connection.execute(_ids_of_members(group)).scalars().all():
        raise Collision(f"{member.name} is in {group.name} already")
    tx.connection.execute(_members.insert(), {"group_id": group.id, "user_id": member.id})
    tx.cache.pop(("groups", member.id), None)


def _ids_of_members(group: Account) -> sa.Select[Any]:
    return sa.select(_members.c.user_id).where(_members.c.group_id == group.id)


def remove_member(tx: Transaction, actor: Actor, group: Account, member: Account) -> None:
    """Take a user or group out of a group (NotFound when it is not in)."""
    require_admin(actor)
    where = sa.and_(_members.c.group_id == group.id, _members.c.user_id == member.id)
    if not tx.connection.execute(_members.delete().where(where)).rowcount:
        raise NotFound(f"{member.name} is not in {group.name}")
    tx.cache.pop(("groups", member.id), None)


def senders(tx: Transaction, account: Account) -> list[Account]:
    """Who may send as this account."""
    query = sa.select(_send_as.c.sender_id).where(_send_as.c.account_id == account.id)
    return accounts_by_id(tx, sorted(tx.connection.execute(query).scalars()))


def add_sender(tx: Transaction, actor: Actor, account: Account, sender: Account) -> None:
    """Allow ``sender`` to send as ``account`` (Collision when it may already)."""
    require_admin(actor)
    if sender.id in {known.id for known in senders(tx, account)}:
        raise Collision(f"{sender.name} may send as {account.name} already")
    tx.connection.execute(_send_as.insert(), {"account_id": account.id, "sender_id": sender.id})


def remove_sender(tx: Transaction, actor: Actor, account: Account, sender: Account) -> None:
    """No longer allow it (NotFound when it was not allowed)."""
    require_admin(actor)
    where = sa.and_(_send_as.c.account_id == account.id, _send_as.c.sender_id == sender.id)
    if not tx.connection.execute(_send_as.delete().where(where)).rowcount:
        raise NotFound(f"{sender.name} may not send as {account.name}")


@dataclass(frozen=True, slots=True)
class Quota:
    """Quota levels in bytes, 0 for none."""

    warn: int = 0
    soft: int = 0
    hard: int = 0
    is_default: bool = True
    """The server's levels apply."""


class QuotaState(IntEnum):
    """How full a store is."""

    OK = 0
    WARN = 1
    SOFT = 2
    """No sending."""
    HARD = 3
    """No sending, no saving."""


_QUOTA: Final = Statement(
    sa.select(
        schema.accounts.c.own_quota,
        schema.accounts.c.quota_warn,
        schema.accounts.c.quota_soft,
        schema.accounts.c.quota_hard,
    ).where(schema.accounts.c.id == sa.bindparam("user"))
)


def quota(tx: Transaction, user_id: int) -> Quota:
    """The levels that apply to a user."""
    row = tx.row(_QUOTA, user=user_id)
    if row is None or not row[0]:
        return Quota(tx.options.quota_warn, tx.options.quota_soft, tx.options.quota_hard)
    _, warn, soft, hard = row
    return Quota(warn, soft, hard, is_default=False)


def set_quota(tx: Transaction, actor: Actor, user_id: int, levels: Quota) -> None:
    """Set a user's own levels, or return to the server's."""
    require_admin(actor)
    values = {
        "own_quota": not levels.is_default,
        "quota_warn": levels.warn,
        "quota_soft": levels.soft,
        "quota_hard": levels.hard,
    }
    tx.connection.execute(schema.accounts.update().where(schema.accounts.c.id == user_id).values(**values))


def state_of(levels: Quota, size: int) -> QuotaState:
    """How full a store of this size is."""
    for level, state in (
        (levels.hard, QuotaState.HARD),
        (levels.soft, QuotaState.SOFT),
        (levels.warn, QuotaState.WARN),
    ):
        if level and size > level:
            return state
    return QuotaState.OK


def quota_status(tx: Transaction, actor: Actor, user: Account) -> tuple[int, QuotaState]:
    """Size of a user's store in bytes, and its state (the own, or any for administrators)."""
    if not actor.is_system and actor.admin_level < 1 and actor.user_id != user.id:
        raise NoAccess("only an administrator may see another user's quota")
    columns = schema.stores.c
    query = sa.select(columns.size).where(columns.owner_id == user.id, columns.type == 0)
    size = tx.connection.execute(query).scalar()
    if size is None:
        raise NotFound(f"{user.name} has no store")
    return int(size), state_of(quota(tx, user.id), int(size))
