"""Calls about tables: open, columns, sort, restrict, rows, positions, categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import Restriction
from gateway.mapi.tables import Row, SortKey
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.filters import RESTRICTION, SORT_ORDER
from gateway.mapiclient.wire.schema import (
    Call,
    Wait,
    binary,
    field,
    maybe,
    record_of,
    sint,
    uint,
)
from gateway.mapiclient.wire.values import ROWS, TAGS


@dataclass(frozen=True, slots=True)
class TableOpenReply:
    """A table, valid in this session."""

    er: Annotated[int, uint("er")] = 0
    table_id: Annotated[int, uint("ulTableId")] = 0


@dataclass(frozen=True, slots=True)
class TableOpen(Call[TableOpenReply]):
    """Open a table; ``table_type`` is a `TableType`, ``type`` an `ObjectType`, ``flags`` are `TableFlags`."""

    name: ClassVar = "tableOpen"
    entryid: Annotated[bytes, binary("sEntryId")]
    table_type: Annotated[int, uint("ulTableType")]
    type: Annotated[int, uint("ulType")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableClose(Call[Result]):
    """Free a table."""

    name: ClassVar = "tableClose"
    idempotent: ClassVar = True
    table_id: Annotated[int, uint("ulTableId")]


@dataclass(frozen=True, slots=True)
class TableSetColumns(Call[Result]):
    """Choose columns."""

    name: ClassVar = "tableSetColumns"
    idempotent: ClassVar = True
    table_id: Annotated[int, uint("ulTableId")]
    prop_tags: Annotated[Sequence[PropTag] | None, maybe("aPropTag", TAGS)]


@dataclass(frozen=True, slots=True)
class TableQueryColumnsReply:
    """Columns."""

    er: Annotated[int, uint("er")] = 0
    prop_tags: Annotated[Sequence[PropTag], field("sPropTagArray", TAGS)] = ()


@dataclass(frozen=True, slots=True)
class TableQueryColumns(Call[TableQueryColumnsReply]):
    """The present columns, or with flag 1 all there could be."""

    name: ClassVar = "tableQueryColumns"
    idempotent: ClassVar = True
    table_id: Annotated[int, uint("ulTableId")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableSort(Call[Result]):
    """Sort; the first ``categories`` keys group rows. An empty order is the natural one."""

    name: ClassVar = "tableSort"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    table_id: Annotated[int, uint("ulTableId")]
    sort_order: Annotated[Sequence[SortKey] | None, maybe("aSortOrder", SORT_ORDER)]
    categories: Annotated[int, uint("ulCategories")] = 0
    expanded: Annotated[int, uint("ulExpanded")] = 0


@dataclass(frozen=True, slots=True)
class TableRestrict(Call[Result]):
    """Filter; None shows all rows."""

    name: ClassVar = "tableRestrict"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    table_id: Annotated[int, uint("ulTableId")]
    restrict: Annotated[Restriction | None, maybe("lpRestrict", RESTRICTION)] = None


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows, and the present one."""

    er: Annotated[int, uint("er")] = 0
    count: Annotated[int, uint("ulCount")] = 0
    row: Annotated[int, uint("ulRow")] = 0


@dataclass(frozen=True, slots=True)
class TableGetRowCount(Call[RowCount]):
    """Ask how many rows the table has under its present restriction."""

    name: ClassVar = "tableGetRowCount"
    idempotent: ClassVar = True
    kind: ClassVar = Wait.LONG
    table_id: Annotated[int, uint("ulTableId")]


@dataclass(frozen=True, slots=True)
class RowsReply:
    """Rows in the order of the table."""

    er: Annotated[int, uint("er")] = 0
    row_set: Annotated[Sequence[Row], field("sRowSet", ROWS)] = ()


