"""Filters of addressbook-query over cards (RFC 6352 10.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.lines import Component, parse
from gateway.dav.query.properties import CR, combined, lines_of, param_test, unsupported, value_test
from gateway.dav.query.textmatch import fold, needle

CardTest = Callable[[Component], bool]
_TESTS: Final = ("anyof", "allof")


class CardFilter:
    """The filters of a query, made ready once for all cards (Refused for one that has no meaning here)."""

    def __init__(self, filters: Iterable[ET.Element]) -> None:
        self._filters = [(_prop_filters(each), _any_of(each), _needles(each)) for each in filters]

    def matches(self, text: str) -> bool:
        """Whether a card matches all filters; a filter without conditions matches every card."""
        folded = fold(text.replace("\r\n ", "")) if any(needles for _, _, needles in self._filters) else ""
        if any(needles and not any(each in folded for each in needles) for _, _, needles in self._filters):
            return False
        card = next(iter(parse(text)), Component("VCARD"))
        return all(_holds(tests, card, any_of=any_of) for tests, any_of, _ in self._filters)


def _holds(tests: Sequence[CardTest], card: Component, *, any_of: bool) -> bool:
    if not tests:
        return True
    return any(test(card) for test in tests) if any_of else all(test(card) for test in tests)


def _any_of(element: ET.Element) -> bool:
    test = element.get("test", "anyof")
    if test not in _TESTS:
        raise unsupported("CR", "test is anyof or allof")
    return test == "anyof"


def _prop_filters(filter_: ET.Element) -> list[CardTest]:
    if any(child.tag != f"{CR}prop-filter" for child in filter_):
        raise unsupported("CR", "a filter has prop-filters only")
    return [_prop_filter(child) for child in filter_]


def _prop_filter(element: ET.Element) -> CardTest:
    find = lines_of(element, "CR")
    if len(element) == 0:
        return lambda card: any(True for _ in find(card))
    if element[0].tag == f"{CR}is-not-defined":
        return lambda card: not any(True for _ in find(card))
    makers = {f"{CR}text-match": value_test, f"{CR}param-filter": param_test}
    if any(child.tag not in makers for child in element):
        raise unsupported("CR", "a prop-filter has text-match and param-filter only")
    tests = [makers[child.tag](child, "CR") for child in element]
    test = combined(tests, any_of=_any_of(element))
    return lambda card: any(test(line) for line in find(card))


def _needles(filter_: ET.Element) -> list[str]:
    """Texts of which a matching card contains at least one as it is written; none when that cannot be said."""
    found = [_needle(each) for each in filter_]
    known = [each for each in found if each]
    if _any_of(filter_):
        return known if len(known) == len(found) else []
    return known[:1]


def _needle(element: ET.Element) -> str:
    """What a property filter that has but one text looks for."""
    if len(element) != 1 or element[0].tag != f"{CR}text-match":
        return ""
    return needle(element[0])
