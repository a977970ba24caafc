"""Addresses of organizers and attendees: calendar user addresses and address properties (RFC 5545 3.3.3)."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from gateway.convert.ical.values import octets, text
from gateway.convert.lines import Line
from gateway.mapi import proptags as pt
from gateway.mapi.ids import OneOff, one_off_entryid, parse_one_off_entryid, search_key
from gateway.mapi.props import NamedProps
from gateway.mapi.tables import ObjectType

_SMTP: Final = "SMTP"
#: Name, address type, address, SMTP address, entry id and search key of a role.
REPRESENTING: Final = (
    pt.PR_SENT_REPRESENTING_NAME,
    pt.PR_SENT_REPRESENTING_ADDRTYPE,
    pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
    pt.PR_SENT_REPRESENTING_SMTP_ADDRESS,
    pt.PR_SENT_REPRESENTING_ENTRYID,
    pt.PR_SENT_REPRESENTING_SEARCH_KEY,
)
SENDER: Final = (
    pt.PR_SENDER_NAME,
    pt.PR_SENDER_ADDRTYPE,
    pt.PR_SENDER_EMAIL_ADDRESS,
    pt.PR_SENDER_SMTP_ADDRESS,
    pt.PR_SENDER_ENTRYID,
    pt.PR_SENDER_SEARCH_KEY,
)
RECIPIENT: Final = (
    pt.PR_DISPLAY_NAME,
    pt.PR_ADDRTYPE,
    pt.PR_EMAIL_ADDRESS,
    pt.PR_SMTP_ADDRESS,
    pt.PR_ENTRYID,
    pt.PR_SEARCH_KEY,
)


def address_of(props: NamedProps, tags: tuple[int, ...]) -> str:
    """The Internet address in the properties of a role, empty when there is none."""
    _, kind, address, smtp, entryid, _ = tags
    found = text(props, smtp)
    if not found and text(props, kind).upper() in ("", _SMTP):
        found = text(props, address)
    if "@" not in found:
        try:
            one_off = parse_one_off_entryid(octets(props, entryid))
        except ValueError:
            return text(props, address).strip() if "@" in text(props, address) else ""
        found = one_off.address if one_off.address_type.upper() == _SMTP else ""
    return found.strip() if "@" in found else ""


def calendar_address(line: Line) -> str:
    """The Internet address of an ORGANIZER or ATTENDEE, empty when it has none (a path of some server)."""
    value = line.value.strip()
    if value[:7].lower() == "mailto:":
        value = unquote(value[7:].partition("?")[0])
    if not _is_address(value):
        value = line.param("EMAIL").strip()
        value = value[7:] if value[:7].lower() == "mailto:" else value
    return value if _is_address(value) else ""


def _is_address(value: str) -> bool:
    return 0 < value.find("@") < len(value) - 1 and value.isprintable() and not set(value) & set(' /:;,<>"')


def person_props(name: str, address: str, tags: tuple[int, ...]) -> NamedProps:
    """The properties of a role for an Internet address."""
    name = name.strip() or address
    entryid = one_off_entryid(OneOff(name, _SMTP, address))
    values = (name, _SMTP, address, address, entryid, search_key(_SMTP, address))
    return dict(zip(tags, values, strict=True))


def new_row(name: str, address: str, kind: int) -> NamedProps:
    """A recipient row for an Internet address."""
    row = person_props(name, address, RECIPIENT)
    row[pt.PR_RECIPIENT_TYPE] = kind
    row[pt.PR_OBJECT_TYPE] = int(ObjectType.MAIL_USER)
    row[pt.PR_DISPLAY_TYPE] = 0
    return row
