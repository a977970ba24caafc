"""Strings, names, flags, dates as responses spell them (RFC 9051 section 9)."""

from __future__ import annotations

import re
from datetime import datetime
from time import gmtime
from typing import Final

from gateway.imap.codec.mailboxname import encode_name
from gateway.imap.codec.parse_values import MONTHS

_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_QUOTABLE: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_QUOTABLE_UTF8: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\xff]*")
_MAX_QUOTED: Final = 1024


def quoted(raw: bytes) -> bytes:
    """A quoted string; the caller knows that no CR, LF or NUL is inside."""
    return b'"%b"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def literal(raw: bytes) -> bytes:
    """A literal."""
    return b"{%d}\r\n%b" % (len(raw), raw)


def literal8(raw: bytes) -> bytes:
    """A literal of any octets (``literal8``)."""
    return b"~{%d}\r\n%b" % (len(raw), raw)


def string(raw: bytes, *, utf8: bool = False) -> bytes:
    """A string, quoted if it may be: short, without CR, LF and NUL, and octets above 127 only in UTF-8."""
    if len(raw) <= _MAX_QUOTED and (_QUOTABLE_UTF8 if utf8 else _QUOTABLE).fullmatch(raw):
        return quoted(raw)
    return literal8(raw) if b"\0" in raw else literal(raw)


def nstring(raw: bytes | None, *, utf8: bool = False) -> bytes:
    """A string or NIL."""
    return b"NIL" if raw is None else string(raw, utf8=utf8)


def astring(raw: bytes) -> bytes:
    """An atom if it may be one, else a string. NIL is never an atom here."""
    return raw if _ATOM.fullmatch(raw) and raw.upper() != b"NIL" else string(raw)


def mailbox(name: str, *, utf8: bool = False) -> bytes:
    """A mailbox name, always quoted as most servers do; INBOX plain."""
    return b"INBOX" if name == "INBOX" else string(encode_name(name, utf8=utf8), utf8=utf8)


def text(words: str) -> bytes:
    """Human readable text of a status response: one line, ASCII."""
    return words.translate(_ONE_LINE).encode("ascii", "replace")


_ONE_LINE: Final = dict.fromkeys((*range(32), 127), " ")


def date_time(seconds: int) -> bytes:
    """``date-time`` of Unix seconds, in UTC, quoted."""
    try:
        year, month, day, hour, minute, second, *_ = gmtime(seconds)
    except (OverflowError, OSError, ValueError):
        year, month, day, hour, minute, second = 1970, 1, 1, 0, 0, 0
    return b'"%2d-%b-%04d %02d:%02d:%02d +0000"' % (day, _MONTH_NAMES[month], year, hour, minute, second)


_MONTH_NAMES: Final = (b"", *(name.encode() for name in MONTHS))


def day_time(moment: datetime) -> bytes:
    """``date-time`` of a moment with its own zone, quoted."""
    return b'"%b"' % moment.strftime(f"%d-{MONTHS[moment.month - 1]}-%Y %H:%M:%S %z").encode("ascii")
