"""Cards for the tests: built from lines, read into sorted lines."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from gateway.convert.vcard import Options, from_vcard, to_vcard
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.propnames import PSETID_Address, static

BERLIN = Options(zone=ZoneInfo("Europe/Berlin"))
APPLE = "-//Apple Inc.//iOS 17//EN"


def address(number: int, type: int = 0x1F) -> int:
    """A tag of PSETID_Address by its number."""
    return static(PSETID_Address, number, type)


def card(*lines: str, version: str = "3.0", product: str = "", uid: str = "uid-1") -> bytes:
    """A card with these lines; FN is added when it is missing."""
    if not any(line.upper().startswith(("FN:", "FN;")) for line in lines):
        lines = ("FN:Ann", *lines)
    head = [f"VERSION:{version}", *([f"PRODID:{product}"] if product else []), *([f"UID:{uid}"] if uid else [])]
    return "\r\n".join(["BEGIN:VCARD", *head, *lines, "END:VCARD", ""]).encode()


def read(
    *lines: str, existing: MessageContent | None = None, options: Options = BERLIN, **more: Any
) -> MessageContent:
    """The contact of a card with these lines."""
    return from_vcard(card(*lines, **more), existing, options)


def written(content: MessageContent, version: str = "3.0", options: Options = BERLIN) -> list[str]:
    """The lines of a contact's card, unfolded, without those that every card has."""
    text = to_vcard(content, version, options).decode().replace("\r\n ", "")
    fixed = ("BEGIN:", "END:", "VERSION:", "PRODID:", "UID:", "REV:")
    return [line for line in text.split("\r\n") if line and not line.startswith(fixed)]


def lines_of(content: MessageContent, name: str, version: str = "3.0", options: Options = BERLIN) -> list[str]:
    """The lines of one property, in order."""
    found = []
    for line in written(content, version, options):
        head = line.partition(":")[0].partition(";")[0]
        if head.rpartition(".")[2] == name:
            found.append(line)
    return found


def put_again(content: MessageContent, version: str = "3.0", options: Options = BERLIN) -> MessageContent:
    """What a client that changes nothing makes of a contact: GET, then PUT of the same bytes."""
    return from_vcard(to_vcard(content, version, options), content, options)


def contact(**props: object) -> MessageContent:
    """A contact as a MAPI client makes it; properties by their names without PR_."""
    named = {getattr(pr, f"PR_{name}"): value for name, value in props.items()}
    return MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Contact", pr.PR_SOURCE_KEY: bytes(22), **named})
