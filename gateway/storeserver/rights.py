"""Rights: who may do what with an object, and the access control lists.

SYSTEM, administrators and the owner of a store may do everything in it (an archive store is read-only for its
owner). Everybody may see and read the store object and its root folder; the creator of an object may see and
read it. Otherwise the first object on the way from the object to its store that has a GRANT entry for the user
or one of the user's groups decides, with the union of these entries. DENY entries are kept but not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import sqlalchemy as sa

from gateway.mapi.errors import InvalidParameter, NoAccess, NotFound
from gateway.mapi.rights import Access, AccessEntry, AccessType, EntryState, Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import locate, schema
from gateway.storeserver.accounts import (
    EVERYONE_ID,
    Account,
    Actor,
    ObjectClass,
    account_by_entryid,
    account_by_id,
    accounts_by_id,
)
from gateway.storeserver.database import Transaction
from gateway.storeserver.groups import all_group_ids
from gateway.storeserver.locate import Folder, Message, Store
from gateway.storeserver.statements import Statement

ALL: Final = int(Rights.OWNER)
_VISIBLE: Final = int(Rights.READ_ANY | Rights.FOLDER_VISIBLE)
_CREATOR: Final = int(Rights.READ_ANY | Rights.CREATE | Rights.FOLDER_VISIBLE)
_ARCHIVE: Final = 2
_access: Final = schema.access
_LISTED: Final = Statement(
    sa.select(_access.c.object_id).where(_access.c.object_id.in_(sa.bindparam("ids", expanding=True)))
)
_ENTRIES: Final = Statement(
    sa.select(_access.c.object_id, _access.c.rights).where(
        _access.c.object_id.in_(sa.bindparam("ids", expanding=True)),
        _access.c.user_id.in_(sa.bindparam("users", expanding=True)),
        _access.c.type == int(AccessType.GRANT),
    )
)


def is_master(tx: Transaction, actor: Actor, store: Store) -> bool:
    """Whether the actor may do everything in the store."""
    if actor.is_system or actor.admin_level >= 1:
        return True
    return store.owner_id == actor.user_id and not store.orphan and store.type != _ARCHIVE


def on_store(tx: Transaction, actor: Actor, store: Store) -> int:
    """The actor's rights on a store object."""
    if is_master(tx, actor, store):
        return ALL
    return _VISIBLE | _granted(tx, actor, [store.id])


def on_folder(tx: Transaction, actor: Actor, folder: Folder) -> int:
    """The actor's rights on a folder."""
    return _on(tx, actor, folder.store_id, folder.id, folder.owner_id, [])


def on_message(tx: Transaction, actor: Actor, message: Message) -> int:
    """The actor's rights on a message."""
    own = [message.id]
    return _on(tx, actor, message.store_id, message.folder_id, message.owner_id, own, message=True)


def on_messages(tx: Transaction, actor: Actor, messages: Sequence[Message]) -> dict[int, int]:
    """The actor's rights on many messages by hierarchy id, with few statements."""
    result: dict[int, int] = {}
    listed: set[int] = set()
    for chunk in locate.chunks([message.id for message in messages]):
        listed |= set(tx.column(_LISTED, ids=chunk))
    for message in messages:
        # Only a message with entries of its own needs more than its folder.
        own = [message.id] if message.id in listed else []
        result[message.id] = _on(
            tx, actor, message.store_id, message.folder_id, message.owner_id, own, message=True
        )
    return result


def in_folder(tx: Transaction, actor: Actor, folder_id: int, store_id: int) -> int:
    """The actor's rights on a folder's messages, as far as they do not depend on who created one."""
    return _on(tx, actor, store_id, folder_id, None, [])


def _on(
    tx: Transaction,
    actor: Actor,
    store_id: int,
    folder_id: int,
    owner_id: int | None,
    own: list[int],
    *,
    message: bool = False,
) -> int:
    store = locate.store_by_id(tx, store_id)
    if is_master(tx, actor, store):
        return ALL
    # Who made things in a store that has no owner has no part in it any more.
    if store.orphan:
        return 0
    rights = _CREATOR if owner_id == actor.user_id else 0
    if store.type == _ARCHIVE and store.owner_id == actor.user_id:
        return rights | _VISIBLE
    if folder_id == store.root_id and not message:
        rights |= _VISIBLE
    key = ("rights", actor.user_id, folder_id, *own)
    if key not in tx.cache:
        tx.cache[key] = _granted(tx, actor, [*own, *locate.ancestors(tx, folder_id), store_id])
    return rights | int(tx.cache[key])


