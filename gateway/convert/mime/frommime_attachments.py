"""Attachments: the properties of a part that is not the body (MS-OXCMAIL 2.2.3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Final, TypeAlias
from urllib.parse import unquote

from gateway.convert.mediatypes import OCTETS, type_of_name
from gateway.convert.mime.charsets import clean, decode_unlabelled
from gateway.convert.mime.dates import filetime
from gateway.convert.mime.encoded import parameter, text
from gateway.convert.mime.filenames import extension, file_name, generated, sanitised
from gateway.convert.mime.frommime_options import FromMimeOptions
from gateway.convert.mime.frommime_parts import Attached
from gateway.convert.mime.macfiles import apple_single, binhex
from gateway.convert.mime.structure import Part, scan
from gateway.convert.mime.transfer import IDENTITY, decoded, known
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import guid
from gateway.mapi.props import PT_BINARY, NamedProps, NamedTag, PropName

#: Converts a message inside the message; None when it lies too deep.
Convert: TypeAlias = "Callable[[Part], MessageContent | None]"

PSETID_Attachment: Final = guid("96357F7F-59E1-47D0-99A7-46515C183B54")
MAC_INFO: Final = NamedTag(PropName(PSETID_Attachment, "AttachmentMacInfo"), PT_BINARY)
BY_VALUE: Final = 1
EMBEDDED: Final = 5
NOT_POSITIONED: Final = 0xFFFF_FFFF
_MHTML_REF: Final = 4
_INLINE: Final = 8
_SHOWN: Final = frozenset((b"image", b"text", b"audio", b"video"))
_MAC_FILES: Final = {b"applefile": apple_single, b"mac-binhex40": binhex}
_CHARSET: Final = re.compile(rb"[\w.:+()'-]{1,80}\Z")
_CID: Final = re.compile(r"""cid:([^"'\s>)\\]{1,500})""", re.IGNORECASE)
_MESSAGES: Final = frozenset(((b"message", b"rfc822"), (b"message", b"global")))
_UNKNOWN_ENCODING: Final = "unknown_transfer_encoding.bin"
_UNKNOWN_CHARSET: Final = "unknown_content_type"


class References:
    """What an HTML body shows of the other parts."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.cids = (
            {unquote(unescape(cid)).strip("<>").lower() for cid in _CID.findall(html)} if html else set()
        )

    def shows(self, attached: Attached) -> bool:
        """Whether a part is seen in the HTML, so that nobody looks for it among the attachments."""
        part = attached.part
        if not self.html or not (attached.related or part.type in _SHOWN):
            return False
        if part.disposition[0] == b"attachment" and not attached.related:
            return False
        cid = content_id(part)
        if cid and cid.lower() in self.cids:
            return True
        location = _string(part, b"content-location")
        return bool(location) and location in self.html


def attachment(
    attached: Attached, number: int, references: References, options: FromMimeOptions, convert: Convert
) -> AttachmentContent:
    """The attachment that a part becomes; ``number`` counts them from 1."""
    embedded = _embedded(attached, options, convert)
    result = _by_value(attached, number, options.default_charset) if embedded is None else embedded
    shown = references.shows(attached)
    result.props.update(
        {
            pr.PR_ATTACHMENT_HIDDEN: shown or attached.other_form,
            pr.PR_ATTACH_FLAGS: _MHTML_REF if shown else 0,
            pr.PR_RENDERING_POSITION: NOT_POSITIONED,
        }
    )
    if shown:
        result.props[pr.PR_ATTACHMENT_FLAGS] = _INLINE
    return result


def _by_value(attached: Attached, number: int, default: str) -> AttachmentContent:
    """An attachment that is a file."""
    part = attached.part
    readable = known(part.encoding)
    media_type = media_type_of(part) if readable and not attached.unreadable else "application/octet-stream"
    name = file_name(part, default)
    if not name and attached.mac_header is not None:
        name = file_name(attached.mac_header, default)
    if not name:
        name = generated(number, media_type)
        if not readable:
            name = _UNKNOWN_ENCODING
        elif attached.unreadable:
            name = _UNKNOWN_CHARSET
    props: NamedProps = {
        pr.PR_ATTACH_METHOD: BY_VALUE,
        pr.PR_ATTACH_LONG_FILENAME: name,
        pr.PR_ATTACH_MIME_TAG: media_type,
        **_described(part, default),
    }
    if ending := extension(name):
        props[pr.PR_ATTACH_EXTENSION] = ending
    charset = part.parameter(b"charset")
    if charset and part.type == b"text" and _CHARSET.match(charset):
        props[pr.PR_TEXT_ATTACHMENT_CHARSET] = charset.decode("ascii")
    if attached.mac_header is not None and known(attached.mac_header.encoding):
        props[MAC_INFO] = decoded(attached.mac_header.body_bytes, attached.mac_header.encoding)
    data = decoded(part.body_bytes, part.encoding) if readable else part.body_bytes
    return AttachmentContent(props, _unpacked(part, data, props) if readable else data)


def _unpacked(part: Part, data: bytes, props: NamedProps) -> bytes:
    """The data of a file; of one that holds both forks of a Macintosh file the data fork, under its own name."""
    read = _MAC_FILES.get(part.subtype)
    found = read(data) if read is not None else None
    if found is None:
        return data
    name = sanitised(clean(found.name)) or str(props[pr.PR_ATTACH_LONG_FILENAME])
    props[pr.PR_ATTACH_LONG_FILENAME] = name
    props[pr.PR_ATTACH_MIME_TAG] = type_of_name(name) or OCTETS
    if ending := extension(name):
        props[pr.PR_ATTACH_EXTENSION] = ending
    else:
        props.pop(pr.PR_ATTACH_EXTENSION, None)
    if found.resource:
        props[MAC_INFO] = data
    return found.data


def media_type_of(part: Part) -> str:
    """``type/subtype`` as the part declares it, what it is taken for otherwise."""
    main, sub = part.declared or (part.type, part.subtype)
    return f"{main.decode('ascii')}/{sub.decode('ascii')}"


def _embedded(attached: Attached, options: FromMimeOptions, convert: Convert) -> AttachmentContent | None:
    """A message inside the message; None when the part is none or cannot be read as one."""
    part = attached.part
    inner = part.message
    if part.declared in _MESSAGES and part.encoding not in IDENTITY and known(part.encoding):
        inner = scan(decoded(part.body_bytes, part.encoding), options.limits)
    content = convert(inner) if inner is not None and inner.fields else None
    if content is None:
        return None
    props = _described(part, options.default_charset)
    props[pr.PR_ATTACH_METHOD] = EMBEDDED
    props[pr.PR_ATTACH_MIME_TAG] = media_type_of(part)
    props.setdefault(pr.PR_DISPLAY_NAME, content.props[pr.PR_SUBJECT])
    return AttachmentContent(props, embedded=content)


def content_id(part: Part) -> str:
    """Content-ID without its brackets."""
    return _string(part, b"content-id").strip("<> ")


def _string(part: Part, name: bytes) -> str:
    value = part.header(name)
    return clean(decode_unlabelled(value)) if value else ""


def _described(part: Part, default: str) -> NamedProps:
    """What the content fields say of a part."""
    props: NamedProps = {}
    header = part.raw_header
    if b"content-id" in header and (cid := content_id(part)):
        props[pr.PR_ATTACH_CONTENT_ID] = cid
    for name, tag in (
        (b"content-location", pr.PR_ATTACH_CONTENT_LOCATION),
        (b"content-base", pr.PR_ATTACH_CONTENT_BASE),
    ):
        if value := _string(part, name):
            props[tag] = "".join(value.split())
    if b"content-description" in header and (description := text(header[b"content-description"], default)):
        props[pr.PR_DISPLAY_NAME] = description
    if b"content-disposition" in header:
        props.update(_dates(part))
    return props


def _dates(part: Part) -> NamedProps:
    """The dates of Content-Disposition (RFC 2183 2.4 to 2.6)."""
    props: NamedProps = {}
    parameters = part.disposition[1]
    for name, tag in (
        (b"create-date", pr.PR_CREATION_TIME),
        (b"creation-date", pr.PR_CREATION_TIME),
        (b"modification-date", pr.PR_LAST_MODIFICATION_TIME),
    ):
        when = filetime(parameter(parameters, name) or "")
        if when is not None:
            props[tag] = when
    return props
