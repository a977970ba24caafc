"""Paragraphs, list items and tables of genuine RTF as HTML elements, in the order they end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.convert.rtf.looks import Paragraph

_NUMBER: Final = re.compile(r"\(?(?:(\d{1,6})|([ivxlc]{1,8})|([IVXLC]{1,8})|([a-z])|([A-Z]))[.):]?\Z")
_ROMAN: Final = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_PIXEL: Final = 15
"""Twips."""
_MOST_COLUMNS: Final = 500


@dataclass(frozen=True, slots=True)
class Marker:
    """What stands before an item of a list."""

    tag: str
    type: str = ""
    """``1``, ``a``, ``A``, ``i`` or ``I``."""
    value: int = 0


def marker_of(label: str, before: str = "") -> Marker | None:
    """The marker that a label is, None when HTML has no such; ``before`` is the type of the item before it."""
    label = label.strip()
    if label and not any(map(str.isalnum, label)):
        return Marker("ul")
    match = _NUMBER.match(label)
    if match is None:
        return None
    digits, roman, big_roman, letter, big_letter = match.groups()
    if digits:
        return Marker("ol", "1", int(digits))
    numeral = roman or big_roman
    if numeral is not None:
        type_ = "i" if roman else "I"
        as_letter = {"i": "a", "I": "A"}[type_]
        if len(numeral) > 1 or (numeral in "iI" and before != as_letter) or before == type_:
            return Marker("ol", type_, _roman(numeral.lower()))
        return Marker("ol", as_letter, ord(numeral.lower()) - 96)
    return Marker("ol", "a" if letter else "A", ord((letter or big_letter).lower()) - 96)


def _roman(text: str) -> int:
    values = [_ROMAN[each] for each in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


class Blocks:
    """The elements of a document or of a table's cell."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._lists: list[Marker] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    def paragraph(self, html: str, setting: Paragraph) -> None:
        """Add a paragraph."""
        self._close_lists(0)
        self._parts.append(f"<div{setting.attributes()}>{html or '&nbsp;'}</div>\r\n")

    def item(self, html: str, label: str, setting: Paragraph) -> None:
        """Add an item of a list, a paragraph when HTML has no list with such labels."""
        depth = setting.level + 1
        before = self._lists[depth - 1].type if len(self._lists) >= depth else ""
        marker = marker_of(label, before)
        if marker is None:
            self.paragraph(f"{label.strip()} {html}", setting)
            return
        self._close_lists(depth)
        if len(self._lists) == depth and not _continues(self._lists[-1], marker):
            self._close_lists(depth - 1)
        while len(self._lists) < depth:
            self._open_list(marker)
        self._lists[-1] = marker
        self._parts.append(f"<li{setting.attributes(item=True)}>{html or '&nbsp;'}</li>\r\n")

    def _open_list(self, marker: Marker) -> None:
        type_ = f' type="{marker.type}"' if marker.type not in ("", "1") else ""
        start = f' start="{marker.value}"' if marker.value > 1 else ""
        self._parts.append(f"<{marker.tag}{type_}{start}>\r\n")
        self._lists.append(marker)

    def _close_lists(self, depth: int) -> None:
        while len(self._lists) > depth:
            self._parts.append(f"</{self._lists.pop().tag}>\r\n")

    def raw(self, html: str) -> None:
        """Add a finished element."""
        self._close_lists(0)
        self._parts.append(html)

    def html(self) -> str:
        """All elements."""
        self._close_lists(0)
        return "".join(self._parts)


def _continues(before: Marker, marker: Marker) -> bool:
    if before.tag != marker.tag or before.type != marker.type:
        return False
    return marker.tag == "ul" or marker.value == before.value + 1


@dataclass(slots=True)
class _Column:
    edge: int
    color: str = ""
    joined: bool = False
    """Whether it is one with the column before it."""


@dataclass(slots=True)
class _Cell:
    html: str
    width: int
    color: str
    span: int = 1

    def element(self) -> str:
        attributes = f' colspan="{self.span}"' if self.span > 1 else ""
        attributes += f' width="{min(self.width // _PIXEL, 2000)}"' if self.width >= _PIXEL else ""
        attributes += f' bgcolor="{self.color}"' if self.color else ""
        return f'<td valign="top"{attributes}>{self.html}</td>'


@dataclass(slots=True)
class Table:
    """A table while its rows come: what the next row is like, its cells so far, and the finished rows."""

    columns: list[_Column] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    bordered: bool = False
    _left: int = 0
    _color: str = ""
    _joined: bool = False

    def word(self, word: str, parameter: int | None, colors: list[str]) -> bool:
        """Obey a word about rows; whether it is one."""
        value = parameter or 0
        if word == "trowd":
            self.columns, self._left, self._color, self._joined = [], 0, "", False
        elif word == "trleft":
            self._left = value
        elif word == "clmrg":
            self._joined = True
        elif word == "clcbpat":
            self._color = colors[value] if 0 <= value < len(colors) else ""
        elif word == "cellx":
            if len(self.columns) < _MOST_COLUMNS:
                self.columns.append(_Column(value, self._color, self._joined))
            self._color, self._joined = "", False
        elif word.startswith(("clbrdr", "trbrdr")):
            self.bordered = True
        else:
            return False
        return True

    def end_row(self) -> None:
        """End a row."""
        found: list[_Cell] = []
        left = self._left
        for place, html in enumerate(self.cells):
            column = self.columns[place] if place < len(self.columns) else _Column(left)
            width = max(column.edge - left, 0)
            left = column.edge
            if column.joined and found:
                found[-1].span += 1
                found[-1].width += width
            else:
                found.append(_Cell(html, width, column.color))
        self.cells = []
        if found:
            self.rows.append(f"<tr>{''.join(each.element() for each in found)}</tr>\r\n")

    def html(self) -> str:
        """The table, empty when it has no rows."""
        if self.cells:
            self.end_row()
        border = 1 if self.bordered else 0
        head = f'<table border="{border}" cellspacing="0" cellpadding="3">\r\n'
        found = head + "".join(self.rows) + "</table>\r\n" if self.rows else ""
        self.rows, self.bordered = [], False
        return found
