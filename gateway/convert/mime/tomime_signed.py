"""S/MIME messages: the one attachment that is the whole body (MS-OXOSMIME 2.1, 2.2).

The signed octets are sent exactly as they are stored, since one changed octet breaks the signature.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.mime.tomime_fields import clean, structured
from gateway.convert.mime.tomime_parts import Part, data_part
from gateway.convert.mime.tomime_stream import Mime, Verbatim
from gateway.convert.mime.tomime_values import text
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.propnames import PS_INTERNET_HEADERS
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName

_CLASS: Final = "ipm.note.smime"
_SIGNED_CLASS: Final = "ipm.note.smime.multipartsigned"
_DEFAULT_TYPE: Final = "application/x-pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"
_CONTENT_TYPE: Final = [
    NamedTag(PropName(PS_INTERNET_HEADERS, name), PT_UNICODE) for name in ("content-type", "Content-Type")
]
_OPENS: Final = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:", re.IGNORECASE)
_LOOK: Final = 4096


def signed_mail(content: MessageContent, fields: list[bytes]) -> tuple[Mime, bool] | None:
    """A clear-signed message as a mail, and whether it holds 8-bit octets; None when it is none.

    The attachment begins with the Content-Type field of the multipart/signed, a blank line and its body.
    """
    data = _only_data(content, _SIGNED_CLASS, "multipart/signed")
    if data is None or not _OPENS.match(_beginning(data)):
        return None
    header = b"".join([*fields, b"MIME-Version: 1.0\r\n"])
    if isinstance(data, bytes):
        return Mime(header, [data]), not data.isascii()
    return Mime(header, [Verbatim(data)]), not all(chunk.isascii() for chunk in data.chunks())


def opaque_part(content: MessageContent) -> Part | None:
    """The body of an encrypted or opaquely signed message, None when the message is neither."""
    data = _only_data(content, _CLASS, "")
    if data is None:
        return None
    declared = next((value for key in _CONTENT_TYPE if (value := text(content.props, key))), _DEFAULT_TYPE)
    tokens = [token for token in re.findall(r"[!-~]+", clean(declared)) if token]
    disposition = structured("Content-Disposition", ["attachment;", "filename=smime.p7m"])
    return data_part(tokens, data, disposition)


def _only_data(content: MessageContent, message_class: str, media_type: str) -> bytes | Blob | None:
    """The data of the only attachment when class and type are those of an S/MIME message."""
    own = (text(content.props, pt.PR_MESSAGE_CLASS) or "").lower()
    if own != message_class or len(content.attachments) != 1:
        return None
    attachment: AttachmentContent = content.attachments[0]
    tag = clean(text(attachment.props, pt.PR_ATTACH_MIME_TAG) or "").lower()
    return attachment.data if tag and tag.startswith(media_type) else None


def _beginning(data: bytes | Blob) -> bytes:
    return data[:_LOOK] if isinstance(data, bytes) else next(iter(data.chunks()), b"")[:_LOOK]
