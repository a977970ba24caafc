"""What SEARCH looks at of an ENVELOPE: subject and people, decoded, without case. Pure.

A text matches when a field contains it. The addresses of a field stand apart, and so do name and address of each:
as in the store, where they are properties of their own.
"""

from __future__ import annotations

from enum import Enum
from itertools import chain
from typing import Final, NamedTuple

from gateway.convert.mime.encoded import text
from gateway.convert.mime.envelopevalues import Value, envelope_values
from gateway.convert.mime.searchtext import body_text, header_text, inner_header_text
from gateway.convert.mime.structure import scan
from gateway.mailbox import criteria as c


class SearchText(NamedTuple):
    """The fields as UTF-8, folded."""

    subject: bytes
    sender: bytes
    to: bytes
    cc: bytes
    bcc: bytes


class Field(Enum):
    """The fields by their names in `SearchText`."""

    SUBJECT = "subject"
    FROM = "sender"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


_BY_HEADER: Final = {
    "subject": Field.SUBJECT,
    "from": Field.FROM,
    "to": Field.TO,
    "cc": Field.CC,
    "bcc": Field.BCC,
}
_NOTHING: Final = SearchText(b"", b"", b"", b"", b"")


def field_of(criterion: c.Criterion) -> Field | None:
    """The field whose text decides whether a mail matches; None when that is not enough."""
    if not isinstance(criterion, c.Header | c.Address) or not criterion.text:
        return None
    return _BY_HEADER.get(criterion.name.lower())


def folded(words: str) -> bytes:
    """Text as it is compared (the store folds in the same way)."""
    return words.casefold().encode("utf-8", "replace")


def search_text(envelope: bytes) -> SearchText:
    """The fields of a rendered ENVELOPE; empty where there is nothing."""
    values = envelope_values(envelope)
    if not values:
        return _NOTHING
    return SearchText(
        _words(values[1]), _people(values[2]), _people(values[5]), _people(values[6]), _people(values[7])
    )


def _words(value: Value) -> bytes:
    if not isinstance(value, bytes):
        return b""
    if b"=?" in value or not value.isascii():
        return folded(text(value))
    return value.lower()


def _people(value: Value) -> bytes:
    """Names and addresses, each in a line of its own."""
    lines = []
    for person in value if isinstance(value, list) else ():
        if isinstance(person, list) and len(person) == 4:
            name, _, mailbox, host = map(_words, person)
            lines += [name, b"%b@%b" % (mailbox, host) if host else mailbox]
    return b"\n".join(filter(None, lines))


def has_text(criterion: c.Body | c.Text, data: bytes) -> bool:
    """Whether the decoded text of a message contains that of a criterion (RFC 9051 6.4.4).

    That is all its text parts and the headers of messages inside it, for TEXT all headers.
    """
    wanted = criterion.text.casefold()
    message = scan(data)
    headers = header_text(message) if isinstance(criterion, c.Text) else inner_header_text(message)
    return any(wanted in words.casefold() for words in chain(headers, body_text(message)))
