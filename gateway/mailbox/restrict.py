"""Search criteria as MAPI restrictions, wherever their meaning is the same. Pure.

Substrings are matched by the store on decoded, full property values, ignoring case (RFC 9051 6.4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from gateway.mailbox import criteria as c
from gateway.mapi import proptags as pr
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import (
    And,
    Exist,
    Not,
    Or,
    Property,
    Relop,
    Restriction,
    Sub,
    begins,
    contains,
    equals,
)
from gateway.mapi.times import from_datetime

_SENDER: Final = (
    pr.PR_SENT_REPRESENTING_NAME,
    pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
    pr.PR_SENT_REPRESENTING_SMTP_ADDRESS,
)
_RECIPIENT: Final = (pr.PR_DISPLAY_NAME, pr.PR_EMAIL_ADDRESS, pr.PR_SMTP_ADDRESS)
#: ATTACH_EMBEDDED_MSG (MS-OXCMSG 2.2.2.9).
_EMBEDDED: Final = 5
_RECIPIENT_TYPES: Final = {"to": 1, "cc": 2, "bcc": 3}
#: Header fields that are one text property; what they contain is what the property contains.
_TEXT_HEADERS: Final = {
    "subject": pr.PR_SUBJECT,
    "message-id": pr.PR_INTERNET_MESSAGE_ID,
    "in-reply-to": pr.PR_IN_REPLY_TO_ID,
    "references": pr.PR_INTERNET_REFERENCES,
}


def restriction_of(criterion: c.Criterion) -> Restriction | None:
    """The restriction with the same meaning; None when the store cannot answer it (all of it)."""
    translate = _TRANSLATIONS.get(type(criterion))
    return translate(criterion) if translate else None


def header_prefilter(criterion: c.Header) -> Restriction:
    """What every mail has that matches a header the store does not keep as a property."""
    return contains(pr.PR_TRANSPORT_MESSAGE_HEADERS, f"{criterion.name}:")


def _all(_: c.All) -> Restriction:
    return And(())


def _parts(parts: tuple[c.Criterion, ...]) -> tuple[Restriction, ...] | None:
    translated = [restriction_of(part) for part in parts]
    return None if None in translated else tuple(part for part in translated if part is not None)


def _and(criterion: c.And) -> Restriction | None:
    parts = _parts(criterion.parts)
    return None if parts is None else And(parts)


def _or(criterion: c.Or) -> Restriction | None:
    parts = _parts(criterion.parts)
    return None if parts is None else Or(parts)


def _not(criterion: c.Not) -> Restriction | None:
    part = restriction_of(criterion.part)
    return None if part is None else Not(part)


def _any_contains(tags: tuple[PropTag, ...], text: str) -> Restriction:
    if not text:
        return Or(tuple(Exist(tag) for tag in tags))
    return Or(tuple(contains(tag, text) for tag in tags))


def _address(criterion: c.Address) -> Restriction | None:
    name = criterion.name.lower()
    if name == "from":
        return _any_contains(_SENDER, criterion.text)
    kind = _RECIPIENT_TYPES.get(name)
    if kind is None:
        return None
    typed = equals(pr.PR_RECIPIENT_TYPE, kind)
    part = And((typed, _any_contains(_RECIPIENT, criterion.text))) if criterion.text else typed
    return Sub(pr.PR_MESSAGE_RECIPIENTS, part)


def _header(criterion: c.Header) -> Restriction | None:
    name = criterion.name.lower()
    if name == "from" or name in _RECIPIENT_TYPES:
        return _address(c.Address(name, criterion.text))
    tag = _TEXT_HEADERS.get(name)
    return None if tag is None else _any_contains((tag,), criterion.text)


def _of_text(criterion: c.Body | c.Text) -> Restriction | None:
    """Every mail contains the empty text; of another the store knows only a part, see `text_prefilter`."""
    return None if criterion.text else And(())


def text_prefilter(criterion: c.Body | c.Text) -> Restriction:
    """Mails that match for certain: the store looks into their own text, for TEXT into headers and names of files."""
    text = criterion.text
    if isinstance(criterion, c.Body):
        return contains(pr.PR_BODY, text)
    texts = (pr.PR_BODY, pr.PR_SUBJECT, *_SENDER, pr.PR_TRANSPORT_MESSAGE_HEADERS)
    anyone = Sub(pr.PR_MESSAGE_RECIPIENTS, _any_contains(_RECIPIENT, text))
    file = Sub(pr.PR_MESSAGE_ATTACHMENTS, contains(pr.PR_ATTACH_LONG_FILENAME, text))
    return Or((*(contains(tag, text) for tag in texts), anyone, file))


#: Mails that may have more text than the store's PR_BODY: in messages inside them, and in files that are text.
MORE_TEXT: Final = Sub(
    pr.PR_MESSAGE_ATTACHMENTS,
    Or(
        (
            equals(pr.PR_ATTACH_METHOD, _EMBEDDED),
            begins(pr.PR_ATTACH_MIME_TAG, "text/"),
            begins(pr.PR_ATTACH_MIME_TAG, "message/"),
        )
    ),
)


def _dated(criterion: c.Dated) -> Restriction | None:
    if criterion.field is c.DateField.SENT:
        # The zone-less copy of the Date header is right where it exists (RFC 9051: disregarding time zone).
        written = pr.PR_EC_CLIENT_SUBMIT_DATE
        return Or(
            (
                And((Exist(written), *_range(written, criterion))),
                And((Not(Exist(written)), *_range(pr.PR_CLIENT_SUBMIT_TIME, criterion))),
            )
        )
    return None


def _range(tag: PropTag, criterion: c.Dated) -> tuple[Restriction, ...]:
    limits: list[Restriction] = [Exist(tag)]
    if criterion.first is not None:
        limits.append(Property(Relop.GE, tag, (tag, _filetime(criterion.first))))
    if criterion.end is not None:
        limits.append(Property(Relop.LT, tag, (tag, _filetime(criterion.end))))
    return tuple(limits)


def _filetime(day: date) -> int:
    if day.year < 1601:
        return 0
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))


_TRANSLATIONS: Final[dict[type, Callable[..., Restriction | None]]] = {
    c.All: _all,
    c.And: _and,
    c.Or: _or,
    c.Not: _not,
    c.Address: _address,
    c.Header: _header,
    c.Body: _of_text,
    c.Text: _of_text,
    c.Dated: _dated,
}


def uid_range(first: int, last: int) -> Restriction:
    """Messages whose UID lies between two, both included."""
    tag = pr.PR_EC_IMAP_ID
    return And((Property(Relop.GE, tag, (tag, first)), Property(Relop.LE, tag, (tag, last))))


def uid_ranges(uids: list[int]) -> Restriction:
    """Messages with these UIDs (ascending), neighbours joined to ranges."""
    runs: list[tuple[int, int]] = []
    for uid in uids:
        if runs and runs[-1][1] == uid - 1:
            runs[-1] = (runs[-1][0], uid)
        else:
            runs.append((uid, uid))
    parts = tuple(equals(pr.PR_EC_IMAP_ID, a) if a == b else uid_range(a, b) for a, b in runs)
    return parts[0] if len(parts) == 1 else Or(parts)
