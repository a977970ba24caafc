"""Entries of the global address book as cards: users, rooms and groups, read-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast
from urllib.parse import quote

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import structured
from gateway.convert.vcard.fields import PR_EMS_AB_THUMBNAIL_PHOTO
from gateway.convert.vcard.names import NAMELESS
from gateway.convert.vcard.phones import export_phones
from gateway.convert.vcard.photo import der_of, key_line, photo_line
from gateway.convert.vcard.postal import MAILING
from gateway.convert.vcard.slots import text_of
from gateway.convert.vcard.texts import TEXTS
from gateway.convert.vcard.uid import uid_of_key
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps, Props
from gateway.mapi.tables import ObjectType

_ROOM, _EQUIPMENT = 7, 8
_PLAIN: Final = frozenset({pr.PR_TITLE, pr.PR_OFFICE_LOCATION, pr.PR_MANAGER_NAME, pr.PR_ASSISTANT})


def gal_uid(props: Props) -> str:
    """The UID of an entry: from its entry id, which holds the directory's own id and survives a change of name."""
    key = props.get(pr.PR_ENTRYID) or props.get(pr.PR_SEARCH_KEY) or b""
    return uid_of_key(key)


def gal_addresses(props: Props) -> list[str]:
    """The SMTP addresses of an entry, the primary one first."""
    primary = props.get(pr.PR_SMTP_ADDRESS) or ""
    proxies = [text for text in props.get(pr.PR_EMS_AB_PROXY_ADDRESSES) or () if text[:5].lower() == "smtp:"]
    proxies.sort(key=lambda text: text[:5] != "SMTP:")
    found = {
        address.casefold(): address
        for address in reversed([primary, *(text[5:] for text in proxies)])
        if address
    }
    order = dict.fromkeys(
        address.casefold() for address in [primary, *(text[5:] for text in proxies)] if address
    )
    return [found[key] for key in order]


def gal_lines(props: Props, version: str, members: Iterable[str] = ()) -> Iterator[Line]:
    """The lines of an entry; ``members`` are the addresses of a group's members."""
    content = MessageContent(cast("NamedProps", props))
    kind = _kind(props)
    if version != "3.0":
        yield Line("KIND", kind)
    elif kind == "group":
        yield Line("X-ADDRESSBOOKSERVER-KIND", kind)
    addresses = gal_addresses(props)
    name = text_of(content, pr.PR_DISPLAY_NAME) or next(iter(addresses), "") or NAMELESS
    yield Line("FN", escape(name))
    parts = [text_of(content, tag) for tag in (pr.PR_SURNAME, pr.PR_GIVEN_NAME, pr.PR_MIDDLE_NAME)]
    if any(parts) or version == "3.0":
        yield Line("N", structured([*(parts if any(parts) else [name, "", ""]), "", ""]))
    for number, address in enumerate(addresses):
        yield Line("EMAIL", escape(address), _email_params(version, first=number == 0))
    if kind == "group":
        if version != "3.0":
            for address in members:
                yield Line("MEMBER", f"mailto:{quote(address, safe='@!$+-._~')}")
        return
    yield from _details(content, version)


def _kind(props: Props) -> str:
    if props.get(pr.PR_OBJECT_TYPE) == ObjectType.DISTRIBUTION_LIST:
        return "group"
    return "location" if props.get(pr.PR_DISPLAY_TYPE_EX, 0) & 0xFF in (_ROOM, _EQUIPMENT) else "individual"


def _email_params(version: str, *, first: bool) -> dict[str, tuple[str, ...]]:
    if version == "3.0":
        return {"TYPE": ("INTERNET", "PREF") if first else ("INTERNET",)}
    return {"PREF": ("1",)} if first else {}


def _details(content: MessageContent, version: str) -> Iterator[Line]:
    for slot in export_phones(content, version):
        yield from slot.lines
    company, department = text_of(content, pr.PR_COMPANY_NAME), text_of(content, pr.PR_DEPARTMENT_NAME)
    if company or department:
        yield Line("ORG", structured([company, department] if department else [company]))
    for each in TEXTS:
        if each.tag in _PLAIN and (text := text_of(content, each.tag)):
            yield Line(each.name, escape(text))
    box, *rest = [text_of(content, tag).replace("\r\n", "\n") for tag in MAILING]
    if box or any(rest):
        yield Line("ADR", structured([box, "", *rest]), {"TYPE": ("WORK" if version == "3.0" else "work",)})
    for value in content.get(pr.PR_EMS_AB_X509_CERT) or content.get(pr.PR_USER_X509_CERTIFICATE) or ():
        if der := der_of(value):
            yield key_line(der, version)
    photo = content.get(PR_EMS_AB_THUMBNAIL_PHOTO)
    if isinstance(photo, bytes) and photo:
        yield photo_line(photo, "", version)
