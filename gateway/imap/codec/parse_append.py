"""APPEND and REPLACE, read (RFC 9051 6.3.12; RFC 3502, 4469, 6855, 8508)."""

from __future__ import annotations

import re
from typing import Final

from gateway.imap.codec.commands import Append, MessagePart, NewMessage, Replace, UrlPart
from gateway.imap.codec.cursor import Cursor, Literal, lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parse_values import date_time, flag_list, one_of

_CATENATE: Final = re.compile(rb"(?i:CATENATE) \(")
_UTF8: Final = re.compile(rb"(?i:UTF8) \(")


def append(cursor: Cursor) -> Append:
    """The arguments of APPEND: one message or several."""
    cursor.space()
    mailbox = cursor.mailbox()
    messages = [_message(cursor)]
    while not cursor.at_end():
        messages.append(_message(cursor))
    return Append(mailbox, tuple(messages))


def replace(cursor: Cursor, *, by_uid: bool) -> Replace:
    """The arguments of REPLACE."""
    cursor.space()
    number = 0 if cursor.skip(b"*") else cursor.nz_number()
    cursor.space()
    return Replace(number, cursor.mailbox(), _message(cursor), by_uid)


def _message(cursor: Cursor) -> NewMessage:
    cursor.space()
    flags: tuple[str, ...] = ()
    if cursor.peek() == b"(":
        flags = flag_list(cursor)
        cursor.space()
    date = None
    if cursor.peek() == b'"':
        date = date_time(cursor)
        cursor.space()
    if cursor.match(_CATENATE):
        return NewMessage(cursor.rest_of_items(_part), flags, date, catenate=True)
    return NewMessage((_body(cursor),), flags, date)


def _body(cursor: Cursor) -> Literal:
    """A literal, binary or not, or one in ``UTF8 (...)`` (RFC 6855 section 4)."""
    wrapped = cursor.match(_UTF8) is not None
    literal = _literal(cursor)
    if wrapped:
        cursor.expect(b")")
    if literal.size == 0:
        raise ParseError("a message cannot be empty")
    return literal


def _literal(cursor: Cursor) -> Literal:
    literal = cursor.literal()
    if literal is None:
        raise ParseError("expected a literal")
    return literal


def _part(cursor: Cursor) -> MessagePart:
    """``cat-part`` (RFC 4469 section 5)."""
    word = one_of(cursor, frozenset({"TEXT", "URL"}))
    cursor.space()
    return _literal(cursor) if word == "TEXT" else UrlPart(lenient(cursor.astring()))
