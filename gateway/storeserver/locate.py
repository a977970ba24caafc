"""Finding objects: from entry ids, hierarchy ids and source keys to the rows of stores, folders and messages.

Lookups by entry id ignore the flags field, as the server does. An unknown, malformed or deleted
object is NotFound; an empty entry id is InvalidParameter, as most calls answer it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.tables import ObjectType
from gateway.storeserver import schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.schema import ASSOCIATED, DELETED
from gateway.storeserver.statements import Statement

#: So many values go into one IN (...).
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Store:
    """A row of `schema.stores`."""

    id: int
    guid: bytes
    entryid: bytes
    type: int
    owner_id: int
    root_id: int
    orphan: bool
    former_owner: str
    size: int
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A row of `schema.folders`."""

    id: int
    store_id: int
    parent_id: int | None
    type: int
    state: int
    owner_id: int
    name: str
    name_key: bytes
    entryid: bytes
    source_key: bytes
    change_id: int
    change_key: bytes | None
    created: int
    modified: int
    deleted_on: int | None
    committed: int | None
    messages: int
    unread: int
    associated: int
    deleted_messages: int
    deleted_associated: int
    subfolders: int
    deleted_subfolders: int

    @property
    def is_deleted(self) -> bool:
        """Whether it is soft-deleted."""
        return bool(self.state & DELETED)


@dataclass(frozen=True, slots=True)
class Message:
    """A row of `schema.messages`."""

    id: int
    folder_id: int
    state: int
    imap_id: int
    message_flags: int
    status: int | None
    size: int
    delivered: int | None
    created: int
    modified: int
    deleted_on: int | None
    store_id: int
    owner_id: int
    modifier_id: int
    change_id: int
    change_key: bytes | None
    source_key: bytes
    entryid: bytes
    hot: bytes

    @property
    def is_deleted(self) -> bool:
        """Whether it is soft-deleted."""
        return bool(self.state & DELETED)

    @property
    def is_associated(self) -> bool:
        """Whether it is a folder-associated message."""
        return bool(self.state & ASSOCIATED)


_STORE: Final = sa.select(schema.stores)
_STORE_BY_ID: Final = Statement(_STORE.where(schema.stores.c.id == sa.bindparam("id_")))
_STORE_BY_ENTRYID: Final = Statement(_STORE.where(schema.stores.c.entryid == sa.bindparam("entryid_")))
_STORE_BY_GUID: Final = Statement(_STORE.where(schema.stores.c.guid == sa.bindparam("guid_")))
_FOLDER: Final = sa.select(schema.folders)
_FOLDER_BY_ID: Final = Statement(_FOLDER.where(schema.folders.c.id == sa.bindparam("id_")))
_FOLDER_BY_ENTRYID: Final = Statement(_FOLDER.where(schema.folders.c.entryid == sa.bindparam("entryid_")))
_FOLDER_BY_SOURCE: Final = Statement(_FOLDER.where(schema.folders.c.source_key == sa.bindparam("key_")))
_IN: Final = schema.folders.c.parent_id.in_(sa.bindparam("parents_", expanding=True))
_BELOW: Final = Statement(_FOLDER.where(_IN).order_by(schema.folders.c.id))
_BELOW_IN_STATE: Final = Statement(
    _FOLDER.where(_IN, schema.folders.c.state == sa.bindparam("state_")).order_by(schema.folders.c.id)
)
_FOLDERS_BY_IDS: Final = Statement(_FOLDER.where(schema.folders.c.id.in_(sa.bindparam("ids_", expanding=True))))
_PARENT: Final = Statement(
    sa.select(schema.folders.c.parent_id).where(schema.folders.c.id == sa.bindparam("id_"))
)
_MESSAGE: Final = sa.select(schema.messages)
_MESSAGE_BY_ENTRYID: Final = Statement(_MESSAGE.where(schema.messages.c.entryid == sa.bindparam("entryid_")))
_MESSAGES_BY_ENTRYIDS: Final = Statement(
    _MESSAGE.where(schema.messages.c.entryid.in_(sa.bindparam("entryids", expanding=True)))
)


def plain(entryid: bytes) -> bytes:
    """The entry id as it is looked up: without its flags field."""
    if not entryid:
        raise InvalidParameter("an empty entry id")
    if len(entryid) < 28 or entryid[26:28] == b"\0\0":
        return entryid
    return entryid[:26] + b"\0\0" + entryid[28:]


def object_type(entryid: bytes) -> ObjectType | None:
    """Store, folder or message, as the entry id says; None when it says something else."""
    entryid = plain(entryid)
    kind = int.from_bytes(entryid[24:26], "little") if len(entryid) >= 28 else 0
    if kind in (ObjectType.STORE, ObjectType.FOLDER, ObjectType.MESSAGE):
        return ObjectType(kind)
    return None


def store_by_id(tx: Transaction, id: int) -> Store:
    """The store of that hierarchy id (NotFound)."""
    key = ("store", id)
    store: Store | None = tx.cache.get(key)
    if store is None:
        row = tx.row(_STORE_BY_ID, id_=id)
        if row is None:
            raise NotFound(f"there is no store {id}")
        store = tx.cache[key] = Store(*row)
    return store


def forget_store(tx: Transaction, id: int) -> None:
    """The row of the store was changed."""
    tx.cache.pop(("store", id), None)


