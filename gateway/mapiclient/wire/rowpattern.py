"""Rows of a table as one pattern: the rows of a listing have the same columns, so the first ones teach the others.

A cell has its column's type, or says that the object has no such value, always with the same error. What does
not fit is left to the reader of single cells, and learned from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
from gateway.mapiclient.wire.scalars import BINARY, BOOL, TEXT

#: So many rows are read cell by cell before a pattern is made of them, since making it costs as much.
LESSONS: Final = 24
_HALVES: Final = "</hi><lo>"


def _time(text: str) -> int:
    high, _, low = text.partition(_HALVES)
    return int(high) << 32 | int(low)


#: Unsigned 32-bit numbers, but for the very highest, which the reader of single cells checks.
_NUMBER: Final = "(?:[0-9]{1,9}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6})"
#: Of the types that listings are made of: the value's pattern with one group, and what reads the group.
_CELLS: Final[dict[int, tuple[str, Callable[[str], Any]]]] = {
    PT_LONG: (f"<ul>({_NUMBER})</ul>", int),
    PT_BOOLEAN: ("<b>([^<]*+)</b>", BOOL.parse),
    PT_STRING8: ("<lpszA>([^<]*+)</lpszA>", TEXT.parse),
    PT_UNICODE: ("<lpszA>([^<]*+)</lpszA>", TEXT.parse),
    PT_SYSTIME: (f"<hilo><hi>(-?[0-9]{{1,9}}{_HALVES}{_NUMBER})</lo></hilo>", _time),
    PT_BINARY: ("<bin>([^<]*+)</bin>", BINARY.parse),
}
#: A column: its tag or 0 when no row had a value, the error of rows without one or None when all had it.
Lesson = tuple[int, Prop | None]
_Plan = tuple[tuple[int, Callable[[str], Any], Prop], ...]


@lru_cache(256)
def _compiled(columns: tuple[Lesson, ...]) -> tuple[re.Pattern[str], _Plan] | None:
    """The pattern of a row with these columns, one group each, and what makes its cells; None when none would fit."""
    pieces, plan = [], []
    for tag, error in columns:
        value, parse = _CELLS.get(tag & 0xFFFF, ("(?!)()", TEXT.parse))
        if tag & 0xFFFF not in _CELLS and error is None:
            return None
        shown = f"{tag}</ulPropTag>{value}"
        missing = f"{error[0]}</ulPropTag><ul>{error[1]}</ul>" if error is not None else "(?!)"
        pieces.append(f"<item><ulPropTag>(?:{shown}|{missing})</item>")
        plan.append((tag, parse, error or (tag, None)))
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
        match, append = pattern.match, rows.append
        while found := match(buffer, position):
            append(
                [
                    error if text is None else (tag, parse(text))
                    for (tag, parse, error), text in zip(plan, found.groups(), strict=True)
                ]
            )
            position = found.end()
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
