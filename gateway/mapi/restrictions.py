"""Restrictions: the filter language of tables, searches and rules (MS-OXCDATA 2.12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

from gateway.mapi.props import Prop, PropTag


class Relop(IntEnum):
    """How a property is compared."""

    LT = 0
    LE = 1
    GT = 2
    GE = 3
    EQ = 4
    NE = 5
    RE = 6


class Fuzzy(IntFlag):
    """How text is matched: the low word is the place, the flag ignores case."""

    FULLSTRING = 0
    SUBSTRING = 1
    PREFIX = 2
    IGNORECASE = 0x10000


@dataclass(frozen=True, slots=True)
class And:
    """All of them; true when empty."""

    parts: tuple[Restriction, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; false when empty."""

    parts: tuple[Restriction, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Restriction


@dataclass(frozen=True, slots=True)
class Content:
    """Text or bytes that contain, start with or equal the value; a missing property never matches."""

    fuzzy: int
    tag: PropTag
    prop: Prop


@dataclass(frozen=True, slots=True)
class Property:
    """A comparison with a value; strings ignore case. A missing property matches only `Relop.NE`."""

    relop: int
    tag: PropTag
    prop: Prop


@dataclass(frozen=True, slots=True)
class CompareProps:
    """A comparison of two properties of the same object."""

    relop: int
    tag1: PropTag
    tag2: PropTag


@dataclass(frozen=True, slots=True)
class Bitmask:
    """``value & mask`` is zero (``nonzero`` false) or not zero."""

    tag: PropTag
    mask: int
    nonzero: bool


@dataclass(frozen=True, slots=True)
class Size:
    """A comparison of the value's size in bytes."""

    relop: int
    tag: PropTag
    size: int


@dataclass(frozen=True, slots=True)
class Exist:
    """The object has the property."""

    tag: PropTag


@dataclass(frozen=True, slots=True)
class Sub:
    """A recipient (PR_MESSAGE_RECIPIENTS) or attachment (PR_MESSAGE_ATTACHMENTS) matches."""

    tag: PropTag
    part: Restriction


@dataclass(frozen=True, slots=True)
class Comment:
    """A restriction with remarks that do not matter to the match."""

    part: Restriction | None
    props: tuple[Prop, ...]


Restriction: TypeAlias = (
    And | Or | Not | Content | Property | CompareProps | Bitmask | Size | Exist | Sub | Comment
)


def equals(tag: PropTag, value: object) -> Property:
    """The property has this value."""
    return Property(Relop.EQ, tag, (tag, value))


def contains(tag: PropTag, text: str) -> Content:
    """The text property contains this text, whatever the case."""
    return Content(Fuzzy.SUBSTRING | Fuzzy.IGNORECASE, tag, (tag, text))


def begins(tag: PropTag, text: str) -> Content:
    """The text property begins with this text, whatever the case."""
    return Content(Fuzzy.PREFIX | Fuzzy.IGNORECASE, tag, (tag, text))
