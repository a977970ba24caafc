"""Statements that are run often: compiled once, then run by the driver itself.

SQLAlchemy needs some 50 microseconds for what SQLite does in five. A `Statement` is written like any other with
SQLAlchemy's tables and bound parameters; `gateway.storeserver.database.Transaction` runs it. What is run seldom
goes through SQLAlchemy's connection of the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


class Statement:
    """A statement with bound parameters; an ``expanding`` one takes a list (of at most some hundred values)."""

    __slots__ = ("_fixed", "_lists", "_order", "_text", "_texts", "convert")

    def __init__(self, clause: ClauseElement) -> None:
        compiled = cast("SQLCompiler", clause.compile(dialect=_DIALECT))
        self._text = compiled.string
        self._order = list(compiled.positiontup or ())
        self._fixed = {
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        }
        self._lists = [name for name in self._order if compiled.binds[name].expanding]
        self._texts: dict[tuple[int, ...], str] = {}
        self.convert = _conversion(clause)
        """What makes a row of the driver one with truth values, where it has some."""

    def bound(self, values: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        """Text and parameters for the driver."""
        if self._fixed:
            values = {**self._fixed, **values}
        if self._lists:
            return self._expanded(values)
        return self._text, [values[name] for name in self._order]

    def bound_many(self, rows: Sequence[Mapping[str, Any]]) -> tuple[str, Iterator[Sequence[Any]]]:
        """Text and parameters of a statement that is run once for every row."""
        order, fixed = self._order, self._fixed
        if fixed:
            return self._text, ([{**fixed, **row}[name] for name in order] for row in rows)
        return self._text, ([row[name] for name in order] for row in rows)

    def _expanded(self, values: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        padded = {name: _padded(values[name]) for name in self._lists}
        sizes = tuple(len(padded[name]) for name in self._lists)
        text = self._texts.get(sizes)
        if text is None:
            text = self._text
            for name, size in zip(self._lists, sizes, strict=True):
                text = text.replace(f"__[POSTCOMPILE_{name}]", ", ".join("?" * size) or "NULL", 1)
            self._texts[sizes] = text
        parameters: list[Any] = []
        for name in self._order:
            if name in padded:
                parameters += padded[name]
            else:
                parameters.append(values[name])
        return text, parameters


def _conversion(clause: ClauseElement) -> Callable[[Any], Any] | None:
    if not isinstance(clause, sa.Select):
        return None
    columns = clause.selected_columns
    places = frozenset(at for at, column in enumerate(columns) if isinstance(column.type, sa.Boolean))
    if not places:
        return None
    return lambda row: tuple(bool(value) if at in places else value for at, value in enumerate(row))


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """The values, the last one repeated up to the next power of two: so there are few texts to prepare."""
    size = len(values)
    if size < 2:
        return values
    room = 1 << (size - 1).bit_length()
    return [*values, *[values[-1]] * (room - size)]
