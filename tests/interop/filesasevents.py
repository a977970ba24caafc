"""A proxy that makes a calendar of each directory and an event of each file, for programs that know only files."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.dav.server import event, unfolded
from tests.support.patience import PATIENCE

_FILE = re.compile(r"^SUMMARY:file (\S*)", re.M)


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = self.command
        if method == "MKCOL" and not body:
            method = "MKCALENDAR"
        if method == "PUT" and not body.startswith(b"BEGIN:"):
            uid = hashlib.sha256(self.path.encode()).hexdigest()
            body = event(uid, f"file {base64.urlsafe_b64encode(body).decode()}").encode()
        self._forward(method, body)

    def _forward(self, method: str, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=PATIENCE)
        headers = {
            name: value for name, value in self.headers.items() if name not in ("Content-Length", "Expect")
        }
        connection.request(method, self.path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        found = _FILE.search(unfolded(text.decode("utf-8", "replace"))) if method == "GET" else None
        if found:
            text = base64.urlsafe_b64decode(found[1])
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with suppress(BrokenPipeError):  # some of its tests do not wait for the answer
            self.wfile.write(text if method != "HEAD" else b"")


@contextmanager
def files_as_events(port: int) -> Iterator[int]:
    """The proxy before a gateway's port; its own port."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    server.behind = port
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
