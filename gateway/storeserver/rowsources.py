"""The tables there are: what each lists, and which changes concern it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from gateway.mapi import proptags as pt
from gateway.mapi.errors import NotFound, NotSupported
from gateway.mapi.props import Props, PropTag, Value
from gateway.mapi.tables import ObjectType, TableFlags, TableType
from gateway.storeserver import address_book, folder_rows, folders, locate, rows, search
from gateway.storeserver.accounts import Actor, account_by_id
from gateway.storeserver.context import Context, entryid_of
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Likely
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.rowplan import RowKind
from gateway.storeserver.statistics import statistics_source
from gateway.storeserver.tableindex import Interest

_Ids: TypeAlias = "Callable[[Transaction], list[int]]"
_Pages: TypeAlias = "Callable[[Transaction, Sequence[PropTag], int, int, Likely | None], Iterator[rows.Rows]]"
_Rows: TypeAlias = "Callable[[Transaction, Sequence[PropTag], Sequence[int] | None], rows.Rows]"

CONTENTS_COLUMNS: Final = (
    pt.PR_ENTRYID,
    pt.PR_DISPLAY_NAME,
    pt.PR_MESSAGE_FLAGS,
    pt.PR_SUBJECT,
    pt.PR_STORE_ENTRYID,
    pt.PR_STORE_RECORD_KEY,
    pt.PR_STORE_SUPPORT_MASK,
    pt.PR_INSTANCE_KEY,
    pt.PR_RECORD_KEY,
    pt.PR_ACCESS,
    pt.PR_ACCESS_LEVEL,
)
HIERARCHY_COLUMNS: Final = (
    pt.PR_ENTRYID,
    pt.PR_DISPLAY_NAME,
    pt.PR_CONTENT_COUNT,
    pt.PR_CONTENT_UNREAD,
    pt.PR_STORE_ENTRYID,
    pt.PR_STORE_RECORD_KEY,
    pt.PR_STORE_SUPPORT_MASK,
    pt.PR_INSTANCE_KEY,
    pt.PR_RECORD_KEY,
    pt.PR_ACCESS,
    pt.PR_ACCESS_LEVEL,
    pt.PR_SUBFOLDERS,
)
ADDRESS_BOOK_COLUMNS: Final = (
    pt.PR_ENTRYID,
    pt.PR_DISPLAY_NAME & ~1,
    pt.PR_INSTANCE_KEY,
    pt.PR_ADDRTYPE & ~1,
    pt.PR_DISPLAY_TYPE,
    pt.PR_DISPLAY_TYPE_EX,
    pt.PR_EMAIL_ADDRESS & ~1,
    pt.PR_SMTP_ADDRESS & ~1,
    pt.PR_OBJECT_TYPE,
    pt.PR_RECORD_KEY,
    pt.PR_SEARCH_KEY,
)
CONTAINER_COLUMNS: Final = (
    pt.PR_ENTRYID,
    pt.PR_DISPLAY_NAME & ~1,
    pt.PR_INSTANCE_KEY,
    pt.PR_DISPLAY_TYPE,
    pt.PR_OBJECT_TYPE,
    pt.PR_RECORD_KEY,
    pt.PR_SEARCH_KEY,
)
STORE_COLUMNS: Final = (
    pt.PR_EC_USERNAME,
    pt.PR_DISPLAY_NAME,
    pt.PR_EC_STOREGUID,
    pt.PR_EC_STORETYPE,
    pt.PR_STORE_ENTRYID,
    pt.PR_LAST_MODIFICATION_TIME,
    pt.PR_MESSAGE_SIZE_EXTENDED,
    pt.PR_OBJECT_TYPE,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A table's rows, as the core reads them (`tablesources.RowSource`)."""

    object_type: int
    default_columns: tuple[PropTag, ...]
    newest_first: bool
    list_ids: _Ids
    list_rows: _Rows
    list_available: Callable[[Transaction], set[PropTag]]
    list_pages: _Pages | None = None
    list_column: Callable[[Transaction, PropTag], list[tuple[int, Value]] | None] | None = None

    def ids(self, tx: Transaction) -> list[int]:
        """The rows' ids in natural order; none when the folder itself is gone."""
        try:
            return self.list_ids(tx)
        except NotFound:
            return []

    def rows(
        self, tx: Transaction, columns: Sequence[PropTag], ids: Sequence[int] | None = None
    ) -> list[tuple[int, Props]]:
        """The rows, or those of the ids; none when the folder itself is gone."""
        try:
            return self.list_rows(tx, columns, ids)
        except NotFound:
            return []

    def listed(self, tx: Transaction, tag: PropTag) -> list[tuple[int, Value]] | None:
        """The ids with a property that is a column of the database; none when the folder itself is gone."""
        if self.list_column is None:
            return None
        try:
            return self.list_column(tx, tag)
        except NotFound:
            return []

    def pages(
        self, tx: Transaction, columns: Sequence[PropTag], first: int, last: int, wanted: Likely | None
    ) -> Iterator[list[tuple[int, Props]]]:
        """Some rows at a time; none when the folder itself is gone."""
        if self.list_pages is None:
            yield self.rows(tx, columns)
            return
        with suppress(NotFound):
            yield from self.list_pages(tx, columns, first, last, wanted)

    def parts(
        self, tx: Transaction, ids: Sequence[int], kind: PropTag, columns: Sequence[PropTag]
    ) -> dict[int, list[Props]]:
        """The recipients or attachments of messages; other objects have none."""
        if self.object_type != ObjectType.MESSAGE:
            return {}
        return rows.part_rows(tx, ids, kind, columns)

    def available(self, tx: Transaction) -> set[PropTag]:
        """The tags that rows can have."""
        return self.list_available(tx)


