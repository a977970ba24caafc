"""Answers about tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.props import PropTag
from gateway.mapi.tables import Row, TableFlags
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.calls_table import (
    OpenRequest,
    RowCount,
    RowsReply,
    TableBookmarkReply,
    TableClose,
    TableCollapseRow,
    TableCollapseRowReply,
    TableCreateBookmark,
    TableExpandRow,
    TableExpandRowReply,
    TableFindRow,
    TableFreeBookmark,
    TableGetCollapseState,
    TableGetCollapseStateReply,
    TableGetRowCount,
    TableMulti,
    TableMultiReply,
    TableOpen,
    TableOpenReply,
    TableQueryColumns,
    TableQueryColumnsReply,
    TableQueryRows,
    TableRequest,
    TableRestrict,
    TableSeekRow,
    TableSeekRowReply,
    TableSetCollapseState,
    TableSetCollapseStateReply,
    TableSetColumns,
    TableSort,
)
from gateway.storeserver.context import Context, Quick, required
from gateway.storeserver.dispatch import quick, reads
from gateway.storeserver.rowsources import source_of
from gateway.storeserver.tables import Table

ALL_COLUMNS: Final = 1
DO_NOT_ADVANCE: Final = 1
BACKWARD: Final = 1
CLEAR_RESTRICTION: Final = 1
MAX_ROWS: Final = 1_000_000


def _open(context: Context, call: TableOpen | OpenRequest) -> tuple[int, Table[Any]]:
    """Open a table; its number."""
    source, interest = source_of(context, call.entryid, call.table_type, call.type, call.flags)
    table: Table[Any] = Table(source, capped=not call.flags & TableFlags.NOCAP)
    number = context.session.add_table(table)
    if interest is not None:
        context.server.tables.add(table, interest, context.since)
    # The session may have ended meanwhile, and nobody else would take the table out of the index.
    context.after.append(partial(_check_open, context, table))
    return number, table


def _check_open(context: Context, table: Table[Any]) -> None:
    if context.session.closed:
        context.server.tables.remove(table)


@reads(TableOpen)
def table_open(context: Context, call: TableOpen) -> TableOpenReply:
    """Open a table."""
    return TableOpenReply(0, _open(context, call)[0])


@quick(TableClose)
def table_close(context: Quick, call: TableClose) -> Result:
    """Free a table."""
    table = context.session.tables.pop(call.table_id, None)
    if table is None:
        raise NotFound("there is no such table")
    context.server.tables.remove(table)
    context.server.notifier.forget_table(table)
    return Result()


@reads(TableSetColumns)
def table_set_columns(context: Context, call: TableSetColumns) -> Result:
    """Choose columns."""
    tags = required(call.prop_tags, "aPropTag")
    table = context.session.table(call.table_id)
    with table.lock:
        table.set_columns(tags)
    return Result()


@reads(TableQueryColumns)
def table_query_columns(context: Context, call: TableQueryColumns) -> TableQueryColumnsReply:
    """The present columns, or all there could be."""
    table = context.session.table(call.table_id)
    with table.lock:
        tags: Sequence[PropTag] = (
            table.available_columns(context.tx) if call.flags & ALL_COLUMNS else table.columns
        )
    return TableQueryColumnsReply(0, tags)


@reads(TableSort)
def table_sort(context: Context, call: TableSort) -> Result:
    """Sort, and group."""
    order = required(call.sort_order, "aSortOrder")
    table = context.session.table(call.table_id)
    with table.lock:
        table.sort(order, call.categories, call.expanded)
    return Result()


@reads(TableRestrict)
def table_restrict(context: Context, call: TableRestrict) -> Result:
    """Filter, or show all rows."""
    table = context.session.table(call.table_id)
    with table.lock:
        table.restrict(call.restrict)
    return Result()


@reads(TableGetRowCount)
def table_get_row_count(context: Context, call: TableGetRowCount) -> RowCount:
    """How many rows, and which is next."""
    table = context.session.table(call.table_id)
    with table.lock:
        return RowCount(0, *table.count(context.tx))


def _query(context: Context, table: Table[Any], count: int, flags: int) -> list[Row]:
    return table.query(context.tx, min(count, MAX_ROWS), advance=not flags & DO_NOT_ADVANCE)


@reads(TableQueryRows)
def table_query_rows(context: Context, call: TableQueryRows) -> RowsReply:
    """The next rows."""
    table = context.session.table(call.table_id)
    with table.lock:
        return RowsReply(0, _query(context, table, call.row_count, call.flags))


@reads(TableFindRow)
def table_find_row(context: Context, call: TableFindRow) -> Result:
    """Go to a matching row."""
    if call.restrict is None:
        raise InvalidParameter("lpsRestrict is missing")
    table = context.session.table(call.table_id)
    with table.lock:
        table.find(context.tx, call.restrict, call.bookmark, backward=bool(call.flags & BACKWARD))
    return Result()


@reads(TableSeekRow)
def table_seek_row(context: Context, call: TableSeekRow) -> TableSeekRowReply:
    """Move the position."""
    table = context.session.table(call.table_id)
    with table.lock:
        return TableSeekRowReply(0, table.seek(context.tx, call.bookmark, call.row_count))


@reads(TableCreateBookmark)
def table_create_bookmark(context: Context, call: TableCreateBookmark) -> TableBookmarkReply:
    """Remember the present row."""
    table = context.session.table(call.table_id)
    with table.lock:
        return TableBookmarkReply(0, table.bookmark(context.tx))


@reads(TableFreeBookmark)
def table_free_bookmark(context: Context, call: TableFreeBookmark) -> Result:
    """Forget a bookmark."""
    table = context.session.table(call.table_id)
    with table.lock:
        table.free_bookmark(call.position)
    return Result()


@reads(TableExpandRow)
def table_expand_row(context: Context, call: TableExpandRow) -> TableExpandRowReply:
    """Open a category."""
    table = context.session.table(call.table_id)
    with table.lock:
        rows, more = table.expand(context.tx, call.instance_key, min(call.row_count, MAX_ROWS))
    return TableExpandRowReply(0, rows, more)


@reads(TableCollapseRow)
def table_collapse_row(context: Context, call: TableCollapseRow) -> TableCollapseRowReply:
    """Close a category."""
    table = context.session.table(call.table_id)
    with table.lock:
        return TableCollapseRowReply(0, table.collapse(context.tx, call.instance_key))


@reads(TableGetCollapseState)
def table_get_collapse_state(context: Context, call: TableGetCollapseState) -> TableGetCollapseStateReply:
    """Which categories are open."""
    table = context.session.table(call.table_id)
    with table.lock:
        return TableGetCollapseStateReply(table.collapse_state(context.tx, call.bookmark))


@reads(TableSetCollapseState)
def table_set_collapse_state(context: Context, call: TableSetCollapseState) -> TableSetCollapseStateReply:
    """Open the categories that were open."""
    table = context.session.table(call.table_id)
    with table.lock:
        return TableSetCollapseStateReply(table.set_collapse_state(context.tx, call.collapse_state))


@reads(TableMulti)
def table_multi(context: Context, call: TableMulti) -> TableMultiReply:
    """Several steps on one table."""
    request = required(call.request, "sRequest")
    number, table = 0, None
    if request.open is not None:
        number, table = _open(context, request.open)
    elif request.table_id:
        table = context.session.table(request.table_id)
    if table is None:
        raise InvalidParameter("neither a table nor one to open")
    try:
        with table.lock:
            rows = _steps(context, table, request)
    except Exception:
        if number:
            context.close_table(number, table)
        raise
    return TableMultiReply(0, number, rows)


def _steps(context: Context, table: Table[Any], request: TableRequest) -> Sequence[Row]:
    if request.sort is not None:
        table.sort(request.sort.sort_order, request.sort.categories, request.sort.expanded)
    if request.set_columns is not None:
        table.set_columns(request.set_columns)
    if request.restrict is not None or request.flags & CLEAR_RESTRICTION:
        table.restrict(request.restrict)
    if request.query_rows is None:
        return ()
    return _query(context, table, request.query_rows.count, request.query_rows.flags)
