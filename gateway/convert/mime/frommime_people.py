"""Senders and recipients: mailboxes of a header as address properties and recipient rows (MS-OXCMAIL 2.2.3.1).

Nobody is looked up here: every address becomes an SMTP address with a one-off entry id. Groups are flattened;
a group without members is one row with its name, but ``undisclosed-recipients`` is nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from gateway.convert.mime.addresses import Address, address_list
from gateway.convert.mime.charsets import DEFAULT_CHARSET, clean, decode_unlabelled
from gateway.convert.mime.encoded import text
from gateway.convert.mime.structure import Part
from gateway.mapi import proptags as pr
from gateway.mapi.ids import OneOff, one_off_entryid, search_key
from gateway.mapi.props import NamedProps
from gateway.mapi.tables import ObjectType

TO: Final = 1
CC: Final = 2
BCC: Final = 3
_SMTP: Final = "SMTP"
_FIELDS: Final = (
    (b"to", TO, pr.PR_DISPLAY_TO),
    (b"cc", CC, pr.PR_DISPLAY_CC),
    (b"bcc", BCC, pr.PR_DISPLAY_BCC),
)
_MAIL_USER: Final = int(ObjectType.MAIL_USER)
_DISTRIBUTION_LIST: Final = int(ObjectType.DISTRIBUTION_LIST)
_DT_DISTLIST: Final = 1
#: Name, address type, address, SMTP address, entry id, search key of each role.
_REPRESENTING: Final = (
    pr.PR_SENT_REPRESENTING_NAME,
    pr.PR_SENT_REPRESENTING_ADDRTYPE,
    pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
    pr.PR_SENT_REPRESENTING_SMTP_ADDRESS,
    pr.PR_SENT_REPRESENTING_ENTRYID,
    pr.PR_SENT_REPRESENTING_SEARCH_KEY,
)
_SENDER: Final = (
    pr.PR_SENDER_NAME,
    pr.PR_SENDER_ADDRTYPE,
    pr.PR_SENDER_EMAIL_ADDRESS,
    pr.PR_SENDER_SMTP_ADDRESS,
    pr.PR_SENDER_ENTRYID,
    pr.PR_SENDER_SEARCH_KEY,
)


class Person(NamedTuple):
    """A mailbox, decoded. The name is never empty; the address is for a mere name."""

    name: str
    address: str

    @property
    def entryid(self) -> bytes:
        """The one-off entry id (MS-OXCDATA 2.2.5.1)."""
        return one_off_entryid(OneOff(self.name, _SMTP, self.address))


def people(part: Part, name: bytes, default: str = DEFAULT_CHARSET) -> list[Person]:
    """The mailboxes in all fields of a (lower-case) name, groups flattened."""
    return [person(each, default) for each in _addresses(part, name) if each.host is not None]


def person(address: Address, default: str = DEFAULT_CHARSET) -> Person:
    """A mailbox with its name decoded; without a name the address stands for it.

    Some programs encode the name and the address together; then they are told apart after decoding.
    """
    spec = clean(decode_unlabelled(address.spec, default))
    name = text(address.name, default).strip() if address.name else ""
    if not spec and "@" in name:
        inner = address_list(name.encode("utf-8"))
        if inner and inner[0].host:
            return Person((inner[0].name or inner[0].spec).decode("utf-8"), inner[0].spec.decode("utf-8"))
    return Person(name or spec, spec)


def _addresses(part: Part, name: bytes) -> list[Address]:
    values = part.headers(name)
    return address_list(b",".join(values)) if values else []


def recipients(part: Part, default: str = DEFAULT_CHARSET) -> tuple[list[NamedProps], NamedProps]:
    """The recipient table of a message, and the properties that display it."""
    rows: list[NamedProps] = []
    shown: NamedProps = {}
    for name, kind, display in _FIELDS:
        found = list(_rows(_addresses(part, name), kind, default)) if name in part.raw_header else []
        rows.extend(found)
        shown[display] = "; ".join(row[pr.PR_DISPLAY_NAME] for row in found)
    return rows, shown


def _rows(addresses: Iterable[Address], kind: int, default: str) -> Iterator[NamedProps]:
    """Recipient rows; a group is told by its members."""
    group: bytes | None = None
    for address in addresses:
        if address.host is not None:
            group = None
            yield recipient(person(address, default), kind)
        elif address.mailbox is not None:
            group = address.mailbox
        elif group and "undisclosed" not in (name := text(group, default).strip()).lower():
            yield _list_row(name or "?", kind)


def recipient(who: Person, kind: int) -> NamedProps:
    """The recipient row of a mailbox."""
    return {
        pr.PR_RECIPIENT_TYPE: kind,
        pr.PR_DISPLAY_NAME: who.name,
        pr.PR_TRANSMITABLE_DISPLAY_NAME: who.name,
        pr.PR_ADDRTYPE: _SMTP,
        pr.PR_EMAIL_ADDRESS: who.address,
        pr.PR_SMTP_ADDRESS: who.address,
        pr.PR_SEARCH_KEY: search_key(_SMTP, who.address),
        pr.PR_ENTRYID: who.entryid,
        pr.PR_OBJECT_TYPE: _MAIL_USER,
        pr.PR_DISPLAY_TYPE: 0,
    }


def _list_row(name: str, kind: int) -> NamedProps:
    """The row of a group of which only the name is known."""
    row = recipient(Person(name, ""), kind)
    row[pr.PR_OBJECT_TYPE] = _DISTRIBUTION_LIST
    row[pr.PR_DISPLAY_TYPE] = _DT_DISTLIST
    return row


def author_props(part: Part, default: str = DEFAULT_CHARSET) -> NamedProps:
    """Who wrote a message and who sent it: From and Sender, each standing in for the other."""
    written = people(part, b"from", default)
    sent = people(part, b"sender", default)
    author = written[0] if written else sent[0] if sent else None
    if author is None:
        return {}
    props = dict(zip(_REPRESENTING, _six(author), strict=True))
    props.update(zip(_SENDER, _six(sent[0] if sent else author), strict=True))
    return props  # type: ignore[return-value]


def _six(who: Person) -> tuple[str, str, str, str, bytes, bytes]:
    return who.name, _SMTP, who.address, who.address, who.entryid, search_key(_SMTP, who.address)


def reply_props(part: Part, default: str = DEFAULT_CHARSET) -> NamedProps:
    """Reply-To: the entries that count, and the names for people to read."""
    found = people(part, b"reply-to", default)
    if not found:
        return {}
    return {
        pr.PR_REPLY_RECIPIENT_ENTRIES: flat_entry_list([who.entryid for who in found]),
        pr.PR_REPLY_RECIPIENT_NAMES: "; ".join(who.name for who in found),
    }


def flat_entry_list(entryids: Sequence[bytes]) -> bytes:
    """A FLATENTRYLIST (MS-OXCDATA 2.3.3): each entry padded to four bytes, the last one too."""
    entries = b"".join(
        struct.pack("<I", len(entryid)) + entryid + bytes(-len(entryid) % 4) for entryid in entryids
    )
    return struct.pack("<II", len(entryids), len(entries)) + entries


def receipt_props(part: Part, default: str = DEFAULT_CHARSET) -> NamedProps:
    """Who asks for receipts: Disposition-Notification-To (RFC 8098 2.1) and Return-Receipt-To."""
    props: NamedProps = {}
    asking = people(part, b"disposition-notification-to", default)
    if asking:
        props[pr.PR_READ_RECEIPT_REQUESTED] = True
        props[pr.PR_NON_RECEIPT_NOTIFICATION_REQUESTED] = True
        props[pr.PR_REPORT_ENTRYID] = asking[0].entryid
        props[pr.PR_READ_RECEIPT_ENTRYID] = asking[0].entryid
        props[pr.PR_REPORT_NAME] = asking[0].address
    if people(part, b"return-receipt-to", default):
        props[pr.PR_ORIGINATOR_DELIVERY_REPORT_REQUESTED] = True
    return props
