"""Content: a message as a value, the common coin of the converters and of saveObject/loadObject.

Converters (`gateway.convert`) read and write these; `gateway.mapiclient` turns them into calls. Named
properties without a fixed id are keyed by `NamedTag`, everything else by tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from mmap import mmap

from gateway.mapi.props import NamedProps, PropKey, Value


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are too large to hold: their exact size, and an opener that yields them in chunks.

    ``chunks`` may be called any number of times and gives the same bytes each time; ``at``, when the bytes lie
    in a file, reads a slice (offset, length) without what comes before it, and ``mapped`` maps them into memory.
    """

    size: int
    chunks: Callable[[], Iterator[bytes]]
    at: Callable[[int, int], bytes] | None = None
    mapped: Callable[[], mmap] | None = None

    def read(self) -> bytes:
        """All of it; for callers that know it is small."""
        return b"".join(self.chunks())

    def slice(self, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset`` on; fewer only at the end."""
        if self.at is not None:
            return self.at(offset, length)
        found = bytearray()
        for chunk in self.chunks():
            if offset < len(chunk):
                found += chunk[offset : offset + length - len(found)]
                if len(found) >= length:
                    break
            offset = max(0, offset - len(chunk))
        return bytes(found)


@dataclass(slots=True)
class AttachmentContent:
    """An attachment. ``data`` belongs to methods 1 and 6, ``embedded`` to method 5 (PR_ATTACH_METHOD)."""

    props: NamedProps = field(default_factory=dict)
    data: bytes | Blob | None = None
    embedded: MessageContent | None = None


@dataclass(slots=True)
class MessageContent:
    """A message with its recipients and attachments, each in table order."""

    props: NamedProps = field(default_factory=dict)
    recipients: list[NamedProps] = field(default_factory=list)
    attachments: list[AttachmentContent] = field(default_factory=list)

    def get(self, key: PropKey, default: Value = None) -> Value:
        """The value of a property of the message itself."""
        return self.props.get(key, default)
