"""Messages as values for converter tests, and generated mail as the standard library reads it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.props import NamedProps

SUBMITTED = 0x01DD1366C4C7C000
"""2026-07-14T08:00:00Z."""


def person(prefix: str, name: str, address: str, kind: str = "SMTP") -> NamedProps:
    """The SENDER or SENT_REPRESENTING properties of somebody."""
    return {
        getattr(pt, f"PR_{prefix}_NAME"): name,
        getattr(pt, f"PR_{prefix}_ADDRTYPE"): kind,
        getattr(pt, f"PR_{prefix}_EMAIL_ADDRESS"): address,
    }


def recipient(name: str, address: str, kind: int = 1, **more: Any) -> NamedProps:
    """A recipient row; further properties by the end of their names (ROWID=3)."""
    row: NamedProps = {
        pt.PR_RECIPIENT_TYPE: kind,
        pt.PR_DISPLAY_NAME: name,
        pt.PR_ADDRTYPE: "SMTP",
        pt.PR_EMAIL_ADDRESS: address,
        pt.PR_SMTP_ADDRESS: address,
    }
    row.update({getattr(pt, f"PR_{key}"): value for key, value in more.items()})
    return row


def note(
    *recipients: NamedProps, attachments: list[AttachmentContent] | None = None, **props: Any
) -> MessageContent:
    """A message from a@x.example with a fixed date; properties by their names without PR_ (SUBJECT="t")."""
    content = MessageContent(
        {
            **person("SENT_REPRESENTING", "A", "a@x.example"),
            **person("SENDER", "A", "a@x.example"),
            pt.PR_MESSAGE_CLASS: "IPM.Note",
            pt.PR_CLIENT_SUBMIT_TIME: SUBMITTED,
            pt.PR_SEARCH_KEY: b"search key 00001",
        },
        list(recipients),
        attachments or [],
    )
    content.props.update({getattr(pt, f"PR_{key}"): value for key, value in props.items()})
    return content


def attachment(data: bytes | Blob | None = b"data", method: int = 1, **props: Any) -> AttachmentContent:
    """An attachment; properties by their names without PR_ATTACH_ (LONG_FILENAME="a.txt"), or without PR_."""
    content = AttachmentContent({pt.PR_ATTACH_METHOD: method}, data)
    for key, value in props.items():
        tag = getattr(pt, f"PR_ATTACH_{key}", None) or getattr(pt, f"PR_{key}")
        content.props[tag] = value
    return content


def embedded(content: MessageContent, **props: Any) -> AttachmentContent:
    """A message as attachment."""
    made = attachment(None, 5, **props)
    made.embedded = content
    return made


def written(content: MessageContent, **options: Any) -> bytes:
    """The octets of the mail, after a check that size and chunks agree."""
    mime = to_mime(content, ToMimeOptions(**options))
    octets = mime.bytes()
    assert mime.size == len(octets)
    assert b"".join(mime.chunks()) == octets
    assert b"\n" not in octets.replace(b"\r\n", b"")
    return octets


def parsed(content: MessageContent, **options: Any) -> Message:
    """The mail as the standard library parses it; it finds no defect anywhere."""
    message = message_from_bytes(written(content, **options))
    for part in message.walk():
        assert not part.defects, part.defects
    return message


def shape(message: Message) -> Any:
    """The structure: a leaf is its type, a multipart is (subtype, children), a mail is (rfc822, its shape)."""
    if message.get_content_type() == "message/rfc822":
        return ("rfc822", shape(message.get_payload()[0]))  # type: ignore[index,arg-type]
    if message.get_content_maintype() == "multipart":
        return (message.get_content_subtype(), *map(shape, message.get_payload()))  # type: ignore[arg-type]
    return message.get_content_type()


def file_name(part: Message) -> str | None:
    """The file name as mail clients read it: the RFC 2231 form wins (the library takes the plain one)."""
    parameters = part.get_params([], header="content-disposition")
    return next((collapse_rfc2231_value(value) for name, value in parameters[::-1] if name == "filename"), None)
