"""Ports that stay a test's own while nobody listens there: before a server starts, and while it is away."""

from __future__ import annotations

import socket


class HeldPort:
    """A port of 127.0.0.1 that the system gives to nobody who asks for any port; a server that names it gets it."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: so both may have it
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Let it go; whoever listens there goes on."""
        self._socket.close()
