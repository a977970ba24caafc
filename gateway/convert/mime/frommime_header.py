"""Header fields as properties (MS-OXCMAIL 2.2.3.2): one table, first occurrence of a field counts.

Where two fields say the same, the later row of the table wins. Addresses are read in `frommime_people`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Callable
from typing import Final, TypeAlias

from gateway.convert.mime.charsets import clean, decode_unlabelled
from gateway.convert.mime.dates import filetime
from gateway.convert.mime.encoded import text
from gateway.convert.mime.fields import BOM
from gateway.convert.mime.frommime_options import FromMimeOptions
from gateway.convert.mime.languages import locale_id
from gateway.convert.mime.structure import Part
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import KEYWORDS, PS_INTERNET_HEADERS, PSETID_Common, PSETID_Task, static
from gateway.mapi.props import (
    PT_BOOLEAN,
    PT_DOUBLE,
    PT_LONG,
    PT_SYSTIME,
    PT_UNICODE,
    NamedProps,
    NamedTag,
    PropName,
)
from gateway.mapi.times import TICKS_PER_SECOND

#: Puts what a decoded field value says into the properties.
Apply: TypeAlias = "Callable[[NamedProps, str], None]"

FLAG_REQUEST: Final = static(PSETID_Common, 0x8530, PT_UNICODE)
TASK_STATUS: Final = static(PSETID_Task, 0x8101, PT_LONG)
TASK_COMPLETE: Final = static(PSETID_Task, 0x811C, PT_BOOLEAN)
PERCENT_COMPLETE: Final = static(PSETID_Task, 0x8102, PT_DOUBLE)
TASK_DUE: Final = static(PSETID_Task, 0x8105, PT_SYSTIME)
COMMON_END: Final = static(PSETID_Common, 0x8517, PT_SYSTIME)
_CLASSIFIED: Final = static(PSETID_Common, 0x85B5, PT_BOOLEAN)
_CLASS_KEEP: Final = static(PSETID_Common, 0x85BA, PT_BOOLEAN)
_CLASSIFICATION: Final = (
    (b"x-microsoft-classification", static(PSETID_Common, 0x85B6, PT_UNICODE)),
    (b"x-microsoft-classdesc", static(PSETID_Common, 0x85B7, PT_UNICODE)),
    (b"x-microsoft-classid", static(PSETID_Common, 0x85B8, PT_UNICODE)),
)
_OUT_OF_OFFICE_ICON: Final = 0x11B
_LEVELS: Final = {"low": 0, "normal": 1, "high": 2}
_SENSITIVITIES: Final = {"personal": 1, "private": 2, "company-confidential": 3}
_SENDER_ID: Final = {
    "neutral": 1,
    "pass": 2,
    "fail": 3,
    "softfail": 4,
    "none": 5,
    "temperror": 6,
    "permerror": 7,
}
_SUPPRESS: Final = {"dr": 1, "ndr": 2, "rn": 4, "nrn": 8, "oof": 0x10, "autoreply": 0x20, "all": 0xFFFF_FFFF}
_AUTO_REPLIES: Final = 0x30
_PREFIX: Final = re.compile(r"[^ :0-9\t]{1,3}: ")
_BARE_CR: Final = re.compile(r"\r(?!\n)")
_SEPARATOR: Final = re.compile(r"[;,]")


def internet_header(name: str) -> NamedTag:
    """The named property of a header field (PS_INTERNET_HEADERS)."""
    return NamedTag(PropName(PS_INTERNET_HEADERS, name), PT_UNICODE)


def _as_text(tag: int) -> Apply:
    def apply(props: NamedProps, value: str) -> None:
        if value:
            props[tag] = value

    return apply


def _as_time(tag: int) -> Apply:
    def apply(props: NamedProps, value: str) -> None:
        when = filetime(value)
        if when is not None:
            props[tag] = when

    return apply


def _as_named(name: str) -> Apply:
    def apply(props: NamedProps, value: str) -> None:
        if value:
            props[internet_header(name)] = value

    return apply


def _message_id(props: NamedProps, value: str) -> None:
    if value.strip("<> "):
        props[pr.PR_INTERNET_MESSAGE_ID] = value


def _thread_index(props: NamedProps, value: str) -> None:
    """Conversation index: what does not decode to at least its 22-byte head is none (MS-OXOMSG 2.2.1.3)."""
    try:
        index = b64decode("".join(value.split()), validate=True)
    except (BinasciiError, ValueError):
        return
    if len(index) >= 22:
        props[pr.PR_CONVERSATION_INDEX] = index


def _importance(props: NamedProps, value: str) -> None:
    level = _LEVELS.get(value.lower())
    if level is not None:
        _set_importance(props, level)


def _priority(props: NamedProps, value: str) -> None:
    level = {"urgent": 2, "normal": 1, "non-urgent": 0}.get(value.lower())
    if level is not None:
        _set_importance(props, level)


def _x_priority(props: NamedProps, value: str) -> None:
    if value:
        _set_importance(props, 2 if value[0] in "12" else 0 if value[0] in "45" else 1)


def _set_importance(props: NamedProps, level: int) -> None:
    props[pr.PR_IMPORTANCE] = level
    props[pr.PR_PRIORITY] = level - 1 & 0xFFFF_FFFF


def _sensitivity(props: NamedProps, value: str) -> None:
    props[pr.PR_SENSITIVITY] = _SENSITIVITIES.get(value.lower(), 0)


def _keywords(props: NamedProps, value: str) -> None:
    words = [word.strip() for word in _SEPARATOR.split(value)]
    if any(words):
        props[KEYWORDS] = tuple(dict.fromkeys(filter(None, words)))


def _flag(props: NamedProps, value: str) -> None:
    """A follow-up flag (MS-OXOFLAG 3.1.4.1): no task dates, not begun."""
    if value:
        props[FLAG_REQUEST] = value
        props[pr.PR_FLAG_STATUS] = 2
        props[pr.PR_TODO_ITEM_FLAGS] = 8
        props[TASK_STATUS] = 0
        props[TASK_COMPLETE] = False
        props[PERCENT_COMPLETE] = 0.0


def _reply_by(props: NamedProps, value: str) -> None:
    """A reply is wanted by then; on a flagged message that is when the flag is due."""
    when = filetime(value)
    if when is None:
        return
    props[pr.PR_REPLY_TIME] = when
    if FLAG_REQUEST in props:
        day = 86_400 * TICKS_PER_SECOND
        props[COMMON_END] = when
        props[TASK_DUE] = when // day * day


def _auto_submitted(props: NamedProps, value: str) -> None:
    if value.lower() != "no":
        props.setdefault(pr.PR_AUTO_RESPONSE_SUPPRESS, _AUTO_REPLIES)


def _suppress(props: NamedProps, value: str) -> None:
    bits = 0
    for word in _SEPARATOR.split(value.lower()):
        bits |= _SUPPRESS.get(word.strip(), 0)
    props[pr.PR_AUTO_RESPONSE_SUPPRESS] = bits


def _language(props: NamedProps, value: str) -> None:
    found = locale_id(value)
    if found is not None:
        props[pr.PR_MESSAGE_LOCALE_ID] = found


def _spam_level(props: NamedProps, value: str) -> None:
    if re.fullmatch(r"-?[0-9]{1,3}", value):
        props[pr.PR_CONTENT_FILTER_SCL] = int(value) & 0xFFFF_FFFF


def _sender_id(props: NamedProps, value: str) -> None:
    number = _SENDER_ID.get(value.lower())
    if number is not None:
        props[pr.PR_SENDER_ID_STATUS] = number


def _vacation(props: NamedProps, value: str) -> None:
    props[pr.PR_ICON_INDEX] = _OUT_OF_OFFICE_ICON


def _content_id(props: NamedProps, value: str) -> None:
    if value.strip("<> "):
        props[pr.PR_BODY_CONTENT_ID] = value.strip("<> ")


_TABLE: Final[tuple[tuple[bytes, Apply], ...]] = (
    (b"message-id", _message_id),
    (b"in-reply-to", _as_text(pr.PR_IN_REPLY_TO_ID)),
    (b"references", _as_text(pr.PR_INTERNET_REFERENCES)),
    (b"thread-topic", _as_text(pr.PR_CONVERSATION_TOPIC)),
    (b"thread-index", _thread_index),
    (b"date", _as_time(pr.PR_CLIENT_SUBMIT_TIME)),
    (b"expiry-time", _as_time(pr.PR_EXPIRY_TIME)),
    (b"expiry-date", _as_time(pr.PR_EXPIRY_TIME)),
    (b"expires", _as_time(pr.PR_EXPIRY_TIME)),
    (b"deferred-delivery", _as_time(pr.PR_DEFERRED_SEND_TIME)),
    (b"x-msmail-priority", _importance),
    (b"importance", _importance),
    (b"priority", _priority),
    (b"x-priority", _x_priority),
    (b"sensitivity", _sensitivity),
    (b"keywords", _keywords),
    (b"x-message-flag", _flag),
    (b"reply-by", _reply_by),
    (b"content-language", _language),
    (b"x-accept-language", _as_named("accept-language")),
    (b"accept-language", _as_named("accept-language")),
    (b"precedence", _as_text(pr.PR_INTERNET_PRECEDENCE)),
    (b"x-auto-response-suppress", _suppress),
    (b"auto-submitted", _auto_submitted),
    (b"x-list-help", _as_text(pr.PR_LIST_HELP)),
    (b"x-list-subscribe", _as_text(pr.PR_LIST_SUBSCRIBE)),
    (b"x-list-unsubscribe", _as_text(pr.PR_LIST_UNSUBSCRIBE)),
    (b"list-help", _as_text(pr.PR_LIST_HELP)),
    (b"list-subscribe", _as_text(pr.PR_LIST_SUBSCRIBE)),
    (b"list-unsubscribe", _as_text(pr.PR_LIST_UNSUBSCRIBE)),
    (b"content-id", _content_id),
    (b"content-location", _as_text(pr.PR_BODY_CONTENT_LOCATION)),
    (b"content-base", _as_named("content-base")),
    (b"content-class", _as_named("content-class")),
    (b"x-ms-exchange-organization-scl", _spam_level),
    (b"x-ms-exchange-organization-senderidresult", _sender_id),
    (b"x-ms-exchange-organization-prd", _as_text(pr.PR_PURPORTED_SENDER_DOMAIN)),
    (b"x-kopano-vacation", _vacation),
)


def header_props(part: Part, options: FromMimeOptions) -> NamedProps:
    """What a message's header says, addresses excepted. Nothing is set that no field says."""
    props: NamedProps = {}
    header, default = part.raw_header, options.default_charset
    for name, apply in _TABLE:
        if name in header:
            apply(props, text(header[name], default))
    if len(values := part.headers(b"keywords")) > 1:
        _keywords(props, ",".join(text(value, default) for value in values))
    if b"x-microsoft-classified" in header:
        _classify(props, part, default)
    for indexed in options.indexed_headers:
        raw = header.get(indexed.encode("utf-8"))
        if raw is not None:
            props[internet_header(indexed)] = text(raw, default)
    props.update(_subject(text(header.get(b"subject", b""), default)))
    props.setdefault(pr.PR_CONVERSATION_TOPIC, props[pr.PR_NORMALIZED_SUBJECT])
    return props


