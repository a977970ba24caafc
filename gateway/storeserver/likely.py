"""Which rows may match a restriction, as far as packed properties tell without being unpacked.

A text that a restriction looks for is somewhere in the packed properties of every message that matches, give or
take letters that change when case is folded. The database looks for it there and leaves out most rows; the
restriction itself (`restrict`) decides about the others. So this may let too many rows through, never too few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_, or_
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.props import MV_FLAG, PT_BINARY, PT_UNICODE, PropTag, canonical
from gateway.mapi.restrictions import And, Comment, Content, Fuzzy, Or, Restriction, Sub
from gateway.storeserver import properties, schema
from gateway.storeserver.writable import HASATTACH

FUNCTION: Final = "may_contain"
"""The name that `may_contain` has in the database."""
SPILLED_MARK: Final = b"\x00\xc3"
"""In a packed hot set from which something was left out: the key 0 with the value true."""

_FRAGMENT: Final = re.compile(r"[\x20-\x7e]+")
_messages: Final = schema.messages.c
_details: Final = schema.details.c
_long: Final = schema.long_values.c


@dataclass(frozen=True, slots=True)
class Text:
    """A property holds these bytes; if ``folded``, in any case."""

    tag: PropTag
    data: bytes
    folded: bool


@dataclass(frozen=True, slots=True)
class Combined:
    """Several conditions: ``all`` of them, or any."""

    parts: tuple[Likely, ...]
    all: bool


@dataclass(frozen=True, slots=True)
class Attached:
    """A message has attachments."""


Likely: TypeAlias = "Text | Attached | Combined"


def may_contain(packed: bytes, wanted: bytes) -> bool:
    """Whether packed texts may contain ASCII text, whatever its case; ``wanted`` is in lower case.

    Who has one of the odd letters that the text could be made of may match. So may who has more elsewhere
    (`SPILLED_MARK`).
    """
    if wanted in packed.lower():
        return True
    # One byte is found so much faster than two that the second look pays, although most bytes can be anything.
    return any(first in packed and both in packed for first, both in _marks(wanted))


#: Letters beyond ASCII that become ASCII letters, among others, when case is folded: such as ß and the ligatures.
_ODD: Final = {
    char.encode(): {ord(letter) for letter in char.casefold() if letter.isascii()}
    for char in "ßİŉſǰẖẗẘẙẚẞ\u212aﬀﬁﬂﬃﬄﬅﬆ"
}


@lru_cache(maxsize=64)
def _marks(wanted: bytes) -> tuple[tuple[int, bytes], ...]:
    """What makes a set of properties worth a second look; each with its first byte."""
    letters = set(wanted)
    marks = {SPILLED_MARK: SPILLED_MARK[1]} | {odd: odd[0] for odd, folded in _ODD.items() if folded & letters}
    return tuple((first, both) for both, first in marks.items())


def likely(restriction: Restriction) -> Likely | None:
    """What every matching row must fulfil; None when nothing is known."""
    match restriction:
        case Content():
            return _text(restriction)
        case And(parts):
            return _combined(_known(parts), all=True)
        case Or(parts):
            known = _known(parts)
            return _combined(known, all=False) if len(known) == len(parts) else None
        case Comment(part, _) if part is not None:
            return likely(part)
        case Sub(tag=p.PR_MESSAGE_ATTACHMENTS):
            return Attached()
    return None


def _known(parts: Sequence[Restriction]) -> list[Likely]:
    found = map(likely, parts)
    return [part for part in found if part is not None]


def _combined(parts: list[Likely], *, all: bool) -> Likely | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return Combined(tuple(parts), all)


def _text(node: Content) -> Text | None:
    tag = canonical(node.tag)
    value = None if node.prop is None else node.prop[1]
    kind = tag & 0xFFFF & ~MV_FLAG
    if kind == PT_BINARY and isinstance(value, bytes) and value:
        return Text(tag, value, folded=False)
    if kind != PT_UNICODE or not isinstance(value, str):
        return None
    if not node.fuzzy & Fuzzy.IGNORECASE:
        data = value.encode("utf-8", "replace")
        return Text(tag, data, folded=False) if data and data.decode() == value else None
    fragments = _FRAGMENT.findall(value.casefold())
    longest = max(fragments, key=len, default="")
    return Text(tag, longest.encode(), folded=True) if longest else None


def condition(wanted: Likely) -> sa.ColumnElement[bool] | None:
    """The condition on `schema.messages`, joined with `schema.details` if any property is not hot.

    None when what is wanted is not among the packed properties.
    """
    if isinstance(wanted, Text):
        return _text_condition(wanted)
    if isinstance(wanted, Attached):
        return _messages.message_flags.op("&")(HASATTACH) != 0
    found = [condition(part) for part in wanted.parts]
    known = [part for part in found if part is not None]
    if not known or (not wanted.all and len(known) < len(found)):
        return None
    return reduce(and_ if wanted.all else or_, known)


def _text_condition(wanted: Text) -> sa.ColumnElement[bool] | None:
    tag = wanted.tag
    if tag in properties.NOT_IN_TABLES:
        return None
    contains = _folded if wanted.folded else _exact
    if properties.may_be_hot(tag):
        return contains(_messages.hot, wanted.data)
    long = sa.select(sa.literal(1)).where(
        _long.object_id == _messages.id,
        _long.tag == tag,
        _long.value.is_not(None),
        contains(_long.value, wanted.data),
    )
    return contains(_details.props, wanted.data) | sa.exists(long.correlate(schema.messages))


_Contains: TypeAlias = "Callable[[sa.ColumnElement[Any], bytes], sa.ColumnElement[bool]]"


def _folded(column: sa.ColumnElement[Any], data: bytes) -> sa.ColumnElement[bool]:
    return sa.func.may_contain(column, data, type_=sa.Boolean) == sa.true()


def _exact(column: sa.ColumnElement[Any], data: bytes) -> sa.ColumnElement[bool]:
    return (sa.func.instr(column, data) > 0) | (sa.func.instr(column, SPILLED_MARK) > 0)
