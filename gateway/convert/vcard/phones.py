"""TEL and the telephone numbers of a contact.

MAPI has one property for each use; a card has any number of lines with a set of types. What a line's types say
chooses the candidates, the number that is there already keeps its place, and a number that finds no place stays a
line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import is_preferred, types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.emails import follow_fax
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PropTag

#: Every number with the types that are written for it.
_NUMBERS: Final[tuple[tuple[PropTag, tuple[str, ...]], ...]] = (
    (pr.PR_MOBILE_TELEPHONE_NUMBER, ("CELL", "VOICE")),
    (pr.PR_BUSINESS_TELEPHONE_NUMBER, ("WORK", "VOICE")),
    (pr.PR_BUSINESS2_TELEPHONE_NUMBER, ("WORK", "VOICE")),
    (pr.PR_HOME_TELEPHONE_NUMBER, ("HOME", "VOICE")),
    (pr.PR_HOME2_TELEPHONE_NUMBER, ("HOME", "VOICE")),
    (pr.PR_PRIMARY_TELEPHONE_NUMBER, ("MAIN", "VOICE")),
    (pr.PR_OTHER_TELEPHONE_NUMBER, ("VOICE",)),
    (pr.PR_COMPANY_MAIN_PHONE_NUMBER, ("X-EVOLUTION-COMPANY", "VOICE")),
    (pr.PR_ASSISTANT_TELEPHONE_NUMBER, ("X-EVOLUTION-ASSISTANT", "VOICE")),
    (pr.PR_CALLBACK_TELEPHONE_NUMBER, ("X-EVOLUTION-CALLBACK", "VOICE")),
    (pr.PR_BUSINESS_FAX_NUMBER, ("WORK", "FAX")),
    (pr.PR_HOME_FAX_NUMBER, ("HOME", "FAX")),
    (pr.PR_PRIMARY_FAX_NUMBER, ("FAX",)),
    (pr.PR_PAGER_TELEPHONE_NUMBER, ("PAGER",)),
    (pr.PR_CAR_TELEPHONE_NUMBER, ("CAR", "VOICE")),
    (pr.PR_RADIO_TELEPHONE_NUMBER, ("X-EVOLUTION-RADIO",)),
    (pr.PR_ISDN_NUMBER, ("ISDN",)),
    (pr.PR_TELEX_NUMBER, ("X-EVOLUTION-TELEX",)),
    (pr.PR_TTYTDD_PHONE_NUMBER, ("TEXTPHONE",)),
)
_SLOT_OF: Final = {tag: f"TEL-{tag >> 16:04X}" for tag, _ in _NUMBERS}
_FAXES: Final = (pr.PR_BUSINESS_FAX_NUMBER, pr.PR_HOME_FAX_NUMBER, pr.PR_PRIMARY_FAX_NUMBER)

#: What the types of a line say, the strongest word first: the properties to try in turn.
_BY_TYPE: Final[tuple[tuple[frozenset[str], tuple[PropTag, ...]], ...]] = (
    (frozenset({"pager"}), (pr.PR_PAGER_TELEPHONE_NUMBER,)),
    (frozenset({"cell", "mobile", "iphone"}), (pr.PR_MOBILE_TELEPHONE_NUMBER,)),
    (frozenset({"car", "x-car"}), (pr.PR_CAR_TELEPHONE_NUMBER,)),
    (frozenset({"isdn"}), (pr.PR_ISDN_NUMBER,)),
    (frozenset({"textphone", "tty-tdd", "x-evolution-ttytdd"}), (pr.PR_TTYTDD_PHONE_NUMBER,)),
    (frozenset({"x-evolution-radio", "radio"}), (pr.PR_RADIO_TELEPHONE_NUMBER,)),
    (frozenset({"x-evolution-telex", "telex"}), (pr.PR_TELEX_NUMBER,)),
    (frozenset({"x-evolution-callback", "callback"}), (pr.PR_CALLBACK_TELEPHONE_NUMBER,)),
    (frozenset({"x-evolution-assistant", "assistant"}), (pr.PR_ASSISTANT_TELEPHONE_NUMBER,)),
    (frozenset({"x-evolution-company", "company"}), (pr.PR_COMPANY_MAIN_PHONE_NUMBER,)),
    (
        frozenset({"work"}),
        (
            pr.PR_BUSINESS_TELEPHONE_NUMBER,
            pr.PR_BUSINESS2_TELEPHONE_NUMBER,
            pr.PR_COMPANY_MAIN_PHONE_NUMBER,
            pr.PR_OTHER_TELEPHONE_NUMBER,
        ),
    ),
    (
        frozenset({"home"}),
        (pr.PR_HOME_TELEPHONE_NUMBER, pr.PR_HOME2_TELEPHONE_NUMBER, pr.PR_OTHER_TELEPHONE_NUMBER),
    ),
    (frozenset({"main"}), (pr.PR_PRIMARY_TELEPHONE_NUMBER, pr.PR_OTHER_TELEPHONE_NUMBER)),
)
_EXTENSION: Final = re.compile(r";ext=([^;]*)", re.IGNORECASE)


def export_phones(content: MessageContent, version: str) -> Iterator[Slot]:
    """A line for every number."""
    for tag, types in _NUMBERS:
        if tag in content.props and (number := text_of(content, tag).strip()):
            written = types if version == "3.0" else tuple(map(str.lower, types))
            yield Slot(_SLOT_OF[tag], number, [Line("TEL", escape(number), {"TYPE": written})])


def take_phones(draft: Draft) -> None:
    """TEL lines into numbers: first those that stay where they are, then the others in the card's order."""
    before = {tag: draft.text(tag).strip() for tag in _SLOT_OF if tag in draft.content.props}
    lines = [(line, number) for line in draft.lines("TEL") if (number := number_of(line))]
    places: dict[PropTag, str] = {}
    waiting: list[tuple[Line, str]] = []
    for line, number in lines:
        tag = next((tag for tag in candidates(line) if before.get(tag) == number and tag not in places), None)
        if tag is None:
            waiting.append((line, number))
        else:
            _place(draft, line, number, tag, places)
    for line, number in waiting:
        tag = next((tag for tag in candidates(line) if tag not in places), None)
        if tag is not None:
            _place(draft, line, number, tag, places)
    for tag in before.keys() | places.keys():
        draft.put(tag, places.get(tag))
    for tag in _FAXES:
        if before.get(tag, "") != places.get(tag, ""):
            follow_fax(draft, before.get(tag, ""), places.get(tag, ""))


