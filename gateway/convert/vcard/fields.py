"""The properties of contacts and distribution lists that `gateway.mapi.proptags` has no names for (MS-OXOCNTC)."""

from __future__ import annotations

from typing import Final

from gateway.mapi.propnames import PSETID_Address, PSETID_Common, PSETID_Gateway, static
from gateway.mapi.props import (
    PT_BINARY,
    PT_BOOLEAN,
    PT_LONG,
    PT_MV_BINARY,
    PT_MV_LONG,
    PT_SYSTIME,
    PT_UNICODE,
    NamedTag,
    PropName,
    PropTag,
)

PR_POSTAL_ADDRESS: Final = 0x3A15001F
PR_FTP_SITE: Final = 0x3A4C001F
PR_HOME_ADDRESS_POST_OFFICE_BOX: Final = 0x3A5E001F
PR_OTHER_ADDRESS_POST_OFFICE_BOX: Final = 0x3A64001F
PR_EMS_AB_THUMBNAIL_PHOTO: Final = 0x8C9E0102


def _text(number: int) -> PropTag:
    return static(PSETID_Address, number, PT_UNICODE)


FILE_AS: Final = _text(0x8005)
FILE_AS_ID: Final = static(PSETID_Address, 0x8006, PT_LONG)
HAS_PICTURE: Final = static(PSETID_Address, 0x8015, PT_BOOLEAN)
HOME_ADDRESS: Final = _text(0x801A)
WORK_ADDRESS: Final = _text(0x801B)
OTHER_ADDRESS: Final = _text(0x801C)
MAILING_ADDRESS_ID: Final = static(PSETID_Address, 0x8022, PT_LONG)
ADDRESS_BOOK_LIST: Final = static(PSETID_Address, 0x8028, PT_MV_LONG)
ADDRESS_BOOK_MASK: Final = static(PSETID_Address, 0x8029, PT_LONG)
WEB_PAGE: Final = _text(0x802B)
YOMI_FIRST_NAME: Final = _text(0x802C)
YOMI_LAST_NAME: Final = _text(0x802D)
YOMI_COMPANY: Final = _text(0x802E)
WORK_STREET: Final = _text(0x8045)
WORK_CITY: Final = _text(0x8046)
WORK_STATE: Final = _text(0x8047)
WORK_CODE: Final = _text(0x8048)
WORK_COUNTRY: Final = _text(0x8049)
WORK_PO_BOX: Final = _text(0x804A)
LIST_CHECKSUM: Final = static(PSETID_Address, 0x804C, PT_LONG)
LIST_NAME: Final = _text(0x8053)
LIST_ONE_OFFS: Final = static(PSETID_Address, 0x8054, PT_MV_BINARY)
LIST_MEMBERS: Final = static(PSETID_Address, 0x8055, PT_MV_BINARY)
LIST_STREAM: Final = static(PSETID_Address, 0x8064, PT_BINARY)
IM_ADDRESS: Final = _text(0x8062)
FREE_BUSY_LOCATION: Final = _text(0x80D8)
BIRTHDAY_LOCAL: Final = static(PSETID_Address, 0x80DE, PT_SYSTIME)
ANNIVERSARY_LOCAL: Final = static(PSETID_Address, 0x80DF, PT_SYSTIME)
SMART_NO_ATTACH: Final = static(PSETID_Common, 0x8514, PT_BOOLEAN)

#: The first numbers of the three e-mail and the three fax entries; their members follow at fixed distances.
EMAIL_SLOTS: Final = (0x8080, 0x8090, 0x80A0)
FAX_SLOTS: Final = (0x80B0, 0x80C0, 0x80D0)


def entry_tags(first: int) -> tuple[PropTag, PropTag, PropTag, PropTag, PropTag]:
    """Display name, type, address, original display name, original entry id of an e-mail or fax entry."""
    text = [_text(first + member) for member in (0, 2, 3, 4)]
    return text[0], text[1], text[2], text[3], static(PSETID_Address, first + 5, PT_BINARY)


#: The UID as the client wrote it, and what its card had that MAPI has no place for.
VCARD_UID: Final = NamedTag(PropName(PSETID_Gateway, "vcard-uid"), PT_UNICODE)
VCARD_RETAINED: Final = NamedTag(PropName(PSETID_Gateway, "vcard"), PT_BINARY)