def _subject(subject: str) -> NamedProps:
    """The subject, its prefix, and what remains (MS-OXCMSG 2.2.1.9, 2.2.1.10)."""
    match = _PREFIX.match(subject)
    prefix = match[0] if match else ""
    return {
        pr.PR_SUBJECT: subject,
        pr.PR_SUBJECT_PREFIX: prefix,
        pr.PR_NORMALIZED_SUBJECT: subject[len(prefix) :],
    }


def _classify(props: NamedProps, part: Part, default: str) -> None:
    """Message classification (MS-OXCMAIL 2.2.3.2.30 to 2.2.3.2.34)."""
    props[_CLASSIFIED] = _is_true(part.header(b"x-microsoft-classified"))
    props[_CLASS_KEEP] = _is_true(part.header(b"x-microsoft-classkeep"))
    for name, tag in _CLASSIFICATION:
        value = part.header(name)
        if value:
            props[tag] = text(value, default)


def _is_true(value: bytes | None) -> bool:
    return (value or b"").lower() in (b"true", b"1")


def delivery_time(part: Part, options: FromMimeOptions) -> int | None:
    """When a message arrived by its topmost Received field (RFC 5321 4.4), else its Date."""
    for name in (b"received", b"date"):
        value = part.header(name)
        if value is not None:
            # Never encoded words: neither field may hold them.
            when = filetime(value.rpartition(b";")[2].decode("latin-1"))
            if when is not None:
                return when
    return None


def transport_header(part: Part, default: str) -> str:
    """The header as it came, up to the blank line, lines ended by CRLF."""
    block = part.header_bytes.removeprefix(BOM).rstrip(b"\r\n")
    decoded = clean(decode_unlabelled(block, default))
    if not decoded.count("\r") == decoded.count("\n") == decoded.count("\r\n"):
        decoded = _BARE_CR.sub(" ", decoded).replace("\r\n", "\n").replace("\n", "\r\n")
    return decoded + "\r\n" if decoded else ""
