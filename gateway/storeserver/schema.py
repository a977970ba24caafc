"""The tables of the embedded store, in SQLAlchemy Core and portable SQL.

What decides the layout: a contents table of 100,000 messages must be read in one statement without touching
bodies. So a message has its constantly asked properties as columns, a small packed dictionary (``hot``) of
what lists usually show in the same row, the other short properties packed in `details`, and every long
value in a row of its own in `long_values`, where attachment data and stored mails refer to `instances`.

Ids of stores, folders, messages and their parts come from one sequence (the hierarchy ids of the wire).
Times are FILETIMEs. ``state`` holds the hierarchy flags: `ASSOCIATED` and `DELETED`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

#: The version of this schema; a database of another version is refused.
VERSION: Final = 1

ASSOCIATED: Final = 0x40
"""``state``: a folder-associated message."""
DELETED: Final = 0x400
"""``state``: soft-deleted, kept until it is purged or restored by a move."""

metadata: Final = MetaData()


def _number() -> TypeEngine[Any]:
    """64-bit numbers; in SQLite an INTEGER key is the row's address."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _key(length: int) -> TypeEngine[Any]:
    """Bytes that can be indexed."""
    return LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql", "mariadb")


def _blob() -> TypeEngine[Any]:
    return LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


def _id(name: str = "id") -> Column[Any]:
    return Column(name, _number(), primary_key=True, autoincrement=False)


server: Final = Table(
    "server",
    metadata,
    _id(),
    Column("version", Integer, nullable=False),
    Column("guid", _key(16), nullable=False),
    Column("hierarchy", _number(), nullable=False),
    Column("imap", _number(), nullable=False),
    Column("change", _number(), nullable=False),
    Column("source", _number(), nullable=False),
    Column("account", _number(), nullable=False),
    Column("account_change", _number(), nullable=False),
    Column("sync", _number(), nullable=False),
    Column("name", _number(), nullable=False),
    Column("instance", _number(), nullable=False),
)

stores: Final = Table(
    "stores",
    metadata,
    _id(),
    Column("guid", _key(16), nullable=False, unique=True),
    Column("entryid", _key(255), nullable=False, unique=True),
    Column("type", Integer, nullable=False),
    Column("owner_id", _number(), nullable=False),
    Column("root_id", _number(), nullable=False),
    Column("orphan", Boolean, nullable=False),
    Column("former_owner", String(255), nullable=False),
    Column("size", _number(), nullable=False),
    Column("created", _number(), nullable=False),
    Column("modified", _number(), nullable=False),
    Index("stores_owner", "owner_id", "type"),
)

receive_folders: Final = Table(
    "receive_folders",
    metadata,
    _id("store_id"),
    Column("class_key", _key(255), primary_key=True),
    Column("message_class", String(255), nullable=False),
    Column("folder_id", _number(), nullable=False),
)

