"""Open tables: columns, restriction, sort order, position, and the changes that flow in (MS-OXCTABL).

A table is a list of row keys (`columns.row_key`) in order, filled at first use. Afterwards it follows the
store: `touch` notes changed objects without waiting, and the next call (or `refresh`) reads them again, so
that a table nobody looks at costs nothing. A table belongs to one session; its ``lock`` must be held while a
method with a transaction runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode, InvalidParameter, MapiError, NotFound
from gateway.mapi.notices import Event, TableNotice
from gateway.mapi.props import PT_NULL, Prop, PropTag
from gateway.mapi.restrictions import Property, Relop, Restriction
from gateway.mapi.tables import Bookmark, Row, SortKey
from gateway.storeserver.categories import Categories, Header
from gateway.storeserver.columns import Columns, instance_key, instance_of, row_key
from gateway.storeserver.keyset import Keyset
from gateway.storeserver.restrict import Match, Needs, compiled, needs
from gateway.storeserver.rowreader import BATCH, RowReader
from gateway.storeserver.sorting import Sorter
from gateway.storeserver.tablesources import RowSource

Tx = TypeVar("Tx")

#: More objects changed at once are one notice "the table changed".
CHANGE_THRESHOLD: Final = 10
MAX_BOOKMARKS: Final = 1_000

_CHANGED, _ADDED, _DELETED, _MODIFIED = 1, 3, 4, 5
"""Table events of TableNotice."""
_NOTHING: Final[Prop] = (PT_NULL, 0)


@dataclass(slots=True)
class _Mark:
    """A bookmark: the row it was made on (0: none), and where that was."""

    key: int
    position: int


class Table(Generic[Tx]):
    """One open table."""

    def __init__(self, source: RowSource[Tx], *, capped: bool = True) -> None:
        self.lock = threading.RLock()
        self.source = source
        self._reader = RowReader(source)
        self._capped = capped
        self._columns = Columns(source.default_columns, capped=capped)
        self._sorter = Sorter(())
        self._categories: Categories | None = None
        self._keyset: Keyset | None = None
        self._position = 0
        self._bookmarks: dict[int, _Mark] = {}
        self._last_bookmark = 2
        self._changes_lock = threading.Lock()
        self._changed: set[int] = set()
        self._reload = False

    # -- what the client chooses

    @property
    def columns(self) -> tuple[PropTag, ...]:
        """The present columns."""
        return self._columns.tags

    def set_columns(self, tags: Sequence[PropTag]) -> None:
        """Choose the columns."""
        self._choose_instance(tags, self._sorter)
        self._columns = Columns(tags, capped=self._capped)

    def restrict(self, restriction: Restriction | None) -> None:
        """Show only matching rows; back to the first row (InvalidParameter when it makes no sense)."""
        self._reader.restrict(restriction)
        self._forget()

    def sort(self, keys: Sequence[SortKey], categories: int = 0, expanded: int = 0) -> None:
        """Sort by these keys, the first ``categories`` of which group the rows; back to the first row."""
        if not 0 <= expanded <= categories <= len(keys):
            raise InvalidParameter("more categories than sort keys, or more expanded than there are")
        sorter = Sorter(keys)
        self._choose_instance(self.columns, sorter)
        numbers = self._categories.last_number if self._categories else 0
        self._sorter = sorter
        self._categories = Categories(sorter, categories, expanded, numbers) if categories else None
        self._forget()

    def _choose_instance(self, columns: Sequence[PropTag], sorter: Sorter) -> None:
        instance = instance_of((*columns, *(key.tag for key in sorter.keys)))
        if instance != self._reader.instance:
            self._reader.instance = instance
            self._forget()

    def _forget(self) -> None:
        """The rows must be gathered anew, and reading starts at the top."""
        self._keyset = None
        self._position = 0
        self._bookmarks.clear()

    # -- reading

    def populate(self, tx: Tx) -> None:
        """Gather the rows if that was not done yet."""
        self._rows(tx)

    def count(self, tx: Tx) -> tuple[int, int]:
        """How many rows there are, and which is the next."""
        return len(self._rows(tx)), self._position

    def query(self, tx: Tx, count: int, *, advance: bool = True) -> list[Row]:
        """The next rows."""
        chosen = self._rows(tx)[self._position : self._position + count]
        if advance:
            self._position += len(chosen)
        return self._rendered(tx, chosen)

    def seek(self, tx: Tx, origin: int, rows: int) -> int:
        """Move; the number of rows moved, which may be less than asked."""
        size = len(self._rows(tx))
        start = self._origin(origin)
        self._position = min(max(start + rows, 0), size)
        return self._position - start

    def find(self, tx: Tx, restriction: Restriction, origin: int, *, backward: bool = False) -> None:
        """Go to the next matching row (NotFound: the position stays)."""
        match = compiled(restriction)
        size = len(self._rows(tx))
        start = self._origin(origin)
        if start == 0 and not backward and (instance := _looked_up(restriction)) is not None:
            self._position = self._place_of(row_key(instance))
            return
        order = range(min(start, size - 1), -1, -1) if backward else range(start, size)
        self._position = self._scan(tx, order, needs(restriction), match)

    def _scan(self, tx: Tx, order: Iterable[int], wanted: Needs, match: Match) -> int:
        """The first place in this order whose row matches."""
        rows = self._display()
        places = iter(order)
        while batch := list(islice(places, BATCH)):
            values = self._reader.values(tx, [rows[place] for place in batch], wanted)
            for place in batch:
                row = values.get(_key_of(rows[place]))
                if row is not None and match(row):
                    return place
        raise NotFound("no row matches")

    def available_columns(self, tx: Tx) -> list[PropTag]:
        """Every tag that rows can have."""
        return sorted({pt.PR_INSTANCE_KEY, pt.PR_ROW_TYPE, *self.source.available(tx)})

    # -- bookmarks

    def bookmark(self, tx: Tx) -> int:
        """Remember the present row; the bookmark's number."""
        rows = self._rows(tx)
        if len(self._bookmarks) >= MAX_BOOKMARKS:
            raise MapiError("too many bookmarks", code=ErrorCode.UNABLE_TO_COMPLETE)
        key = _key_of(rows[self._position]) if self._position < len(rows) else 0
        return self._mark(key, self._position)

    def _mark(self, key: int, position: int) -> int:
        self._last_bookmark += 1
        self._bookmarks[self._last_bookmark] = _Mark(key, position)
        return self._last_bookmark

    def free_bookmark(self, number: int) -> None:
        """Forget a bookmark."""
        if self._bookmarks.pop(number, None) is None:
            raise InvalidParameter("no such bookmark", code=ErrorCode.INVALID_BOOKMARK)

    def _origin(self, bookmark: int) -> int:
        size = len(self._display())
        if bookmark == Bookmark.BEGINNING:
            return 0
        if bookmark == Bookmark.CURRENT:
            return self._position
        if bookmark == Bookmark.END:
            return size
        mark = self._bookmarks.get(bookmark)
        if mark is None:
            raise InvalidParameter("no such bookmark", code=ErrorCode.INVALID_BOOKMARK)
        with suppress(NotFound):
            return self._place_of(mark.key)
        return min(mark.position, size)

    # -- categories

    def expand(self, tx: Tx, instance: bytes, count: int) -> tuple[list[Row], int]:
        """Open a category; its first rows and how many more there are."""
        rows = self._toggle(tx, instance, True)
        return self._rendered(tx, rows[:count]), max(0, len(rows) - count)

    def collapse(self, tx: Tx, instance: bytes) -> int:
        """Close a category; how many rows it hid."""
        return len(self._toggle(tx, instance, False))

    def _toggle(self, tx: Tx, instance: bytes, expand: bool) -> list[int | Header]:
        self._rows(tx)
        place = self._grouped().place(instance)
        changed = self._grouped().toggle(place, expand)
        if self._position > place:
            moved = len(changed) if expand else -min(len(changed), self._position - place - 1)
            self._position += moved
        return changed

    def _grouped(self) -> Categories:
        if self._categories is None:
            raise InvalidParameter("the table has no categories")
        return self._categories

    def collapse_state(self, tx: Tx, instance: bytes) -> bytes:
        """Which categories are open, and a row to remember, as an opaque text."""
        self._rows(tx)
        return self._grouped().state(instance)

    def set_collapse_state(self, tx: Tx, state: bytes) -> int:
        """Open the categories that were open; a bookmark for the remembered row."""
        self._rows(tx)
        key = row_key(self._grouped().restore(state))
        self._position = min(self._position, len(self._display()))
        return self._mark(key, 0)

    # -- rows

    def _rows(self, tx: Tx) -> Sequence[int | Header]:
        """The rows on show, up to date."""
        if self._keyset is None:
            self._take_changes()
            self._gather(tx)
        else:
            self._follow(tx)
        return self._display()

    def _display(self) -> Sequence[int | Header]:
        if self._categories is not None:
            return self._categories.rows
        return self._keyset.keys if self._keyset is not None else ()

    def _gather(self, tx: Tx) -> None:
        keyset = Keyset(self._sorter, descending=self.source.newest_first)
        wanted = {*self._sorter.tags}
        if self._categories is not None:
            wanted.add(pt.PR_MESSAGE_FLAGS)
            rows = list(self._reader.matching(tx, wanted))
            keyset.load(rows)
            self._categories.group(keyset, rows)
        elif (listed := self._reader.listed(tx, self._sorter.tags)) is not None:
            keyset.load_values(listed)
        elif wanted or self._reader.filters:
            keyset.load(self._reader.matching(tx, wanted))
        else:
            keyset.keys = self._reader.ids(tx)
        self._keyset = keyset

    def _rendered(self, tx: Tx, chosen: Sequence[int | Header]) -> list[Row]:
        result: list[Row] = []
        for start in range(0, len(chosen), BATCH):
            batch = chosen[start : start + BATCH]
            values = self._reader.values(tx, batch, Needs({*self._columns.needed}))
            for row in batch:
                key = _key_of(row)
                if (found := values.get(key)) is None:
                    continue  # deleted since; the change is on its way
                if isinstance(row, Header):
                    result.append(self._columns.render(key, found, row.row_type))
                else:
                    if self._categories is not None:
                        found[pt.PR_DEPTH] = self._categories.levels
                    result.append(self._columns.render(key, found))
        return result

    def _place_of(self, key: int) -> int:
        """Where a row is shown (NotFound when it is not)."""
        if self._categories is not None:
            return self._categories.place(instance_key(key))
        if self._keyset is None:
            raise NotFound("no such row")
        return self._keyset.place_of(key)

    # -- following the store

    def touch(self, ids: Iterable[int] | None) -> None:
        """Note that objects changed, or (None) that everything may have; does not wait for the table."""
        with self._changes_lock:
            if ids is None:
                self._reload = True
            else:
                self._changed.update(ids)

    def _take_changes(self) -> tuple[bool, list[int]]:
        with self._changes_lock:
            reload, ids = self._reload, sorted(self._changed)
            self._reload = False
            self._changed.clear()
        return reload, ids

    def refresh(self, tx: Tx) -> list[TableNotice]:
        """Read what changed; the notices for it."""
        return [] if self._keyset is None else self._follow(tx)

    def _follow(self, tx: Tx) -> list[TableNotice]:
        reload, ids = self._take_changes()
        keyset = self._keyset
        if keyset is None or not (reload or ids):
            return []
        try:
            return self._read_changes(tx, keyset, reload, ids)
        except BaseException:
            self.touch(None)  # not read, so not done
            raise

    def _read_changes(self, tx: Tx, keyset: Keyset, reload: bool, ids: Sequence[int]) -> list[TableNotice]:
        simple = self._categories is None and keyset.placeable and self._reader.instance is None
        if reload or len(ids) > CHANGE_THRESHOLD or not simple:
            self._gather_again(tx)
            return [TableNotice(Event.TABLE_MODIFIED, _CHANGED, self.source.object_type, 0, _NOTHING, _NOTHING)]
        return self._apply(tx, keyset, ids)

    def _gather_again(self, tx: Tx) -> None:
        """Everything anew, with the position on the row it was on."""
        rows = self._display()
        key = _key_of(rows[self._position]) if 0 < self._position < len(rows) else 0
        self._gather(tx)
        self._position = min(self._position, len(self._display()))
        if key:
            with suppress(NotFound):
                self._position = self._place_of(key)

    def _apply(self, tx: Tx, keyset: Keyset, ids: Sequence[int]) -> list[TableNotice]:
        found = dict(self._reader.matching(tx, {*self._sorter.tags}, ids))
        shown = self._reader.values(tx, list(found), Needs({*self._columns.needed}))
        notices = []
        for id_ in ids:
            was = keyset.remove(id_)
            if was is not None and was < self._position:
                self._position -= 1
            if id_ in found:
                place = keyset.insert(id_, found[id_])
                if was == self._position:
                    self._position = place
                elif place < self._position or (place == self._position > 0):
                    self._position += 1
                row = self._columns.render(id_, shown.get(id_, {}))
                notices.append(self._notice(_ADDED if was is None else _MODIFIED, keyset, id_, place, row))
            elif was is not None:
                notices.append(self._notice(_DELETED, keyset, id_, 0, None))
        return notices

    def _notice(self, event: int, keyset: Keyset, key: int, place: int, row: Row | None) -> TableNotice:
        prior = (pt.PR_INSTANCE_KEY, instance_key(keyset.keys[place - 1])) if place else _NOTHING
        index = (pt.PR_INSTANCE_KEY, instance_key(key))
        kind = self.source.object_type
        shown = None if row is None else tuple(row)
        return TableNotice(Event.TABLE_MODIFIED, event, kind, 0, index, prior, shown)


def _key_of(row: int | Header) -> int:
    return row.key if isinstance(row, Header) else row


def _looked_up(restriction: Restriction) -> bytes | None:
    """The instance key that a restriction looks for; None when it looks for something else."""
    match restriction:
        case Property(Relop.EQ, pt.PR_INSTANCE_KEY, (pt.PR_INSTANCE_KEY, bytes(value))):
            return value
    return None
