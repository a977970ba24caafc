"""Text matches: collations and kinds of match (RFC 4791 9.7.5, RFC 6352 10.5.4, RFC 4790, RFC 5051)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from unicodedata import normalize
from xml.etree import ElementTree as ET

from gateway.dav.errors import Refused

#: Whether any of these texts matches; a match that is negated asks that none of them does.
TextTest = Callable[[Iterable[str]], bool]

_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
#: Characters that a text has in another form before it is unescaped.
_WRITTEN_OTHERWISE: Final = re.compile(r"[^\x20-\x7e]|[\\,;:\"^]")


def fold(text: str) -> str:
    """A text for comparing without case (i;unicode-casemap): composed and decomposed letters are the same."""
    return text.lower() if text.isascii() else normalize("NFKD", text.casefold())


def _ascii(text: str) -> str:
    return text.translate(_UPPER)


def _octets(text: str) -> str:
    return text


#: Without a name case never matters, in any script: so do clients mean it.
_COLLATIONS: Final[dict[str, Callable[[str], str]]] = {
    "": fold,
    "default": fold,
    "i;unicode-casemap": fold,
    "i;ascii-casemap": _ascii,
    "i;octet": _octets,
}
COLLATIONS: Final = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
_KINDS: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda value, text: text in value,
    "equals": lambda value, text: value == text,
    "starts-with": lambda value, text: value.startswith(text),
    "ends-with": lambda value, text: value.endswith(text),
}


def text_test(element: ET.Element, prefix: str) -> TextTest:
    """The test of a text-match element; ``prefix`` ("C", "CR") names the preconditions (Refused)."""
    collation = _COLLATIONS.get(element.get("collation", ""))
    if collation is None:
        raise Refused(403, f"{prefix}:supported-collation", "collations: " + ", ".join(COLLATIONS))
    kind = _KINDS.get(element.get("match-type", "contains"))
    if kind is None:
        raise Refused(403, f"{prefix}:valid-filter" if prefix == "C" else f"{prefix}:supported-filter")
    wanted = collation("".join(element.itertext()))
    negated = is_negated(element)

    def test(values: Iterable[str]) -> bool:
        return any(kind(collation(value), wanted) for value in values) is not negated

    return test


def is_negated(element: ET.Element) -> bool:
    """Whether the text must not match."""
    return element.get("negate-condition", "no") == "yes"


def needle(element: ET.Element) -> str:
    """What the written item must contain for the match, folded; "" when nothing can be said."""
    text = "".join(element.itertext())
    if is_negated(element) or _WRITTEN_OTHERWISE.search(text):
        return ""
    return text.lower()
