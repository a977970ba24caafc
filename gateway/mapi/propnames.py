"""Named properties: the property sets, and which names have a fixed id in a Kopano store.

Kopano's clients never register the names of some sets (appointments, tasks, contacts ...): they map them to
ids 0x8001-0x84FF by arithmetic, and the server only ever sees the ids. `named` does the same, so that a
constant made with it is an ordinary tag for those sets and a `NamedTag` for all others, which the server
must be asked for (getIDsFromNames). Sources: MS-OXPROPS 1.3.2 for the sets.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from gateway.mapi.props import (
    PT_BINARY,
    PT_BOOLEAN,
    PT_LONG,
    PT_MV_UNICODE,
    PT_SYSTIME,
    PT_UNICODE,
    NamedTag,
    PropKey,
    PropName,
)


def guid(text: str) -> bytes:
    """The stored 16 bytes of a GUID written as text."""
    return UUID(text).bytes_le


PSETID_Appointment: Final = guid("00062002-0000-0000-C000-000000000046")
PSETID_Task: Final = guid("00062003-0000-0000-C000-000000000046")
PSETID_Address: Final = guid("00062004-0000-0000-C000-000000000046")
PSETID_Common: Final = guid("00062008-0000-0000-C000-000000000046")
PSETID_Log: Final = guid("0006200A-0000-0000-C000-000000000046")
PSETID_0B: Final = guid("0006200B-0000-0000-C000-000000000046")
PSETID_Note: Final = guid("0006200E-0000-0000-C000-000000000046")
PSETID_13: Final = guid("00062013-0000-0000-C000-000000000046")
PSETID_14: Final = guid("00062014-0000-0000-C000-000000000046")
PSETID_Sharing: Final = guid("00062040-0000-0000-C000-000000000046")
PSETID_PostRss: Final = guid("00062041-0000-0000-C000-000000000046")
PSETID_Meeting: Final = guid("6ED8DA90-450B-101B-98DA-00AA003F1305")
PSETID_KC: Final = guid("63AED8C8-4049-4B75-BC88-96DF9D723F2F")
PSETID_AirSync: Final = guid("71035549-0739-4DCB-9163-00F0580DBBDF")
PSETID_UnifiedMessaging: Final = guid("4442858E-A9E3-4E80-B900-317A210CC15B")
PSETID_CalendarAssistant: Final = guid("11000E07-B51B-40D6-AF21-CAA85EDAB1D0")
PSETID_Messaging: Final = guid("41F28F13-83F4-4114-A584-EEDB5A6B0BFF")
PSETID_Kopano_CalDav: Final = guid("77536087-CB81-4DC9-9958-EA4C51BE3486")
PSETID_Archive: Final = guid("72E98EBC-57D2-4AB5-B0AA-D50A7B531CB9")
PSETID_ZMT: Final = guid("8ACDBF85-4738-4DC4-94A9-D489A83E5C41")
PSETID_Gateway: Final = guid("0D813F6A-6905-4350-B472-E8962B1C98FA")
"""This suite's own set: what converters keep beside an object to give it back (``ical``, ``vcard``, ``uid``)."""
PS_PUBLIC_STRINGS: Final = guid("00020329-0000-0000-C000-000000000046")
PS_INTERNET_HEADERS: Final = guid("00020386-0000-0000-C000-000000000046")
PS_MAPI: Final = guid("00020328-0000-0000-C000-000000000046")
PS_EC_IMAP: Final = guid("00F5F108-8E3F-46C7-AF72-5E201C2349E7")


class StaticRange(NamedTuple):
    """Numbers of one property set whose ids are ``base + number - first``."""

    guid: bytes
    first: int
    last: int
    base: int


STATIC_RANGES: Final = (
    StaticRange(PSETID_Appointment, 0x8200, 0x826F, 0x8000),
    StaticRange(PSETID_Task, 0x8100, 0x813F, 0x8070),
    StaticRange(PSETID_Address, 0x8000, 0x80EF, 0x80B0),
    StaticRange(PSETID_Common, 0x8500, 0x85FF, 0x81A0),
    StaticRange(PSETID_Log, 0x8700, 0x871F, 0x82A0),
    StaticRange(PSETID_0B, 0x8800, 0x881F, 0x82C0),
    StaticRange(PSETID_Note, 0x8B00, 0x8B1F, 0x82E0),
    StaticRange(PSETID_13, 0x8D00, 0x8D1F, 0x8300),
    StaticRange(PSETID_14, 0x8F00, 0x8F1F, 0x8320),
    StaticRange(PSETID_Meeting, 0x0000, 0x003F, 0x8340),
    StaticRange(PSETID_KC, 0x0002, 0x0002, 0x8380),
)