def _place(draft: Draft, line: Line, number: str, tag: PropTag, places: dict[PropTag, str]) -> None:
    places[tag] = number
    draft.claim(line, _SLOT_OF[tag])


def candidates(line: Line) -> tuple[PropTag, ...]:
    """The properties a line may go to, the best first."""
    types = types_of(line)
    if "fax" in types:
        if "work" in types:
            return pr.PR_BUSINESS_FAX_NUMBER, pr.PR_PRIMARY_FAX_NUMBER
        return (pr.PR_HOME_FAX_NUMBER if "home" in types else pr.PR_PRIMARY_FAX_NUMBER,)
    for words, tags in _BY_TYPE:
        if words & types:
            return tags
    if is_preferred(line):
        return pr.PR_PRIMARY_TELEPHONE_NUMBER, pr.PR_OTHER_TELEPHONE_NUMBER
    return (pr.PR_OTHER_TELEPHONE_NUMBER,)


def number_of(line: Line) -> str:
    """The number as people write it; a tel: URI (RFC 3966) without its scheme, its extension as `` x5``."""
    text = line.text.strip()
    if text[:4].lower() != "tel:":
        return text
    text = text[4:]
    extension = _EXTENSION.search(text)
    number = text.partition(";")[0]
    return f"{number} x{extension[1]}" if extension is not None and extension[1] else number
