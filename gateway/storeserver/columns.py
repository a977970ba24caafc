"""Columns: from an object's properties to the row a client asked for.

A row has exactly the asked columns in the asked order; a missing value is ``(id | PT_ERROR, NOT_FOUND)``. Text
and bytes are cut unless the table was opened with NOCAP. A column of one instance of a multi-valued property
(type flag 0x2000) gives one row per value.

The key of a row is ``id | instance << 32``; on the wire it is PR_INSTANCE_KEY.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode, InvalidParameter
from gateway.mapi.props import (
    MV_FLAG,
    MV_INSTANCE,
    PT_BINARY,
    PT_ERROR,
    PT_STRING8,
    PT_UNICODE,
    PT_UNSPECIFIED,
    Prop,
    PropTag,
    Value,
    canonical,
)
from gateway.mapi.tables import Row

MAX_TEXT: Final = 255
MAX_BYTES: Final = 511
MAX_COLUMNS: Final = 1_000
LEAF_ROW: Final = 1
EXPANDED_ROW: Final = 3
COLLAPSED_ROW: Final = 4

_INSTANCE: Final = struct.Struct("<II")
_INSTANCE_TYPE: Final = MV_FLAG | MV_INSTANCE
#: Columns that the table itself fills in.
OWN: Final = frozenset({pt.PR_INSTANCE_KEY, pt.PR_ROW_TYPE})


def instance_key(key: int) -> bytes:
    """PR_INSTANCE_KEY of a row."""
    return _INSTANCE.pack(key & 0xFFFF_FFFF, key >> 32)


def row_key(instance: bytes) -> int:
    """The row of a PR_INSTANCE_KEY (InvalidParameter when it is none)."""
    if len(instance) != _INSTANCE.size:
        raise InvalidParameter("an instance key has 8 bytes")
    number, order = _INSTANCE.unpack(instance)
    return int(number | order << 32)


def is_instance(tag: PropTag) -> bool:
    """Whether the column shows one value of a multi-valued property per row."""
    return tag & _INSTANCE_TYPE == _INSTANCE_TYPE


def stored(tag: PropTag) -> PropTag:
    """The property a column shows, as the store keeps it."""
    return canonical(tag & ~MV_INSTANCE if is_instance(tag) else tag)


def looked_up(tag: PropTag) -> PropTag:
    """What a column is filed under in a row: an instance column keeps its own tag, with the Unicode type."""
    return canonical(tag & ~MV_INSTANCE) | MV_INSTANCE if is_instance(tag) else canonical(tag)


def missing(tag: PropTag) -> Prop:
    """The column of a property the object does not have."""
    return tag & ~0xFFFF | PT_ERROR, int(ErrorCode.NOT_FOUND)


class Columns:
    """The columns of a table."""

    def __init__(self, tags: Sequence[PropTag], *, capped: bool = True) -> None:
        """Prepare them (InvalidParameter for too many, or for more than one instance column)."""
        if len(tags) > MAX_COLUMNS:
            raise InvalidParameter(f"a table has at most {MAX_COLUMNS} columns")
        self.tags = tuple(tags)
        self.instance = instance_of(tags)
        self.needed = tuple({stored(tag) for tag in tags if tag & 0xFFFF != PT_UNSPECIFIED} - OWN)
        self._plan = [_planned(tag, capped) for tag in tags]
        self._own = [(place, tag) for place, tag in enumerate(tags) if tag in OWN]

    def render(self, key: int, values: Mapping[PropTag, Value], row_type: int = LEAF_ROW) -> Row:
        """The row of an object, from its full values by `looked_up` tag."""
        get = values.get
        row: Row = [
            absent
            if (value := get(source)) is None
            else (tag, value if not limit or len(value) <= limit else value[:limit])
            for tag, source, absent, limit in self._plan
        ]
        for place, tag in self._own:
            if get(tag) is None:
                row[place] = (tag, row_type if tag == pt.PR_ROW_TYPE else instance_key(key))
        return row


def instance_of(tags: Iterable[PropTag]) -> PropTag | None:
    """The one instance column among the tags, as `looked_up`; None when there is none."""
    found = {looked_up(tag) for tag in tags if is_instance(tag)}
    if len(found) > 1:
        raise InvalidParameter("a table can have one multi-valued instance column")
    return found.pop() if found else None


def _planned(tag: PropTag, capped: bool) -> tuple[PropTag, PropTag, Prop, int]:
    """A column's answered tag, where its value is found, what it is when missing, and its length limit."""
    answered = tag & ~_INSTANCE_TYPE if is_instance(tag) else tag
    type_ = answered & 0xFFFF
    limit = {PT_STRING8: MAX_TEXT, PT_UNICODE: MAX_TEXT, PT_BINARY: MAX_BYTES}.get(type_, 0)
    return answered, looked_up(tag), missing(answered), limit if capped else 0