folders: Final = Table(
    "folders",
    metadata,
    _id(),
    Column("store_id", _number(), nullable=False),
    Column("parent_id", _number(), nullable=True),
    Column("type", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("owner_id", _number(), nullable=False),
    Column("name", String(1024), nullable=False),
    Column("name_key", _key(1000), nullable=False),
    Column("entryid", _key(255), nullable=False, unique=True),
    Column("source_key", _key(255), nullable=False),
    Column("change_id", _number(), nullable=False),
    Column("change_key", _key(255), nullable=True),
    Column("created", _number(), nullable=False),
    Column("modified", _number(), nullable=False),
    Column("deleted_on", _number(), nullable=True),
    Column("committed", _number(), nullable=True),
    Column("messages", _number(), nullable=False),
    Column("unread", _number(), nullable=False),
    Column("associated", _number(), nullable=False),
    Column("deleted_messages", _number(), nullable=False),
    Column("deleted_associated", _number(), nullable=False),
    Column("subfolders", _number(), nullable=False),
    Column("deleted_subfolders", _number(), nullable=False),
    Index("folders_parent", "parent_id", "state", "name_key"),
    Index("folders_store", "store_id"),
    Index("folders_source_key", "source_key"),
)

messages: Final = Table(
    "messages",
    metadata,
    _id(),
    Column("folder_id", _number(), nullable=False),
    Column("state", Integer, nullable=False),
    Column("imap_id", _number(), nullable=False),
    Column("message_flags", _number(), nullable=False),
    Column("status", _number(), nullable=True),
    Column("size", _number(), nullable=False),
    Column("delivered", _number(), nullable=True),
    Column("created", _number(), nullable=False),
    Column("modified", _number(), nullable=False),
    Column("deleted_on", _number(), nullable=True),
    Column("store_id", _number(), nullable=False),
    Column("owner_id", _number(), nullable=False),
    Column("modifier_id", _number(), nullable=False),
    Column("change_id", _number(), nullable=False),
    Column("change_key", _key(255), nullable=True),
    Column("source_key", _key(255), nullable=False),
    Column("entryid", _key(255), nullable=False, unique=True),
    Column("hot", _blob(), nullable=False),
    Index("messages_folder", "folder_id", "state", "imap_id"),
    Index("messages_source_key", "source_key"),
    Index("messages_deleted", "deleted_on"),
)

#: The recipients, attachments and embedded messages of a message, and theirs; ``message_id`` is the outermost.
parts: Final = Table(
    "parts",
    metadata,
    _id(),
    Column("message_id", _number(), nullable=False, index=True),
    Column("parent_id", _number(), nullable=False),
    Column("type", Integer, nullable=False),
    Column("created", _number(), nullable=False),
    Column("modified", _number(), nullable=False),
    Column("props", _blob(), nullable=False),
)

#: The short properties that are neither columns nor hot, of stores, folders and messages.
details: Final = Table("details", metadata, _id("object_id"), Column("props", _blob(), nullable=False))

#: Long values; exactly one of ``value`` (packed) and ``instance_id`` is set.
long_values: Final = Table(
    "long_values",
    metadata,
    _id("object_id"),
    Column("tag", _number(), primary_key=True, autoincrement=False),
    Column("top_id", _number(), nullable=False, index=True),
    Column("size", _number(), nullable=False),
    Column("instance_id", _number(), nullable=True, index=True),
    Column("value", _blob(), nullable=True),
)

#: Attachment data and stored mails, once per content; ``data`` is NULL when a file holds it.
instances: Final = Table(
    "instances",
    metadata,
    _id(),
    Column("hash", _key(32), nullable=False, unique=True),
    Column("size", _number(), nullable=False),
    Column("data", _blob(), nullable=True),
)

#: What a search folder shows; without a row it was never told, or was stopped.
searches: Final = Table(
    "searches",
    metadata,
    _id("folder_id"),
    Column("flags", Integer, nullable=False),
    Column("restriction", _blob(), nullable=False),
    Column("folders", _blob(), nullable=False),
)

outgoing: Final = Table(
    "outgoing",
    metadata,
    _id("message_id"),
    Column("flags", Integer, nullable=False),
    Column("store_id", _number(), nullable=False),
    Column("submitted", _number(), nullable=False),
)

access: Final = Table(
    "access",
    metadata,
    _id("object_id"),
    Column("user_id", _number(), primary_key=True, autoincrement=False),
    Column("type", Integer, primary_key=True, autoincrement=False),
    Column("rights", _number(), nullable=False),
)

#: The change log. ``class`` is 1 for messages, 2 for folders; a newer row of the same action replaces the older.
changes: Final = Table(
    "changes",
    metadata,
    _id(),
    Column("parent_id", _number(), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("change_type", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("associated", Boolean, nullable=False),
    Column("sync_id", _number(), nullable=False),
    Column("source_key", _key(255), nullable=False),
    Column("parent_source_key", _key(255), nullable=False),
    Index("changes_parent", "parent_id", "kind", "id"),
    UniqueConstraint("source_key", "change_type", "parent_id", name="changes_object"),
)

syncs: Final = Table(
    "syncs",
    metadata,
    _id(),
    Column("folder_id", _number(), nullable=False),
    Column("source_key", _key(255), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("change_id", _number(), nullable=False),
    Column("refreshed", _number(), nullable=False),
)

#: What the client of a restricted synchronisation has: the message ids, 8 bytes each.
sync_sets: Final = Table(
    "sync_sets",
    metadata,
    _id("sync_id"),
    Column("change_id", _number(), primary_key=True, autoincrement=False),
    Column("members", _blob(), nullable=False),
)

names: Final = Table(
    "names",
    metadata,
    _id(),
    Column("guid", _key(16), nullable=False),
    Column("key", _key(511), nullable=False),
    UniqueConstraint("guid", "key", name="names_name"),
)

#: Users and groups; their ids share one sequence.
accounts: Final = Table(
    "accounts",
    metadata,
    _id(),
    Column("name", String(255), nullable=False),
    Column("name_key", _key(1000), nullable=False, unique=True),
    Column("external_id", _key(64), nullable=False),
    Column("object_class", Integer, nullable=False),
    Column("full_name", String(255), nullable=False),
    Column("email", String(255), nullable=False),
    Column("password", String(255), nullable=False),
    Column("admin_level", Integer, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("props", _blob(), nullable=False),
    Column("own_quota", Boolean, nullable=False),
    Column("quota_warn", _number(), nullable=False),
    Column("quota_soft", _number(), nullable=False),
    Column("quota_hard", _number(), nullable=False),
)

members: Final = Table(
    "members",
    metadata,
    _id("group_id"),
    Column("user_id", _number(), primary_key=True, autoincrement=False),
    Index("members_user", "user_id"),
)

send_as: Final = Table(
    "send_as",
    metadata,
    _id("account_id"),
    Column("sender_id", _number(), primary_key=True, autoincrement=False),
)

#: The latest change of every address book object, deletions included.
account_changes: Final = Table(
    "account_changes",
    metadata,
    _id(),
    Column("account_id", _number(), nullable=False, unique=True),
    Column("action", Integer, nullable=False),
    Column("entryid", _key(255), nullable=False),
)