#: The first id a server gives to a registered name is this plus the number it answers.
REGISTERED_BASE: Final = 0x8500

_STATIC_BY_GUID: Final = {entry.guid: entry for entry in STATIC_RANGES}


def static_id(name: PropName) -> int | None:
    """The fixed property id of a name, or None when the server must be asked."""
    if name.guid == PS_MAPI and isinstance(name.id, int):
        return name.id
    entry = _STATIC_BY_GUID.get(name.guid)
    if entry is None or not isinstance(name.id, int) or not entry.first <= name.id <= entry.last:
        return None
    return entry.base + name.id - entry.first


def static_name(property_id: int) -> PropName | None:
    """The name behind a fixed property id, or None when the id is not in a static range."""
    for entry in STATIC_RANGES:
        if entry.base <= property_id <= entry.base + entry.last - entry.first:
            return PropName(entry.guid, property_id - entry.base + entry.first)
    return None


def named(set_guid: bytes, id: int | str, type: int) -> PropKey:
    """The key of a named property: its tag when the id is fixed, else a `NamedTag`."""
    name = PropName(set_guid, id)
    fixed = static_id(name)
    return NamedTag(name, type) if fixed is None else fixed << 16 | type


def static(set_guid: bytes, id: int, type: int) -> int:
    """The tag of a named property whose id is fixed (ValueError when it is not)."""
    fixed = static_id(PropName(set_guid, id))
    if fixed is None:
        raise ValueError(f"name {id:#x} of {UUID(bytes_le=set_guid)} has no fixed id")
    return fixed << 16 | type


# Registered names used by more than one part of the suite.
KEYWORDS: Final = NamedTag(PropName(PS_PUBLIC_STRINGS, "Keywords"), PT_MV_UNICODE)
IMAP_ENVELOPE: Final = NamedTag(PropName(PS_EC_IMAP, 1), PT_UNICODE)
DAV_RESOURCE_NAME: Final = NamedTag(PropName(PSETID_Kopano_CalDav, 0x25), PT_UNICODE)
DAV_FOLDER_NAME: Final = NamedTag(PropName(PSETID_Kopano_CalDav, 0x26), PT_UNICODE)
RETURN_PATH: Final = NamedTag(PropName(PSETID_Gateway, "return-path"), PT_UNICODE)
"""On mail that delivery sends: a seal and the envelope sender; the stored original goes out as it is."""
NO_FINAL_LINE_END: Final = NamedTag(PropName(PSETID_Gateway, "no-final-line-end"), PT_BOOLEAN)
"""On mail whose original does not end in CRLF: POP3 must add one, and count it beforehand."""

# Fixed names used by more than one part of the suite.
PidLidReminderDelta: Final = static(PSETID_Common, 0x8501, PT_LONG)
PidLidReminderTime: Final = static(PSETID_Common, 0x8502, PT_SYSTIME)
PidLidReminderSet: Final = static(PSETID_Common, 0x8503, PT_BOOLEAN)
PidLidPrivate: Final = static(PSETID_Common, 0x8506, PT_BOOLEAN)
PidLidCommonStart: Final = static(PSETID_Common, 0x8516, PT_SYSTIME)
PidLidCommonEnd: Final = static(PSETID_Common, 0x8517, PT_SYSTIME)
PidLidGlobalObjectId: Final = static(PSETID_Meeting, 0x0003, PT_BINARY)
PidLidCleanGlobalObjectId: Final = static(PSETID_Meeting, 0x0023, PT_BINARY)
PidLidAppointmentStartWhole: Final = static(PSETID_Appointment, 0x820D, PT_SYSTIME)
PidLidAppointmentEndWhole: Final = static(PSETID_Appointment, 0x820E, PT_SYSTIME)
