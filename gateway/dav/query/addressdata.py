"""Which part of a card is told, and in which version: address-data (RFC 6352 10.4)."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.lines import Component, Line, parse, write
from gateway.dav.errors import Refused
from gateway.dav.query.properties import CR

VERSIONS: Final = ("3.0", "4.0")
_TYPES: Final = ("text/vcard", "text/x-vcard", "text/directory")


class AddressData:
    """What a request wants of cards (Refused when that does not exist)."""

    def __init__(self, element: ET.Element) -> None:
        self.version = element.get("version", "3.0")
        if self.version not in VERSIONS or element.get("content-type", "text/vcard").lower() not in _TYPES:
            raise Refused(403, "CR:supported-address-data", "cards are text/vcard, version 3.0 or 4.0")
        self._props = {
            each.get("name", "").upper(): each.get("novalue", "no") == "yes"
            for each in element.iterfind(f"{CR}prop")
        }
        #: Whether something else than the whole card is wanted.
        self.is_partial = bool(self._props) and element.find(f"{CR}allprop") is None

    def of(self, text: str) -> str:
        """The wanted part of a card; what makes it a card is always there."""
        card = next(iter(parse(text)), None)
        if card is None:
            return text
        lines = [found for line in card.lines if (found := self._line(line)) is not None]
        return write(Component(card.name, lines)).decode("utf-8", "replace")

    def _line(self, line: Line) -> Line | None:
        if line.name == "VERSION":
            return line
        name = line.name if line.name in self._props else f"{line.group.upper()}.{line.name}"
        if name not in self._props:
            return None
        return Line(line.name, "", line.params, line.group) if self._props[name] else line


def wanted_version(accept: str) -> str:
    """The version that an Accept header prefers, 3.0 when it does not say (RFC 6352 5.1)."""
    for each in accept.lower().split(","):
        kind, *params = (part.strip() for part in each.split(";"))
        if kind == "text/vcard" and any(part.replace('"', "") == "version=4.0" for part in params):
            return "4.0"
        if kind in _TYPES:
            break
    return "3.0"
