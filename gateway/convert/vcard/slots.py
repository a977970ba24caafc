"""Slots: the places of a card that MAPI properties fill.

Exporters yield `Slot`s; importers take lines from a `Draft` and claim them for slots. What a client wrote is kept
beside the contact (`kept`): its lines for slots, to be given back literally while the slot still has the value it
had then, and the lines that no slot took.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

from gateway.convert.lines import Line
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PT_STRING8, PropTag, canonical


class Slot(msgspec.Struct):
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
        if len(self.lines) == 1:
            return self.lines[0]
        same = [line for line in self.lines if line.name == name] or self.lines[:1]
        return same[min(number, len(same) - 1)]


def mark_of(value: object) -> str:
    """A short fingerprint. It only has to tell a value from the one before it."""
    text = repr(value)
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):x}.{len(text):x}"


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
