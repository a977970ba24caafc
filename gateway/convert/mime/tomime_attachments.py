"""Attachments as parts: names, types, disposition, and what stands in for data that cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.convert.mediatypes import OCTETS, extension_of, type_of_name
from gateway.convert.mime.tomime_fields import clean, parameter, structured, unstructured, with_parameters
from gateway.convert.mime.tomime_parts import Part, data_part, text_part
from gateway.convert.mime.tomime_values import flag, number, text
from gateway.convert.rtf import Picture
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps

BY_VALUE: Final = 1
EMBEDDED: Final = 5
OLE: Final = 6
_REFERENCES: Final = (2, 3, 4, 7)
_MHTML_REF: Final = 4
_NOT_IN_NAMES: Final = re.compile(r'["/:<>|\\?*]')
_LONGEST_STEM: Final = 80
_CHARSET: Final = re.compile(r"[\w.:+()'-]{1,80}\Z", re.ASCII)
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")


def in_order(attachments: list[AttachmentContent]) -> list[AttachmentContent]:
    """The attachments by rendering position, then number; a store gives tables in any order."""

    def place(attachment: AttachmentContent) -> tuple[int, int]:
        props = attachment.props
        return number(props, pt.PR_RENDERING_POSITION, 0xFFFF_FFFF), number(props, pt.PR_ATTACH_NUM)

    return sorted(attachments, key=place)


def file_name(props: NamedProps) -> str:
    """The attachment's file name, one made from its type when it has none."""
    name = clean(text(props, pt.PR_ATTACH_LONG_FILENAME) or text(props, pt.PR_ATTACH_FILENAME) or "")
    return name or "data" + extension_of(clean(text(props, pt.PR_ATTACH_MIME_TAG) or ""))


def mail_name(attachment: AttachmentContent, embedded: MessageContent) -> str:
    """The file name of an attached mail: its own, else made from the mail's subject."""
    own = text(attachment.props, pt.PR_ATTACH_LONG_FILENAME) or text(attachment.props, pt.PR_ATTACH_FILENAME)
    subject = _NOT_IN_NAMES.sub("_", clean(text(embedded.props, pt.PR_SUBJECT) or ""))[:_LONGEST_STEM]
    return clean(own or "") or f"{subject.strip(' .') or 'message'}.eml"


def media_type(props: NamedProps) -> str:
    """The attachment's own type, else the one of its extension; what must not be encoded is octets.

    A multipart/* or message/* type cannot stand on a base64 part (RFC 2045 6.4).
    """
    declared = clean((text(props, pt.PR_ATTACH_MIME_TAG) or "").partition(";")[0]).lower()
    if not _TYPE.match(declared):
        declared = type_of_name(file_name(props)) or OCTETS
    return OCTETS if declared.startswith(("multipart/", "message/")) else declared


def is_inline(attachment: AttachmentContent) -> bool:
    """Whether HTML shows the attachment: hidden or marked as its part, and with a name it can refer to."""
    props = attachment.props
    shown = flag(props, pt.PR_ATTACHMENT_HIDDEN) or number(props, pt.PR_ATTACH_FLAGS) & _MHTML_REF
    return bool(shown) and bool(
        text(props, pt.PR_ATTACH_CONTENT_ID) or text(props, pt.PR_ATTACH_CONTENT_LOCATION)
    )


def attachment_part(attachment: AttachmentContent, inline: bool) -> Part:
    """The part of an attachment that is no message, a note in its place when there is nothing to send."""
    props = attachment.props
    method = number(props, pt.PR_ATTACH_METHOD, BY_VALUE)
    name = file_name(props)
    if method in _REFERENCES and attachment.data is None:
        return note_part(_reference_note(props), name)
    if method == OLE:
        return note_part("This attachment is an OLE object, which mail cannot carry.", name)
    if attachment.data is None:
        return note_part("Attachment is missing.", name)
    kind = media_type(props)
    charset = clean(text(props, pt.PR_TEXT_ATTACHMENT_CHARSET) or "")
    named = kind.startswith("text/") and _CHARSET.match(charset)
    parameters = parameter("charset", charset) if named else []
    tokens = with_parameters(kind, parameters, parameter("name", name))
    fields = [*description_fields(props), disposition(name, inline)]
    return data_part(tokens, attachment.data, *fields)


def picture_part(picture: Picture) -> Part:
    """The part of a picture inside RTF."""
    tokens = with_parameters(picture.media_type, parameter("name", picture.name))
    content_id = structured("Content-ID", [f"<{picture.content_id}>"])
    return data_part(tokens, picture.data, content_id, disposition(picture.name, inline=True))


def note_part(note: str, name: str) -> Part:
    """A short text in place of an attachment, so that the parts keep their numbers."""
    part = text_part(f"{note}\r\n", "plain", parameter("name", name))
    part.fields.append(disposition(name, inline=False))
    return part


def disposition(name: str, inline: bool) -> bytes:
    """The Content-Disposition field (RFC 2183)."""
    kind = "inline" if inline else "attachment"
    return structured("Content-Disposition", with_parameters(kind, parameter("filename", name)))


def description_fields(props: NamedProps, known: str = "") -> Iterable[bytes]:
    """Content-ID, Content-Location, Content-Base, and a Content-Description that says more than ``known``."""
    content_id = re.sub(r"[\s<>]+", "", clean(text(props, pt.PR_ATTACH_CONTENT_ID) or ""))
    if content_id:
        yield structured("Content-ID", [f"<{content_id}>"])
    for name, tag in (
        ("Content-Location", pt.PR_ATTACH_CONTENT_LOCATION),
        ("Content-Base", pt.PR_ATTACH_CONTENT_BASE),
    ):
        value = clean(text(props, tag) or "")
        if value:
            yield unstructured(name, value)
    description = clean(text(props, pt.PR_DISPLAY_NAME) or "")
    if description and description not in (file_name(props), known):
        yield unstructured("Content-Description", description)


def _reference_note(props: NamedProps) -> str:
    """Where an attachment is that is only a reference."""
    path = clean(
        text(props, pt.PR_ATTACH_LONG_PATHNAME) or text(props, pt.PR_ATTACH_PATHNAME) or file_name(props)
    )
    return f"This attachment is a link: {path}"
