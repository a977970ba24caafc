"""TNEF as a sequence of attributes (MS-OXTNEF 2.1.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.convert.errors import ParseError

SIGNATURE: Final = 0x223E9F78
MESSAGE_LEVEL: Final = 1
ATTACHMENT_LEVEL: Final = 2

# Attribute ids: the type in the upper half, the attribute in the lower.
OEM_CODEPAGE: Final = 0x00069007
MESSAGE_CLASS: Final = 0x00078008
ORIGINAL_MESSAGE_CLASS: Final = 0x00070600
FROM: Final = 0x00008000
OWNER: Final = 0x00060000
SENT_FOR: Final = 0x00060001
SUBJECT: Final = 0x00018004
MESSAGE_ID: Final = 0x00018009
BODY: Final = 0x0002800C
PRIORITY: Final = 0x0004800D
DATE_SENT: Final = 0x00038005
DATE_RECEIVED: Final = 0x00038006
DATE_MODIFIED: Final = 0x00038020
DATE_START: Final = 0x00030006
DATE_END: Final = 0x00030007
OWNER_APPOINTMENT: Final = 0x00050008
RESPONSE_REQUESTED: Final = 0x00040009
MAPI_PROPERTIES: Final = 0x00069003
RECIPIENTS: Final = 0x00069004
ATTACHMENT_PROPERTIES: Final = 0x00069005
ATTACHMENT_START: Final = 0x00069002
ATTACHMENT_TITLE: Final = 0x00018010
ATTACHMENT_DATA: Final = 0x0006800F
ATTACHMENT_METAFILE: Final = 0x00068011
ATTACHMENT_CREATED: Final = 0x00038012
ATTACHMENT_MODIFIED: Final = 0x00038013
ATTACHMENT_TRANSPORT_NAME: Final = 0x00069001

_HEAD: Final = struct.Struct("<IH")
_ATTRIBUTE: Final = struct.Struct("<BII")


class Attribute(NamedTuple):
    """One attribute; ``data`` is a view, so nothing is copied."""

    level: int
    id: int
    data: memoryview


def attributes(data: bytes | memoryview) -> Iterator[Attribute]:
    """The attributes of a TNEF stream (ParseError when it is none or is cut short).

    Checksums are not looked at: writers that get them wrong are common, and what the bytes say is still there.
    """
    view = memoryview(data)
    if len(view) < _HEAD.size or _HEAD.unpack_from(view)[0] != SIGNATURE:
        raise ParseError("not TNEF: the signature is missing")
    position = _HEAD.size
    while position < len(view):
        # Some writers end the stream with padding.
        if view[position] not in (MESSAGE_LEVEL, ATTACHMENT_LEVEL):
            if not any(view[position:]):
                return
            raise ParseError(f"TNEF attribute at {position} has the unknown level {view[position]}")
        if position + _ATTRIBUTE.size > len(view):
            raise ParseError(f"TNEF is cut short in the attribute at {position}")
        level, attribute, size = _ATTRIBUTE.unpack_from(view, position)
        start = position + _ATTRIBUTE.size
        if start + size > len(view):
            raise ParseError(f"TNEF attribute {attribute:#010x} at {position} is longer than the stream")
        yield Attribute(level, attribute, view[start : start + size])
        position = start + size + 2
