"""Slots: the places of a card that MAPI properties fill, and what a client's own lines for them were.

Exporters yield `Slot`s; importers take lines from a `Draft` and claim them for slots. What a client wrote is kept
beside the contact (`Retained`): its lines for slots, to be given back literally while the slot still has the value
it had then, and the lines that no slot took.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Final, Protocol

import msgspec

from gateway.convert.lines import Line
from gateway.convert.vcard.card import Card
from gateway.convert.vcard.fields import VCARD_RETAINED
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PT_STRING8, PropKey, PropTag, Value, canonical

#: What is kept beside an object at most, unpacked.
MAX_RETAINED: Final = 1 << 20
_PACK_FROM: Final = 4096


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or list as a member of a list sees it. ``addresses`` are its three e-mail slots, "" when unused."""

    uid: str
    entryid: bytes
    name: str
    addresses: tuple[str, str, str] = ("", "", "")
    is_list: bool = False
    is_here: bool = True
    """Whether it is in the same collection as the list."""


class Members(Protocol):
    """Where the members of lists are looked up."""

    def by_entryid(self, entryid: bytes) -> Person | None:
        """The contact, list or address book object of an entry id; None when it is gone."""
        ...

    def by_uid(self, uid: str) -> Person | None:
        """The contact or list of this collection with a UID (without ``urn:uuid:``); None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What a conversion has to know beside the object.

    ``zone`` is the mailbox owner's, for birthdays. ``address_of`` finds the SMTP address of an e-mail entry of
    another type (its entry id, type and address). ``members`` is for distribution lists.
    """

    zone: tzinfo = UTC
    address_of: Callable[[bytes | None, str, str], str | None] | None = None
    members: Members | None = None
    product: str = "-//mapi-gateway//EN"


DEFAULT: Final = Options()


@dataclass(slots=True)
class Slot:
    """What one place of a card holds. ``value`` is independent of the version; equal values mean nothing changed.

    An ``optional`` slot is one that many clients do not know: that it is missing from what they send means nothing.
    """

    key: str
    value: object
    lines: list[Line]
    optional: bool = False

    @property
    def mark(self) -> str:
        """A short fingerprint of the value."""
        return mark_of(self.value)

    def like(self, name: str, number: int = 0) -> Line:
        """The line of this name, the ``number``-th of them if there are so many, else the first of all."""
        same = [line for line in self.lines if line.name == name] or self.lines[:1]
        return same[min(number, len(same) - 1)]


def mark_of(value: object) -> str:
    """A short fingerprint. It only has to tell a value from the one before it."""
    text = repr(value)
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):x}.{len(text):x}"


#: The mark of a line that was read but left its slot empty (``GENDER:O``).
EMPTY: Final = "-"


@dataclass(slots=True)
class Kept:
    """A line that a client sent. ``slot`` is "" when no slot took it; ``value`` None when it is what we write."""

    slot: str
    mark: str
    group: str
    name: str
    params: dict[str, tuple[str, ...]]
    value: str | None
    writer: str
    """PRODID of the client."""

    def line(self, value: str) -> Line:
        """The client's line, with this value unless it had its own."""
        return Line(self.name, value if self.value is None else self.value, self.params, self.group)


@dataclass(slots=True)
class Retained:
    """The lines that are kept beside an object, in the order they came."""

    version: str = ""
    kept: list[Kept] = field(default_factory=list)

    @classmethod
    def of(cls, content: MessageContent | None) -> Retained:
        """What is kept beside an object; nothing when it is damaged."""
        blob = content.get(VCARD_RETAINED) if content is not None else None
        if not isinstance(blob, bytes) or not blob:
            return cls()
        try:
            return cls._decoded(blob)
        except (msgspec.MsgspecError, LookupError, ValueError, TypeError, AttributeError, zlib.error):
            return cls()

    @classmethod
    def _decoded(cls, blob: bytes) -> Retained:
        if blob[:1] == b"z":
            unpacker = zlib.decompressobj()
            blob = unpacker.decompress(blob[1:], MAX_RETAINED)
        data: Any = msgspec.json.decode(blob)
        writers = data["writers"]
        kept = [
            Kept(
                slot,
                mark,
                group,
                name,
                {key: tuple(values) for key, values in params.items()},
                value,
                writers[who],
            )
            for slot, mark, group, name, params, value, who in data["lines"]
        ]
        return cls(data["version"], kept)

    def encoded(self) -> bytes | None:
        """The bytes to keep; None when there is nothing. Lines beyond the limit are left out, the largest first."""
        kept = self.kept
        while kept:
            writers = [*dict.fromkeys(each.writer for each in kept)]
            lines = [
                [
                    each.slot,
                    each.mark,
                    each.group,
                    each.name,
                    each.params,
                    each.value,
                    writers.index(each.writer),
                ]
                for each in kept
            ]
            data = {"version": self.version, "writers": writers, "lines": lines}
            blob = msgspec.json.encode(data)
            if len(blob) <= MAX_RETAINED:
                return b"z" + zlib.compress(blob) if len(blob) > _PACK_FROM else blob
            largest = max(kept, key=lambda each: len(each.value or ""))
            kept = [each for each in kept if each is not largest]
        return None

    def wrote(self, slot: str, writer: str) -> bool:
        """Whether this client has sent a line for the slot before."""
        return bool(writer) and any(each.slot == slot and each.writer == writer for each in self.kept)


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


def text_of(content: MessageContent, key: PropTag) -> str:
    """A text property, "" when absent; of content that went through `in_unicode`."""
    value = content.props.get(key)
    return value if value.__class__ is str else ""


def in_unicode(content: MessageContent) -> MessageContent:
    """The content with all texts under their Unicode tags; some writers use the other type for the same property."""
    old = [key for key in content.props if key.__class__ is int and key & 0xEFFF == PT_STRING8]
    if not old:
        return content
    props = dict(content.props)
    for key in old:
        props.setdefault(canonical(key), props.pop(key))
    return MessageContent(props, content.recipients, content.attachments)


def filled(slots: Iterator[Slot]) -> dict[str, Slot]:
    """Slots by their keys."""
    return {slot.key: slot for slot in slots}
