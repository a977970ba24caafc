"""What delivery must know of a mail before it is stored: its header fields, whether it loops, whether it is spam."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gateway.mapi.content import Blob
from gateway.smtp.codec.address import Address

_HEAD: Final = 256 * 1024
_END: Final = re.compile(rb"\r?\n\r?\n")
_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r?\n[ \t]|\r(?!\n))*)", re.MULTILINE)
_FOLD: Final = re.compile(r"\s*\r?\n\s+")


@dataclass(frozen=True)
class Incoming:
    """A mail as it came: envelope sender and octets."""

    sender: Address
    data: bytes | Blob

    @property
    def size(self) -> int:
        """Octets."""
        return self.data.size if isinstance(self.data, Blob) else len(self.data)

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """Header fields by lower-case name, unfolded; of a header beyond 256 KiB only the beginning."""
        head = self.data.slice(0, _HEAD) if isinstance(self.data, Blob) else self.data[:_HEAD]
        end = _END.search(head)
        found: dict[str, list[str]] = {}
        for name, value in _FIELD.findall(head[: end.end()] if end else head):
            text = _FOLD.sub(" ", value.decode("utf-8", "replace")).strip()
            found.setdefault(name.decode("ascii").lower(), []).append(text)
        return found

    def field(self, name: str) -> str:
        """The first field of a lower-case name, or ""."""
        return next(iter(self.fields.get(name, ())), "")

    @property
    def message_id(self) -> str:
        """Message-ID, or ""."""
        return self.field("message-id")

    def loops(self, recipient: Address, max_received: int) -> bool:
        """Whether it has been here before: too many hops (RFC 5321 6.3), or delivered to the same again and again.

        Once is not enough: the MTA in front of us may have written the field just now.
        """
        if len(self.fields.get("received", ())) > max_received:
            return True
        mine = str(recipient).lower()
        delivered = (text.strip("<> ").lower() for text in self.fields.get("delivered-to", ()))
        return sum(text == mine for text in delivered) > 1

    def is_spam(self, marks: Sequence[str]) -> bool:
        """Whether a field begins as one of these ("Name: beginning") does."""
        for mark in marks:
            name, _, beginning = mark.partition(":")
            for value in self.fields.get(name.strip().lower(), ()):
                if value.lower().startswith(beginning.strip().lower()):
                    return True
        return False
