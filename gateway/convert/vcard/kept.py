"""What a client sent, kept beside the object: a JSON document in one property, packed when it is large."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.convert.lines import Line, Params
from gateway.convert.vcard.fields import VCARD_RETAINED
from gateway.mapi.content import MessageContent

#: What is kept beside an object at most, unpacked.
MAX_RETAINED: Final = 1 << 20
_PACK_FROM: Final = 4096
#: The mark of a line that was read but left its slot empty (``GENDER:O``).
EMPTY: Final = "-"


class Kept(msgspec.Struct):
    """A line that a client sent. ``slot`` is "" when no slot took it; ``value`` None when it is what we write."""

    slot: str
    mark: str
    group: str
    name: str
    params: Params
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