def _granted(tx: Transaction, actor: Actor, path: list[int]) -> int:
    principals = {actor.user_id} | all_group_ids(tx, actor.user_id)
    found = _entries(tx, principals, path)
    return next((found[object_id] for object_id in path if object_id in found), 0)


def _entries(tx: Transaction, principals: set[int], object_ids: Sequence[int]) -> dict[int, int]:
    """What each object grants to any of the principals."""
    found: dict[int, int] = {}
    for object_id, rights in tx.rows(_ENTRIES, ids=object_ids, users=list(principals)):
        found[object_id] = found.get(object_id, 0) | rights
    return found


def prefetch(tx: Transaction, actor: Actor, store: Store, folders: Sequence[Folder]) -> None:
    """Look up the actor's rights on many folders of a store with few statements."""
    if is_master(tx, actor, store):
        return
    for folder in folders:
        tx.cache["parent", folder.id] = folder.parent_id
    principals = {actor.user_id} | all_group_ids(tx, actor.user_id)
    paths = {folder.id: [*locate.ancestors(tx, folder.id), store.id] for folder in folders}
    found: dict[int, int] = {}
    for chunk in locate.chunks(sorted({object_id for path in paths.values() for object_id in path})):
        found |= _entries(tx, principals, chunk)
    for folder_id, path in paths.items():
        key = ("rights", actor.user_id, folder_id)
        tx.cache[key] = next((found[object_id] for object_id in path if object_id in found), 0)


def allows_edit(rights: int, *, own: bool) -> bool:
    """Whether these rights allow to change an object, given whether it is the actor's own."""
    return bool(rights & (Rights.EDIT_ANY | (Rights.EDIT_OWNED if own else 0)))


def allows_delete(rights: int, *, own: bool) -> bool:
    """Whether these rights allow to delete an object, given whether it is the actor's own."""
    return bool(rights & (Rights.DELETE_ANY | (Rights.DELETE_OWNED if own else 0)))


def require(rights: int, wanted: int) -> None:
    """NoAccess unless all the wanted rights are there."""
    if rights & wanted != wanted:
        raise NoAccess(f"needs the rights {wanted:#x}, has {rights:#x}")


def require_folder(tx: Transaction, actor: Actor, folder: Folder, wanted: int) -> None:
    """NoAccess unless the actor has the wanted rights on the folder."""
    require(on_folder(tx, actor, folder), wanted)


def require_edit(tx: Transaction, actor: Actor, target: Folder | Message) -> None:
    """NoAccess unless the actor may change the folder or message."""
    rights = on_folder(tx, actor, target) if isinstance(target, Folder) else on_message(tx, actor, target)
    if not allows_edit(rights, own=target.owner_id == actor.user_id):
        raise NoAccess("may not change this")


def require_master(tx: Transaction, actor: Actor, store: Store) -> None:
    """NoAccess unless the actor owns the store or administers it."""
    if not is_master(tx, actor, store):
        raise NoAccess("only the owner of the store may do this")


@lru_cache(1024)
def access_bits(rights: int, *, own: bool, folder: bool) -> int:
    """PR_ACCESS: what rights mean as MAPI's access bits."""
    access = Access.READ if rights & Rights.READ_ANY else Access(0)
    if allows_edit(rights, own=own):
        access |= Access.MODIFY
    if allows_delete(rights, own=own):
        access |= Access.DELETE
    if folder:
        if rights & Rights.CREATE_SUBFOLDER:
            access |= Access.CREATE_HIERARCHY
        if rights & Rights.CREATE:
            access |= Access.CREATE_CONTENTS
        if rights & Rights.FOLDER_OWNER:
            access |= Access.CREATE_ASSOCIATED
    return int(access)


def access_level(access: int) -> int:
    """PR_ACCESS_LEVEL of a folder or message: 1 when something may be written."""
    return 1 if access & ~Access.READ else 0