def source_of(
    context: Context, entryid: bytes, table_type: int, object_type: int, flags: int
) -> tuple[Any, Interest | None]:
    """The rows of a table that is being opened, and which changes concern it.

    Raises NotFound for an object that is not there, NoAccess for tables of administrators, NotSupported for kinds
    this server does not have.
    """
    if table_type == TableType.MS:
        return _folder_table(context, entryid, object_type, flags)
    if table_type == TableType.AB:
        return _address_book_table(context, entryid_of(entryid), object_type), None
    if table_type == TableType.OUTGOING_QUEUE:
        return _queue_table(context, entryid), ("queue", 0)
    if table_type in (TableType.USER_STORES, TableType.MAILBOXES):
        return _store_table(context, table_type), None
    return statistics_source(context, table_type), None


def _folder_table(
    context: Context, entryid: bytes, object_type: int, flags: int
) -> tuple[Source, Interest | None]:
    folder = folder_rows.table_folder(context.tx, entryid_of(entryid))
    if object_type == ObjectType.FOLDER:
        if folder.type == folders.SEARCH:
            raise NotSupported("a search folder has no subfolders")
        return _hierarchy(context, folder, flags)
    if object_type != ObjectType.MESSAGE:
        raise NotSupported("a folder contains messages and folders")
    if folder.type == folders.SEARCH:
        store = locate.store_by_id(context.tx, folder.store_id)
        return _search(context.actor, folder), ("store", store.entryid)
    kind = RowKind(flags & TableFlags.ASSOCIATED | (0x400 if flags & TableFlags.SHOW_SOFT_DELETES else 0))
    return _contents(context.actor, folder, kind), ("contents", folder.id)


def _contents(actor: Actor, folder: Folder, kind: RowKind) -> Source:
    return Source(
        int(ObjectType.MESSAGE),
        CONTENTS_COLUMNS,
        True,
        lambda tx: rows.message_ids(tx, actor, folder.id, kind),
        lambda tx, columns, ids: rows.message_rows(tx, actor, folder.id, columns, kind, ids=ids),
        lambda tx: rows.available_tags(tx, actor, folder.id, kind),
        lambda tx, columns, first, last, wanted: rows.message_pages(
            tx, actor, folder.id, columns, kind, first=first, last=last, wanted=wanted
        ),
        lambda tx, tag: rows.message_column(tx, actor, folder.id, tag, kind),
    )


