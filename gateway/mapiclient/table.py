"""Tables: listings of a store, read in batches (MS-OXCTABL).

Opening, columns, sort order, restriction and the first batch are one round trip; a listing that fits into one
batch costs nothing more than closing the table, which nobody waits for. A table whose session was logged on
again is opened again and moved to the same place; rows that came or went meanwhile shift that place, as they do in
any table that is not sorted by something lasting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeVar

from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props, PropTag, present
from gateway.mapi.restrictions import Restriction
from gateway.mapi.tables import Bookmark, ObjectType, Row, SortKey, TableFlags, TableType
from gateway.mapiclient.calling import Caller, detached
from gateway.mapiclient.errors import HandlesLost
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
    TableRestrict,
    TableSeekRow,
    TableSort,
)
from gateway.mapiclient.wire.schema import Call

R = TypeVar("R")

DEFAULT_BATCH: Final = 1000
#: A position that took more searches than this to reach is not found again after a lost session.
_MOST_MOVES: Final = 64


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
        self._id = self._epoch = 0
        self._moves: list[_Seek | _Find] = []
        """What leads to the position when the table must be opened again, before `_read` rows."""
        self._read = 0

    @property
    def key(self) -> bytes:
        """What a subscription to `Event.TABLE_MODIFIED` names the open table by."""
        return self._id.to_bytes(4, "little")

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
        self._first = await self._reopen(self._batch)
        self._read = len(self._first)
        self._ended = self._read < self._batch
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._id:
            detached(self._session, TableClose(table_id=self._id), epoch=self._epoch)
            self._id = 0

    async def _reopen(self, rows: int) -> list[Row]:
        """Open the table on the server, and read its first rows."""
        request = TableRequest(
            open=self._open,
            set_columns=self._columns,
            restrict=self._restriction,
            sort=SortRequest(sort_order=self._sort) if self._sort else None,
            query_rows=QueryRowsRequest(count=rows) if rows else None,
        )
        reply = await self._session.call(TableMulti(request=request))
        self._id, self._epoch = reply.table_id, self._session.epoch
        return list(reply.row_set)

    async def _call(self, make: Callable[[int], Call[R]]) -> R:
        """A call on the table, which is opened again, once, when the session was logged on again meanwhile."""
        try:
            return await self._session.call(make(self._id), epoch=self._epoch)
        except HandlesLost:
            if len(self._moves) > _MOST_MOVES:
                raise
        await self._reopen(0)
        for move in (*self._moves, *([_Seek(Bookmark.CURRENT, self._read)] if self._read else [])):
            again: Call[Any] = move(self._id)
            await self._session.call(again, epoch=self._epoch)
        return await self._session.call(make(self._id), epoch=self._epoch)

    # Rows

    async def query(self, count: int) -> list[Row]:
        """The next rows, at most ``count``; none at the end."""
        if self._first:
            rows, self._first = self._first[:count], self._first[count:]
            return rows
        if self._ended:
            return []
        reply = await self._call(lambda table: TableQueryRows(table_id=table, row_count=count))
        self._ended = len(reply.row_set) < count
        self._read += len(reply.row_set)
        return list(reply.row_set)

    async def batches(self) -> AsyncIterator[list[Row]]:
        """All rows from the current position on, batch by batch."""
        while rows := await self.query(self._batch):
            yield rows

    async def __aiter__(self) -> AsyncIterator[Row]:
        """All rows from the current position on; they are read in batches."""
        async for rows in self.batches():
            for row in rows:
                yield row

    async def row_count(self) -> int:
        """How many rows there are under the restriction."""
        return (await self._call(lambda table: TableGetRowCount(table_id=table))).count

    # Position

    async def seek(self, bookmark: int = Bookmark.BEGINNING, rows: int = 0) -> int:
        """Move; returns how many rows it went, which may be fewer than asked."""
        # Rows that were read ahead: the server is further than the reader.
        ahead = len(self._first) if bookmark == Bookmark.CURRENT else 0
        move = _Seek(bookmark, rows - ahead)
        sought = (await self._call(move)).rows_sought
        if bookmark == Bookmark.CURRENT:
            self._read += sought
        else:
            self._moves, self._read = [move], 0
        self._moved()
        return sought + ahead

    async def find_row(self, restriction: Restriction, *, start: int = Bookmark.BEGINNING) -> bool:
        """Move to the next row that matches; False, and no move, when none does."""
        if start == Bookmark.CURRENT and self._first:
            await self.seek(Bookmark.CURRENT)
        move = _Find(start, restriction)
        try:
            await self._call(move)
        except NotFound:
            return False
        if start == Bookmark.CURRENT:
            self._moves += [_Seek(Bookmark.CURRENT, self._read), move]
        else:
            self._moves = [move]
        self._read = 0
        self._moved()
        return True

    def _moved(self) -> None:
        self._first = []
        self._ended = False

    # Another view of the same rows

    async def restrict(self, restriction: Restriction | None) -> None:
        """Filter, or show all rows again; the position is the beginning afterwards."""
        await self._call(lambda table: TableRestrict(table_id=table, restrict=restriction))
        self._restriction = restriction
        self._moves, self._read = [], 0
        self._moved()

    async def sort(self, keys: Sequence[SortKey]) -> None:
        """Sort, or take the natural order; the position is the beginning afterwards."""
        await self._call(lambda table: TableSort(table_id=table, sort_order=tuple(keys)))
        self._sort = tuple(keys)
        self._moves, self._read = [], 0
        self._moved()


@dataclass(frozen=True, slots=True)
class _Seek:
    """A move that can be made again."""

    bookmark: int
    rows: int

    def __call__(self, table: int) -> TableSeekRow:
        return TableSeekRow(table_id=table, bookmark=self.bookmark, row_count=self.rows)


@dataclass(frozen=True, slots=True)
class _Find:
    """A search that can be made again."""

    start: int
    restriction: Restriction

    def __call__(self, table: int) -> TableFindRow:
        return TableFindRow(table_id=table, bookmark=self.start, flags=0, restrict=self.restriction)


async def rows_of(table: Table) -> list[Props]:
    """All rows of a small table as dicts, values that are missing left out."""
    found: list[Props] = []
    async with table:
        async for rows in table.batches():
            found += [dict(present(row)) for row in rows]
    return found
