"""Property values: the types of MS-OXCDATA 2.11 and the Python value each one has.

==================  ======================  =====================================================
type                Python value            note
==================  ======================  =====================================================
PT_SHORT            int                     signed 16 bit
PT_LONG, PT_ERROR   int                     **unsigned** 32 bit, as on the wire; see `signed32`
PT_FLOAT/DOUBLE     float
PT_APPTIME          float
PT_BOOLEAN          bool
PT_LONGLONG         int                     signed 64 bit
PT_CURRENCY         int                     signed 64 bit, ten-thousandths
PT_SYSTIME          int                     FILETIME: 100 ns ticks since 1601-01-01 UTC, see `times`
PT_STRING8/UNICODE  str
PT_BINARY, CLSID    bytes
PT_MV_*             tuple of the above
PT_SRESTRICTION     restrictions.Restriction  only inside rules
PT_ACTIONS          rules.Actions             only inside rules
==================  ======================  =====================================================

A property travels as the pair ``(tag, value)`` (`Prop`); a set of them is a dict (`Props`) keyed by tag.
A value that is missing on a row is ``(id | PT_ERROR, code)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

PT_UNSPECIFIED: Final = 0x0000
PT_NULL: Final = 0x0001
PT_SHORT: Final = 0x0002
PT_LONG: Final = 0x0003
PT_FLOAT: Final = 0x0004
PT_DOUBLE: Final = 0x0005
PT_CURRENCY: Final = 0x0006
PT_APPTIME: Final = 0x0007
PT_ERROR: Final = 0x000A
PT_BOOLEAN: Final = 0x000B
PT_OBJECT: Final = 0x000D
PT_LONGLONG: Final = 0x0014
PT_STRING8: Final = 0x001E
PT_UNICODE: Final = 0x001F
PT_SYSTIME: Final = 0x0040
PT_CLSID: Final = 0x0048
PT_SRESTRICTION: Final = 0x00FD
PT_ACTIONS: Final = 0x00FE
PT_BINARY: Final = 0x0102

MV_FLAG: Final = 0x1000
MV_INSTANCE: Final = 0x2000
PT_MV_SHORT: Final = MV_FLAG | PT_SHORT
PT_MV_LONG: Final = MV_FLAG | PT_LONG
PT_MV_FLOAT: Final = MV_FLAG | PT_FLOAT
PT_MV_DOUBLE: Final = MV_FLAG | PT_DOUBLE
PT_MV_CURRENCY: Final = MV_FLAG | PT_CURRENCY
PT_MV_APPTIME: Final = MV_FLAG | PT_APPTIME
PT_MV_LONGLONG: Final = MV_FLAG | PT_LONGLONG
PT_MV_STRING8: Final = MV_FLAG | PT_STRING8
PT_MV_UNICODE: Final = MV_FLAG | PT_UNICODE
PT_MV_SYSTIME: Final = MV_FLAG | PT_SYSTIME
PT_MV_CLSID: Final = MV_FLAG | PT_CLSID
PT_MV_BINARY: Final = MV_FLAG | PT_BINARY

#: A property value. Its Python type follows from the tag's type, see the module's table.
Value: TypeAlias = Any
#: A complete property tag.
PropTag: TypeAlias = int
#: One property: its tag and its value.
Prop: TypeAlias = tuple[PropTag, Value]


class PropName(NamedTuple):
    """The name of a named property (MS-OXCDATA 2.6.1): a property set and a number or a string."""

    guid: bytes
    """16 bytes in stored (little-endian) order."""
    id: int | str


class NamedTag(NamedTuple):
    """A named property with its type, before a store server has given the name an id."""

    name: PropName
    type: int


#: What a property is filed under in content: a tag, or a name that has no fixed id.
PropKey: TypeAlias = PropTag | NamedTag
#: A set of properties of one object that came from or goes to a store.
Props: TypeAlias = dict[PropTag, Value]
#: A set of properties that may hold unregistered names (converters).
NamedProps: TypeAlias = dict[PropKey, Value]


def prop_id(tag: PropTag) -> int:
    """The id, the upper half of a tag."""
    return tag >> 16


def prop_type(tag: PropTag) -> int:
    """The type, the lower half of a tag."""
    return tag & 0xFFFF


def retyped(tag: PropTag, new_type: int) -> PropTag:
    """The tag of the same id with another type."""
    return tag & ~0xFFFF | new_type


def canonical(tag: PropTag) -> PropTag:
    """The tag under which the store keeps it: STRING8 and UNICODE are one property."""
    if tag & 0xEFFF == PT_STRING8:
        return tag | 1
    return tag


def is_multi_valued(tag: PropTag) -> bool:
    """Whether the value is a tuple."""
    return bool(tag & MV_FLAG)


def signed32(value: int) -> int:
    """A PT_LONG read as a signed number."""
    return value - 0x1_0000_0000 if value & 0x8000_0000 else value


def unsigned32(value: int) -> int:
    """A number, perhaps negative, as a PT_LONG."""
    return value & 0xFFFF_FFFF


def present(row: Iterable[Prop]) -> Iterator[Prop]:
    """The properties of a row that have a value."""
    return ((tag, value) for tag, value in row if tag & 0xFFFF != PT_ERROR)
