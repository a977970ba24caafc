"""Internet mail as message content (MS-OXCMAIL 2.2): what APPEND and delivery store beside the original bytes.

Any bytes give a message. A part that cannot be read becomes an attachment with its bytes, and data in which
there is neither a header nor text becomes one attachment whole; nothing is left out silently.
"""

from __future__ import annotations

from typing import Final

from gateway.convert.mime.charsets import decodes
from gateway.convert.mime.fields import Source
from gateway.convert.mime.frommime_attachments import References, attachment
from gateway.convert.mime.frommime_body import body_props
from gateway.convert.mime.frommime_class import class_by_content_class
from gateway.convert.mime.frommime_header import delivery_time, header_props, transport_header
from gateway.convert.mime.frommime_merged import calendar_of, merge_calendar, merge_tnef, tnef_of
from gateway.convert.mime.frommime_options import DEFAULTS
from gateway.convert.mime.frommime_options import CalendarContent as CalendarContent
from gateway.convert.mime.frommime_options import FromMimeOptions as FromMimeOptions
from gateway.convert.mime.frommime_parts import Attached, Contents, contents
from gateway.convert.mime.frommime_people import author_props, receipt_props, recipients, reply_props
from gateway.convert.mime.frommime_reports import report_of
from gateway.convert.mime.frommime_signed import (
    OPAQUE_CLASS,
    SIGNED_CLASS,
    is_clear_signed,
    is_opaque,
    opaque_attachment,
    signed_attachment,
)
from gateway.convert.mime.structure import Part, scan
from gateway.convert.samefile import is_same
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import PSETID_Common, static
from gateway.mapi.props import PT_BOOLEAN

SMART_NO_ATTACH: Final = static(PSETID_Common, 0x8514, PT_BOOLEAN)
_UNMODIFIED: Final = 2
_RECEIPTS_PENDING: Final = 0x300
_CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\r\n\f\x1b")


def from_mime(data: Source, options: FromMimeOptions = DEFAULTS) -> MessageContent:
    """The message that a mail becomes; a pure function of the bytes and the options."""
    return _message(scan(data, options.limits), options, options.embedded)


def _message(message: Part, options: FromMimeOptions, levels: int) -> MessageContent:
    """A message of which ``levels`` more levels of embedded messages are converted."""
    content = _with_header(message, options)
    if not message.fields and not _is_text(message.body_bytes):
        content.attachments.append(_whole(message, options))
    elif is_clear_signed(message):
        _fill(content, contents(message.children[0], options.default_charset), options, 0)
        content.props[pr.PR_MESSAGE_CLASS] = SIGNED_CLASS
        content.props.pop(SMART_NO_ATTACH, None)
        content.attachments = [signed_attachment(message)]
    elif is_opaque(message):
        opaque, props = opaque_attachment(message)
        content.props.update(props)
        content.props[pr.PR_MESSAGE_CLASS] = OPAQUE_CLASS
        content.attachments = [opaque]
    else:
        found = contents(message, options.default_charset)
        _report(content, message, found, options)
        _fill(content, found, options, levels)
    arrived = options.delivery_time if levels == options.embedded else None
    _complete(content, message, options, arrived)
    return content


def _with_header(message: Part, options: FromMimeOptions) -> MessageContent:
    """Everything that the header says."""
    default = options.default_charset
    props = header_props(message, options)
    props.update(author_props(message, default))
    props.update(reply_props(message, default))
    props.update(receipt_props(message, default))
    rows, shown = recipients(message, default)
    props.update(shown)
    return MessageContent(props, rows)


def _report(content: MessageContent, message: Part, found: Contents, options: FromMimeOptions) -> None:
    """Make a report one: its machine part becomes properties, and its recipients those it tells of."""
    report = report_of(message, options.default_charset)
    if report is None:
        return
    content.props.update(report.props)
    submitted = content.props.get(pr.PR_CLIENT_SUBMIT_TIME)
    if submitted is not None:
        tags = (pr.PR_REPORT_TIME,) if report.recipients else (pr.PR_RECEIPT_TIME, pr.PR_ORIGINAL_DELIVERY_TIME)
        content.props.update(dict.fromkeys(tags, submitted))
    if report.recipients:
        content.recipients = report.recipients
    found.attached = [attached for attached in found.attached if attached.part is not report.machine]


def _fill(content: MessageContent, found: Contents, options: FromMimeOptions, levels: int) -> None:
    """Body and attachments; a calendar or TNEF that is the message is merged into it."""
    props, html = body_props(found, options.default_charset)
    content.props.update(props)
    references = References(html if found.attached else "")

    def convert(inner: Part) -> MessageContent | None:
        return _message(inner, options, levels - 1) if levels > 0 else None

    merged: list[AttachmentContent] | None = None
    for attached in found.attached:
        inner = None if merged is not None else _inner(content, attached, options)
        if inner is None:
            number = len(content.attachments) + 1
            content.attachments.append(attachment(attached, number, references, options, convert))
        else:
            merged = inner
            content.attachments.extend(inner)
    for each in merged or ():
        if any(other is not each and is_same(each, other) for other in content.attachments):
            content.attachments = [other for other in content.attachments if other is not each]
    if content.attachments and all(each.props.get(pr.PR_ATTACHMENT_HIDDEN) for each in content.attachments):
        content.props[SMART_NO_ATTACH] = True


def _inner(
    content: MessageContent, attached: Attached, options: FromMimeOptions
) -> list[AttachmentContent] | None:
    """Merge a part that is the message in another format and give its attachments; None when it is a file."""
    if attached.calendar:
        meeting = calendar_of(attached.part, options)
        if meeting is not None:
            merge_calendar(content, meeting)
            return meeting.attachments
        return None
    inner = tnef_of(attached.part, options.default_charset)
    if inner is None:
        return None
    merge_tnef(content, inner)
    return inner.attachments


def _complete(content: MessageContent, message: Part, options: FromMimeOptions, arrived: int | None) -> None:
    """What every message has, unless something above has said otherwise."""
    props = content.props
    props.setdefault(pr.PR_MESSAGE_CLASS, class_by_content_class(message))
    props.setdefault(pr.PR_IMPORTANCE, 1)
    props.setdefault(pr.PR_PRIORITY, 0)
    props.setdefault(pr.PR_SENSITIVITY, 0)
    pending = _RECEIPTS_PENDING if pr.PR_READ_RECEIPT_REQUESTED in props else 0
    props[pr.PR_MESSAGE_FLAGS] = _UNMODIFIED | pending
    when = delivery_time(message, options) if arrived is None else arrived
    if when is not None:
        props[pr.PR_MESSAGE_DELIVERY_TIME] = when
    props[pr.PR_TRANSPORT_MESSAGE_HEADERS] = transport_header(message, options.default_charset)


def _is_text(data: bytes) -> bool:
    """Whether data without any header reads like text."""
    beginning = data[:4096]
    return not _CONTROLS.intersection(beginning) and (decodes(data, "utf-8") or b"\n" in beginning)


def _whole(message: Part, options: FromMimeOptions) -> AttachmentContent:
    """Data that is no mail, as it came."""
    part = Part(message.data, message.start, message.end)
    part.body = part.start
    part.type, part.subtype = b"application", b"octet-stream"
    return attachment(Attached(part), 1, References(""), options, lambda _: None)
