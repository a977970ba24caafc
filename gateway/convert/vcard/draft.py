"""A contact while a card is being read into it."""

from __future__ import annotations

from typing import Any

from gateway.convert.lines import Line
from gateway.convert.vcard.card import Card
from gateway.convert.vcard.kept import Retained
from gateway.convert.vcard.options import Options
from gateway.convert.vcard.slots import Slot
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PropKey, Value


class Draft:
    """A contact while a card is being read into it: the properties, the lines not taken yet, and what was there."""

    def __init__(self, card: Card, content: MessageContent, old: dict[str, Slot], options: Options) -> None:
        self.card = card
        self.content = content
        self.old = old
        self.options = options
        self.retained = Retained.of(content)
        self.writer = card.text("PRODID")
        self.claimed: dict[int, str] = {}
        self._by_name: dict[str, list[tuple[int, Line]]] = {}
        for number, line in enumerate(card.lines):
            self._by_name.setdefault(line.name, []).append((number, line))

    def get(self, key: PropKey) -> Any:
        """A property as it is now."""
        return self.content.props.get(key)

    def text(self, key: PropKey) -> str:
        """A text property as it is now, "" when absent."""
        value = self.content.props.get(key)
        return value if isinstance(value, str) else ""

    def put(self, key: PropKey, value: Value) -> None:
        """Set a property; None and "" remove it."""
        if value is None or value == "":
            self.content.props.pop(key, None)
        else:
            self.content.props[key] = value

    def drop(self, *keys: PropKey) -> None:
        """Remove properties."""
        for key in keys:
            self.content.props.pop(key, None)

    def lines(self, *names: str) -> list[Line]:
        """The lines with one of these names that nobody has claimed, in the card's order."""
        found = [entry for name in names for entry in self._by_name.get(name, ())]
        if len(names) > 1:
            found.sort()
        return [line for _, line in found if id(line) not in self.claimed]

    def has_any(self, names: frozenset[str]) -> bool:
        """Whether the card has lines with one of these names, claimed or not."""
        return not self._by_name.keys().isdisjoint(names)

    def claim(self, line: Line, slot: str) -> None:
        """The line belongs to a slot."""
        self.claimed[id(line)] = slot

    def is_gone(self, slot: str) -> bool:
        """Whether a slot that the card lacks is to be emptied: the client was shown it and knows such lines."""
        old = self.old.get(slot)
        if old is None:
            return False
        return not old.optional or self.retained.wrote(slot, self.writer)

    def label(self, line: Line) -> str:
        """Apple's label of a line: the X-ABLabel of the same group."""
        if not line.group:
            return ""
        group = line.group.lower()
        return next(
            (each.text for each in self.card.lines if each.name == "X-ABLABEL" and each.group.lower() == group),
            "",
        )
