"""Search criteria: what a mail must be like, as values (the keys of RFC 9051 6.4.4 and its extensions).

Protocol heads translate their grammar into these; `gateway.mailbox.search` decides which of them the store, the
View or the message's bytes answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias

from gateway.mailbox.flags import Flag


@dataclass(frozen=True, slots=True)
class All:
    """Every mail."""


@dataclass(frozen=True, slots=True)
class And:
    """All parts match."""

    parts: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One part matches."""

    parts: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: Criterion


@dataclass(frozen=True, slots=True)
class Uids:
    """The UID lies in one of the ranges; each range is ``(first, last)``, ordered and resolved (no ``*``)."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Flagged:
    """The flag bit is set."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class Keyword:
    """The keyword is set, whatever the case."""

    keyword: str


class DateField(Enum):
    """Which date of a mail is meant."""

    INTERNAL = "internal"
    SENT = "sent"
    SAVED = "saved"
    """When it came into its mailbox (RFC 8514)."""


@dataclass(frozen=True, slots=True)
class Dated:
    """``first <= date < end``, the date as written (no zone); either end may be open."""

    field: DateField
    first: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Age:
    """The internal date is at most (``younger``) or at least so many seconds ago (RFC 5032)."""

    seconds: int
    younger: bool


@dataclass(frozen=True, slots=True)
class Size:
    """RFC822.SIZE is larger (``larger``) or smaller than this, exclusively."""

    size: int
    larger: bool


@dataclass(frozen=True, slots=True)
class Header:
    """A header field contains the text (any case, decoded); an empty text asks whether the field exists."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Address:
    """The address header (From, To, Cc, Bcc) contains the text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """The decoded text of the body contains the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Headers or body contain the text."""

    text: str


@dataclass(frozen=True, slots=True)
class ModifiedSince:
    """MODSEQ is this value or higher (RFC 7162 3.1.5)."""

    modseq: int


@dataclass(frozen=True, slots=True)
class EmailId:
    """EMAILID equals the value (RFC 8474)."""

    value: str


@dataclass(frozen=True, slots=True)
class ThreadId:
    """THREADID equals the value (RFC 8474)."""

    value: str


Criterion: TypeAlias = (
    "All | And | Or | Not | Uids | Flagged | Keyword | Dated | Age | Size | Header | Address | Body | Text"
    " | ModifiedSince | EmailId | ThreadId"
)