def _search(actor: Actor, folder: Folder) -> Source:
    """The messages that a search folder finds, wherever they are."""
    return Source(
        int(ObjectType.MESSAGE),
        CONTENTS_COLUMNS,
        True,
        lambda tx: search.result_ids(tx, actor, folder),
        lambda tx, columns, ids: search.result_rows(tx, actor, folder, columns, ids),
        lambda tx: rows.available_tags(tx, actor, folder.id),
    )


def _hierarchy(context: Context, folder: Folder, flags: int) -> tuple[Source, Interest]:
    actor = context.actor
    recursive = bool(flags & TableFlags.CONVENIENT_DEPTH)
    deleted = bool(flags & TableFlags.SHOW_SOFT_DELETES)
    store = locate.store_by_id(context.tx, folder.store_id)
    source = Source(
        int(ObjectType.FOLDER),
        HIERARCHY_COLUMNS,
        True,
        lambda tx: folder_rows.folder_ids(tx, actor, folder.id, recursive=recursive, deleted=deleted),
        lambda tx, columns, ids: folder_rows.folder_rows(
            tx, actor, folder.id, columns, recursive=recursive, deleted=deleted, ids=ids
        ),
        lambda tx: folder_rows.available_tags(tx, actor, folder.id),
    )
    return source, ("tree", store.entryid) if recursive else ("folders", folder.id)


def _address_book_table(context: Context, entryid: bytes, object_type: int) -> Source:
    actor = context.actor
    # Opening fails at once when there is no such container.
    address_book.rows(context.tx, actor, entryid, object_type, (), ())
    available = set(address_book.account_props(context.tx, account_by_id(context.tx, actor.user_id)))
    return Source(
        int(ObjectType.MAIL_USER),
        CONTAINER_COLUMNS if object_type == ObjectType.AB_CONTAINER else ADDRESS_BOOK_COLUMNS,
        False,
        lambda tx: [key for key, _ in address_book.rows(tx, actor, entryid, object_type, ())],
        lambda tx, columns, ids: _book_rows(tx, actor, entryid, object_type, columns, ids),
        lambda tx: available,
    )


def _book_rows(
    tx: Transaction,
    actor: Actor,
    entryid: bytes,
    object_type: int,
    columns: Sequence[PropTag],
    ids: Sequence[int] | None,
) -> rows.Rows:
    """Rows of the address book, where a list of nothing is nothing; containers tell no depth and are found by id."""
    wanted = set(columns) - {pt.PR_DEPTH}
    containers = object_type == ObjectType.AB_CONTAINER
    if containers and pt.PR_SEARCH_KEY in wanted:
        wanted.add(pt.PR_ENTRYID)
    result = []
    for key, props in address_book.rows(tx, actor, entryid, object_type, wanted, ids):
        if containers and pt.PR_SEARCH_KEY in wanted:
            props[pt.PR_SEARCH_KEY] = props[pt.PR_ENTRYID]
        result.append((key, {tag: value for tag, value in props.items() if value != ()}))
    return result


def _queue_table(context: Context, entryid: bytes) -> Source:
    actor = context.actor
    store: Store | None = locate.store_by_entryid(context.tx, entryid) if entryid else None
    rows.queue_ids(context.tx, actor, store)  # NoAccess at once
    return Source(
        int(ObjectType.MESSAGE),
        CONTENTS_COLUMNS,
        False,
        partial(rows.queue_ids, actor=actor, store=store),
        lambda tx, columns, ids: rows.queue_rows(tx, actor, store, columns, ids),
        lambda tx: set(CONTENTS_COLUMNS),
    )


def _store_table(context: Context, table_type: int) -> Source:
    actor = context.actor
    owned_by = actor if table_type == TableType.USER_STORES else None

    def ids(tx: Transaction) -> list[int]:
        return folder_rows.store_ids(tx, owned_by=owned_by)

    def read(tx: Transaction, columns: Sequence[PropTag], wanted: Sequence[int] | None) -> rows.Rows:
        listed = ids(tx)
        chosen = listed if wanted is None else [one for one in wanted if one in set(listed)]
        return folder_rows.store_rows(tx, actor, columns, chosen)

    return Source(int(ObjectType.STORE), STORE_COLUMNS, False, ids, read, lambda tx: set(STORE_COLUMNS))
