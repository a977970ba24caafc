"""What FETCH asks for, as values (RFC 9051 6.4.5, RFC 3516, 7162, 8474, 8514, 8970)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Attribute(Enum):
    """Items without parameters; the value is how the answer names them."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"
    EMAILID = b"EMAILID"
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"
    PREVIEW = b"PREVIEW"


Partial: TypeAlias = "tuple[int, int]"


@dataclass(frozen=True, slots=True)
class LazyPreview:
    """``PREVIEW (LAZY)``: only if it is at hand (RFC 8970 3.1)."""


@dataclass(frozen=True, slots=True)
class Section:
    """``BODY[section]<partial>`` and the RFC822 items. `label` is how the answer names it, `<offset>` aside.

    `part` is the part path, `text` one of ``""`` HEADER HEADER.FIELDS HEADER.FIELDS.NOT TEXT MIME, `partial` is
    (offset, length).
    """

    part: tuple[int, ...]
    text: str
    fields: tuple[str, ...]
    partial: Partial | None
    peek: bool
    label: bytes


@dataclass(frozen=True, slots=True)
class Binary:
    """``BINARY[part]<partial>``: the decoded octets of a leaf part."""

    part: tuple[int, ...]
    partial: Partial | None
    peek: bool

    @property
    def label(self) -> bytes:
        """How the answer names it."""
        return b"BINARY[%b]" % ".".join(map(str, self.part)).encode()


@dataclass(frozen=True, slots=True)
class BinarySize:
    """``BINARY.SIZE[part]``: the number of decoded octets."""

    part: tuple[int, ...]

    @property
    def label(self) -> bytes:
        """How the answer names it."""
        return b"BINARY.SIZE[%b]" % ".".join(map(str, self.part)).encode()


Item: TypeAlias = "Attribute | LazyPreview | Section | Binary | BinarySize"

ALL: Final = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE, Attribute.ENVELOPE)
MACROS: Final[dict[str, tuple[Attribute, ...]]] = {
    "ALL": ALL,
    "FAST": ALL[:3],
    "FULL": (*ALL, Attribute.BODY),
}


def marks_seen(items: tuple[Item, ...]) -> bool:
    r"""Whether fetching these sets \Seen (6.4.5: BODY[] and BINARY[] without PEEK)."""
    return any(isinstance(item, Section | Binary) and not item.peek for item in items)
