"""Property filters, the same for calendars and cards (RFC 4791 9.7.2, RFC 6352 10.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.lines import Component, Line, texts
from gateway.dav.errors import Refused
from gateway.dav.query.textmatch import text_test

C: Final = "{urn:ietf:params:xml:ns:caldav}"
CR: Final = "{urn:ietf:params:xml:ns:carddav}"
NAMESPACES: Final = {"C": C, "CR": CR}
LineTest = Callable[[Line], bool]
#: Properties whose value has several texts, each of which may match.
_LISTS: Final = {"CATEGORIES": ",", "RESOURCES": ",", "NICKNAME": ",", "N": ";", "ADR": ";", "ORG": ";"}


def unsupported(prefix: str, text: str) -> Refused:
    """The refusal of a filter that has no meaning here."""
    return Refused(403, f"{prefix}:supported-filter", text)


def values(line: Line) -> list[str]:
    """The texts of a property: the whole, and the parts of one that has several."""
    separator = _LISTS.get(line.name)
    found = [line.text]
    if separator and separator in line.value:
        found += texts(line.value, separator)
    return found


def combined(tests: Iterable[LineTest], *, any_of: bool) -> LineTest:
    """All tests of a property, or any of them."""
    each = list(tests)
    if len(each) == 1:
        return each[0]
    if any_of:
        return lambda line: any(test(line) for test in each)
    return lambda line: all(test(line) for test in each)


def value_test(element: ET.Element, prefix: str) -> LineTest:
    """The test that a text-match makes of a property's value."""
    test = text_test(element, prefix)
    return lambda line: test(values(line))


def param_test(element: ET.Element, prefix: str) -> LineTest:
    """The test of a param-filter (RFC 4791 9.7.3, RFC 6352 10.5.2)."""
    ns = NAMESPACES[prefix]
    name = element.get("name", "").upper()
    if not name or len(element) > 1:
        raise unsupported(prefix, "a param-filter has a name and at most one condition")
    if len(element) == 0:
        return lambda line: name in line.params
    if element[0].tag == f"{ns}is-not-defined":
        return lambda line: name not in line.params
    if element[0].tag != f"{ns}text-match":
        raise unsupported(prefix, "a param-filter has a text-match or is-not-defined")
    test = text_test(element[0], prefix)
    return lambda line: name in line.params and test(line.params[name])


def lines_of(element: ET.Element, prefix: str) -> Callable[[Component], Iterable[Line]]:
    """The properties that a prop-filter names; a card's may be those of one group ("item1.TEL")."""
    group, dot, name = element.get("name", "").upper().rpartition(".")
    if not name:
        raise unsupported(prefix, "a prop-filter has a name")
    if dot:
        return lambda component: (line for line in component.all(name) if line.group.upper() == group)
    return lambda component: component.all(name)