def target_id(tx: Transaction, entryid: bytes) -> tuple[int, int]:
    """Hierarchy id and owner of the store, folder or message of an entry id (NotFound)."""
    found: Store | Folder | Message
    match locate.object_type(entryid):
        case ObjectType.STORE:
            found = locate.store_by_entryid(tx, entryid)
        case ObjectType.FOLDER:
            found = locate.folder_by_entryid(tx, entryid)
        case ObjectType.MESSAGE:
            found = locate.message_by_entryid(tx, entryid)
        case _:
            raise NotFound("not the entry id of a store object")
    return found.id, found.owner_id


def owner_of(tx: Transaction, entryid: bytes) -> Account:
    """The owner recorded on an object: of a store its owner, else its creator (getOwner)."""
    return account_by_id(tx, target_id(tx, entryid)[1])


def rights_on(tx: Transaction, actor: Actor, entryid: bytes) -> int:
    """The actor's rights on the store, folder or message of an entry id (NotFound)."""
    match locate.object_type(entryid):
        case ObjectType.STORE:
            return on_store(tx, actor, locate.store_by_entryid(tx, entryid))
        case ObjectType.FOLDER:
            return on_folder(tx, actor, locate.folder_by_entryid(tx, entryid))
        case ObjectType.MESSAGE:
            return on_message(tx, actor, locate.message_by_entryid(tx, entryid))
    raise NotFound("not the entry id of a store object")


def entries(tx: Transaction, entryid: bytes, kind: int) -> list[AccessEntry]:
    """The entries set on this very object; ``kind`` is one of `AccessType` (getRights). Anyone may read them."""
    object_id, _ = target_id(tx, entryid)
    kinds = [int(AccessType.DENIED), int(AccessType.GRANT)] if kind == AccessType.BOTH else [kind]
    query = (
        sa.select(_access.c.user_id, _access.c.type, _access.c.rights)
        .where(_access.c.object_id == object_id, _access.c.type.in_(kinds))
        .order_by(_access.c.type, _access.c.user_id)
    )
    rows = tx.connection.execute(query).all()
    known = {account.id: account for account in accounts_by_id(tx, [row.user_id for row in rows])}
    return [
        AccessEntry(row.user_id, row.type, row.rights, EntryState.NORMAL, known[row.user_id].entryid)
        for row in rows
        if row.user_id in known
    ]


def set_entries(tx: Transaction, actor: Actor, entryid: bytes, changed: Iterable[AccessEntry]) -> None:
    """Add, change and remove entries of an object as each one's state says (setRights)."""
    require(rights_on(tx, actor, entryid), Rights.FOLDER_OWNER)
    object_id, _ = target_id(tx, entryid)
    for entry in changed:
        state = entry.state & ~EntryState.AUTO_UPDATE_DENIED
        if state == EntryState.NORMAL:
            continue
        account = _principal(tx, entry)
        if entry.access_type not in (AccessType.DENIED, AccessType.GRANT):
            raise InvalidParameter("an entry either denies or grants")
        grant(
            tx, object_id, account.id, None if state == EntryState.DELETE else entry.rights, entry.access_type
        )


def _principal(tx: Transaction, entry: AccessEntry) -> Account:
    if entry.user_entryid:
        account = account_by_entryid(tx, entry.user_entryid)
    else:
        account = account_by_id(tx, entry.user_id)
    # Rights go to active users and security groups; an entry that is removed may name anyone.
    if entry.state & EntryState.DELETE or account.id == EVERYONE_ID:
        return account
    if account.object_class not in (ObjectClass.ACTIVE_USER, ObjectClass.SECURITY_GROUP):
        raise InvalidParameter(f"{account.name} can be given no rights")
    return account


def grant(
    tx: Transaction, object_id: int, user_id: int, rights: int | None, kind: int = AccessType.GRANT
) -> None:
    """Set or, with None, remove one entry."""
    where = sa.and_(_access.c.object_id == object_id, _access.c.user_id == user_id, _access.c.type == int(kind))
    tx.connection.execute(_access.delete().where(where))
    if rights is not None:
        row = {"object_id": object_id, "user_id": user_id, "type": int(kind), "rights": rights}
        tx.connection.execute(_access.insert(), row)
    for key in [key for key in tx.cache if isinstance(key, tuple) and key[0] == "rights"]:
        del tx.cache[key]
