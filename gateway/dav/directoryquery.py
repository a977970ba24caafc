"""Filters over the global address book as restrictions of its table, so that the store finds the entries.

A restriction lets through everything that matches, perhaps more; the filter itself decides in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav.query.properties import CR
from gateway.dav.query.textmatch import is_negated
from gateway.mapi import proptags as pr
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import And, Content, Exist, Fuzzy, Or, Restriction

_MULTIPLE: Final = 0x1000
#: Where the properties of a card come from. What is not here and not in `_WRITTEN`, no entry has.
_SOURCES: Final[dict[str, tuple[PropTag, ...]]] = {
    "FN": (pr.PR_DISPLAY_NAME, pr.PR_SMTP_ADDRESS),
    "N": (pr.PR_SURNAME, pr.PR_GIVEN_NAME, pr.PR_DISPLAY_NAME, pr.PR_SMTP_ADDRESS),
    "EMAIL": (pr.PR_SMTP_ADDRESS, pr.PR_EMS_AB_PROXY_ADDRESSES),
    "TEL": (pr.PR_BUSINESS_TELEPHONE_NUMBER, pr.PR_HOME_TELEPHONE_NUMBER, pr.PR_MOBILE_TELEPHONE_NUMBER),
    "ORG": (pr.PR_COMPANY_NAME, pr.PR_DEPARTMENT_NAME),
    "TITLE": (pr.PR_TITLE,),
    "X-KADDRESSBOOK-X-OFFICE": (pr.PR_OFFICE_LOCATION,),
}
#: Properties that every card has, or that no property of the entry tells.
_WRITTEN: Final = frozenset({"VERSION", "PRODID", "UID", "X-ADDRESSBOOKSERVER-KIND"})
_FUZZY: Final = {"equals": Fuzzy.FULLSTRING, "starts-with": Fuzzy.PREFIX}
EVERYTHING: Final = And(())
NOTHING: Final = Or(())


def restriction_of(filters: Iterable[ET.Element]) -> Restriction | None:
    """What entries must fulfil to match all filters: None for nothing at all, `NOTHING` when no entry can."""
    found = _all([_filter(each) for each in filters])
    return None if found == EVERYTHING else found


def text_restriction(tags: Iterable[PropTag], text: str, kind: str = "contains") -> Restriction:
    """One of these properties contains, begins with or is a text, whatever its case."""
    fuzzy = _FUZZY.get(kind, Fuzzy.SUBSTRING) | Fuzzy.IGNORECASE
    return Or(tuple(Content(fuzzy, tag, (tag & ~_MULTIPLE, text)) for tag in tags))


def _filter(filter_: ET.Element) -> Restriction:
    parts = [_prop(each) for each in filter_]
    if not parts:
        return EVERYTHING
    return _all(parts) if filter_.get("test", "anyof") == "allof" else _any(parts)


def _prop(element: ET.Element) -> Restriction:
    name = element.get("name", "").upper().rpartition(".")[2]
    if name in _WRITTEN:
        return EVERYTHING
    tags = _SOURCES.get(name, ())
    if len(element) and element[0].tag == f"{CR}is-not-defined":
        return EVERYTHING
    defined = Or(tuple(Exist(tag) for tag in tags))
    parts = [_text(name, tags, each) if each.tag == f"{CR}text-match" else defined for each in element]
    if not parts:
        return defined
    return _all(parts) if element.get("test", "anyof") == "allof" else _any(parts)


def _text(name: str, tags: tuple[PropTag, ...], match: ET.Element) -> Restriction:
    text, kind = "".join(match.itertext()), match.get("match-type", "contains")
    if is_negated(match) or not text.strip() or text != text.strip():
        return Or(tuple(Exist(tag) for tag in tags))
    if name in ("N", "ORG") and (";" in text or "," in text):
        return EVERYTHING  # the text of several properties together
    # An entry's addresses have their type before them.
    return text_restriction(tags, text, kind if name != "EMAIL" else "contains")


def _all(parts: list[Restriction]) -> Restriction:
    if NOTHING in parts:
        return NOTHING
    kept = tuple(each for each in parts if each != EVERYTHING)
    return kept[0] if len(kept) == 1 else And(kept)


def _any(parts: list[Restriction]) -> Restriction:
    if EVERYTHING in parts:
        return EVERYTHING
    kept = tuple(each for each in parts if each != NOTHING)
    return kept[0] if len(kept) == 1 else Or(kept)
