"""TNEF (winmail.dat) as message content (MS-OXTNEF).

The stream is a message whole: its properties, recipients and attachments, messages inside attachments
included. Nothing here knows of the mail around it; whoever merges the two lets the mail's header win for
sender, recipients, subject and date.
"""

from __future__ import annotations

from typing import Final

from gateway.convert.codepages import codec_of
from gateway.convert.tnef import attributes as att
from gateway.convert.tnef.attributes import ATTACHMENT_LEVEL, Attribute, attributes
from gateway.convert.tnef.legacy import legacy_props
from gateway.convert.tnef.properties import Budget, PropertyReader
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps

PROPERTIES: Final = 50_000
"""Most properties of a stream."""
DEPTH: Final = 7
"""How many messages may lie inside one another; deeper ones stay attachments in TNEF."""
_DEFAULT_CODEC: Final = "cp1252"
_MESSAGE: Final = bytes.fromhex("0703020000000000c000000000000046")
"""Interface id of a message, in front of the object data of an attachment."""
_BY_VALUE: Final = 1
_EMBEDDED: Final = 5
_OLE: Final = 6


def from_tnef(data: bytes, properties: int = PROPERTIES, depth: int = DEPTH) -> MessageContent:
    """The message inside a TNEF stream.

    Raises ParseError when the data is not TNEF, is cut short, or has more than ``properties`` properties.
    """
    return _message(memoryview(data), Budget(properties), depth)


def _message(data: memoryview, budget: Budget, depth: int) -> MessageContent:
    content = MessageContent()
    legacy: NamedProps = {}
    groups: list[list[Attribute]] = []
    codec = _DEFAULT_CODEC
    for attribute in attributes(data):
        budget.take()
        if attribute.level == ATTACHMENT_LEVEL:
            if attribute.id == att.ATTACHMENT_START or not groups:
                groups.append([])
            groups[-1].append(attribute)
        elif attribute.id == att.OEM_CODEPAGE:
            codec = codec_of(int.from_bytes(attribute.data[:4], "little")) or _DEFAULT_CODEC
        elif attribute.id == att.MAPI_PROPERTIES:
            content.props.update(PropertyReader(attribute.data, codec, budget).props())
        elif attribute.id == att.RECIPIENTS:
            content.recipients += PropertyReader(attribute.data, codec, budget).table()
        else:
            legacy.update(legacy_props(attribute, codec))
    content.props = legacy | content.props
    content.attachments = [_attachment(group, codec, budget, depth) for group in groups]
    return content


def _attachment(group: list[Attribute], codec: str, budget: Budget, depth: int) -> AttachmentContent:
    """An attachment from its attributes, the first of which starts it."""
    attachment = AttachmentContent()
    legacy: NamedProps = {}
    for attribute in group:
        if attribute.id == att.ATTACHMENT_START:
            legacy.update(_rendering(attribute.data))
        elif attribute.id == att.ATTACHMENT_DATA:
            attachment.data = bytes(attribute.data)
        elif attribute.id == att.ATTACHMENT_PROPERTIES:
            attachment.props.update(PropertyReader(attribute.data, codec, budget).props())
        else:
            legacy.update(legacy_props(attribute, codec))
    attachment.props = legacy | attachment.props
    _take_data(attachment, budget, depth)
    if pt.PR_ATTACH_LONG_FILENAME not in attachment.props and pt.PR_ATTACH_FILENAME in attachment.props:
        attachment.props[pt.PR_ATTACH_LONG_FILENAME] = attachment.props[pt.PR_ATTACH_FILENAME]
    return attachment


def _rendering(data: memoryview) -> NamedProps:
    """Method and position from the rendering data (MS-OXTNEF 2.1.3.3.15)."""
    method = _OLE if int.from_bytes(data[:2], "little") == 2 else _BY_VALUE
    position = int.from_bytes(data[2:6], "little") if len(data) >= 6 else 0xFFFF_FFFF
    return {pt.PR_ATTACH_METHOD: method, pt.PR_RENDERING_POSITION: position}


def _take_data(attachment: AttachmentContent, budget: Budget, depth: int) -> None:
    """Move the data out of the properties: a message is read, everything else is octets."""
    stored = attachment.props.pop(pt.PR_ATTACH_DATA_BIN, None)
    if attachment.data is None and isinstance(stored, bytes):
        attachment.data = stored
    found = attachment.props.pop(pt.PR_ATTACH_DATA_OBJ, None)
    if not isinstance(found, bytes):
        return
    if found[:16] != _MESSAGE:
        attachment.props[pt.PR_ATTACH_METHOD] = _OLE
        attachment.data = found[16:]
    elif depth > 0:
        attachment.props[pt.PR_ATTACH_METHOD] = _EMBEDDED
        attachment.data = None
        attachment.embedded = _message(memoryview(found)[16:], budget, depth - 1)
    else:
        attachment.props[pt.PR_ATTACH_METHOD] = _BY_VALUE
        attachment.props[pt.PR_ATTACH_MIME_TAG] = "application/ms-tnef"
        attachment.data = found[16:]
