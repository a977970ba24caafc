"""Tests that read like the examples of the RFCs: ``C:`` is what the client says, ``S:`` what the server must answer.

In an answer ``...`` stands for anything within the line, and a line ``S: ...`` for any number of lines. ``@name@``
remembers what stands there, and repeats it later on. ``C2:`` and ``S2:`` are a second connection.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from textwrap import dedent
from typing import Any
from zlib import crc32

from gateway.imap.options import Options
from tests.imap.server import Server
from tests.support.patience import PATIENCE

_LINE = re.compile(r"([CS])(\d?):(?: (.*))?$")
_HOLE = re.compile(r"\.\.\.|@(\w+)@")


class Talker:
    """One connection."""

    def __init__(self, port: int, greeting: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._buffer = b""
        if greeting:
            assert self.line().startswith("* OK")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> str:
        """The next line, without its end."""
        while b"\n" not in self._buffer:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError(f"the connection was closed after {self._buffer!r}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")

    def pending(self) -> bool:
        """Whether a line was received that nobody has read."""
        return b"\n" in self._buffer

    def command(self, text: str, tag: str = "x") -> list[str]:
        """Send a command; its answer up to the tagged line, which must be OK."""
        self.send(f"{tag} {text}\r\n".encode("utf-8", "surrogateescape"))
        lines = []
        while not (line := self.line()).startswith(f"{tag} "):
            lines.append(line)
        assert line.startswith(f"{tag} OK"), f"{text}: {line}"
        return [*lines, line]

    def append(self, mailbox: str, message: bytes, flags: str = "") -> None:
        given = f"({flags}) " if flags else ""
        self.send(f"x APPEND {mailbox} {given}{{{len(message)}+}}\r\n".encode() + message + b"\r\n")
        while not (line := self.line()).startswith("x "):
            pass
        assert line.startswith("x OK"), line

    def closed(self) -> bool:
        """Whether the server has closed the connection."""
        try:
            while data := self.socket.recv(65536):
                self._buffer += data
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()


class Dialogue:
    """Connections of one user, a new one unless named, logged in when they are first used."""

    def __init__(
        self,
        server: Server,
        options: Options | None = None,
        tls: Any = None,
        user: str | None = None,
        time: Any = None,
    ) -> None:
        self.server = server
        self.options = options
        self.tls = tls
        self._time = time
        self.user = user or server.new_user()
        self._talkers: dict[str, Talker] = {}
        self.names: dict[str, str] = {"user": self.user}

    def talker(self, number: str = "", *, login: bool = True) -> Talker:
        """A connection by its number in the script."""
        if number not in self._talkers:
            talker = self._talkers[number] = Talker(self.server.port(self.options, self.tls, self._time))
            if login:
                talker.command(f"LOGIN {self.user} {self.user}")
        return self._talkers[number]

    def given(self, **mailboxes: Iterable[bytes | tuple[str, bytes]]) -> None:
        """Put messages into mailboxes, flags first if there are any; what does not exist is created."""
        talker = Talker(self.server.port(self.options, self.tls, self._time))
        talker.command(f"LOGIN {self.user} {self.user}")
        for name, messages in mailboxes.items():
            if name.upper() != "INBOX":
                talker.command(f"CREATE {name}")
            for one in messages:
                flags, data = ("", one) if isinstance(one, bytes) else one
                talker.append(name, data, flags)
        talker.command("LOGOUT")
        talker.close()

    def talk(self, script: str) -> None:
        """Play a script."""
        skipping: set[str] = set()
        for raw in dedent(script).strip().splitlines():
            found = _LINE.match(raw.strip("\n"))
            assert found, f"not a line of a dialogue: {raw!r}"
            side, number, text = found[1], found[2], found[3] or ""
            talker = self.talker(number)
            if side == "C":
                talker.send(self._filled(text).encode("utf-8", "surrogateescape") + b"\r\n")
            elif text == "...":
                skipping.add(number)
            else:
                self._expect(talker, text, skip=number in skipping)
                skipping.discard(number)

    def _filled(self, text: str) -> str:
        return re.sub(r"@(\w+)@", lambda match: self.names[match[1]], text)

    def _expect(self, talker: Talker, text: str, *, skip: bool) -> None:
        pattern = self._pattern(text)
        passed = []
        while True:
            try:
                line = talker.line()
            except (TimeoutError, EOFError) as error:
                raise AssertionError(f"expected {text!r}, got {passed}, then {error!r}") from None
            match = pattern.fullmatch(line)
            if match is not None:
                self.names.update(match.groupdict())
                return
            passed.append(line)
            assert skip, f"expected {text!r}, got {line!r}"
            if re.match(r"\w+ (OK|NO|BAD) ", line):
                raise AssertionError(f"expected {text!r}, got {passed}")

    def _pattern(self, text: str) -> re.Pattern[str]:
        parts, end = [], 0
        for hole in _HOLE.finditer(text):
            parts.append(re.escape(text[end : hole.start()]))
            end = hole.end()
            if hole[1] is None:
                parts.append(".*?")
            elif hole[1] in self.names:
                parts.append(re.escape(self.names[hole[1]]))
            else:
                parts.append(f"(?P<{hole[1]}>[^ \\])]+)")
                self.names[hole[1]] = ""
        parts.append(re.escape(text[end:]))
        return re.compile("".join(parts), re.S)

    def silent(self, number: str = "") -> bool:
        """Whether nothing more was said than the script read: a NOOP gives its answer at once."""
        return self.talker(number).command("NOOP", "silence") == ["silence OK Noop completed"]

    def close(self) -> None:
        for talker in self._talkers.values():
            talker.close()


def message(
    subject: str = "test", body: str = "Hello.\r\n", *, sender: str = "Joe <joe@example.org>", **fields: str
) -> bytes:
    """A small mail. Field names are written with ``_`` for ``-``."""
    lines = {
        "From": sender,
        "To": "mary@example.org",
        "Subject": subject,
        "Date": format_datetime(datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        "Message-ID": f"<{crc32(repr((subject, body, sender)).encode())}@example.org>",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n" + body.encode()
