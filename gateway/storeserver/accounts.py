"""Accounts: users and groups, their passwords, and who a session acts as.

Users and groups share one table and one id space: 1 is the group Everyone, 2 is SYSTEM. Passwords are kept as
argon2id hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import Collision, InvalidParameter, LogonFailed, NoAccess, NotFound
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType
from gateway.storeserver import properties, schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement

EVERYONE_ID: Final = 1
SYSTEM_ID: Final = 2
_FEATURES: Final = ("imap", "mobile", "outlook", "pop3", "webapp")
_NEW, _CHANGED, _DELETED = 1, 2, 5


class ObjectClass(IntEnum):
    """What an address book object is."""

    ACTIVE_USER = 0x10001
    NONACTIVE_USER = 0x10002
    ROOM = 0x10003
    EQUIPMENT = 0x10004
    CONTACT = 0x10005
    DISTRIBUTION_GROUP = 0x30001
    SECURITY_GROUP = 0x30002
    DYNAMIC_GROUP = 0x30003


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a call is made."""

    user_id: int
    admin_level: int = 0
    """0 none, 1 company administrator, 2 system administrator."""
    is_system: bool = False


SYSTEM: Final = Actor(SYSTEM_ID, 2, is_system=True)


@dataclass(frozen=True, slots=True)
class Account:
    """A user or a group, without its password."""

    id: int
    name: str
    external_id: bytes
    object_class: int
    full_name: str
    email: str
    admin_level: int
    hidden: bool
    capacity: int
    props: Props
    """The directory's other properties, by canonical tag; values are str or tuples of str."""

    @property
    def is_group(self) -> bool:
        """Whether it has members."""
        return self.object_class >= ObjectClass.DISTRIBUTION_GROUP

    @property
    def object_type(self) -> ObjectType:
        """Its MAPI object type."""
        return ObjectType.DISTRIBUTION_LIST if self.is_group else ObjectType.MAIL_USER

    @property
    def entryid(self) -> bytes:
        """Its address book entry id."""
        if self.id == EVERYONE_ID:
            return ids.EVERYONE
        if self.id == SYSTEM_ID:
            return ids.SYSTEM_USER
        return ids.address_book_entryid(ids.AddressBookId(self.object_type, self.id, self.external_id))

    @property
    def features(self) -> tuple[str, ...]:
        """The features it may use, such as ``imap`` and ``pop3``."""
        return tuple(self.props.get(p.PR_EC_ENABLED_FEATURES, ()))


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a new user or group starts with."""

    name: str
    full_name: str
    email: str = ""
    password: str = ""
    object_class: int = ObjectClass.ACTIVE_USER
    admin_level: int = 0
    hidden: bool = False
    capacity: int = 0
    props: Props = field(default_factory=dict)


def name_key(name: str) -> bytes:
    """How a name is compared: whatever the case."""
    return name.casefold().encode("utf-8", "replace")


def _account(row: Mapping[Any, Any]) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        external_id=bytes(row["external_id"]),
        object_class=row["object_class"],
        full_name=row["full_name"],
        email=row["email"],
        admin_level=row["admin_level"],
        hidden=bool(row["hidden"]),
        capacity=row["capacity"],
        props=properties.unpack(bytes(row["props"])),
    )


_COLUMNS: Final = tuple(column for column in schema.accounts.columns if column.name != "password")
_SELECT: Final = sa.select(*_COLUMNS)
_BY_ID: Final = Statement(_SELECT.where(schema.accounts.c.id == sa.bindparam("account_id")))
_PASSWORD: Final = Statement(
    sa.select(schema.accounts.c.password).where(schema.accounts.c.id == sa.bindparam("account_id"))
)
_REPLACE_HASH: Final = Statement(
    schema.accounts.update()
    .where(
        schema.accounts.c.id == sa.bindparam("account_id"), schema.accounts.c.password == sa.bindparam("old")
    )
    .values(password=sa.bindparam("new"))
)
_NAMES: Final = tuple(column.name for column in _COLUMNS)


def account_by_id(tx: Transaction, id: int) -> Account:
    """The user or group of that number (NotFound)."""
    key = ("account", id)
    if key not in tx.cache:
        row = tx.row(_BY_ID, account_id=id)
        tx.cache[key] = None if row is None else _account(dict(zip(_NAMES, row, strict=True)))
    account: Account | None = tx.cache[key]
    if account is None:
        raise NotFound(f"there is no account {id}")
    return account


def account_named(tx: Transaction, name: str) -> Account:
    """The user or group of that login name (NotFound)."""
    query = _SELECT.where(schema.accounts.c.name_key == name_key(name))
    row = tx.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no account {name!r}")
    return _account(row)


def account_by_entryid(tx: Transaction, entryid: bytes) -> Account:
    """The user or group of an address book entry id; the external id decides when there is one (NotFound)."""
    try:
        parts = ids.parse_address_book_entryid(entryid)
    except ValueError:
        raise NotFound("not the entry id of a user or group") from None
    if not parts.external:
        return account_by_id(tx, parts.number)
    query = _SELECT.where(schema.accounts.c.external_id == parts.external)
    row = tx.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no account with that external id")
    return _account(row)


def resolve(tx: Transaction, actor: Actor, number: int, entryid: bytes | None) -> Account:
    """The account a call names by number or entry id: nothing at all means the actor.

    The number counts only without an entry id; an empty entry id with a number is InvalidParameter.
    """
    if entryid:
        return account_by_entryid(tx, entryid)
    if entryid is not None and number:
        raise InvalidParameter("a number beside an empty entry id")
    return account_by_id(tx, number or actor.user_id)


def accounts(tx: Transaction, *, groups: bool) -> list[Account]:
    """All users, or all groups, by number."""
    first_group = schema.accounts.c.object_class >= int(ObjectClass.DISTRIBUTION_GROUP)
    query = _SELECT.where(first_group if groups else ~first_group).order_by(schema.accounts.c.id)
    return [_account(row) for row in tx.connection.execute(query).mappings()]


def actor_of(account: Account) -> Actor:
    """Who a session of this user acts as."""
    return SYSTEM if account.id == SYSTEM_ID else Actor(account.id, account.admin_level)


@lru_cache(maxsize=4)
def _hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)


@lru_cache(maxsize=4)
def _nobody(time_cost: int, memory_cost: int) -> str:
    return _hasher(time_cost, memory_cost).hash("nobody has this password")


def _hash(tx: Transaction, password: str) -> str:
    return _hasher(tx.options.password_time, tx.options.password_memory).hash(password)


def authenticate(tx: Transaction, name: str, password: str) -> Account:
    """The active user with this name and password (LogonFailed for every reason, after the same time).

    Takes tens of milliseconds by design: call it in a thread.
    """
    costs = (tx.options.password_time, tx.options.password_memory)
    query = sa.select(schema.accounts).where(schema.accounts.c.name_key == name_key(name))
    row = tx.connection.execute(query).mappings().one_or_none()
    stored = (row["password"] if row is not None else "") or _nobody(*costs)
    try:
        _hasher(*costs).verify(stored, password)
    except (VerificationError, InvalidHashError):
        raise LogonFailed("wrong name or password") from None
    if row is None or not row["password"] or row["object_class"] != ObjectClass.ACTIVE_USER:
        raise LogonFailed("wrong name or password")
    return _account(row)


def renewed_hash(tx: Transaction, account: Account, password: str) -> tuple[str, str] | None:
    """The stored hash of a password that was just proven and a new one, if the costs of hashes have changed since."""
    stored = tx.value(_PASSWORD, account_id=account.id)
    hasher = _hasher(tx.options.password_time, tx.options.password_memory)
    if not stored or not hasher.check_needs_rehash(stored):
        return None
    return stored, hasher.hash(password)


def replace_hash(tx: Transaction, account: Account, old: str, new: str) -> None:
    """Store another hash of the same password, unless the password has been changed meanwhile."""
    tx.run(_REPLACE_HASH, account_id=account.id, old=old, new=new)


def require_admin(actor: Actor) -> None:
    """NoAccess unless the actor administers accounts."""
    if not actor.is_system and actor.admin_level < 1:
        raise NoAccess("only an administrator may do this")


def create_account(tx: Transaction, actor: Actor, new: NewAccount) -> Account:
    """Create a user or group (Collision when the name is taken). A user has no store yet."""
    require_admin(actor)
    if not new.name or not new.full_name:
        raise InvalidParameter("an account needs a name and a full name")
    number = tx.take("account")
    insert_account(tx, number, new, tx.random(16))
    return account_by_id(tx, number)


def insert_account(tx: Transaction, number: int, new: NewAccount, external_id: bytes) -> None:
    """Add the row of an account (Collision when the name is taken)."""
    key = name_key(new.name)
    taken = sa.select(schema.accounts.c.id).where(schema.accounts.c.name_key == key)
    if tx.connection.execute(taken).first() is not None:
        raise Collision(f"the name {new.name!r} is taken")
    is_group = new.object_class >= ObjectClass.DISTRIBUTION_GROUP
    tx.connection.execute(
        schema.accounts.insert(),
        {
            "id": number,
            "name": new.name,
            "name_key": key,
            "external_id": external_id,
            "object_class": int(new.object_class),
            "full_name": new.full_name,
            "email": new.email,
            "password": _hash(tx, new.password) if new.password else "",
            "admin_level": new.admin_level,
            "hidden": new.hidden,
            "capacity": new.capacity,
            "props": properties.pack(new.props if is_group else _with_features(tx, new.props)),
            "own_quota": False,
            "quota_warn": 0,
            "quota_soft": 0,
            "quota_hard": 0,
        },
    )
    tx.cache.pop(("account", number), None)
    record_change(tx, account_by_id(tx, number), _NEW)


def _with_features(tx: Transaction, props: Props) -> Props:
    if p.PR_EC_ENABLED_FEATURES in props or p.PR_EC_DISABLED_FEATURES in props:
        return props
    disabled = tx.options.disabled_features
    return props | {
        p.PR_EC_ENABLED_FEATURES: tuple(name for name in _FEATURES if name not in disabled),
        p.PR_EC_DISABLED_FEATURES: tuple(name for name in _FEATURES if name in disabled),
    }


#: What users may change about themselves; other changes of theirs are dropped silently (setUser).
_OWN_CHANGES: Final = frozenset({"password", "hidden", "capacity", "props"})
_CHANGEABLE: Final = _OWN_CHANGES | {"name", "full_name", "email", "object_class", "admin_level"}


def change_account(tx: Transaction, actor: Actor, account: Account, changes: Mapping[str, Any]) -> None:
    """Change fields of an account; ``changes`` has names of `NewAccount`'s fields."""
    if unknown := changes.keys() - _CHANGEABLE:
        raise InvalidParameter(f"an account has no {', '.join(sorted(unknown))}")
    if not actor.is_system and actor.admin_level < 1:
        if account.id != actor.user_id:
            raise NoAccess("only an administrator may change another account")
        changes = {name: value for name, value in changes.items() if name in _OWN_CHANGES}
    values = dict(changes)
    if "password" in values:
        values["password"] = _hash(tx, values["password"])
    if "props" in values:
        values["props"] = properties.pack(values["props"])
    if "name" in values:
        values["name_key"] = _free_name(tx, account, values["name"])
    if not values:
        return
    update = schema.accounts.update().where(schema.accounts.c.id == account.id)
    tx.connection.execute(update.values(**values))
    tx.cache.pop(("account", account.id), None)
    record_change(tx, account_by_id(tx, account.id), _CHANGED)


