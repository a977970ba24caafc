"""A client of a protocol of lines: what POP3's, LMTP's and SMTP's have in common. Blocking, with a timeout."""

from __future__ import annotations

import socket
import ssl

from tests.support.patience import PATIENCE


class LineClient:
    """A connection and its lines."""

    def __init__(self, port: int) -> None:
        self._socket: socket.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._data = b""

    def send(self, data: bytes) -> None:
        """Send octets."""
        self._socket.sendall(data)

    def next_line(self) -> bytes:
        """The next line without its end; what is left, b"" after all, when the server has closed."""
        while b"\r\n" not in self._data:
            more = self._socket.recv(65536)
            if not more:
                rest, self._data = self._data, b""
                return rest
            self._data += more
        line, _, self._data = self._data.partition(b"\r\n")
        return line

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands."""
        self._socket = context.wrap_socket(self._socket)

    def talk(self, dialogue: str) -> None:
        """Play a dialogue: ``C: `` is sent, ``S: `` expected, ``...`` matches anything; S: closed is the end."""
        for entry in filter(None, map(str.strip, dialogue.splitlines())):
            who, _, text = entry.partition(": ")
            if who == "C":
                self.send(self.encoded(text) + b"\r\n")
                continue
            said = self.next_line().decode()
            if text == "closed":
                assert said == "", said
                continue
            begin, dots, end = text.partition("...")
            good = said.startswith(begin) and said.endswith(end) if dots else said == text
            assert good, f"expected {text!r}, the server said {said!r}"

    def encoded(self, text: str) -> bytes:
        """A line of a dialogue as it is sent."""
        return text.encode()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
