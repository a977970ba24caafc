"""Attributes that say what a MAPI property says too, in the words of older mail systems (MS-OXTNEF 2.1.3.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from gateway.convert.tnef import attributes as att
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps
from gateway.mapi.times import from_datetime

PR_ORIG_MESSAGE_CLASS: Final = 0x004B001F
_CLASSES: Final = {
    "ipm.microsoft mail.note": "IPM.Note",
    "ipm.microsoft mail.read receipt": "REPORT.IPM.Note.IPNRN",
    "ipm.microsoft mail.non-delivery": "REPORT.IPM.Note.NDR",
    "ipm.microsoft schedule.mtgreq": "IPM.Schedule.Meeting.Request",
    "ipm.microsoft schedule.mtgrespp": "IPM.Schedule.Meeting.Resp.Pos",
    "ipm.microsoft schedule.mtgrespn": "IPM.Schedule.Meeting.Resp.Neg",
    "ipm.microsoft schedule.mtgrespa": "IPM.Schedule.Meeting.Resp.Tent",
    "ipm.microsoft schedule.mtgcncl": "IPM.Schedule.Meeting.Canceled",
}
_IMPORTANCE: Final = {1: 2, 2: 1, 3: 0}
_DATE: Final = struct.Struct("<6H")
_TRIPLE: Final = struct.Struct("<4H")
_PAIR: Final = struct.Struct("<H")


def _string(data: memoryview, codec: str) -> str:
    return bytes(data).decode(codec, "replace").partition("\0")[0]


def _class(data: memoryview, codec: str) -> str:
    name = _string(data, codec)
    return _CLASSES.get(name.lower(), name)


def _date(data: memoryview, codec: str) -> int | None:
    """A date structure as FILETIME; it has no zone, and UTC is what writers put there."""
    try:
        return from_datetime(datetime(*_DATE.unpack_from(data)).replace(tzinfo=UTC))
    except (struct.error, ValueError):
        return None


def _short(data: memoryview, codec: str) -> int:
    return int.from_bytes(data[:2], "little")


def _search_key(data: memoryview, codec: str) -> bytes | None:
    """The message id is the search key in hexadecimal digits."""
    try:
        return bytes.fromhex(_string(data, "ascii")) or None
    except ValueError:
        return None


#: attribute -> the property it becomes and how its data is read (None: it says nothing).
_READ: Final[dict[int, tuple[int, Callable[[memoryview, str], Any]]]] = {
    att.MESSAGE_CLASS: (pt.PR_MESSAGE_CLASS, _class),
    att.ORIGINAL_MESSAGE_CLASS: (PR_ORIG_MESSAGE_CLASS, _class),
    att.SUBJECT: (pt.PR_SUBJECT, _string),
    att.BODY: (pt.PR_BODY, _string),
    att.MESSAGE_ID: (pt.PR_SEARCH_KEY, _search_key),
    att.PRIORITY: (pt.PR_IMPORTANCE, lambda data, codec: _IMPORTANCE.get(_short(data, codec))),
    att.DATE_SENT: (pt.PR_CLIENT_SUBMIT_TIME, _date),
    att.DATE_RECEIVED: (pt.PR_MESSAGE_DELIVERY_TIME, _date),
    att.DATE_MODIFIED: (pt.PR_LAST_MODIFICATION_TIME, _date),
    att.DATE_START: (pt.PR_START_DATE, _date),
    att.DATE_END: (pt.PR_END_DATE, _date),
    att.OWNER_APPOINTMENT: (pt.PR_OWNER_APPT_ID, lambda data, _: int.from_bytes(data[:4], "little")),
    att.RESPONSE_REQUESTED: (pt.PR_RESPONSE_REQUESTED, lambda data, codec: _short(data, codec) != 0),
    att.ATTACHMENT_TITLE: (pt.PR_ATTACH_FILENAME, _string),
    att.ATTACHMENT_TRANSPORT_NAME: (pt.PR_ATTACH_LONG_FILENAME, _string),
    att.ATTACHMENT_METAFILE: (pt.PR_ATTACH_RENDERING, lambda data, _: bytes(data)),
    att.ATTACHMENT_CREATED: (pt.PR_CREATION_TIME, _date),
    att.ATTACHMENT_MODIFIED: (pt.PR_LAST_MODIFICATION_TIME, _date),
}


def legacy_props(attribute: att.Attribute, codec: str) -> NamedProps:
    """The properties that an attribute stands for, none when it stands for none or is broken."""
    if attribute.id == att.FROM:
        return _person(*_from(attribute.data, codec), "SENDER")
    if attribute.id in (att.OWNER, att.SENT_FOR):
        return _person(*_name_and_address(attribute.data, codec), "SENT_REPRESENTING")
    if attribute.id not in _READ:
        return {}
    tag, read = _READ[attribute.id]
    value = read(attribute.data, codec)
    return {} if value is None else {tag: value}


def _from(data: memoryview, codec: str) -> tuple[str, str]:
    """Name and ``TYPE:address`` of a triple (MS-OXTNEF 2.1.3.3.2)."""
    if len(data) < _TRIPLE.size:
        return "", ""
    _, _, name_size, address_size = _TRIPLE.unpack_from(data)
    address = data[_TRIPLE.size + name_size :][:address_size]
    return _string(data[_TRIPLE.size :][:name_size], codec), _string(address, codec)


def _name_and_address(data: memoryview, codec: str) -> tuple[str, str]:
    """Name and ``TYPE:address``, each behind its length (MS-OXTNEF 2.1.3.3.10)."""
    parts = []
    for _ in range(2):
        size = _short(data, codec)
        parts.append(_string(data[_PAIR.size :][:size], codec))
        data = data[_PAIR.size + size :]
    return parts[0], parts[1]


def _person(name: str, address: str, prefix: str) -> NamedProps:
    kind, colon, rest = address.partition(":")
    if not colon or not rest:
        return {}
    names = ("NAME", "ADDRTYPE", "EMAIL_ADDRESS")
    values = (name or rest, kind.upper(), rest)
    return {getattr(pt, f"PR_{prefix}_{each}"): value for each, value in zip(names, values, strict=True)}
