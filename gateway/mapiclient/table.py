"""Tables: listings of a store, read in batches (MS-OXCTABL).

Opening, columns, sort order, restriction and the first batch are one round trip; a listing that fits into one
batch costs nothing more than closing the table, which nobody waits for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Final

from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props, PropTag, present
from gateway.mapi.restrictions import Restriction
from gateway.mapi.tables import Bookmark, ObjectType, Row, SortKey, TableFlags, TableType
from gateway.mapiclient.calling import Caller, detached
from gateway.mapiclient.wire.calls_table import (
    OpenRequest,
    QueryRowsRequest,
    SortRequest,
    TableClose,
    TableFindRow,
    TableGetRowCount,
    TableMulti,
    TableQueryRows,
    TableRequest,
    TableSeekRow,
)

DEFAULT_BATCH: Final = 1000


class Table:
    """An open table; use it as an async context manager.

    >>> async with Table.contents(session, folder, (PR_ENTRYID, PR_SUBJECT)) as table:
    ...     async for rows in table.batches():
    ...         ...
    """

    def __init__(
        self,
        session: Caller,
        entryid: bytes,
        columns: Sequence[PropTag],
        *,
        table_type: int = TableType.MS,
        object_type: int = ObjectType.MESSAGE,
        flags: int = 0,
        restriction: Restriction | None = None,
        sort: Sequence[SortKey] = (),
        batch: int = DEFAULT_BATCH,
    ) -> None:
        self._session = session
        self._open = OpenRequest(
            entryid=entryid, table_type=table_type, type=object_type, flags=flags | TableFlags.UNICODE
        )
        self._columns = tuple(columns)
        self._restriction = restriction
        self._sort = tuple(sort)
        self._batch = batch
        self._first: list[Row] = []
        """Rows that came with the opening and were not asked for yet."""
        self._ended = False
        self._id = 0

    @classmethod
    def contents(
        cls,
        session: Caller,
        folder: bytes,
        columns: Sequence[PropTag],
        *,
        restriction: Restriction | None = None,
        sort: Sequence[SortKey] = (),
        flags: int = 0,
        batch: int = DEFAULT_BATCH,
    ) -> Table:
        """The messages of a folder; `TableFlags` choose associated or soft-deleted ones and whole values."""
        return cls(session, folder, columns, restriction=restriction, sort=sort, flags=flags, batch=batch)

    @classmethod
    def hierarchy(
        cls,
        session: Caller,
        folder: bytes,
        columns: Sequence[PropTag],
        *,
        restriction: Restriction | None = None,
        deep: bool = True,
    ) -> Table:
        """The folders below a folder, at any depth unless ``deep`` is false; not in the order of the tree."""
        return cls(
            session,
            folder,
            columns,
            object_type=ObjectType.FOLDER,
            flags=TableFlags.CONVENIENT_DEPTH if deep else 0,
            restriction=restriction,
        )

    async def __aenter__(self) -> Table:
        request = TableRequest(
            open=self._open,
            set_columns=self._columns,
            restrict=self._restriction,
            sort=SortRequest(sort_order=self._sort) if self._sort else None,
            query_rows=QueryRowsRequest(count=self._batch),
        )
        reply = await self._session.call(TableMulti(request=request))
        self._id = reply.table_id
        self._first = list(reply.row_set)
        self._ended = len(self._first) < self._batch
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._id:
            detached(self._session, TableClose(table_id=self._id))
            self._id = 0

    async def query(self, count: int) -> list[Row]:
        """The next rows, at most ``count``; none at the end."""
        if self._first:
            rows, self._first = self._first[:count], self._first[count:]
            return rows
        if self._ended:
            return []
        reply = await self._session.call(TableQueryRows(table_id=self._id, row_count=count))
        self._ended = len(reply.row_set) < count
        return list(reply.row_set)

    async def batches(self) -> AsyncIterator[list[Row]]:
        """All rows from the current position on, batch by batch."""
        while rows := await self.query(self._batch):
            yield rows

    async def row_count(self) -> int:
        """How many rows there are under the restriction."""
        return (await self._session.call(TableGetRowCount(table_id=self._id))).count

    def _moved(self) -> None:
        self._first = []
        self._ended = False

    async def seek(self, bookmark: int = Bookmark.BEGINNING, rows: int = 0) -> int:
        """Move; returns how many rows it went, which may be fewer than asked."""
        self._moved()
        reply = await self._session.call(TableSeekRow(table_id=self._id, bookmark=bookmark, row_count=rows))
        return reply.rows_sought

    async def find_row(self, restriction: Restriction, *, start: int = Bookmark.BEGINNING) -> bool:
        """Move to the next row that matches; False, and no move, when none does."""
        self._moved()
        try:
            await self._session.call(
                TableFindRow(table_id=self._id, bookmark=start, flags=0, restrict=restriction)
            )
        except NotFound:
            return False
        return True


async def rows_of(table: Table) -> list[Props]:
    """All rows of a small table as dicts, values that are missing left out."""
    found: list[Props] = []
    async with table:
        async for rows in table.batches():
            found += [dict(present(row)) for row in rows]
    return found
