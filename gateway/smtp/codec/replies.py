"""Replies with enhanced status codes (RFC 5321 4.2, RFC 2034, RFC 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
#: RFC 5321 4.5.3.1.5 allows 512 octets with CRLF; code and status take some.
_MOST: Final = 480


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: ``code``, enhanced ``status`` ("" for those that have none), and its lines."""

    code: int
    status: str
    text: str
    more: tuple[str, ...] = ()
    """Further lines."""

    @property
    def is_good(self) -> bool:
        """Whether it says yes."""
        return self.code < 400

    def encode(self) -> bytes:
        """The octets."""
        lines = [_line(text) for text in (self.text, *self.more)]
        mark = f"{self.status} " if self.status else ""
        last = len(lines) - 1
        return b"".join(
            f"{self.code}{' ' if place == last else '-'}{mark}".encode() + line + b"\r\n"
            for place, line in enumerate(lines)
        )


def _line(text: str) -> bytes:
    return _CONTROL.sub(" ", text).encode("utf-8", "replace")[:_MOST].decode("utf-8", "ignore").encode()


class Refused(Exception):
    """A command is refused; ``reply`` says how."""

    def __init__(self, code: int, status: str, text: str) -> None:
        self.reply = Reply(code, status, text)
        super().__init__(text)


OK: Final = Reply(250, "2.0.0", "OK")
"""Done."""
