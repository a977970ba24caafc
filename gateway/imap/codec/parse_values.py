"""Elements that several commands share: flags, dates, sets, base64 (RFC 9051 section 9)."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from datetime import date, datetime, timedelta, timezone
from typing import Final

from gateway.imap.codec.cursor import Cursor
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.sequence import SAVED, SequenceSet, parse_set

SYSTEM_FLAGS: Final = {
    name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Recent")
}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_FLAGS: Final = 100

_MONTH: Final = {name.upper().encode(): number for number, name in enumerate(MONTHS, 1)}
_DATE: Final = re.compile(rb'("?)(\d{1,2})-([A-Za-z]{3})-(\d{4})\1')
_DATE_TIME: Final = re.compile(
    rb'"( \d|\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_SET: Final = re.compile(rb"\$|[0-9*][0-9*:,]*")
_RANGE: Final = re.compile(rb"(-?)([0-9]{1,10}):(-?)([0-9]{1,10})")
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def sequence_set(cursor: Cursor) -> SequenceSet:
    """``sequence-set``, or ``$``."""
    found = cursor.match(_SET)
    if found is None:
        raise ParseError("expected a sequence set")
    return SAVED if found[0] == b"$" else parse_set(found[0])


def known_set(cursor: Cursor) -> SequenceSet:
    """A set without ``*`` (``known-uids``, RFC 7162 section 7)."""
    found = cursor.match(_SET)
    if found is None:
        raise ParseError("expected a sequence set")
    return parse_set(found[0], star=False)


def starts_set(cursor: Cursor) -> bool:
    """Whether a sequence set is next."""
    return cursor.peek() in (b"$", b"*") or cursor.peek().isdigit()


def partial_range(cursor: Cursor) -> tuple[int, int]:
    """``partial-range``: both from the start, or both (negative) from the end (RFC 9394 section 4)."""
    found = cursor.match(_RANGE)
    if found is None or found[1] != found[3]:
        raise ParseError("expected a partial range")
    first, last = int(found[2]), int(found[4])
    if not (0 < first < 1 << 32 and 0 < last < 1 << 32):
        raise ParseError("number out of range")
    low, high = min(first, last), max(first, last)
    return (-low, -high) if found[1] else (low, high)


def flag(cursor: Cursor) -> str:
    """A flag or keyword; system flags in their usual spelling. Raises ParseError for unknown system flags."""
    if not cursor.skip(b"\\"):
        return cursor.atom()
    name = "\\" + cursor.atom()
    known = SYSTEM_FLAGS.get(name.lower())
    if known is None:
        raise ParseError(f"no such system flag: {name}")
    return known


def flag_list(cursor: Cursor) -> tuple[str, ...]:
    r"""``flag-list``; ``\Recent``, which no client can set, is passed over."""
    return _settable(cursor.items(flag, empty=True))


def store_flags(cursor: Cursor) -> tuple[str, ...]:
    """A flag list, or flags without parentheses (``store-att-flags``)."""
    if cursor.peek() == b"(":
        return flag_list(cursor)
    flags = [flag(cursor)]
    while cursor.more():
        flags.append(flag(cursor))
    return _settable(flags)


def _settable(flags: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    if len(flags) > MAX_FLAGS:
        raise ParseError("too many flags", code="LIMIT", no=True)
    unique = {name.lower(): name for name in flags if name != "\\Recent"}
    return tuple(unique.values())


def search_date(cursor: Cursor) -> date:
    """``date``: ``1-Feb-1994``, quoted or not."""
    found = cursor.match(_DATE)
    if found is None:
        raise ParseError("expected a date such as 1-Feb-1994")
    try:
        return date(int(found[4]), _MONTH[found[3].upper()], int(found[2]))
    except (KeyError, ValueError):
        raise ParseError("no such day") from None


def date_time(cursor: Cursor) -> datetime:
    """``date-time``: ``"17-Jul-1996 02:44:25 -0700"``."""
    found = cursor.match(_DATE_TIME)
    if found is None:
        raise ParseError('expected a date such as "17-Jul-1996 02:44:25 -0700"')
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == b"-" else offset)
        # A leap second is no second Python knows.
        return datetime(
            int(year),
            _MONTH[month.upper()],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=zone,
        )
    except (KeyError, ValueError):
        raise ParseError("no such date") from None


def base64(text: bytes) -> bytes:
    """The octets behind base64, strictly (``base64``; ``=`` alone is the empty string of RFC 4959)."""
    if text == b"=":
        return b""
    if _BASE64.fullmatch(text) is None:
        raise ParseError("invalid base64")
    try:
        return a2b_base64(text)
    except Error:
        raise ParseError("invalid base64") from None


def one_of(cursor: Cursor, allowed: frozenset[str]) -> str:
    """A word, one of the given ones."""
    word = cursor.word()
    if word not in allowed:
        raise ParseError(f"unknown item {word}")
    return word
