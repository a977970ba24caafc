"""Smarthosts that are told what to say, line by line: what the client sends is known afterwards."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

EHLO = ("smarthost.example", "PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000000")


class Script:
    """A server on a port of its own. ``replies`` are given to commands that begin so; everything else is fine."""

    def __init__(
        self, extensions: tuple[str, ...] = EHLO, tls: ssl.SSLContext | None = None, **more: Any
    ) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._extensions = extensions
        self._tls = tls
        self._implicit: bool = more.pop("implicit", False)
        self._injected: bytes = more.pop("injected", b"")
        self._lmtp: bool = more.pop("lmtp", False)
        self.replies: dict[str, list[str]] = more
        self.sessions: list[list[str]] = []
        """What came over each connection."""
        self.mails: list[bytes] = []
        self.reads: list[int] = []
        """How many commands came with each read."""
        self._sockets: list[socket.socket] = []

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        said: list[str] = []
        self.sessions.append(said)
        with suppress(OSError, ssl.SSLError):
            if self._implicit and self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._sockets.append(connection)
            connection.sendall(b"220 hello\r\n")
            buffer, body, taken = b"", None, 0
            while data := connection.recv(65536):
                buffer += data
                if body is None:
                    self.reads.append(buffer.count(b"\r\n"))
                while True:
                    if body is not None:
                        end = b".\r\n" if buffer.startswith(b".\r\n") else b"\r\n.\r\n"
                        if end not in buffer:
                            break
                        mail, _, buffer = buffer.partition(end)
                        self.mails.append(mail + end[:-3])
                        body = None
                        for _ in range(taken if self._lmtp else 1):
                            connection.sendall(self._reply("end", "250 2.0.0 taken"))
                        continue
                    line, found, rest = buffer.partition(b"\r\n")
                    if not found:
                        break
                    buffer = rest
                    word = line.decode()
                    said.append(word)
                    if word == "STARTTLS" and self._tls:
                        connection.sendall(b"220 go\r\n" + self._injected)
                        connection = self._tls.wrap_socket(connection, server_side=True)
                        self._sockets.append(connection)
                        continue
                    answer = self._answer(word)
                    if answer is None:
                        connection.close()
                        return
                    connection.sendall(answer)
                    taken = (
                        0
                        if word.startswith("MAIL")
                        else taken + word.startswith("RCPT") * answer.startswith(b"2")
                    )
                    body = b"" if word == "DATA" and answer.startswith(b"354") else None

    def _answer(self, word: str) -> bytes | None:
        if word.startswith("LHLO" if self._lmtp else "EHLO"):
            lines = [f"250-{line}" for line in self._extensions]
            return ("\r\n".join(lines).replace("250-" + self._extensions[-1], "250 " + self._extensions[-1]) + "\r\n").encode()  # fmt: skip
        reply = self._reply(word.partition(":")[2].partition(" ")[0].strip("<>") or word, "")
        if reply == b"close\r\n":
            return None
        return (
            reply
            if reply != b"\r\n"
            else self._reply(word.split()[0], "354 go" if word == "DATA" else "250 2.0.0 ok")
        )

    def _reply(self, key: str, usual: str) -> bytes:
        waiting = self.replies.get(key, [])
        reply = waiting.pop(0) if waiting else usual
        return b"" if reply == "hang" else reply.encode() + b"\r\n"


@contextmanager
def smarthost(*extensions: str, **more: Any) -> Iterator[Script]:
    """A running one."""
    script = Script(extensions or EHLO, **more)
    script.start()
    try:
        yield script
    finally:
        script.close()
