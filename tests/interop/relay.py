"""Between a client and the gateway: passes everything on and remembers both sides."""

from __future__ import annotations

import re
import socket
import threading
import zlib
from contextlib import suppress
from typing import Self

from tests.support.patience import PATIENCE


class Relay:
    """A TCP relay on a port of its own."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self._kept: list[tuple[bytearray, bytearray]] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target, PATIENCE)
                server.settimeout(None)
                self._sockets += [client, server]
                dialogue = bytearray(), bytearray()
                self._kept.append(dialogue)
                for source, sink, kept in ((client, server, dialogue[0]), (server, client, dialogue[1])):
                    threading.Thread(target=_pass_on, args=(source, sink, kept), daemon=True).start()

    @property
    def dialogues(self) -> list[tuple[str, str]]:
        """Of each connection what the client and what the server said, also what was compressed."""
        found = []
        for said, answered in self._kept:
            asked = _ASKED.search(said)
            agreed = asked and re.search(rb"^" + asked[1] + rb" OK [^\r\n]*\r\n", answered, re.M)
            found.append((_read(said, asked), _read(answered, agreed)))
        return found

    def commands(self) -> list[str]:
        """What clients asked for: the words of each command line after its tag."""
        return [words for said, _ in self.dialogues for _, words in _COMMAND.findall(said)]

    def refusals(self) -> list[str]:
        """The commands that were answered with NO or BAD, and how."""
        found = []
        for said, answered in self.dialogues:
            asked = dict(_COMMAND.findall(said))
            found += [f"{asked[tag]} -> {words}" for tag, words in _REFUSAL.findall(answered) if tag in asked]
        return found

    def transcript(self) -> str:
        """Both sides of every connection, for the report of a failed test."""
        return "\n".join(
            f"--- client {number}\n{said}\n--- gateway\n{answered}"
            for number, (said, answered) in enumerate(self.dialogues, 1)
        )


_COMMAND = re.compile(r"^(\w+) ([A-Za-z][^\r\n]*)", re.M)
_REFUSAL = re.compile(r"^(\w+) ((?:NO|BAD) [^\r\n]*)", re.M)
_ASKED = re.compile(rb"^(\w+) COMPRESS DEFLATE\r\n", re.I | re.M)


def _read(octets: bytearray, last: re.Match[bytes] | None) -> str:
    """What was sent on a connection; after the last line in the clear it has to be inflated (RFC 4978)."""
    if last is None:
        return octets.decode("utf-8", "replace")
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(octets[last.end() :])
    return (bytes(octets[: last.end()]) + inflated).decode("utf-8", "replace")


def _pass_on(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
