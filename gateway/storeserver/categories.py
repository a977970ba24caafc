"""Categories: a sorted table whose rows are grouped under header rows (MS-OXCTABL 2.2.2.3).

The first sort keys are the levels. Every group has a header, which can be open (its rows follow) or closed.
A header keeps its number, and whether it is open, for as long as the table lives: it is known by the values
of its group, not by its rows.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.mapi import proptags as pt
from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.props import Props, Value
from gateway.mapi.tables import SortDirection
from gateway.storeserver.columns import COLLAPSED_ROW, EXPANDED_ROW, instance_key, row_key
from gateway.storeserver.keyset import Keyset
from gateway.storeserver.sorting import Sorter

_READ: Final = 1
_EXTREMES: Final = (SortDirection.CATEGORY_MAX, SortDirection.CATEGORY_MIN)

#: What a group has in common: the beginning of its rows' orders.
_Path: TypeAlias = "tuple[Any, ...]"


@dataclass(slots=True, eq=False)
class Header:
    """The row above a group."""

    number: int
    level: int
    expanded: bool
    values: Props = field(default_factory=dict)
    children: list[int | Header] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)

    @property
    def key(self) -> int:
        """Its row key; ids of objects are never 0."""
        return self.number << 32

    @property
    def row_type(self) -> int:
        """PR_ROW_TYPE."""
        return EXPANDED_ROW if self.expanded else COLLAPSED_ROW

    def shown(self) -> list[int | Header]:
        """The rows it shows when it is open."""
        rows: list[int | Header] = []
        for child in self.children:
            rows.append(child)
            if isinstance(child, Header) and child.expanded:
                rows += child.shown()
        return rows


class Categories:
    """The groups of one table."""

    def __init__(self, sorter: Sorter, levels: int, expanded: int, numbers: int = 0) -> None:
        self.levels = levels
        self.rows: list[int | Header] = []
        self.last_number = numbers
        self._sorter = sorter
        self._expanded = expanded
        self._headers: dict[_Path, Header] = {}
        self._values: dict[int, Props] = {}

    def group(self, keyset: Keyset, values: Iterable[tuple[int, Props]]) -> None:
        """Arrange the sorted rows, whose values (sort properties and message flags) are given, under headers."""
        self._values = dict(values)
        present: dict[_Path, Header] = {}
        top: list[int | Header] = []
        for key in keyset.keys:
            order = keyset.order_of(key)
            parent: list[int | Header] = top
            for level in range(self.levels):
                path = order[: level + 1]
                header = present.get(path)
                if header is None:
                    header = present[path] = self._header(path, key)
                    parent.append(header)
                header.leaves.append(key)
                parent = header.children
            parent.append(key)
        self._headers = present
        for header in present.values():
            self._count(header)
        self._arrange(top, keyset, 0)
        root = Header(0, -1, True, children=top)
        self.rows = root.shown()
        self._values = {}

    def _header(self, path: _Path, key: int) -> Header:
        level = len(path) - 1
        before = self._headers.get(path)
        if before is None:
            self.last_number += 1
            header = Header(self.last_number, level, level < self._expanded)
        else:
            header = Header(before.number, level, before.expanded)
        tags = self._sorter.tags[: level + 1]
        row = self._values[key]
        header.values = {tag: row[tag] for tag in tags if tag in row}
        return header

    def _count(self, header: Header) -> None:
        unread = sum(not self._values[key].get(pt.PR_MESSAGE_FLAGS, 0) & _READ for key in header.leaves)
        header.values |= {
            pt.PR_INSTANCE_KEY: instance_key(header.key),
            pt.PR_DEPTH: header.level,
            pt.PR_CONTENT_COUNT: len(header.leaves),
            pt.PR_CONTENT_UNREAD: unread,
        }

    def _arrange(self, headers: list[int | Header], keyset: Keyset, level: int) -> None:
        """Sort the groups of a level by an extreme of another property, if the order after it says so."""
        if level >= self.levels:
            return
        for number, key in enumerate(self._sorter.keys[self.levels :], self.levels):
            if key.direction in _EXTREMES:
                choose = max if key.direction == SortDirection.CATEGORY_MAX else min
                headers.sort(
                    key=lambda row: (
                        choose(keyset.order_of(leaf)[number] for leaf in row.leaves)
                        if isinstance(row, Header)
                        else (0,)
                    )
                )
        for header in headers:
            if isinstance(header, Header):
                self._arrange(header.children, keyset, level + 1)

    def place(self, instance: bytes) -> int:
        """Where the row (a header or not) of this instance key is shown (NotFound)."""
        wanted = row_key(instance)
        for place, row in enumerate(self.rows):
            if (row.key if isinstance(row, Header) else row) == wanted:
                return place
        raise NotFound("no such row")

    def header_at(self, place: int) -> Header:
        """The header shown there (InvalidParameter when it is none)."""
        header = self.rows[place]
        if not isinstance(header, Header):
            raise InvalidParameter("only a category can be opened")
        return header

    def toggle(self, place: int, expand: bool) -> list[int | Header]:
        """Open or close the header shown there; the rows that appeared or vanished."""
        header = self.header_at(place)
        if header.expanded is expand:
            return []
        changed = header.shown()
        header.expanded = expand
        if expand:
            self.rows[place + 1 : place + 1] = changed
        else:
            del self.rows[place + 1 : place + 1 + len(changed)]
        return changed

    def state(self, instance: bytes) -> bytes:
        """Which categories are open, and the row of this key, as an opaque text."""
        opened = [
            [*(_plain(value) for value in self._path_values(header)), header.expanded]
            for header in self._headers.values()
        ]
        return json.dumps({"categories": opened, "row": b64encode(instance).decode()}).encode()

    def _path_values(self, header: Header) -> list[Value]:
        return [header.values.get(tag) for tag in self._sorter.tags[: header.level + 1]]

    def restore(self, state: bytes) -> bytes:
        """Open and close the categories as they were; the remembered row's instance key."""
        try:
            parsed = json.loads(state)
            before = {json.dumps(item[:-1]): bool(item[-1]) for item in parsed["categories"]}
            instance = b64decode(parsed["row"])
        except (ValueError, LookupError, TypeError, BinasciiError):
            raise InvalidParameter("not a collapse state of this store") from None
        for header in self._headers.values():
            values = [_plain(value) for value in self._path_values(header)]
            header.expanded = before.get(json.dumps(values), header.expanded)
        top: list[int | Header] = [row for row in self._headers.values() if row.level == 0]
        shown = {id(row): place for place, row in enumerate(self.rows)}
        top.sort(key=lambda row: shown[id(row)])
        self.rows = Header(0, -1, True, children=top).shown()
        return instance


def _plain(value: Value) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
