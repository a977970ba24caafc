"""Meetings, appointments, tasks and contacts inside mail, through the converters that the caller plugs in."""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.mime.tomime_attachments import disposition
from gateway.convert.mime.tomime_fields import parameter, structured, with_parameters
from gateway.convert.mime.tomime_options import ToMimeOptions
from gateway.convert.mime.tomime_parts import Part, data_part
from gateway.convert.mime.tomime_text import canonical, transfer_encoded
from gateway.convert.mime.tomime_values import text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

#: Message classes that have a form as iCalendar or vCard; a class below one of them counts too.
_CLASSES: Final = re.compile(
    r"ipm\.(?:schedule|appointment|task|taskrequest|contact|distlist)(?:\.|\Z)", re.IGNORECASE
)
_METHOD: Final = re.compile(rb"^METHOD(?:;[^:\r\n]*)?:[ \t]*([A-Za-z-]{1,40})", re.MULTILINE | re.IGNORECASE)


def calendar_parts(content: MessageContent, options: ToMimeOptions) -> tuple[list[Part], list[Part]]:
    """The text/calendar alternative and the vCard attachment of a message, none or one of either."""
    if options.calendar is None or not _CLASSES.match(text(content.props, pt.PR_MESSAGE_CLASS) or ""):
        return [], []
    data = options.calendar(content)
    if not data:
        return [], []
    if data.lstrip()[:11].upper() == b"BEGIN:VCARD":
        return [], [vcard_part(data)]
    return [_calendar_part(data)], []


def _calendar_part(data: bytes) -> Part:
    """The calendar with its method as parameter, which decides what clients offer (RFC 6047 2.4)."""
    found = _METHOD.search(data)
    method = [f"method={found[1].decode('ascii').upper()}"] if found else []
    encoding, body = transfer_encoded(canonical(data.decode("utf-8", "replace")))
    fields = [
        structured("Content-Type", with_parameters("text/calendar", ["charset=utf-8"], method)),
        structured("Content-Transfer-Encoding", [encoding]),
    ]
    return Part(fields, [body])


def vcard_part(data: bytes) -> Part:
    """A contact as attachment (RFC 6350)."""
    name = "contact.vcf"
    tokens = with_parameters("text/vcard", ["charset=utf-8"], parameter("name", name))
    return data_part(tokens, data, disposition(name, inline=False))