@dataclass(frozen=True, slots=True)
class TableQueryRows(Call[RowsReply]):
    """Read rows from the present position on, and advance unless flag 1."""

    name: ClassVar = "tableQueryRows"
    kind: ClassVar = Wait.LONG
    table_id: Annotated[int, uint("ulTableId")]
    row_count: Annotated[int, uint("ulRowCount")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableFindRow(Call[Result]):
    """Go to the next matching row; flag 1 searches backward. NOT_FOUND leaves the position."""

    name: ClassVar = "tableFindRow"
    kind: ClassVar = Wait.LONG
    table_id: Annotated[int, uint("ulTableId")]
    bookmark: Annotated[int, uint("ulBookmark")]
    flags: Annotated[int, uint("ulFlags")]
    restrict: Annotated[Restriction | None, maybe("lpsRestrict", RESTRICTION)]


@dataclass(frozen=True, slots=True)
class TableSeekRowReply:
    """How far it went."""

    er: Annotated[int, uint("er")] = 0
    rows_sought: Annotated[int, sint("lRowsSought")] = 0


@dataclass(frozen=True, slots=True)
class TableSeekRow(Call[TableSeekRowReply]):
    """Move the position relative to a bookmark."""

    name: ClassVar = "tableSeekRow"
    table_id: Annotated[int, uint("ulTableId")]
    bookmark: Annotated[int, uint("ulBookmark")]
    row_count: Annotated[int, sint("lRowCount")]


@dataclass(frozen=True, slots=True)
class TableBookmarkReply:
    """A bookmark, 3 or more."""

    er: Annotated[int, uint("er")] = 0
    position: Annotated[int, uint("ulbkPosition")] = 0


@dataclass(frozen=True, slots=True)
class TableCreateBookmark(Call[TableBookmarkReply]):
    """Remember the present row."""

    name: ClassVar = "tableCreateBookmark"
    reply_element: ClassVar = "tableBookmarkResponse"
    table_id: Annotated[int, uint("ulTableId")]


@dataclass(frozen=True, slots=True)
class TableFreeBookmark(Call[Result]):
    """Forget a bookmark."""

    name: ClassVar = "tableFreeBookmark"
    table_id: Annotated[int, uint("ulTableId")]
    position: Annotated[int, uint("ulbkPosition")]


@dataclass(frozen=True, slots=True)
class TableExpandRowReply:
    """Rows of a category and how many more there are."""

    er: Annotated[int, uint("er")] = 0
    row_set: Annotated[Sequence[Row], field("rowSet", ROWS)] = ()
    more_rows: Annotated[int, uint("ulMoreRows")] = 0


@dataclass(frozen=True, slots=True)
class TableExpandRow(Call[TableExpandRowReply]):
    """Open a category."""

    name: ClassVar = "tableExpandRow"
    table_id: Annotated[int, uint("ulTableId")]
    instance_key: Annotated[bytes, binary("sInstanceKey")]
    row_count: Annotated[int, uint("ulRowCount")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableCollapseRowReply:
    """How many rows were hidden."""

    er: Annotated[int, uint("er")] = 0
    rows: Annotated[int, uint("ulRows")] = 0


@dataclass(frozen=True, slots=True)
class TableCollapseRow(Call[TableCollapseRowReply]):
    """Close a category."""

    name: ClassVar = "tableCollapseRow"
    table_id: Annotated[int, uint("ulTableId")]
    instance_key: Annotated[bytes, binary("sInstanceKey")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class TableGetCollapseStateReply:
    """An opaque document."""

    collapse_state: Annotated[bytes, binary("sCollapseState")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class TableGetCollapseState(Call[TableGetCollapseStateReply]):
    """Which categories are open, and one row to remember by its instance key."""

    name: ClassVar = "tableGetCollapseState"
    idempotent: ClassVar = True
    table_id: Annotated[int, uint("ulTableId")]
    bookmark: Annotated[bytes, binary("sBookmark")]


@dataclass(frozen=True, slots=True)
class TableSetCollapseStateReply:
    """A bookmark at the remembered row."""

    bookmark: Annotated[int, uint("ulBookmark")] = 0
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class TableSetCollapseState(Call[TableSetCollapseStateReply]):
    """Restore open categories."""

    name: ClassVar = "tableSetCollapseState"
    table_id: Annotated[int, uint("ulTableId")]
    collapse_state: Annotated[bytes, binary("sCollapseState")]


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """The opening step of tableMulti, see `TableOpen`."""

    entryid: Annotated[bytes, binary("sEntryId")]
    table_type: Annotated[int, uint("ulTableType")]
    type: Annotated[int, uint("ulType")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True)
class SortRequest:
    """The sorting step of tableMulti, see `TableSort`."""

    sort_order: Annotated[Sequence[SortKey], field("sSortOrder", SORT_ORDER)] = ()
    categories: Annotated[int, uint("ulCategories")] = 0
    expanded: Annotated[int, uint("ulExpanded")] = 0


@dataclass(frozen=True, slots=True)
class QueryRowsRequest:
    """The reading step of tableMulti, see `TableQueryRows`."""

    count: Annotated[int, uint("ulCount")]
    flags: Annotated[int, uint("ulFlags")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """Steps of tableMulti, each optional, done in the order open, sort, columns, restrict, query.

    ``table_id`` is 0 when opening; flag 1 removes the restriction.
    """

    table_id: Annotated[int, uint("ulTableId")] = 0
    flags: Annotated[int, uint("ulFlags")] = 0
    open: Annotated[OpenRequest | None, maybe("lpOpen", record_of(OpenRequest))] = None
    set_columns: Annotated[Sequence[PropTag] | None, maybe("lpSetColumns", TAGS)] = None
    restrict: Annotated[Restriction | None, maybe("lpRestrict", RESTRICTION)] = None
    sort: Annotated[SortRequest | None, maybe("lpSort", record_of(SortRequest))] = None
    query_rows: Annotated[QueryRowsRequest | None, maybe("lpQueryRows", record_of(QueryRowsRequest))] = None


@dataclass(frozen=True, slots=True)
class TableMultiReply:
    """The table's id when it was opened, and rows when they were asked."""

    er: Annotated[int, uint("er")] = 0
    table_id: Annotated[int, uint("ulTableId")] = 0
    row_set: Annotated[Sequence[Row], field("sRowSet", ROWS)] = ()


@dataclass(frozen=True, slots=True)
class TableMulti(Call[TableMultiReply]):
    """Several steps on a table in one round trip."""

    name: ClassVar = "tableMulti"
    kind: ClassVar = Wait.LONG
    request: Annotated[TableRequest | None, maybe("sRequest", record_of(TableRequest))]
