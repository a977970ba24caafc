"""The header of a message: which property becomes which field (MS-OXCMAIL 2.1.2).

The read state, the message status, the time of the last change and the last verb take no part, so the bytes
stay the same when flags change.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Final

from gateway.convert.mime.tomime_addresses import address_fields, is_report
from gateway.convert.mime.tomime_fields import (
    clean,
    comma_separated,
    keyword,
    msg_id,
    structured,
    unstructured,
)
from gateway.convert.mime.tomime_options import ToMimeOptions, identity_of
from gateway.convert.mime.tomime_people import REPRESENTING, SENDER, person
from gateway.convert.mime.tomime_transport import (
    extension_fields,
    later_fields,
    received_fields,
    trace_fields,
)
from gateway.convert.mime.tomime_values import binary, flag, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.propnames import KEYWORDS, PSETID_Common, static
from gateway.mapi.props import PT_UNICODE, NamedProps, signed32
from gateway.mapi.times import to_datetime

_FLAG_REQUEST: Final = static(PSETID_Common, 0x8530, PT_UNICODE)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOMENTS: Final = (pt.PR_CLIENT_SUBMIT_TIME, pt.PR_MESSAGE_DELIVERY_TIME, pt.PR_CREATION_TIME)
_IMPORTANCE: Final = {0: ("Low", "5 (Lowest)", "non-urgent"), 2: ("High", "1 (Highest)", "urgent")}
_SENSITIVITY: Final = {1: "Personal", 2: "Private", 3: "Company-Confidential"}
_SUPPRESS: Final = ((1, "DR"), (2, "NDR"), (4, "RN"), (8, "NRN"), (16, "OOF"), (32, "AutoReply"))
_PREFIX: Final = re.compile(r"[^ :0-9]{1,3}: ")
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,900}")


def message_fields(content: MessageContent, options: ToMimeOptions) -> Iterator[bytes]:
    """Every field of the message but those that describe its body, in the order in which they are written."""
    props = content.props
    received = received_fields(props)
    yield from trace_fields(received)
    yield from address_fields(content, received, options)
    yield from _subject_and_date(props)
    yield from _identification(content, options)
    yield from _nature(props)
    yield from _thread(props)
    if options.own:
        yield from _receipts(props, options)
    if options.marks:
        yield from _marks(props)
    yield from later_fields(props, received)
    yield from extension_fields(props, received)


def date_time(filetime: int) -> str | None:
    """A FILETIME as date-time of RFC 5322 3.3 in UTC, None when it is out of range."""
    try:
        moment: datetime = to_datetime(filetime)
    except (OverflowError, ValueError):
        return None
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d} "
        f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} +0000"
    )


def _subject_and_date(props: NamedProps) -> Iterator[bytes]:
    subject = clean(text(props, pt.PR_SUBJECT) or "")
    if subject:
        yield unstructured("Subject", subject)
    # Never PR_LAST_MODIFICATION_TIME: it moves with every change of a flag.
    moment = next((number(props, tag) for tag in _MOMENTS if number(props, tag)), 0)
    yield from _date_field("Date", moment)


def _date_field(name: str, filetime: int) -> Iterator[bytes]:
    value = date_time(filetime) if filetime else None
    if value is not None:
        yield structured(name, value.split(" "))


def _identification(content: MessageContent, options: ToMimeOptions) -> Iterator[bytes]:
    yield structured("Message-ID", [message_id(content, options)])
    props = content.props
    # A report refers to the message that it tells about, if to nothing else.
    about = msg_id(text(props, pt.PR_ORIGINAL_MESSAGE_ID) or "") if is_report(content) else None
    for name, value in (
        ("In-Reply-To", text(props, pt.PR_IN_REPLY_TO_ID)),
        ("References", text(props, pt.PR_INTERNET_REFERENCES) or about),
    ):
        ids = _MESSAGE_ID.findall(value or "")
        if ids:
            yield structured(name, ids)


def message_id(content: MessageContent, options: ToMimeOptions) -> str:
    """The Message-ID: the message's own as it is, else one made from its identity."""
    own = msg_id(text(content.props, pt.PR_INTERNET_MESSAGE_ID) or "")
    return own or f"<{blake2b(identity_of(content, options), digest_size=16).hexdigest()}@{options.domain}>"


def _nature(props: NamedProps) -> Iterator[bytes]:
    importance = number(props, pt.PR_IMPORTANCE, signed32(number(props, pt.PR_PRIORITY)) + 1)
    if importance in _IMPORTANCE:
        for name, value in zip(("Importance", "X-Priority", "Priority"), _IMPORTANCE[importance], strict=True):
            yield structured(name, [value])
    sensitivity = number(props, pt.PR_SENSITIVITY)
    if sensitivity in _SENSITIVITY:
        yield structured("Sensitivity", [_SENSITIVITY[sensitivity]])
    yield from _date_field("Expires", number(props, pt.PR_EXPIRY_TIME))
    suppressed = number(props, pt.PR_AUTO_RESPONSE_SUPPRESS)
    if suppressed:
        tokens = [[word] for bit, word in _SUPPRESS if suppressed & bit]
        yield structured("X-Auto-Response-Suppress", ["All"] if len(tokens) == 6 else comma_separated(tokens))


def normalized_subject(subject: str) -> str:
    """The subject without its prefix: up to three letters, a colon and a space (MS-OXCMSG 2.2.1.10)."""
    return _PREFIX.sub("", subject, count=1) if _PREFIX.match(subject) else subject


def _thread(props: NamedProps) -> Iterator[bytes]:
    topic = clean(text(props, pt.PR_CONVERSATION_TOPIC) or "")
    if topic and topic != clean(normalized_subject(text(props, pt.PR_SUBJECT) or "")):
        yield unstructured("Thread-Topic", topic)
    index = binary(props, pt.PR_CONVERSATION_INDEX)
    if index:
        encoded = b64encode(index).decode("ascii")
        yield structured("Thread-Index", re.findall(".{1,64}", encoded))


def _receipts(props: NamedProps, options: ToMimeOptions) -> Iterator[bytes]:
    author = person(props, REPRESENTING, options.resolve) or person(props, SENDER, options.resolve)
    if author is None:
        return
    if flag(props, pt.PR_READ_RECEIPT_REQUESTED):
        yield structured("Disposition-Notification-To", author.tokens())
    if flag(props, pt.PR_ORIGINATOR_DELIVERY_REPORT_REQUESTED):
        yield structured("Return-Receipt-To", author.tokens())


def _marks(props: NamedProps) -> Iterator[bytes]:
    categories = [clean(each) for each in props.get(KEYWORDS) or () if isinstance(each, str)]
    if any(categories):
        yield structured("Keywords", comma_separated(keyword(each) for each in categories if each))
    request = text(props, _FLAG_REQUEST)
    if request and number(props, pt.PR_FLAG_STATUS) == 2:
        yield unstructured("X-Message-Flag", request)
        yield from _date_field("Reply-By", number(props, pt.PR_REPLY_TIME))
