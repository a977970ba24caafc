"""S/MIME: the whole body as one attachment, so that it can be sent again unchanged (MS-OXOSMIME 2.1, 2.2).

A clear-signed mail is also read, so that it can be shown and searched; what an opaque one holds stays closed.
"""

from __future__ import annotations

from typing import Final

from gateway.convert.mime.charsets import clean, decode_unlabelled
from gateway.convert.mime.frommime_attachments import BY_VALUE, NOT_POSITIONED
from gateway.convert.mime.frommime_header import internet_header
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded, known
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent
from gateway.mapi.props import NamedProps

SIGNED_CLASS: Final = "IPM.Note.SMIME.MultipartSigned"
OPAQUE_CLASS: Final = "IPM.Note.SMIME"
_SIGNATURES: Final = frozenset((b"application/pkcs7-signature", b"application/x-pkcs7-signature"))
_OPAQUE: Final = frozenset((b"pkcs7-mime", b"x-pkcs7-mime"))


def is_clear_signed(message: Part) -> bool:
    """Whether a message is multipart/signed with an S/MIME signature (RFC 8551 3.5.3)."""
    if not message.children or message.subtype != b"signed":
        return False
    protocol = (message.parameter(b"protocol") or b"").lower()
    if protocol:
        return protocol in _SIGNATURES
    return any(child.type + b"/" + child.subtype in _SIGNATURES for child in message.children[1:])


def is_opaque(message: Part) -> bool:
    """Whether a message is one CMS object: encrypted, or signed with the content inside (RFC 8551 3.2)."""
    return message.type == b"application" and message.subtype in _OPAQUE and known(message.encoding)


def signed_attachment(message: Part) -> AttachmentContent:
    """The body of a clear-signed message with its Content-Type as received, every octet as it came."""
    value = message.raw_header[b"content-type"].strip()
    data = b"Content-Type: " + value + b"\r\n\r\n" + message.body_bytes
    return _only(data, "multipart/signed")


def opaque_attachment(message: Part) -> tuple[AttachmentContent, NamedProps]:
    """The CMS object, and the property that keeps the parameters of its type."""
    value = message.header(b"content-type") or b""
    media_type = b"application/" + message.subtype
    props: NamedProps = {internet_header("Content-Type"): clean(decode_unlabelled(value))}
    return _only(decoded(message.body_bytes, message.encoding), media_type.decode("ascii")), props


def _only(data: bytes, media_type: str) -> AttachmentContent:
    return AttachmentContent(
        {
            pr.PR_ATTACH_METHOD: BY_VALUE,
            pr.PR_ATTACH_MIME_TAG: media_type,
            pr.PR_ATTACH_LONG_FILENAME: "smime.p7m",
            pr.PR_ATTACH_EXTENSION: ".p7m",
            pr.PR_RENDERING_POSITION: NOT_POSITIONED,
            pr.PR_ATTACH_FLAGS: 0,
            pr.PR_ATTACHMENT_HIDDEN: False,
        },
        data,
    )