def _free_name(tx: Transaction, account: Account, name: str) -> bytes:
    key = name_key(name)
    query = sa.select(schema.accounts.c.id).where(schema.accounts.c.name_key == key)
    if tx.connection.execute(query).scalar() not in (None, account.id):
        raise Collision(f"the name {name!r} is taken")
    return key


def delete_account(tx: Transaction, actor: Actor, account: Account) -> None:
    """Delete a user or group. A user's store becomes an orphan (`stores.unhook` first)."""
    require_admin(actor)
    if account.id in (EVERYONE_ID, SYSTEM_ID):
        raise NoAccess("Everyone and SYSTEM cannot be deleted")
    for table, columns in (
        (schema.members, ("group_id", "user_id")),
        (schema.send_as, ("account_id", "sender_id")),
        (schema.access, ("user_id",)),
        (schema.accounts, ("id",)),
    ):
        where = sa.or_(*[table.columns[name] == account.id for name in columns])
        tx.connection.execute(table.delete().where(where))
    tx.cache.pop(("account", account.id), None)
    record_change(tx, account, _DELETED)


def record_change(tx: Transaction, account: Account, action: int) -> None:
    """Note the account's latest change for address book synchronisation."""
    if account.id in (EVERYONE_ID, SYSTEM_ID):
        return
    log = schema.account_changes
    tx.connection.execute(log.delete().where(log.c.account_id == account.id))
    tx.connection.execute(
        log.insert(),
        {
            "id": tx.take("account_change"),
            "account_id": account.id,
            "action": action,
            "entryid": account.entryid,
        },
    )


def create_builtin(tx: Transaction) -> None:
    """Create Everyone and SYSTEM in a new database."""
    everyone = NewAccount("Everyone", "Everyone", object_class=ObjectClass.SECURITY_GROUP)
    insert_account(tx, EVERYONE_ID, everyone, b"")
    insert_account(tx, SYSTEM_ID, NewAccount("SYSTEM", "SYSTEM", admin_level=2), b"")


def accounts_by_id(tx: Transaction, numbers: Sequence[int]) -> list[Account]:
    """The accounts of these numbers that exist, in the order of the numbers."""
    query = _SELECT.where(schema.accounts.c.id.in_(numbers))
    found = {row["id"]: _account(row) for row in tx.connection.execute(query).mappings()}
    return [found[number] for number in numbers if number in found]
