"""Text matches as MAPI restrictions: the store finds the few items that may match, only they are converted and tested.

A restriction lets through everything that matches, perhaps more: the filter itself decides in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.ical import propids as ids
from gateway.convert.vcard.fields import EMAIL_SLOTS, entry_tags
from gateway.dav.kinds import Kind
from gateway.mapi import proptags as pr
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import And, Exist, Not, Or, Restriction, contains, equals

_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_PROP_FILTERS: Final = f"{_C}comp-filter/{_C}comp-filter/{_C}prop-filter"
_CALENDAR: Final[dict[str, tuple[PropTag, ...]]] = {
    "SUMMARY": (pr.PR_SUBJECT,),
    "LOCATION": (ids.LOCATION,),
    "DESCRIPTION": (pr.PR_BODY,),
}
_CONTACTS: Final[dict[str, tuple[PropTag, ...]]] = {
    "FN": (pr.PR_DISPLAY_NAME,),
    "N": (pr.PR_DISPLAY_NAME, pr.PR_SURNAME, pr.PR_GIVEN_NAME, pr.PR_MIDDLE_NAME),
    "EMAIL": tuple(entry_tags(slot)[2] for slot in EMAIL_SLOTS),
    "ORG": (pr.PR_COMPANY_NAME, pr.PR_DEPARTMENT_NAME),
    "NICKNAME": (pr.PR_NICKNAME,),
    "TITLE": (pr.PR_TITLE,),
}
#: Where properties lie that MAPI has no place for.
KEPT: Final = ids.RETAINED
_ONLY_KEPT: Final = frozenset({"COMMENT", "GEO", "RELATED-TO", "CONFERENCE"})
#: Names like those of clients that the store's own properties tell nevertheless.
_TOLD: Final = ("X-MICROSOFT-", "X-MS-", "X-ALT-DESC", "X-CALENDARSERVER-", "X-MOZ-", "X-WR-")


def asks_for_kept(filters: Iterable[ET.Element], kind: Kind) -> bool:
    """Whether the filters match only items with which something is kept beside the store's own properties."""
    return kind.is_calendar and any(
        _is_kept(each.get("name", "").upper()) and each.find(f"{_C}is-not-defined") is None
        for filter_ in filters
        for each in filter_.iterfind(_PROP_FILTERS)
    )


def _is_kept(name: str) -> bool:
    return name in _ONLY_KEPT or (name.startswith("X-") and not name.startswith(_TOLD))


def restriction_of(
    filters: Iterable[ET.Element], kind: Kind, kept: PropTag | None = None
) -> Restriction | None:
    """What items must fulfil to match all filters, None when nothing can be said; all of them have ``kept``."""
    found = [_calendar(each) if kind.is_calendar else _contacts(each) for each in filters]
    parts = [each for each in (*found, Exist(kept) if kept is not None else None) if each is not None]
    return And(tuple(parts)) if parts else None


def _calendar(filter_: ET.Element) -> Restriction | None:
    """A calendar's prop-filters must all match; exceptions of a series have texts of their own."""
    props = filter_.iterfind(_PROP_FILTERS)
    parts = [part for each in props if (part := _prop(each, _C, _CALENDAR)) is not None]
    if not parts:
        return None
    return Or((And(tuple(parts)), equals(ids.RECURRING, True)))


def _contacts(filter_: ET.Element) -> Restriction | None:
    """An address book's prop-filters must all match, or any of them (RFC 6352 10.5)."""
    found = [_prop(each, _CR, _CONTACTS) for each in filter_.iterfind(f"{_CR}prop-filter")]
    parts = tuple(each for each in found if each is not None)
    if filter_.get("test", "anyof") == "allof":
        matching: Restriction | None = And(parts) if parts else None
    else:
        matching = Or(parts) if parts and len(parts) == len(found) else None
    if matching is None:
        return None
    # A contact without a display name has its name put together.
    return Or((matching, Not(Exist(pr.PR_DISPLAY_NAME))))


def _prop(filter_: ET.Element, ns: str, known: dict[str, tuple[PropTag, ...]]) -> Restriction | None:
    tags = known.get(filter_.get("name", "").upper())
    matches = filter_.findall(f"{ns}text-match")
    if not tags or len(filter_) != 1 or len(matches) != 1:
        return None
    text = (matches[0].text or "").strip()
    if not text or matches[0].get("negate-condition", "no") == "yes":
        return None
    return Or(tuple(contains(tag, text) for tag in tags))
