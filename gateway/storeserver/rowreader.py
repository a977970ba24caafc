"""Reading rows for a table: filtering, instances of multi-valued properties, recipients and attachments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from gateway.mapi import proptags as pt
from gateway.mapi.props import Props, PropTag, Value
from gateway.mapi.restrictions import Restriction
from gateway.storeserver.categories import Header
from gateway.storeserver.columns import OWN, instance_key, stored
from gateway.storeserver.likely import Likely, likely
from gateway.storeserver.restrict import ANY_UID, Match, Needs, compiled, needs, uid_bounds
from gateway.storeserver.tablesources import RowSource

Tx = TypeVar("Tx")

MAX_ROWS: Final = 1_000_000
BATCH: Final = 1_000


class RowReader(Generic[Tx]):
    """The rows of a source as one table sees them."""

    def __init__(self, source: RowSource[Tx]) -> None:
        self.instance: PropTag | None = None
        """The column that gives one row per value (`columns.looked_up`)."""
        self._source = source
        self._match: Match | None = None
        self._filter_needs = Needs()
        self._bounds = ANY_UID
        self._likely: Likely | None = None
        """What every matching row fulfils, so that the source can leave others out."""

    @property
    def filters(self) -> bool:
        """Whether the rows are not simply all objects."""
        return self._match is not None or self.instance is not None

    def restrict(self, restriction: Restriction | None) -> None:
        """Let only matching rows through."""
        match = None if restriction is None else compiled(restriction)
        self._filter_needs = Needs() if restriction is None else needs(restriction)
        self._match = match
        self._bounds = ANY_UID if restriction is None else uid_bounds(restriction)
        self._likely = None if restriction is None else likely(restriction)

    def ids(self, tx: Tx) -> list[int]:
        """All ids, when nothing filters."""
        return self._source.ids(tx)[:MAX_ROWS]

    def listed(self, tx: Tx, tags: Sequence[PropTag]) -> list[tuple[int, Value]] | None:
        """All ids with the one property that is asked for, if nothing filters and there is a short way to it."""
        if len(tags) != 1 or self.filters:
            return None
        found = self._source.listed(tx, tags[0])
        return None if found is None else found[:MAX_ROWS]

    def matching(
        self, tx: Tx, tags: Iterable[PropTag], ids: Sequence[int] | None = None
    ) -> Iterator[tuple[int, Props]]:
        """The rows that pass the restriction, with these properties at least, in natural order."""
        wanted = Needs({*tags, *self._filter_needs.tags}, self._filter_needs.parts)
        match = self._match
        if match is None:
            yield from self._all(tx, wanted, ids)
        elif ids is not None:
            yield from (row for row in self._all(tx, wanted, ids) if match(row[1]))
        else:
            yield from self._found(tx, wanted, match, {*tags, pt.PR_INSTANCE_KEY, self.instance})

    def _found(self, tx: Tx, wanted: Needs, match: Match, kept: set[PropTag | None]) -> list[tuple[int, Props]]:
        """What matches, with only the kept properties: what is looked at may be much, and is forgotten page by page."""
        found: list[tuple[int, Props]] = []
        for page in self._source.pages(tx, self._columns(wanted), *self._bounds, self._likely):
            for key, values in self._expanded(tx, page, wanted):
                if match(values):
                    found.append((key, {tag: value for tag, value in values.items() if tag in kept}))
        if self._source.newest_first:
            found.sort(key=lambda row: row[0] & 0xFFFF_FFFF, reverse=True)
        return found[:MAX_ROWS]

    def values(self, tx: Tx, rows: Iterable[int | Header], wanted: Needs) -> dict[int, Props]:
        """The wanted properties of some rows, by row key; headers have their own."""
        result: dict[int, Props] = {}
        ids: dict[int, None] = {}
        for row in rows:
            if isinstance(row, Header):
                result[row.key] = row.values
            else:
                ids[row & 0xFFFF_FFFF] = None
        if ids:
            result.update(self._all(tx, wanted, list(ids)))
        return result

    def _columns(self, wanted: Needs) -> tuple[PropTag, ...]:
        columns = {stored(tag) for tag in wanted.tags} - OWN
        if self.instance is not None:
            columns.add(stored(self.instance))
        return tuple(columns)

    def _all(self, tx: Tx, wanted: Needs, ids: Sequence[int] | None) -> Iterator[tuple[int, Props]]:
        rows = self._source.rows(tx, self._columns(wanted), ids)[:MAX_ROWS]
        for start in range(0, len(rows), BATCH):
            yield from self._expanded(tx, rows[start : start + BATCH], wanted)

    def _expanded(
        self, tx: Tx, rows: Sequence[tuple[int, Props]], wanted: Needs
    ) -> Iterator[tuple[int, Props]]:
        self._add_parts(tx, rows, wanted)
        for id_, values in rows:
            yield from self._instances(id_, values)

    def _add_parts(self, tx: Tx, rows: Sequence[tuple[int, Props]], wanted: Needs) -> None:
        for kind, tags in wanted.parts.items():
            parts = self._source.parts(tx, [id_ for id_, _ in rows], kind, tuple(tags))
            for id_, values in rows:
                values[kind] = parts.get(id_, [])

    def _instances(self, id_: int, values: Props) -> Iterator[tuple[int, Props]]:
        several = None if self.instance is None else values.get(stored(self.instance))
        if several and self.instance is not None:
            for number, value in enumerate(several):
                key = id_ | number << 32
                yield key, {**values, self.instance: value, pt.PR_INSTANCE_KEY: instance_key(key)}
        else:
            values[pt.PR_INSTANCE_KEY] = instance_key(id_)
            yield id_, values
