"""A minimal client of a store server for tests: one blocking socket, the wire codec, nothing else."""

from __future__ import annotations

import http.client
import socket
from typing import Any, TypeVar

from gateway.mapiclient.wire import calls_session
from gateway.mapiclient.wire.envelope import ReplyDecoder, encode_request_chunks
from gateway.mapiclient.wire.schema import Call
from tests.support.patience import PATIENCE

R = TypeVar("R")

CAPABILITIES = 0xE752
"""What a stock client asks for: Unicode, long session ids, streams ..."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class SoapClient:
    """One connection to a store, and perhaps a session."""

    def __init__(self, url: str, timeout: float = PATIENCE) -> None:
        """Connect to ``http://host:port`` or ``unix:/path``."""
        self.connection: http.client.HTTPConnection
        if url.startswith("unix:"):
            self.connection = _UnixConnection(url.removeprefix("unix:"), timeout)
        else:
            self.connection = http.client.HTTPConnection(url.split("//")[1].rstrip("/"), timeout=timeout)
        self.session_id = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def __enter__(self) -> SoapClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the session stays."""
        self.connection.close()

    def send(self, call: Call[Any], session_id: int | None = None) -> None:
        """Send a request without waiting for its reply."""
        message = encode_request_chunks(call, self.session_id if session_id is None else session_id)
        headers = {"Content-Type": message.content_type, "Content-Length": str(message.size)}
        self.connection.request("POST", "/", b"".join(message.chunks()), headers)

    def receive(self, call: Call[R]) -> R:
        """Read the reply to the request that was sent."""
        response = self.connection.getresponse()
        self.body = response.read()
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        decoder = ReplyDecoder(call)
        decoder.feed(self.body)
        return decoder.close()

    def call(self, call: Call[R], session_id: int | None = None) -> R:
        """Make a call; the reply, whatever its result code."""
        self.send(call, session_id)
        return self.receive(call)

    def ok(self, call: Call[R]) -> R:
        """Make a call that must succeed."""
        reply: Any = self.call(call)
        assert reply.er == 0, f"{call.name}: er {reply.er:#x}"
        return reply  # type: ignore[no-any-return]

    def er(self, call: Call[Any]) -> int:
        """The result code of a call."""
        return int(self.call(call).er)

    def logon(self, user: str, password: str | None = None, **options: Any) -> calls_session.LogonReply:
        """Log on (the password is the name unless given) and keep the session; the reply."""
        options = {"version": "11.0.2", "capabilities": CAPABILITIES, "session_group": 0} | options
        reply = self.call(calls_session.Logon(user, user if password is None else password, **options))
        if reply.er == 0:
            self.session_id = reply.session_id
        return reply

    def raw(
        self, data: bytes, *, method: str = "POST", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send any body; status and body of the answer."""
        self.connection.request(method, "/", data, headers or {})
        response = self.connection.getresponse()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, response.read()
