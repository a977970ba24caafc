"""People: address properties as header mailboxes (MS-OXCMAIL 2.1.1).

An address may stand in many places and kinds; `address_of` knows the order in which to look. What is not an
Internet address becomes a valid one that mail clients can show (MS-OXCMAIL 2.1.1.7, IMCEA).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.convert.mime.tomime_fields import before_special, clean, phrase, quoted
from gateway.convert.mime.tomime_values import binary, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.ids import parse_one_off_entryid
from gateway.mapi.props import NamedProps
from gateway.mapi.tables import ObjectType

#: Gives the SMTP address of an address book entry id, or None. Must always give the same one.
Resolve: TypeAlias = "Callable[[bytes], str | None]"

_UNKNOWN: Final = "unknown"
"""Local part of an address that is not known."""
PLACEHOLDER_DOMAIN: Final = "mapi.invalid"
"""Domain of what is no Internet address (RFC 2606 2)."""
_DOT_ATOM: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*\Z")
_QUOTED_LOCAL: Final = re.compile(r'"((?:[^"\\]|\\.){1,400})"@([^@]*)\Z')
_NOT_IN_DOMAIN: Final = re.compile(r"[^\w.-]+")
_LITERAL: Final = re.compile(r"\[[\w.:-]+\]\Z")


@dataclass(frozen=True, slots=True)
class AddressTags:
    """The properties that together name one person."""

    name: int
    kind: int
    address: int
    smtp: int
    entryid: int
    search_key: int


SENDER: Final = AddressTags(
    pt.PR_SENDER_NAME,
    pt.PR_SENDER_ADDRTYPE,
    pt.PR_SENDER_EMAIL_ADDRESS,
    pt.PR_SENDER_SMTP_ADDRESS,
    pt.PR_SENDER_ENTRYID,
    pt.PR_SENDER_SEARCH_KEY,
)
REPRESENTING: Final = AddressTags(
    pt.PR_SENT_REPRESENTING_NAME,
    pt.PR_SENT_REPRESENTING_ADDRTYPE,
    pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
    pt.PR_SENT_REPRESENTING_SMTP_ADDRESS,
    pt.PR_SENT_REPRESENTING_ENTRYID,
    pt.PR_SENT_REPRESENTING_SEARCH_KEY,
)
RECEIVED_REPRESENTING: Final = AddressTags(
    pt.PR_RCVD_REPRESENTING_NAME,
    pt.PR_RCVD_REPRESENTING_ADDRTYPE,
    pt.PR_RCVD_REPRESENTING_EMAIL_ADDRESS,
    0,
    pt.PR_RCVD_REPRESENTING_ENTRYID,
    pt.PR_RCVD_REPRESENTING_SEARCH_KEY,
)
RECEIVED_BY: Final = AddressTags(
    pt.PR_RECEIVED_BY_NAME,
    pt.PR_RECEIVED_BY_ADDRTYPE,
    pt.PR_RECEIVED_BY_EMAIL_ADDRESS,
    0,
    pt.PR_RECEIVED_BY_ENTRYID,
    pt.PR_RECEIVED_BY_SEARCH_KEY,
)
RECIPIENT: Final = AddressTags(
    pt.PR_DISPLAY_NAME,
    pt.PR_ADDRTYPE,
    pt.PR_EMAIL_ADDRESS,
    pt.PR_SMTP_ADDRESS,
    pt.PR_ENTRYID,
    pt.PR_SEARCH_KEY,
)


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, either perhaps empty; the address is Internet's or as the store has it."""

    name: str
    address: str
    is_list: bool = False

    def tokens(self) -> list[str]:
        """The header tokens: addr-spec, name-addr, or an empty group for a list without address."""
        if not self.address and self.is_list:
            *words, last = phrase(self.name)
            return [*words, before_special(last) + ":;"]
        address = addr_spec(self.address or _UNKNOWN)
        if not self.name or self.name == self.address:
            return [address]
        return [*phrase(self.name), f"<{address}>"]


def person(props: NamedProps, tags: AddressTags, resolve: Resolve | None) -> Person | None:
    """The person that the properties name, or None when they name nobody."""
    name = clean(text(props, tags.name) or "")
    address = clean(address_of(props, tags, resolve))
    is_list = (
        tags is RECIPIENT
        and not address
        and (
            number(props, pt.PR_OBJECT_TYPE) == ObjectType.DISTRIBUTION_LIST
            or number(props, pt.PR_DISPLAY_TYPE) == 1
        )
    )
    if not address and "@" in name and " " not in name:
        address = name
    return Person(name, address, is_list) if name or address else None


def address_of(props: NamedProps, tags: AddressTags, resolve: Resolve | None) -> str:
    """The best address the properties know, empty when there is none."""
    kind = (text(props, tags.kind) or "").upper()
    address = text(props, tags.address) or ""
    smtp = text(props, tags.smtp) if tags.smtp else None
    if smtp or (kind == "SMTP" and address):
        return smtp or address
    entryid = binary(props, tags.entryid)
    found = (resolve(entryid) if resolve and entryid else None) or one_off_address(entryid)
    if found:
        return found
    key = binary(props, tags.search_key)
    if key.upper().startswith(b"SMTP:"):
        return key[5:].rstrip(b"\0").decode("utf-8", "replace").lower()
    if "@" in address or not address:
        return address
    return imcea(kind, address)


def one_off_address(entryid: bytes) -> str:
    """The Internet address inside a one-off entry id, if it is one."""
    try:
        one_off = parse_one_off_entryid(entryid)
    except ValueError:
        return ""
    if one_off.address_type.upper() == "SMTP" or "@" in one_off.address:
        return one_off.address
    return imcea(one_off.address_type, one_off.address) if one_off.address else ""


def imcea(kind: str, address: str) -> str:
    """A foreign address wrapped into an Internet address (MS-OXCMAIL 2.1.1.7): ``IMCEAFAX-...@domain``."""
    encoded = "".join(
        "_"
        if character == "/"
        else character
        if character.isascii() and (character.isalnum() or character in "=-")
        else "".join(f"+{octet:02X}" for octet in character.encode("utf-8", "replace"))
        for character in address
    )
    return f"IMCEA{re.sub('[^A-Z0-9]', '', kind.upper()) or 'UNKNOWN'}-{encoded}@{PLACEHOLDER_DOMAIN}"


def addr_spec(address: str) -> str:
    """The address in the syntax of RFC 5322 3.4.1, whatever it is.

    A local part outside ASCII stays (RFC 6531); with an ASCII one the domain is written in A-labels.
    """
    quoted_local = _QUOTED_LOCAL.match(clean(address))
    if quoted_local:
        local, domain = re.sub(r"[<>]+", "", re.sub(r"\\(.)", r"\1", quoted_local[1])), quoted_local[2]
    else:
        local, at, domain = re.sub(r"[\s<>]+", "", address).rpartition("@")
        if not at:
            local, domain = domain, PLACEHOLDER_DOMAIN
    # What is longer than any address may be (RFC 5321 4.5.3.1) would not fit a line either.
    local, domain = (
        local[:320] or _UNKNOWN,
        domain if _LITERAL.match(domain[:255]) else _NOT_IN_DOMAIN.sub("", domain[:255]).strip("."),
    )
    domain = domain or PLACEHOLDER_DOMAIN
    if local.isascii() and not domain.isascii():
        domain = _a_labels(domain)
    return f"{local if _DOT_ATOM.match(local) else quoted(local)}@{domain}"


def _a_labels(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
