"""vCard 3.0 and 4.0 (RFC 2426, RFC 6350) <-> contacts, distribution lists and address book entries (MS-OXOCNTC).

`to_vcard` is a function of the stored properties alone: the same object gives the same bytes. `from_vcard` merges:
what cards cannot say stays, what the card says and MAPI has no place for is kept beside the object and given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from gateway.convert.errors import ParseError
from gateway.convert.lines import Line, escape, write_line
from gateway.convert.vcard.card import MAX_CARD, MAX_PHOTO, TooLarge, read_card
from gateway.convert.vcard.contact import read_contact, slots_of
from gateway.convert.vcard.gal import gal_lines, gal_uid
from gateway.convert.vcard.kept import Retained
from gateway.convert.vcard.lists import addresses_of_list, is_list, list_slots, members_named, read_list
from gateway.convert.vcard.options import DEFAULT, Members, Options, Person
from gateway.convert.vcard.retained import merged
from gateway.convert.vcard.slots import in_unicode
from gateway.convert.vcard.uid import bare, uid_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import Props
from gateway.mapi.times import to_datetime

__all__ = (
    "MAX_CARD",
    "MAX_PHOTO",
    "Members",
    "Options",
    "ParseError",
    "Person",
    "TooLarge",
    "addresses_of_list",
    "bare",
    "from_vcard",
    "gal_to_vcard",
    "gal_uid",
    "is_list",
    "to_vcard",
    "uid_of",
)
VERSIONS = ("3.0", "4.0")


def to_vcard(content: MessageContent, version: str = "3.0", options: Options = DEFAULT) -> bytes:
    """A contact or distribution list as a card (ValueError for a version that is not "3.0" or "4.0")."""
    if version not in VERSIONS:
        raise ValueError(f"no vCard version {version!r}")
    content = in_unicode(content)
    group = is_list(content)
    slots = list_slots(content, version, options) if group else slots_of(content, version, options)
    lines = merged(slots, Retained.of(content), version)
    if group:
        kind = Line("X-ADDRESSBOOKSERVER-KIND" if version == "3.0" else "KIND", "group")
        lines = [kind, *members_named(lines, version)]
    return _written(lines, uid_of(content), content.get(pr.PR_LAST_MODIFICATION_TIME), version, options)


def from_vcard(
    data: bytes | str, existing: MessageContent | None = None, options: Options = DEFAULT
) -> MessageContent:
    """The contact or distribution list of a card, merged into ``existing``, which is left as it is.

    Properties that the result lacks are to be deleted; attachments that stay are the same objects. Raises
    ParseError, and TooLarge, which is one.
    """
    card = read_card(data)
    if existing is not None:
        existing = in_unicode(existing)
    if card.is_group:
        return read_list(card, existing if existing is not None and is_list(existing) else None, options)
    return read_contact(card, existing if existing is not None and not is_list(existing) else None, options)


def gal_to_vcard(
    props: Props, version: str = "3.0", *, members: Iterable[str] = (), options: Options = DEFAULT
) -> bytes:
    """An address book entry as a card; ``members`` are the addresses in a group."""
    if version not in VERSIONS:
        raise ValueError(f"no vCard version {version!r}")
    return _written([*gal_lines(props, version, members)], gal_uid(props), None, version, options)


def _written(lines: list[Line], uid: str, changed: object, version: str, options: Options) -> bytes:
    out = [
        b"BEGIN:VCARD\r\n",
        write_line("VERSION", version),
        write_line("PRODID", options.product),
        write_line("UID", escape(uid)),
        *(write_line(line.name, line.value, line.params, line.group) for line in lines),
    ]
    if isinstance(changed, int):
        with suppress(OverflowError):
            out.append(write_line("REV", f"{to_datetime(changed):%Y%m%dT%H%M%SZ}"))
    out.append(b"END:VCARD\r\n")
    return b"".join(out)
