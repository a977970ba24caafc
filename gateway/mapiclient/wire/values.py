"""Property values on the wire: propVal, its arrays, and rows.

A propVal is ``<ulPropTag>`` and at most one value element, which the type in the tag decides. Read, it is the
pair ``(tag, value)`` of `gateway.mapi.props`; a value that is absent (NULL) or does not fit its tag is None.
Row sets are the largest thing on this wire, so cells of the usual form are read by one pattern each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from gateway.mapi import props as p
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Add, Array, ArrayFrame, Context, Frame, Kind, Write
from gateway.mapiclient.wire.rowpattern import RowPattern, pattern_of
from gateway.mapiclient.wire.scalars import BINARY, BOOL, F32, F64, I16, I32, I64, LARGE_BINARY, TEXT, U32
from gateway.mapiclient.wire.schema import Field, Lazy, Struct, array_of
from gateway.mapiclient.wire.text import base64_text, escape


def _join(parts: dict[str, Any]) -> int:
    return int(parts["high"]) << 32 | int(parts["low"])


def _split(value: int) -> tuple[int, int]:
    return value >> 32, value & 0xFFFF_FFFF


#: 64-bit numbers in two halves: PT_SYSTIME and PT_CURRENCY.
HILO: Final = Struct({"high": Field("hi", I32), "low": Field("lo", U32)}, _join, _split)


def _restriction() -> Kind:
    from gateway.mapiclient.wire.filters import RESTRICTION

    return RESTRICTION


def _actions() -> Kind:
    from gateway.mapiclient.wire.filters import ACTIONS

    return ACTIONS


#: Element and kind of the value of every property type.
VALUES: Final[dict[int, tuple[str, Kind]]] = {
    p.PT_NULL: ("ul", U32),
    p.PT_SHORT: ("i", I16),
    p.PT_LONG: ("ul", U32),
    p.PT_FLOAT: ("flt", F32),
    p.PT_DOUBLE: ("dbl", F64),
    p.PT_CURRENCY: ("hilo", HILO),
    p.PT_APPTIME: ("dbl", F64),
    p.PT_ERROR: ("ul", U32),
    p.PT_BOOLEAN: ("b", BOOL),
    p.PT_LONGLONG: ("li", I64),
    p.PT_STRING8: ("lpszA", TEXT),
    p.PT_UNICODE: ("lpszA", TEXT),
    p.PT_SYSTIME: ("hilo", HILO),
    p.PT_CLSID: ("bin", BINARY),
    p.PT_BINARY: ("bin", LARGE_BINARY),
    p.PT_MV_SHORT: ("mvi", array_of(I16, "xsd:short")),
    p.PT_MV_LONG: ("mvl", array_of(U32, "xsd:unsignedInt")),
    p.PT_MV_FLOAT: ("mvflt", array_of(F32, "xsd:float")),
    p.PT_MV_DOUBLE: ("mvdbl", array_of(F64, "xsd:double")),
    p.PT_MV_APPTIME: ("mvdbl", array_of(F64, "xsd:double")),
    p.PT_MV_CURRENCY: ("mvhilo", array_of(HILO, "hiloLong")),
    p.PT_MV_SYSTIME: ("mvhilo", array_of(HILO, "hiloLong")),
    p.PT_MV_LONGLONG: ("mvli", array_of(I64, "xsd:long")),
    p.PT_MV_STRING8: ("mvszA", array_of(TEXT, "xsd:string")),
    p.PT_MV_UNICODE: ("mvszA", array_of(TEXT, "xsd:string")),
    p.PT_MV_CLSID: ("mvbin", array_of(BINARY, "xsd:base64Binary")),
    p.PT_MV_BINARY: ("mvbin", array_of(BINARY, "xsd:base64Binary")),
    p.PT_SRESTRICTION: ("res", Lazy(_restriction)),
    p.PT_ACTIONS: ("actions", Lazy(_actions)),
}
_BY_ELEMENT: Final = {element: kind for element, kind in VALUES.values() if element != "bin"} | {
    "bin": LARGE_BINARY
}
_WRITERS: Final[dict[int, Write]] = {type_: kind.writer(element) for type_, (element, kind) in VALUES.items()}


def write_prop(prop: p.Prop, add: Add) -> None:
    """Write the children of a propVal (WireError for a type that cannot travel or a value that does not fit)."""
    tag, value = prop
    add(f"<ulPropTag>{tag:d}</ulPropTag>")
    if value is None:
        return
    try:
        _WRITERS[tag & 0xFFFF](value, add)
    except KeyError:
        raise WireError(f"property {tag:#010x} has a type that cannot travel") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise WireError(f"property {tag:#010x}: {error}") from error


class _Prop(Kind):
    """One propVal."""

    leaf = False

    def empty(self) -> p.Prop:
        return (0, None)

    def frame(self, context: Context) -> Frame:
        return _PropFrame()

    def writer(self, name: str) -> Write:
        head, tail = f"<{name}>", f"</{name}>"

        def write(value: p.Prop | None, add: Add) -> None:
            add(head)
            write_prop(value or (0, None), add)
            add(tail)

        return write


class _PropFrame(Frame):
    __slots__ = ("found", "tag", "value")

    def __init__(self) -> None:
        self.tag = 0
        self.found = ""
        self.value: Any = None

    def child(self, name: str, attributes: str) -> Kind | None:
        return U32 if name == "ulPropTag" else _BY_ELEMENT.get(name)

    def put(self, name: str, value: Any) -> None:
        if name == "ulPropTag":
            self.tag = value
        else:
            self.found, self.value = name, value

    def finish(self) -> p.Prop:
        expected = VALUES.get(self.tag & 0xFFFF)
        return self.tag, self.value if expected is not None and expected[0] == self.found else None


PROP: Final = _Prop()

_CELL: Final = re.compile(
    r"<item><ulPropTag>([0-9]{1,10})</ulPropTag>"
    r"(?:<(ul|lpszA|bin|b|li|i|dbl|flt)>([^<]*+)</\2>"
    r"|<hilo><hi>(-?[0-9]{1,10})</hi><lo>([0-9]{1,10})</lo></hilo>)</item>"
)
_ROW: Final = re.compile(r"<item(?: SOAP-ENC:arrayType=\"propVal\[[0-9]*\]\")?>")
#: How rows end: the last cell and the row itself.
_ROW_END: Final = "</item></item>"
_USUAL_ROW: Final = 1 << 14
#: What a tag's decimal text means: the tag, the element its value must have, how to read it.
_Column = tuple[int, str, Callable[[str], Any]]


def _column(text: str) -> _Column:
    tag = U32.parse(text)
    element, kind = VALUES.get(tag & 0xFFFF, ("", U32))
    return tag, element, kind.parse


class _Props(Array):
    """A list of propVal."""

    def __init__(self) -> None:
        super().__init__(PROP, "propVal", list)

    def frame(self, context: Context) -> Frame:
        return _PropsFrame(self, context)

    def writer(self, name: str) -> Write:
        def write(value: Any, add: Add) -> None:
            add(f'<{name} SOAP-ENC:arrayType="propVal[{len(value)}]">' if value else f"<{name}>")
            for prop in value or ():
                _write_cell(prop, add)
            add(f"</{name}>")

        return write


_NUMBERS: Final = frozenset({p.PT_LONG, p.PT_ERROR})
_TEXTS: Final = frozenset({p.PT_UNICODE, p.PT_STRING8})


@lru_cache(maxsize=4096)
def _head(tag: p.PropTag) -> tuple[str, int]:
    """How an item with this tag begins, and its type."""
    return f"<item><ulPropTag>{tag:d}</ulPropTag>", tag & 0xFFFF


def _write_cell(prop: p.Prop, add: Add) -> None:
    """Write an item of a row: what listings are full of in one piece, the rest like any property."""
    tag, value = prop
    head, kind = _head(tag)
    if type(value) is int:
        if kind in _NUMBERS and 0 <= value <= 0xFFFF_FFFF:
            add(f"{head}<ul>{value}</ul></item>")
            return
        if kind == p.PT_SYSTIME and 0 <= value >> 32 <= 0x7FFF_FFFF:
            add(f"{head}<hilo><hi>{value >> 32}</hi><lo>{value & 0xFFFF_FFFF}</lo></hilo></item>")
            return
    elif type(value) is bytes:
        if kind == p.PT_BINARY:
            add(f"{head}<bin>{base64_text(value)}</bin></item>")
            return
    elif type(value) is str and value and kind in _TEXTS:
        add(f"{head}<lpszA>{escape(value)}</lpszA></item>")
        return
    add("<item>")
    write_prop(prop, add)
    add("</item>")


class _PropsFrame(ArrayFrame):
    __slots__ = ("columns",)

    def __init__(self, kind: Array, context: Context) -> None:
        super().__init__(kind, context)
        self.columns: dict[str, _Column] = {}

    def fast(self, buffer: str, position: int) -> int:
        position = _cells(buffer, position, self.items, self.columns)
        if len(self.items) > self.limit:
            raise WireError(f"an array of more than {self.limit} items")
        return position


def _cells(buffer: str, position: int, row: list[p.Prop], columns: dict[str, _Column]) -> int:
    """Read cells of the usual form into the row; the position behind the last one."""
    match, append = _CELL.match, row.append
    while found := match(buffer, position):
        number, element, text, high, low = found.groups()
        column = columns.get(number)
        if column is None:
            column = columns[number] = _column(number)
        tag, expected, parse = column
        if element == expected:
            append((tag, parse(text)))
        elif expected == "hilo" and high is not None:
            append((tag, I32.parse(high) << 32 | U32.parse(low)))
        else:
            append((tag, None))
        position = found.end()
    return position


class _Rows(Array):
    """A list of rows."""

    def __init__(self) -> None:
        super().__init__(PROPS, "propVal[]", list)

    def frame(self, context: Context) -> Frame:
        return _RowsFrame(self, context)


class _RowsFrame(ArrayFrame):
    __slots__ = ("columns", "pattern")

    def __init__(self, kind: Array, context: Context) -> None:
        super().__init__(kind, context)
        self.columns: dict[str, _Column] = {}
        self.pattern: RowPattern | None = None

    def fast(self, buffer: str, position: int) -> int:
        """Take whole rows; a row that is cut or unusual goes the slow way."""
        row_at, columns, items = _ROW.match, self.columns, self.items
        while True:
            if self.pattern is not None:
                position = self.pattern.take(buffer, position, items)
            head = row_at(buffer, position)
            if head is None:
                break
            row: list[p.Prop] = []
            end = _cells(buffer, head.end(), row, columns)
            if not buffer.startswith("</item>", end) or len(row) > self.limit:
                break
            items.append(row)
            position = end + 7
            self.pattern = pattern_of(row)
            self.pattern.learn(row)
        if len(items) > self.limit:
            raise WireError(f"more than {self.limit} rows")
        return position

    def is_cut(self, buffer: str, position: int) -> bool:
        """Whether a row of usual size begins here and does not end; a larger one is read piece by piece."""
        return (
            len(buffer) - position < _USUAL_ROW
            and buffer.startswith("<item", position)
            and buffer.find(_ROW_END, position) < 0
        )


PROPS: Final = _Props()
ROWS: Final = _Rows()
TAGS: Final = array_of(U32, "xsd:unsignedInt")
ENTRYIDS: Final = array_of(BINARY)
FLAGS: Final = array_of(U32)
STRINGS: Final = array_of(TEXT, "xsd:string")
