"""Rows of a table as one pattern: the rows of a listing have the same columns, so the first ones teach the others.

A cell has its column's type, or says that the object has no such value, always with the same error. What does
not fit is left to the reader of single cells, and learned from. Rows are matched one by one and read column by column,
which takes half the time.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from gateway.mapi.props import (
    PT_BINARY,
    PT_BOOLEAN,
    PT_ERROR,
    PT_LONG,
    PT_STRING8,
    PT_SYSTIME,
    PT_UNICODE,
    Prop,
)
from gateway.mapiclient.wire.scalars import BOOL
from gateway.mapiclient.wire.text import base64_bytes, unescape

#: So many rows are read cell by cell before a pattern is made of them, since making it costs as much.
LESSONS: Final = 24
#: A text that stands so many times in a column, on average, is read once.
_OFTEN: Final = 4
#: Unsigned 32-bit numbers, but for the very highest, which the reader of single cells checks.
_NUMBER: Final = "(?:[0-9]{1,9}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6})"
#: What the groups of a column matched in each row: one tuple for each group.
_Groups = Iterator[tuple[str | None, ...]]
_Read = Callable[[int, Prop, _Groups], Iterable[Prop]]


def _reader(parse: Callable[[str], Any]) -> _Read:
    """What reads a column whose pattern has one group."""

    def read(tag: int, error: Prop, groups: _Groups) -> Iterable[Prop]:
        texts = next(groups)
        distinct = set(texts)
        if len(distinct) * _OFTEN <= len(texts):
            known = {text: error if text is None else (tag, parse(text)) for text in distinct}
            return map(known.__getitem__, texts)
        return [error if text is None else (tag, parse(text)) for text in texts]

    return read


def _bytes(tag: int, error: Prop, groups: _Groups) -> Iterable[Prop]:
    """Read a column of base64."""
    texts: tuple[Any, ...] = next(groups)
    try:
        return [(tag, a2b_base64(text, strict_mode=True)) for text in texts]
    except (TypeError, ValueError):  # one is missing, or has blanks in it
        return [error if text is None else (tag, base64_bytes(text)) for text in texts]


def _times(tag: int, error: Prop, groups: _Groups) -> Iterable[Prop]:
    """Read a column of times, whose halves are two groups."""
    halves = zip(next(groups), next(groups), strict=True)
    return [error if high is None or low is None else (tag, int(high) << 32 | int(low)) for high, low in halves]


_TEXT: Final = "<lpszA>([^<]*+)</lpszA>"
#: Of the types that listings are made of: the value's pattern with its groups, and what reads these.
_CELLS: Final[dict[int, tuple[str, _Read]]] = {
    PT_LONG: (f"<ul>({_NUMBER})</ul>", _reader(int)),
    PT_BOOLEAN: ("<b>([^<]*+)</b>", _reader(BOOL.parse)),
    PT_STRING8: (_TEXT, _reader(unescape)),
    PT_UNICODE: (_TEXT, _reader(unescape)),
    PT_SYSTIME: (f"<hilo><hi>(-?[0-9]{{1,9}})</hi><lo>({_NUMBER})</lo></hilo>", _times),
    PT_BINARY: ("<bin>([^<]*+)</bin>", _bytes),
}
_NEVER: Final = "(?!)"
_ALWAYS_MISSING: Final = (f"{_NEVER}()", _reader(unescape))
#: A column: its tag or 0 when no row had a value, the error of rows without one or None when all had it.
Lesson = tuple[int, Prop | None]
_Plan = tuple[tuple[_Read, int, Prop], ...]


@lru_cache(256)
def _compiled(columns: tuple[Lesson, ...]) -> tuple[re.Pattern[str], _Plan] | None:
    """The pattern of a row with these columns, and what makes its cells; None when none would fit, or there are no columns."""
    pieces, plan = [], []
    for tag, error in columns:
        value, read = _CELLS.get(tag & 0xFFFF, _ALWAYS_MISSING)
        if tag & 0xFFFF not in _CELLS and error is None:
            return None
        shown = f"{tag}</ulPropTag>{value}"
        missing = f"{error[0]}</ulPropTag><ul>{error[1]}</ul>" if error is not None else _NEVER
        pieces.append(f"<item><ulPropTag>(?:{shown}|{missing})</item>")
        plan.append((read, tag, error or (tag, None)))
    if not plan:
        return None
    start = r"<item(?: SOAP-ENC:arrayType=\"propVal\[[0-9]*\]\")?>"
    return re.compile(f"{start}{''.join(pieces)}</item>"), tuple(plan)


class RowPattern:
    """Reads rows with certain columns, once it has seen some of them."""

    __slots__ = ("_compiled", "_lessons", "_rows")

    def __init__(self, columns: int) -> None:
        self._rows = 0
        self._lessons: list[Lesson] = [(0, None)] * columns
        self._compiled: tuple[re.Pattern[str], _Plan] | None = None

    def take(self, buffer: str, position: int, rows: list[list[Prop]]) -> int:
        """Read rows that fit; the position behind the last one."""
        if self._compiled is None:
            return position
        pattern, plan = self._compiled
        match, found = pattern.match, []
        while row := match(buffer, position):
            found.append(row.groups())
            position = row.end()
        if found:
            groups = zip(*found, strict=True)
            cells = [read(tag, error, groups) for read, tag, error in plan]
            rows.extend(map(list, zip(*cells, strict=True)))
        return position

    def learn(self, row: list[Prop]) -> None:
        """Look at a row that was read cell by cell."""
        self._lessons = [_improved(lesson, prop) for lesson, prop in zip(self._lessons, row, strict=True)]
        self._rows += 1
        if self._rows % LESSONS == 0:
            self._compiled = _compiled(tuple(self._lessons))


@lru_cache(256)
def _pattern(columns: tuple[int, ...]) -> RowPattern:
    return RowPattern(len(columns))


def pattern_of(row: list[Prop]) -> RowPattern:
    """What reads rows with the columns of this one. It is kept: the next listing begins with what this one taught."""
    return _pattern(tuple([tag >> 16 for tag, _ in row]))


def _improved(lesson: Lesson, prop: Prop) -> Lesson:
    tag, error = lesson
    if prop[0] & 0xFFFF == PT_ERROR:
        return tag, prop
    return prop[0], error
