"""ADR and the three postal addresses of a contact (MS-OXOCNTC 2.2.1.4).

One of the addresses is the mailing address, of which MAPI keeps a copy in properties of their own, and every
address has a formatted text beside its parts: both are kept in step. A card's "extended address" has no place in
MAPI and becomes the first line of the street.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.convert.lines import Line
from gateway.convert.vcard.card import is_preferred, parts_of, structured, types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import (
    HOME_ADDRESS,
    MAILING_ADDRESS_ID,
    OTHER_ADDRESS,
    PR_HOME_ADDRESS_POST_OFFICE_BOX,
    PR_OTHER_ADDRESS_POST_OFFICE_BOX,
    PR_POSTAL_ADDRESS,
    WORK_ADDRESS,
    WORK_CITY,
    WORK_CODE,
    WORK_COUNTRY,
    WORK_PO_BOX,
    WORK_STATE,
    WORK_STREET,
)
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PropTag


@dataclass(frozen=True, slots=True)
class Place:
    """An address: the tags of P.O. box, street, locality, region, code, country, and of the formatted text."""

    key: str
    type: str
    number: int
    """What PidLidPostalAddressId calls it."""
    tags: tuple[PropTag, ...]
    formatted: PropTag


WORK: Final = Place(
    "ADR-WORK",
    "work",
    2,
    (WORK_PO_BOX, WORK_STREET, WORK_CITY, WORK_STATE, WORK_CODE, WORK_COUNTRY),
    WORK_ADDRESS,
)
HOME: Final = Place(
    "ADR-HOME",
    "home",
    1,
    (
        PR_HOME_ADDRESS_POST_OFFICE_BOX,
        pr.PR_HOME_ADDRESS_STREET,
        pr.PR_HOME_ADDRESS_CITY,
        pr.PR_HOME_ADDRESS_STATE_OR_PROVINCE,
        pr.PR_HOME_ADDRESS_POSTAL_CODE,
        pr.PR_HOME_ADDRESS_COUNTRY,
    ),
    HOME_ADDRESS,
)
OTHER: Final = Place(
    "ADR-OTHER",
    "",
    3,
    (
        PR_OTHER_ADDRESS_POST_OFFICE_BOX,
        pr.PR_OTHER_ADDRESS_STREET,
        pr.PR_OTHER_ADDRESS_CITY,
        pr.PR_OTHER_ADDRESS_STATE_OR_PROVINCE,
        pr.PR_OTHER_ADDRESS_POSTAL_CODE,
        pr.PR_OTHER_ADDRESS_COUNTRY,
    ),
    OTHER_ADDRESS,
)
PLACES: Final = (WORK, HOME, OTHER)
#: The copy of the mailing address, in the same order.
MAILING: Final = (
    pr.PR_POST_OFFICE_BOX,
    pr.PR_STREET_ADDRESS,
    pr.PR_LOCALITY,
    pr.PR_STATE_OR_PROVINCE,
    pr.PR_POSTAL_CODE,
    pr.PR_COUNTRY,
)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


_NOTHING: Final = ("",) * 6


def _stored(content: MessageContent, place: Place) -> tuple[str, ...]:
    if content.props.keys().isdisjoint(place.tags):
        return _NOTHING
    return tuple(_lines(text_of(content, tag)) for tag in place.tags)


def _parts(content: MessageContent, place: Place) -> tuple[str, ...]:
    """The six parts. Old items have a business address only as the mailing address."""
    parts = _stored(content, place)
    if place is WORK and not any(parts) and content.get(MAILING_ADDRESS_ID) in (None, 2):
        return tuple(_lines(text_of(content, tag)) for tag in MAILING)
    return parts


def export_addresses(content: MessageContent, version: str) -> Iterator[Slot]:
    """A line for every address."""
    for place in PLACES:
        parts = _parts(content, place)
        if any(parts):
            yield Slot(place.key, parts, [_line(place, parts, version)])


def _line(place: Place, parts: tuple[str, ...], version: str) -> Line:
    box, *rest = parts
    type_ = place.type.upper() if version == "3.0" else place.type
    return Line("ADR", structured([box, "", *rest]), {"TYPE": (type_,)} if type_ else {})


def take_addresses(draft: Draft) -> None:
    """ADR lines into addresses; one that finds no place stays a line."""
    taken: dict[str, tuple[Place, tuple[str, ...], Line]] = {}
    for line in draft.lines("ADR"):
        parts = _six(line)
        if not any(parts):
            continue
        wanted = next((place for place in PLACES if place.type in types_of(line)), OTHER)
        place = next((place for place in (wanted, OTHER) if place.key not in taken), None)
        if place is not None:
            taken[place.key] = place, parts, line
            draft.claim(line, place.key)
    for place in PLACES:
        _, parts, _ = taken.get(place.key, (place, _NOTHING, None))
        if parts != _stored(draft.content, place):
            _write(draft, place, parts)
    preferred = next((place for place, _, line in taken.values() if is_preferred(line)), None)
    _choose_mailing(draft, preferred)


def _six(line: Line) -> tuple[str, ...]:
    box, extended, street, *rest = parts_of(line, 7)[:7]
    return tuple(
        _lines(part)
        for part in (box, f"{extended}\n{street}" if extended and street else extended or street, *rest)
    )


def _write(draft: Draft, place: Place, parts: tuple[str, ...]) -> None:
    for tag, part in zip(place.tags, parts, strict=True):
        draft.put(tag, part.replace("\n", "\r\n"))
    draft.put(place.formatted, formatted(parts))


def formatted(parts: tuple[str, ...]) -> str:
    """An address as one writes it on an envelope, lines ended by CRLF."""
    box, street, city, state, code, country = parts
    town = " ".join(filter(None, (city, state, code)))
    return "\r\n".join(filter(None, (box, street.replace("\n", "\r\n"), town, country)))


def _choose_mailing(draft: Draft, preferred: Place | None) -> None:
    """The mailing address is the preferred one, else the one it was, else the first there is."""
    there = [place for place in PLACES if any(_stored(draft.content, place))]
    chosen = draft.get(MAILING_ADDRESS_ID)
    if preferred is None:
        preferred = next((place for place in there if place.number == chosen), there[0] if there else None)
    if preferred is None:
        draft.drop(MAILING_ADDRESS_ID, PR_POSTAL_ADDRESS, *MAILING)
        return
    draft.put(MAILING_ADDRESS_ID, preferred.number)
    for tag, source in zip(MAILING, preferred.tags, strict=True):
        draft.put(tag, draft.text(source))
    draft.put(PR_POSTAL_ADDRESS, draft.text(preferred.formatted))
