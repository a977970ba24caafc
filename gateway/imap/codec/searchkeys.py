"""Search keys as values (RFC 9051 6.4.4, and the extensions that add keys)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias

from gateway.imap.codec.sequence import SequenceSet


class Field(Enum):
    """Header fields that have a key of their own."""

    BCC = "bcc"
    CC = "cc"
    FROM = "from"
    SUBJECT = "subject"
    TO = "to"


class DateOf(Enum):
    """Which date a date key looks at: time and zone are ignored."""

    INTERNAL = "internaldate"
    SENT = "date"
    SAVED = "savedate"


class Relation(Enum):
    """How a date compares."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class And:
    """All of the keys."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Either key."""

    left: Key
    right: Key


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    key: Key


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """The key, matched fuzzily (RFC 6203)."""

    key: Key


@dataclass(frozen=True, slots=True)
class Numbers:
    """Messages of a set of sequence numbers, or of UIDs."""

    numbers: SequenceSet
    by_uid: bool


@dataclass(frozen=True, slots=True)
class UidRange:
    """Messages with a UID from `low` to `high` (RFC 9738 3.2); none when `low` is above."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Flagged:
    """Messages that have a flag or keyword."""

    flag: str


@dataclass(frozen=True, slots=True)
class Address:
    """A header field with its own key contains the text."""

    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header field contains the text; an empty text asks only that the field exists."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """The body contains the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """The header or the body contains the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A comparison of a date."""

    of: DateOf
    relation: Relation
    day: date


@dataclass(frozen=True, slots=True)
class Larger:
    """Larger than so many octets."""

    size: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Smaller than so many octets."""

    size: int


@dataclass(frozen=True, slots=True)
class Younger:
    """INTERNALDATE within the last so many seconds (RFC 5032)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Older:
    """INTERNALDATE so many seconds ago or more (RFC 5032)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class ModSeq:
    """Mod-sequence at least this (RFC 7162 3.1.5). Entry names are read and mean nothing more."""

    least: int


@dataclass(frozen=True, slots=True)
class EmailId:
    """The message with this object id (RFC 8474)."""

    id: str


@dataclass(frozen=True, slots=True)
class ThreadId:
    """Messages of the thread with this object id (RFC 8474)."""

    id: str


@dataclass(frozen=True, slots=True)
class SaveDateSupported:
    """Every message, where the mailbox keeps save dates (RFC 8514)."""


Key: TypeAlias = (
    "All | And | Or | Not | Fuzzy | Numbers | UidRange | Flagged | Address | Header | Body | Text | Dated | Larger | Smaller"
    " | Younger | Older | ModSeq | EmailId | ThreadId | SaveDateSupported"
)


def uses_modseq(key: Key) -> bool:
    """Whether a MODSEQ key occurs, which turns CONDSTORE on (RFC 7162 3.1)."""
    return any(isinstance(one, ModSeq) for one in walk(key))


def walk(key: Key) -> list[Key]:
    """The key and every key below it."""
    found: list[Key] = [key]
    for one in found:
        if isinstance(one, And):
            found += one.keys
        elif isinstance(one, Or):
            found += (one.left, one.right)
        elif isinstance(one, Not | Fuzzy):
            found.append(one.key)
    return found
