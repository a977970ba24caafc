"""Mail data after DATA: dots unstuffed, and no end but CRLF.CRLF (RFC 5321 4.1.1.4, 4.5.2).

A line that is a lone dot only for readers who take a bare CR or LF as a line end is what SMTP smuggling is made of:
it is noticed (`DataReader.smuggled`), and whoever reads refuses the mail.
"""

from __future__ import annotations

import re
from typing import Final

_CANDIDATE: Final = re.compile(rb"[\r\n]\.(?=[\r\n])")
#: What may belong to an end that has not arrived whole, and what must be remembered to know a line's beginning.
_HELD: Final = 4
_CONTEXT: Final = 2


class DataReader:
    """Reads one mail; feed it until it gives what came after the end."""

    def __init__(self) -> None:
        self._buffer = b"\r\n"  # as if: the mail begins at the beginning of a line
        self._given = _CONTEXT
        self.smuggled = False

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take octets; the mail's octets among them, and after the end what came behind it (None before)."""
        buffer = self._buffer + data
        for match in _CANDIDATE.finditer(buffer):
            dot = match.start() + 1
            if buffer[dot + 1 : dot + 2] == b"\r" and len(buffer) == dot + 2:
                break  # whether LF follows is not known yet
            begins = buffer[dot - 2 : dot] == b"\r\n"
            if begins and buffer[dot + 1 : dot + 3] == b"\r\n":
                return self._unstuffed(buffer[:dot]), buffer[dot + 3 :]
            self.smuggled = True
        cut = max(len(buffer) - _HELD, self._given)
        mail = self._unstuffed(buffer[:cut])
        self._buffer = buffer[cut - _CONTEXT :]
        self._given = _CONTEXT
        return mail, None

    def _unstuffed(self, lines: bytes) -> bytes:
        return lines.replace(b"\r\n.", b"\r\n")[self._given :]
