"""Request bodies as XML: small, shallow, without a document type, entities or anything from elsewhere."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from gateway.dav.errors import BadRequest

MAX_DEPTH: Final = 40
MAX_ELEMENTS: Final = 100_000


class _Bounded(ET.TreeBuilder):
    """Builds a tree, and refuses one that is too deep or too large before it is built."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise BadRequest("the XML of the request is too deep or has too many elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def parse(body: bytes) -> ET.Element | None:
    """The root of a body, None for an empty one (BadRequest)."""
    if not body.strip():
        return None
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise BadRequest(f"the body is not XML that is taken here: {error}") from error
    return root
