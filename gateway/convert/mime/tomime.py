"""A message as Internet mail, from its properties alone (MS-OXCMAIL 2.1).

The bytes are a function of the properties and the options and nothing else: no clock, no randomness, no
order of tables, nothing of this machine. The same message gives the same bytes tomorrow and on another
gateway, and no change of flags alters them.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.convert.mime.tomime_attachments import (
    EMBEDDED,
    attachment_part,
    description_fields,
    disposition,
    in_order,
    is_inline,
    mail_name,
    note_part,
    picture_part,
)
from gateway.convert.mime.tomime_body import Body, body_of
from gateway.convert.mime.tomime_calendar import calendar_parts
from gateway.convert.mime.tomime_fields import clean
from gateway.convert.mime.tomime_header import message_fields
from gateway.convert.mime.tomime_layout import laid_out
from gateway.convert.mime.tomime_options import Calendar as Calendar
from gateway.convert.mime.tomime_options import ToMimeOptions as ToMimeOptions
from gateway.convert.mime.tomime_options import identity_of
from gateway.convert.mime.tomime_parts import Boundaries, Part, mail, mail_part, multipart, text_part
from gateway.convert.mime.tomime_reports import report, report_kind
from gateway.convert.mime.tomime_signed import opaque_part, signed_mail
from gateway.convert.mime.tomime_stream import ContentChanged as ContentChanged
from gateway.convert.mime.tomime_stream import Mime as Mime
from gateway.convert.mime.tomime_values import text
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent

_EXCEPTION_CLASS = "ipm.ole.class.{00061055-0000-0000-c000-000000000046}"
"""Class of the changed instances of a recurring appointment: part of its calendar form, no attachments."""
_DEFAULTS = ToMimeOptions()


def to_mime(content: MessageContent, options: ToMimeOptions = _DEFAULTS) -> Mime:
    """The message as a mail; any content gives one.

    Nothing is read from blobs but the data of a clear-signed message, which is looked through once.
    """
    return _mail(content, options)[0]


def _mail(content: MessageContent, options: ToMimeOptions) -> tuple[Mime, bool]:
    """The mail, and whether it holds octets outside ASCII."""
    fields = list(message_fields(content, options))
    signed = signed_mail(content, fields)
    if signed is not None:
        return signed
    top = opaque_part(content) or _top(content, options)
    made = mail(fields, top)
    return made, top.eight_bit or not made.header.isascii()


def _top(content: MessageContent, options: ToMimeOptions) -> Part:
    """The body and the attachments as one part."""
    boundaries = Boundaries(identity_of(content, options))
    body = body_of(content.props)
    calendar, attached = calendar_parts(content, options)
    inline = [picture_part(each) for each in body.pictures]
    for index, attachment in enumerate(in_order(content.attachments)):
        shown = body.html is not None and is_inline(attachment)
        part = _attachment(attachment, shown, _nested(content, options, index))
        if part is not None:
            (inline if shown else attached).append(part)
    if report_kind(content):
        return report(content, _human(body, boundaries), inline + attached, options, boundaries)
    return laid_out(body, calendar, inline, attached, boundaries)


def _human(body: Body, boundaries: Boundaries) -> Part:
    """The part of a report that people read."""
    plain = text_part(body.plain, "plain")
    if body.html is None:
        return plain
    return multipart("alternative", [plain, text_part(body.html, "html")], boundaries.next())


def _nested(content: MessageContent, options: ToMimeOptions, index: int) -> ToMimeOptions:
    """The options for the message inside attachment ``index``: an identity of its own, one level less."""
    identity = b"%s/%d" % (identity_of(content, options), index)
    return replace(options, identity=identity, depth=options.depth - 1)


def _attachment(attachment: AttachmentContent, inline: bool, nested: ToMimeOptions) -> Part | None:
    """The part of an attachment; None for what is no attachment to a reader of mail."""
    embedded = attachment.embedded
    if attachment.props.get(pt.PR_ATTACH_METHOD) != EMBEDDED or embedded is None:
        return attachment_part(attachment, inline)
    if (text(embedded.props, pt.PR_MESSAGE_CLASS) or "").lower() == _EXCEPTION_CLASS:
        return None
    name = mail_name(attachment, embedded)
    if nested.depth < 0:
        return note_part("This message is attached too deep inside other messages to be shown.", name)
    _, contact = calendar_parts(embedded, nested)
    if contact:
        return contact[0]
    made, eight_bit = _mail(embedded, nested)
    subject = clean(text(embedded.props, pt.PR_SUBJECT) or "")
    described = description_fields(attachment.props, known=subject)
    return mail_part(made, eight_bit, *described, disposition(name, inline))
