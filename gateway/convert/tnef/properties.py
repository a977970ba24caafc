"""Property lists and recipient tables inside TNEF (MS-OXTNEF 2.1.3.4, 2.1.3.5).

Counts are checked against the octets that are left before anything is made of them, and all lists of one
stream share a budget, since a property takes far more memory than its eight octets.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from gateway.convert.errors import ParseError
from gateway.mapi.propnames import named
from gateway.mapi.props import (
    MV_FLAG,
    PT_APPTIME,
    PT_BINARY,
    PT_BOOLEAN,
    PT_CLSID,
    PT_CURRENCY,
    PT_DOUBLE,
    PT_ERROR,
    PT_FLOAT,
    PT_LONG,
    PT_LONGLONG,
    PT_NULL,
    PT_OBJECT,
    PT_SHORT,
    PT_STRING8,
    PT_SYSTIME,
    PT_UNICODE,
    NamedProps,
    PropKey,
    canonical,
)

#: How the fixed types lie in the stream; all take a multiple of four octets.
_FIXED: Final = {
    PT_NULL: struct.Struct("<4x"),
    PT_SHORT: struct.Struct("<h2x"),
    PT_LONG: struct.Struct("<I"),
    PT_ERROR: struct.Struct("<I"),
    PT_FLOAT: struct.Struct("<f"),
    PT_DOUBLE: struct.Struct("<d"),
    PT_APPTIME: struct.Struct("<d"),
    PT_CURRENCY: struct.Struct("<q"),
    PT_BOOLEAN: struct.Struct("<H2x"),
    PT_LONGLONG: struct.Struct("<q"),
    PT_SYSTIME: struct.Struct("<Q"),
    PT_CLSID: struct.Struct("<16s"),
}
_VARIABLE: Final = (PT_STRING8, PT_UNICODE, PT_BINARY, PT_OBJECT)
_WORD: Final = struct.Struct("<I")
_LONGEST_NAME: Final = 1024


class Budget:
    """How many properties a stream may still have, streams inside it included."""

    def __init__(self, properties: int) -> None:
        self.left = properties

    def take(self) -> None:
        """Count one (ParseError when there are too many)."""
        self.left -= 1
        if self.left < 0:
            raise ParseError("TNEF holds more properties than are allowed")


class PropertyReader:
    """Reads one attribute's data; the codec is that of the stream's 8-bit strings."""

    def __init__(self, data: memoryview, codec: str, budget: Budget) -> None:
        self._data = data
        self._position = 0
        self._codec = codec
        self._budget = budget

    def table(self) -> list[NamedProps]:
        """The rows of a recipient table."""
        rows = []
        for _ in range(self._count(4)):
            self._budget.take()
            rows.append(self.props())
        return rows

    def props(self) -> NamedProps:
        """One property list; properties of type PT_OBJECT have the octets that follow their interface id.

        Strings are filed under the Unicode type, whatever type they have here.
        """
        found: NamedProps = {}
        for _ in range(self._count(8)):
            self._budget.take()
            tag = self._word()
            key = self._named(tag) if tag >= 0x8000_0000 else canonical(tag)
            value = self._value(tag & 0xFFFF)
            if tag & 0xFFFF not in (PT_NULL, PT_ERROR):
                found[key] = value
        return found

    def _word(self) -> int:
        return int(_WORD.unpack(self._octets(4))[0])

    def _octets(self, size: int) -> memoryview:
        start = self._position
        if size > len(self._data) - start:
            raise ParseError(f"TNEF property at {start} is longer than its attribute")
        self._position = start + size
        return self._data[start : start + size]

    def _padded(self, size: int) -> memoryview:
        """Octets and then up to three of padding, which the last value may lack."""
        octets = self._octets(size)
        self._position = min(self._position + -size % 4, len(self._data))
        return octets

    def _count(self, least: int) -> int:
        """A number of things that take at least so many octets each."""
        count = self._word()
        if count * least > len(self._data) - self._position:
            raise ParseError(f"TNEF announces {count} values where there is no room for them")
        return count

    def _named(self, tag: int) -> PropKey:
        guid = bytes(self._octets(16))
        kind = canonical(tag) & 0xFFFF
        if self._word() == 0:
            return named(guid, self._word(), kind)
        size = self._word()
        if size > _LONGEST_NAME:
            raise ParseError(f"TNEF property name of {size} octets is too long")
        name = bytes(self._padded(size)).decode("utf-16-le", "replace")
        return named(guid, name.partition("\0")[0], kind)

    def _value(self, type: int) -> Any:
        single = type & ~MV_FLAG
        if single in _VARIABLE:
            values = [self._variable(single) for _ in range(self._count(4))]
        elif single in _FIXED:
            count = self._count(_FIXED[single].size) if type & MV_FLAG else 1
            values = [self._fixed(single) for _ in range(count)]
        else:
            raise ParseError(f"TNEF property of unknown type {type:#06x}")
        if type & MV_FLAG:
            return tuple(values)
        return values[0] if values else self._empty(single)

    def _fixed(self, type: int) -> Any:
        layout = _FIXED[type]
        unpacked = layout.unpack(self._octets(layout.size))
        value = unpacked[0] if unpacked else None
        if type == PT_BOOLEAN:
            return bool(value)
        if type == PT_SYSTIME:
            return min(value or 0, 2**63 - 1)
        return value

    def _variable(self, type: int) -> str | bytes:
        self._budget.take()
        octets = bytes(self._padded(self._word()))
        if type == PT_UNICODE:
            return octets[: len(octets) & ~1].decode("utf-16-le", "replace").partition("\0")[0]
        if type == PT_STRING8:
            return octets.decode(self._codec, "replace").partition("\0")[0]
        return octets

    def _empty(self, type: int) -> str | bytes:
        return "" if type in (PT_STRING8, PT_UNICODE) else b""