def store_by_entryid(tx: Transaction, entryid: bytes) -> Store:
    """The store of that entry id (NotFound)."""
    return _store(tx.row(_STORE_BY_ENTRYID, entryid_=plain(entryid)))


def store_by_guid(tx: Transaction, guid: bytes) -> Store:
    """The store of that GUID (NotFound)."""
    return _store(tx.row(_STORE_BY_GUID, guid_=guid))


def _store(row: Any) -> Store:
    if row is None:
        raise NotFound("there is no such store")
    return Store(*row)


def _folder(row: Any, *, deleted: bool | None) -> Folder:
    if row is None:
        raise NotFound("there is no such folder")
    folder = Folder(*row)
    if deleted is not None and folder.is_deleted != deleted:
        raise NotFound("the folder is deleted" if folder.is_deleted else "the folder is not deleted")
    return folder


def folder_by_id(tx: Transaction, id: int, *, deleted: bool | None = False) -> Folder:
    """The folder of that hierarchy id; ``deleted`` None takes it in either state (NotFound)."""
    return _folder(tx.row(_FOLDER_BY_ID, id_=id), deleted=deleted)


def folder_by_entryid(tx: Transaction, entryid: bytes, *, deleted: bool | None = False) -> Folder:
    """The folder of that entry id; ``deleted`` None takes it in either state (NotFound)."""
    return _folder(tx.row(_FOLDER_BY_ENTRYID, entryid_=plain(entryid)), deleted=deleted)


def folder_by_source_key(tx: Transaction, source_key: bytes) -> Folder:
    """The folder of that source key (NotFound)."""
    for row in tx.rows(_FOLDER_BY_SOURCE, key_=source_key):
        folder = Folder(*row)
        if not folder.is_deleted:
            return folder
    raise NotFound("there is no folder with that source key")


def message_by_entryid(tx: Transaction, entryid: bytes, *, deleted: bool | None = False) -> Message:
    """The message of that entry id; ``deleted`` None takes it in either state (NotFound)."""
    row = tx.row(_MESSAGE_BY_ENTRYID, entryid_=plain(entryid))
    if row is None:
        raise NotFound("there is no such message")
    message = Message(*row)
    if deleted is not None and message.is_deleted != deleted:
        raise NotFound("the message is deleted" if message.is_deleted else "the message is not deleted")
    return message


def messages_by_entryids(tx: Transaction, entryids: Iterable[bytes]) -> list[Message]:
    """The messages of these entry ids that exist, deleted or not, in the order asked, each once."""
    wanted = list(dict.fromkeys(plain(entryid) for entryid in entryids if entryid))
    found: dict[bytes, Message] = {}
    for chunk in chunks(wanted):
        for row in tx.rows(_MESSAGES_BY_ENTRYIDS, entryids=chunk):
            message = Message(*row)
            found[message.entryid] = message
    return [found[entryid] for entryid in wanted if entryid in found]


def messages_where(tx: Transaction, condition: sa.ColumnElement[bool]) -> list[Message]:
    """The messages for which the condition on `schema.messages` holds, by id."""
    query = _MESSAGE.where(condition).order_by(schema.messages.c.id)
    return [Message(*row) for row in tx.connection.execute(query)]


def folders_where(tx: Transaction, condition: sa.ColumnElement[bool]) -> list[Folder]:
    """The folders for which the condition on `schema.folders` holds, by id."""
    query = _FOLDER.where(condition).order_by(schema.folders.c.id)
    return [Folder(*row) for row in tx.connection.execute(query)]


def children(tx: Transaction, parents: Sequence[int], *, deleted: bool | None = False) -> list[Folder]:
    """The folders directly below some folders (of at most `CHUNK`), by id."""
    if deleted is None:
        rows = tx.rows(_BELOW, parents_=parents)
    else:
        rows = tx.rows(_BELOW_IN_STATE, parents_=parents, state_=DELETED if deleted else 0)
    return [Folder(*row) for row in rows]


def folders_by_ids(tx: Transaction, ids: Sequence[int]) -> list[Folder]:
    """Folders by their hierarchy ids, in no order; those that do not exist are left out."""
    return [Folder(*row) for chunk in chunks(ids) for row in tx.rows(_FOLDERS_BY_IDS, ids_=chunk)]


def subtree(tx: Transaction, folder: Folder, *, deleted: bool | None = False) -> list[Folder]:
    """The folders below a folder at any depth, parents before their children."""
    result: list[Folder] = []
    level = [folder.id]
    while level:
        found = [each for chunk in chunks(level) for each in children(tx, chunk, deleted=deleted)]
        result += found
        level = [child.id for child in found]
    return result


def parent_of(tx: Transaction, folder_id: int) -> int | None:
    """The hierarchy id of a folder's parent; None for a root or an unknown folder."""
    key = ("parent", folder_id)
    if key not in tx.cache:
        tx.cache[key] = tx.value(_PARENT, id_=folder_id)
    parent: int | None = tx.cache[key]
    return parent


def ancestors(tx: Transaction, folder_id: int) -> list[int]:
    """The folder itself and its parents up to the root."""
    result = []
    current: int | None = folder_id
    while current is not None:
        result.append(current)
        current = parent_of(tx, current)
    return result


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
